import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { InputError } from '../base/index.ts';
import { docText, docTexts, judgedQueries, readCorpus, readQrels, readQueries } from './index.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-beir-'));
after(() => rm(root, { recursive: true }));

let made = 0;
/** A folder with these files. */
async function folderOf(files: Record<string, string | Buffer>): Promise<string> {
  const folder = join(root, String(made++));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

async function corpusOf(folder: string) {
  const all = { ids: [] as string[], titles: [] as string[], texts: [] as string[] };
  for await (const batch of readCorpus(folder)) {
    assert.equal(batch.first, all.ids.length);
    all.ids.push(...batch.ids);
    all.titles.push(...batch.titles);
    all.texts.push(...batch.texts);
  }
  return all;
}

async function problemsOf(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.problems.map(
      ({ where, message }) => `${where.slice(where.lastIndexOf('/') + 1)} ${message}`,
    );
  }
  return [];
}

const corpus = [
  '{"_id": "d1", "title": "Title", "text": "body \u00e9", "metadata": {}}',
  '',
  '{"_id": 7, "text": ""}',
  '{"_id": "d3", "title": "", "text": " x "}',
].join('\r\n');
const expected = { ids: ['d1', '7', 'd3'], titles: ['Title', '', ''], texts: ['body \u00e9', '', ' x '] };

test('a corpus is read plain, gzipped, with byte-order mark and foreign line ends', async () => {
  assert.deepEqual(await corpusOf(await folderOf({ 'corpus.jsonl': `\ufeff${corpus}\r\n` })), expected);
  assert.deepEqual(await corpusOf(await folderOf({ 'corpus.jsonl.gz': gzipSync(corpus) })), expected);
});

test('MS MARCO folders are read by the same functions', async () => {
  const folder = await folderOf({
    'collection.tsv': '0\tfirst "passage"\n1\tsecond\n',
    'queries.dev.tsv': '10\ta query\n',
    'qrels.dev.tsv': '10\t0\t1\t1\n',
  });
  assert.deepEqual(await corpusOf(folder), {
    ids: ['0', '1'],
    titles: ['', ''],
    texts: ['first "passage"', 'second'],
  });
  assert.deepEqual(await readQueries(folder, 'dev'), { ids: ['10'], texts: ['a query'] });
  assert.deepEqual(await readQrels(folder, 'dev'), new Map([['10', new Map([['1', 1]])]]));
});

test('title and text are joined by one blank and nothing stands around them', () => {
  assert.equal(docText('Title', 'text'), 'Title text');
  assert.equal(docText('', ' text\n'), 'text');
  assert.equal(docText('Title', ''), 'Title');
  assert.deepEqual(docTexts({ first: 0, ids: ['a'], titles: ['A'], texts: ['b'] }), ['A b']);
});

test('every problem of a corpus is reported with its line', async () => {
  const lines = [
    '{"_id": "a", "text": "x"}',
    '{"_id": "a", "text": "y"}',
    '{"_id": "", "text": "y"}',
    '{"_id": "tab\\t", "text": "y"}',
    '{"_id": "half \\ud83d", "text": "y"}',
    '{"_id": "b", "text": null}',
    '{"_id": "c", "title": 3}',
    '{"text": "no id"}',
    '[1]',
    '{"_id": "d", "text": "cut o',
  ];
  const problems = await problemsOf(corpusOf(await folderOf({ 'corpus.jsonl': lines.join('\n') })));
  assert.deepEqual(
    problems.map(problem => problem.split(' ')[0]).sort(),
    [2, 3, 4, 5, 6, 7, 7, 8, 9, 10].map(line => `corpus.jsonl:${line}`).sort(),
  );
  assert.match(problems.join('\n'), /corpus\.jsonl:2 id 'a' was used on line 1 already/);
  assert.match(problems.join('\n'), /corpus\.jsonl:6 expected 'text' to be a text, found (null|nothing)/);
  assert.match(problems.join('\n'), /corpus\.jsonl:10 not valid JSON/);
});

test('half a surrogate pair in a text becomes the replacement character', async () => {
  const folder = await folderOf({ 'corpus.jsonl': '{"_id": "a", "text": "x \\ud83d y \\ud83d\\ude00"}' });
  assert.deepEqual((await corpusOf(folder)).texts, ['x \ufffd y \u{1f600}']);
});

test('missing, doubled and empty files say what to do', async () => {
  assert.match((await problemsOf(corpusOf(await folderOf({ x: '' }))))[0]!, /has no corpus\.jsonl/);
  const doubled = await folderOf({ 'corpus.jsonl': corpus, 'corpus.jsonl.gz': gzipSync(corpus) });
  assert.match((await problemsOf(corpusOf(doubled)))[0]!, /keep one of them/);
  assert.match((await problemsOf(corpusOf(await folderOf({ 'corpus.jsonl': '\n' }))))[0]!, /no documents/);
  assert.match((await problemsOf(readQueries(await folderOf({ 'queries.jsonl': '' }))))[0]!, /no queries/);
});

test('duplicate queries are refused and judged queries need a text', async () => {
  const twice = await folderOf({ 'queries.jsonl': '{"_id":"q","text":"a"}\n{"_id":"q","text":"b"}' });
  assert.deepEqual(await problemsOf(readQueries(twice)), [
    "queries.jsonl:2 id 'q' was used on line 1 already",
  ]);
  const queries = { ids: ['a', 'b', 'c'], texts: ['A', 'B', 'C'] };
  const judged = new Map([
    ['c', new Map([['d', 1]])],
    ['a', new Map([['d', 1]])],
  ]);
  assert.deepEqual(judgedQueries(queries, judged, 'x'), { ids: ['a', 'c'], texts: ['A', 'C'] });
  judged.set('lost', new Map());
  assert.throws(() => judgedQueries(queries, judged, 'x'), /query 'lost' has judgements and no text/);
});

const judgements = new Map([
  [
    'q1',
    new Map([
      ['d1', 2],
      ['d2', 0],
    ]),
  ],
  ['q2', new Map([['d1', -1]])],
]);

test('judgements are read in three layouts', async () => {
  const layouts = [
    'query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td1\t-1\n',
    'q1\td1\t2\r\nq1\td2\t0\r\nq2\td1\t-1',
    'q1 0 d1 2\nq1  Q0\td2 0\n# a comment\n\nq2 0 d1 -1\n',
    'q1 d1 2.0\nq1 d2 0\nq2 d1 -1\n',
  ];
  for (const text of layouts) {
    const folder = await folderOf({ 'qrels/test.tsv': text });
    assert.deepEqual(await readQrels(folder, 'test'), judgements, text);
  }
});

test('ids may hold blanks where tabs divide the fields', async () => {
  const folder = await folderOf({ 'qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq 1\tSome Name\t1\n' });
  assert.deepEqual(await readQrels(folder, 'test'), new Map([['q 1', new Map([['Some Name', 1]])]]));
});

test('every problem of a qrels file is reported with its line', async () => {
  const text =
    'query-id\tcorpus-id\tscore\nq\td\t1\nq\td\t1\nq\te\nq\tf\t0.5\n\tg\t1\nq\th\tnan\nq\ti\t99999999999\n';
  const problems = await problemsOf(readQrels(await folderOf({ 'qrels/test.tsv': text }), 'test'));
  assert.deepEqual(
    problems.map(problem => problem.split(' ')[0]),
    [3, 4, 5, 6, 7, 8].map(line => `test.tsv:${line}`),
  );
  assert.match(problems[0]!, /judged a second time/);
  assert.match(problems[1]!, /expected 3 tab-separated fields, found 2/);
});

test('a qrels file without one relevant document is refused', async () => {
  const none = await folderOf({ 'qrels/test.tsv': 'q\td\t0\nq\te\t-1\n', 'qrels/dev.tsv': 'a\tb\tscore\n' });
  assert.match((await problemsOf(readQrels(none, 'test')))[0]!, /no document has a grade above 0/);
  assert.match((await problemsOf(readQrels(none, 'dev')))[0]!, /no judgements/);
  assert.match((await problemsOf(readQrels(none, 'train')))[0]!, /has no qrels/);
  const headless = await folderOf({ 'qrels/test.tsv': 'q\td\tx\nq\te\t1\n' });
  assert.match((await problemsOf(readQrels(headless, 'test')))[0]!, /test\.tsv:1 expected a whole number/);
  const wrong = await folderOf({ 'qrels/test.tsv': 'just text\n' });
  assert.match(
    (await problemsOf(readQrels(wrong, 'test')))[0]!,
    /test\.tsv:1 expected 'query document grade'/,
  );
});

const data = process.env['ISOFLOP_DATA'];

test('the real SciFact: counts, first, tenth and last', {
  skip: data ? false : 'ISOFLOP_DATA is not set',
}, async () => {
  const folder = join(data!, 'scifact');
  const { ids, titles, texts } = await corpusOf(folder);
  assert.equal(ids.length, 5183);
  assert.deepEqual([ids[0], ids[9], ids.at(-1)], ['4983', '70490', '198309074']);
  assert.match(titles[0]!, /^Microstructural development of human newborn/);
  assert.match(texts[0]!, /^Alterations of the architecture of cerebral white matter/);
  const [queries, test, train] = [
    await readQueries(folder),
    await readQrels(folder, 'test'),
    await readQrels(folder, 'train'),
  ];
  assert.equal(queries.ids.length, 1109);
  const pairs = (qrels: typeof test) => [...qrels.values()].reduce((sum, grades) => sum + grades.size, 0);
  assert.deepEqual([test.size, pairs(test), train.size, pairs(train)], [300, 339, 809, 919]);
  assert.equal(judgedQueries(queries, test, folder).ids.length, 300);
});
