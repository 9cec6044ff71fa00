import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-report-'));
after(() => rm(folder, { recursive: true }));
const KINDS = fileURLToPath(new URL('../report/index.js', import.meta.url)).replace(
  'index.js',
  'testing/kinds.js',
);
const file = join(folder, 'demo.yaml');
const store = ['--store', join(folder, 'store')];
const output = join(folder, 'report');

/** Runs one command line; stdout, stderr and the exit code. */
async function isoflop(...argv: readonly string[]) {
  const io = { ...testIo({ ...process.env }), now: Date.now };
  const code = await runProgram(argv, io);
  return { code, out: io.stdout(), err: io.stderr() };
}

const report = (...more: readonly string[]) => isoflop('report', file, ...store, '-o', output, ...more);

test('a study with results has a report: written once, and again when the results change', async () => {
  await writeFile(
    file,
    'name: demo\nsteps:\n  - {name: gather, kind: made-up-results, inputs: {notes: {path: notes.txt}}}\n',
  );
  await writeFile(join(folder, 'notes.txt'), 'a caveat <of> the data');
  const missing = await report();
  assert.equal(missing.code, 2);
  assert.match(missing.err, /demo\.yaml: has no results in the store/);

  const run = ['run', file, ...store, '--kinds', KINDS, '--workers', '1'];
  assert.equal((await isoflop(...run)).code, 0);
  const first = await report();
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /Spearman of FLOPs.*report written: .*index\.html\n$/s);
  const page = await readFile(join(output, 'index.html'), 'utf8');
  assert.match(page, /a caveat &lt;of&gt; the data/);
  assert.match(page, /<dt>kind<\/dt><dd>made-up-results, version 1<\/dd>/);
  assert.match(page, /notes: notes\.txt, from outside the study/);
  const second = JSON.parse((await report('--json')).out);
  assert.equal(second.cached, true);
  assert.ok(second.files.includes(join(output, 'tables/points.csv')));
  assert.equal(second.results.kind, 'isoflop-results');

  assert.equal((await isoflop(...run, '--set', 'steps.gather.params.seed=2')).code, 0);
  assert.equal(JSON.parse((await report('--json')).out).cached, false);
});

test('the table of points is one that fit and correlate read', async () => {
  const points = join(output, 'tables/points.csv');
  const columns = ['--x', 'flops', '--y', 'ndcg_at_10', '--convention', '6nd'];
  const options = [
    '--form',
    'power',
    '--holdout',
    'largest',
    '--resamples',
    '0',
    '--starts',
    '100',
    '--json',
  ];
  const fitted = await isoflop('fit', points, ...columns, ...options);
  assert.equal(fitted.code, 0, fitted.err);
  const { results } = JSON.parse((await report('--json')).out);
  const [{ report: inStudy }] = results.fits;
  const fromTable = JSON.parse(fitted.out);
  assert.equal(fromTable.n, inStudy.n);
  assert.deepEqual(fromTable.points.target, inStudy.points.target);
  const exponent = (of: typeof inStudy) => of.coefficients.alpha.value;
  assert.ok(Math.abs(exponent(fromTable) - exponent(inStudy)) < 1e-6);
  const correlated = await isoflop(
    ...['correlate', points, '--x', 'icl_accuracy', '--y', 'ndcg_at_10', '--partial', 'flops', '--json'],
  );
  assert.equal(correlated.code, 0, correlated.err);
});

test('reports are put together into one; what is no report, and the folder of a part, are refused', async () => {
  const merged = join(folder, 'merged');
  const results = join(output, 'results.json');
  const together = (...argv: readonly string[]) => isoflop('report', ...argv);
  const first = await together(output, results, '-o', merged);
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /report written: .*merged.index\.html\n$/);
  const page = await readFile(join(merged, 'index.html'), 'utf8');
  assert.match(page, /results: part 2, report, from outside the study/);
  const [a, b] = await Promise.all(
    [output, merged].map(async path => JSON.parse(await readFile(join(path, 'results.json'), 'utf8'))),
  );
  assert.deepEqual(b.checkpoints, a.checkpoints);
  assert.equal(JSON.parse((await together(output, results, '-o', merged, '--json')).out).cached, true);
  const study = JSON.parse((await isoflop('report', 'demo', ...store, '-o', output, '--json')).out);
  assert.equal(study.cached, true, 'a name that the store knows is a study');

  for (const [argv, message] of [
    [[output, results], /--output: name a folder/],
    [[output, '-o', output], /is one of the reports to read/],
    [[output, 'demo', '-o', merged], /demo: is no report: expected a folder with results\.json/],
    [['demo', 'other'], /other: is no report: a report is of one study/],
    [[join(folder, 'none.json'), '-o', merged], /none\.json: no such file/],
  ] as const) {
    const refused = await together(...argv);
    assert.equal(refused.code, 2, refused.out);
    assert.match(refused.err, message);
  }
});
