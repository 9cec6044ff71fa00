import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { InputError, prettyJson } from '../base/index.ts';
import { escapeHtml, html } from './html.ts';
import { parseResults, renderReport, resultsTable, type StudyResults } from './index.ts';
import { currentReport, type ReportEffects } from './report-folder.ts';
import { studyFigures } from './study-figures.ts';
import { pointsTable, studyTables } from './study-tables.ts';
import { tableCsv } from './table-csv.ts';
import { exampleProvenance } from './testing/provenance.ts';
import { exampleResults } from './testing/results.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-report-'));
after(() => rm(root, { recursive: true }));
const results = exampleResults();

type Files = ReadonlyMap<string, string | Uint8Array>;

/** The files of a report, which never reach a disk. */
async function rendered(of: StudyResults, marker = ''): Promise<Files> {
  let files: Files = new Map();
  const effects: ReportEffects = {
    replace: async (_folder, given) => {
      files = given;
    },
  };
  await renderReport(of, exampleProvenance(marker), 'nowhere', effects);
  return files;
}

/** The page without the code it carries. */
const pageOf = (files: Files) => String(files.get('index.html')).replace(/<script>.*?<\/script>/gs, '');

const files = await rendered(results);

test('the report: a page, figures twice, tables, the results as they are; the record last', async () => {
  const names = [...files.keys()];
  for (const { id } of studyFigures(results)) {
    assert.ok(names.includes(`figures/${id}.svg`) && names.includes(`figures/${id}.png`), id);
  }
  assert.deepEqual(
    studyFigures(results).map(({ id }) => id),
    [
      'ndcg-flops',
      'ndcg-tokens-per-parameter',
      'collections',
      'icl-ndcg',
      'loss-curves',
      'loss-flops',
      'conventions',
    ],
  );
  assert.equal(names.at(-1), 'report.json');
  assert.equal(files.get('results.json'), prettyJson(results));
  for (const [name, data] of files) {
    if (name.endsWith('.svg')) assert.doesNotMatch(String(data), /NaN|undefined|null/, name);
  }
  const again = await rendered(results);
  assert.deepEqual([...again.keys()], names);
  for (const [name, data] of files) assert.deepEqual(again.get(name), data, name);
});

test('the page stands alone: nothing is fetched, every anchor exists, every figure has words', () => {
  const page = pageOf(files);
  assert.doesNotMatch(page, /(src|href)="(https?:)?\/\//);
  assert.doesNotMatch(page, /NaN|undefined|\[object/);
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(found => found[1]);
  assert.equal(new Set(ids).size, ids.length, 'an id stands twice');
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(target), target);
  for (const [, path] of page.matchAll(/href="([^#"]+)"/g)) assert.ok(files.has(path!), path);
  assert.equal([...page.matchAll(/role="img" aria-label="[^"]{40,}"/g)].length, 7);
  for (const [table] of page.matchAll(/<table>.*?<\/table>/gs)) {
    assert.match(table, /<th scope="col"/);
    assert.match(table, /<th scope="row"/);
  }
});

test('only the code of the page may run, by its hash', () => {
  const page = String(files.get('index.html'));
  const scripts = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map(found => found[1]!);
  assert.equal(scripts.length, 2);
  for (const script of scripts) {
    const hash = createHash('sha256').update(script).digest('base64');
    assert.ok(page.includes(escapeHtml(`'sha256-${hash}'`)));
  }
  assert.match(page, /default-src &#39;none&#39;/);
});

test('every number of the results stands in the files with all its digits', () => {
  const points = String(files.get('tables/points.csv'));
  const [header, ...lines] = points
    .trimEnd()
    .split('\n')
    .map(line => line.split(','));
  assert.deepEqual(header!.slice(0, 6), ['model', 'family', 'params', 'tokens', 'flops', 'flops_palm']);
  const cell = (row: number, name: string) => lines[row]![header!.indexOf(name)];
  results.checkpoints.forEach((checkpoint, row) => {
    const { finetuned, heldOut, icl, iclMean, zeroShot } = checkpoint;
    assert.equal(cell(row, 'model'), checkpoint.name);
    assert.equal(Number(cell(row, 'ndcg_at_10')), finetuned!.mean.value);
    assert.equal(Number(cell(row, 'ndcg_at_10_low')), finetuned!.mean.low);
    for (const [name, score] of Object.entries(finetuned!.collections))
      assert.equal(Number(cell(row, `ndcg_at_10_${name}`)), score.value);
    for (const [name, score] of Object.entries(icl)) {
      assert.equal(Number(cell(row, `icl_${name}_accuracy`)), score.accuracy.value);
      assert.equal(cell(row, `icl_${name}_bits_per_byte`), String(score.bitsPerByte?.value ?? ''));
    }
    assert.equal(cell(row, 'icl_accuracy'), String(iclMean?.accuracy.value ?? ''));
    assert.equal(cell(row, 'zero_shot_ndcg_at_10'), String(zeroShot?.mean.value ?? ''));
    assert.equal(cell(row, 'held_out_loss'), String(heldOut?.lossNats ?? ''));
    assert.equal(cell(row, 'flops'), checkpoint.tokens === 0 ? '' : String(checkpoint.flops['6nd']));
  });
});

test('people read the same numbers, rounded, and the provenance they lead to', () => {
  const page = pageOf(files);
  for (const { name, finetuned } of results.checkpoints) {
    const { value, low, high } = finetuned!.mean;
    const interval = `<span class="interval">(${low.toFixed(3)} to ${high.toFixed(3)})</span>`;
    assert.ok(page.includes(`<td class="number">${value.toFixed(3)} ${interval}</td>`), name);
  }
  assert.match(page, /<a href="#step-2">results<\/a>/);
  for (const { identity, inputs } of exampleProvenance().steps) {
    assert.ok(page.includes(identity));
    for (const { sha256 } of inputs) assert.ok(page.includes(sha256));
  }
  const named = {
    ...results,
    checkpoints: results.checkpoints.map(row => ({ ...row, sources: { finetuned: ['corpus', 'gone'] } })),
  };
  const table = studyTables(named).find(({ id }) => id === 'retrieval')!;
  assert.deepEqual(table.rows[0]!.at(-1)!.steps, ['corpus', 'gone']);
});

/** The same data with a text added to each of its strings but the words that the types fix. */
function marked<T>(value: T, marker: string): T {
  const fixed = /^(isoflop-|power$|profile$|fraction$|loss$|rising$|falling$|plain$|log$|models)/;
  const mark = (inner: unknown): unknown => {
    if (typeof inner === 'string') return fixed.test(inner) ? inner : inner + marker;
    if (Array.isArray(inner)) return inner.map(mark);
    if (inner === null || typeof inner !== 'object') return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, deep]) => [key, mark(deep)]));
  };
  return mark(value) as T;
}

test('hostile names stay text: in the page, in figures, in the terminal', async () => {
  const evil = `"><img src=x onerror=alert(1)></script><script>alert(2)</script>'\u0000\u001b[31m\ud800{{x}}`;
  const small = { ...marked(results, evil), fits: [], curves: results.curves.slice(0, 1) };
  const hostile = await rendered({ ...small, curves: marked(small.curves, evil) }, evil);
  const page = String(hostile.get('index.html'));
  assert.doesNotMatch(page, /<img|<script>alert/);
  assert.equal([...page.matchAll(/<script>/g)].length, 2);
  for (const [name, data] of hostile) {
    if (!name.endsWith('.svg')) continue;
    assert.doesNotMatch(String(data), /<img|<script/, name);
    assert.ok(hostile.has(name.replace('.svg', '.png')));
  }
  assert.doesNotMatch(resultsTable(small), /[^\P{Cc}\n]/u);
});

test('templates escape whatever goes into them', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const escaped = escapeHtml(text);
      assert.equal(html`<p title="${text}">${text}</p>`.text, `<p title="${escaped}">${escaped}</p>`);
      assert.equal(escaped.search(/[<>"']/), -1);
      const back = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' } as const;
      const read = escaped.replace(/&(lt|gt|quot|#39|amp);/g, found => back[found as keyof typeof back]);
      assert.equal(read, text);
    }),
  );
});

test('no cell of a CSV file begins a formula, whatever the names', () => {
  fc.assert(
    fc.property(fc.constantFrom('=', '+', '-', '@', '\t', '\r'), fc.string(), (first, rest) => {
      const [row] = results.checkpoints;
      const named = { ...results, checkpoints: [{ ...row!, name: `${first}${rest}` }] };
      const line = tableCsv(pointsTable(named)).split('\n').slice(1).join('\n');
      assert.match(line, /^"?'/);
    }),
  );
});

const nothing: StudyResults = {
  ...results,
  description: '',
  conventions: [],
  collections: [],
  tasks: [],
  checkpoints: [],
  references: [],
  curves: [],
  trends: [],
  fits: [],
  correlations: [],
  caveats: [],
  deviations: [],
};

test('results with nothing in them make a report without figures', async () => {
  const empty = await rendered(nothing);
  assert.deepEqual(
    [...empty.keys()],
    ['tables/points.csv', 'tables/provenance.csv', 'results.json', 'index.html', 'report.json'],
  );
  assert.doesNotMatch(String(empty.get('index.html')), /<script|NaN|undefined/);
  assert.doesNotMatch(resultsTable(nothing), /NaN|undefined/);
});

test('nulls everywhere, no tasks, a law not identified and one not fitted: said in words', async () => {
  const [first] = results.fits;
  const bare: StudyResults = {
    ...results,
    tasks: [],
    correlations: [],
    checkpoints: results.checkpoints.map(row => ({
      ...row,
      heldOut: null,
      zeroShot: null,
      icl: {},
      iclMean: null,
      finetuned: row.tokens > 3e7 ? row.finetuned : null,
    })),
    fits: [
      {
        ...first!,
        report: {
          ...first!.report!,
          identified: false,
          coefficients: null,
          holdout: null,
          warnings: ['not identified: too few points'],
        },
      },
      { target: 'wordnet-entries', convention: '6nd', report: null, reason: 'only two checkpoints' },
    ],
  };
  const made = await rendered(bare);
  const page = pageOf(made);
  assert.match(page, /The power law is not identified: too few points/);
  assert.match(page, /not fitted: only two checkpoints/);
  assert.doesNotMatch(page, /NaN|undefined|\[object|id="table-icl"|id="figure-icl-ndcg"/);
  assert.ok(!made.has('figures/loss-flops.svg') && made.has('figures/ndcg-flops.svg'));
  const text = resultsTable(bare);
  assert.match(text, /not identified: too few points/);
  assert.doesNotMatch(text, /NaN|undefined/);
  const none = await rendered({
    ...bare,
    checkpoints: bare.checkpoints.map(row => ({ ...row, finetuned: null })),
  });
  assert.deepEqual(
    [...none.keys()].filter(name => name.endsWith('.svg')),
    ['figures/loss-curves.svg'],
  );
});

test('the terminal: no line over 100 characters, every checkpoint, the law, the hold-out, a plot', () => {
  const text = resultsTable(results);
  for (const line of text.split('\n')) assert.ok([...line].length <= 100, line);
  for (const { name, finetuned } of results.checkpoints) {
    const line = text.split('\n').find(found => found.startsWith(name.slice(0, 33)))!;
    assert.ok(line.includes(finetuned!.mean.value.toFixed(3)), name);
  }
  assert.match(text, /BM25 \(lucene, k1 0\.9, b 0\.4, english\): 0\.\d{3} ±0\.012/);
  assert.match(text, /Law \(6ND\): y = E - A/);
  assert.match(text, /Held out: mpt-1573k .* measured 0\.\d{3}, predicted 0\.\d{3}/s);
  assert.match(text, /[\u2801-\u28ff]/);
});

test('a report replaces a report or an empty folder, and nothing else', async () => {
  const folder = join(root, 'replace');
  const write = (of = nothing) => renderReport(of, exampleProvenance(), folder);
  await mkdir(folder);
  const record = await write();
  await writeFile(join(folder, 'stray.txt'), 'of an older report');
  await write();
  assert.ok(!(await readdir(folder)).includes('stray.txt'));
  for (const [path, bytes] of Object.entries(record.files))
    assert.equal((await stat(join(folder, path))).size, bytes);
  await rm(join(folder, 'report.json'));
  await assert.rejects(write(), /is not empty and holds no report/);
  await assert.rejects(
    renderReport(nothing, exampleProvenance(), join(folder, 'index.html')),
    (error: unknown) => error instanceof InputError,
  );
  assert.deepEqual((await readdir(root)).sort(), ['replace'], 'nothing is left beside it');
  assert.equal(JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')).kind, 'isoflop-results');
});

test('a report counts as current only for the same results, provenance and whole files', async () => {
  const folder = join(root, 'replace', 'current');
  const {
    study,
    results: made,
    provenance,
    files: listed,
  } = await renderReport(nothing, exampleProvenance(), folder);
  const wanted = { study, results: made, provenance };
  assert.ok(await currentReport(folder, wanted));
  assert.equal(await currentReport(folder, { ...wanted, results: 'other' }), undefined);
  assert.equal(await currentReport(folder, { ...wanted, provenance: 'other' }), undefined);
  assert.equal(await currentReport(join(root, 'none'), wanted), undefined);
  await writeFile(join(folder, Object.keys(listed)[0]!), 'cut off');
  assert.equal(await currentReport(folder, wanted), undefined);
});

test('results that are not as they should be are refused with every fault', () => {
  assert.deepEqual(parseResults(JSON.parse(prettyJson(results)), 'results.json'), results);
  const wrong = { ...results, level: 2, checkpoints: [{ ...results.checkpoints[0]!, params: 'many' }] };
  assert.throws(
    () => parseResults(wrong, 'results.json'),
    (error: unknown) =>
      error instanceof InputError &&
      /results\.json: level/.test(error.message) &&
      /results\.json: checkpoints\.0\.params/.test(error.message),
  );
  assert.throws(() => parseResults(null, 'x'), InputError);
});
