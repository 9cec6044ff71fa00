import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-bm25-cli-'));
after(() => rm(root, { recursive: true }));
const file = (name: string) => join(root, name);

/** A collection whose queries have ids of documents, as ArguAna's do. */
async function collection(name: string): Promise<string> {
  await mkdir(join(file(name), 'qrels'), { recursive: true });
  const lines = (values: readonly object[]) => values.map(value => `${JSON.stringify(value)}\n`).join('');
  const corpus = [
    { _id: 'a', title: 'Wings', text: 'of birds' },
    { _id: 'b', title: '', text: 'a bird sings' },
    { _id: 'c', title: '', text: 'fish swim' },
  ];
  await writeFile(join(file(name), 'corpus.jsonl'), lines(corpus));
  await writeFile(
    join(file(name), 'queries.jsonl'),
    lines([
      { _id: 'a', text: 'singing birds' },
      { _id: 'x', text: 'not judged' },
    ]),
  );
  await writeFile(join(file(name), 'qrels', 'test.tsv'), 'query-id\tcorpus-id\tscore\na\tb\t1\n');
  return file(name);
}

const birds = await collection('birds');

async function program(...argv: string[]) {
  const io = testIo();
  const code = await runProgram(argv, io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

async function json(...argv: string[]) {
  const { code, stdout, stderr } = await program(...argv, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Without scores and tag. */
const rankingOf = async (run: string) =>
  (await readFile(run, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => line.split(' ').slice(0, 4).join(' '));

test('index and search a folder: a run of the judged queries whose tag names analyzer and parameters', async () => {
  const index = await json('bm25', 'index', birds, '-o', file('birds.bm25'));
  assert.deepEqual([index.documents, index.tokens, index.terms, index.postings], [3, 6, 5, 6]);
  const search = ['bm25', 'search', file('birds.bm25'), birds, '-o', file('birds.run')];
  const summary = await json(...search, '--variant', 'bm25+', '--k1', '1.2');
  assert.deepEqual([summary.queries, summary.hits, summary.removeSelf], [1, 2, false]);
  assert.equal(summary.tag, 'bm25,english,bm25+,k1=1.2,b=0.4,delta=0.5');
  assert.ok((await readFile(file('birds.run'), 'utf8')).includes(` ${summary.tag}\n`));
  assert.deepEqual(await rankingOf(file('birds.run')), ['a Q0 b 1', 'a Q0 a 2']);
});

test("a document with the query's own id is dropped where the collection's rules say so, or the command", async () => {
  const arguana = await collection('arguana');
  const search = (folder: string, ...more: string[]) =>
    json('bm25', 'search', file('birds.bm25'), folder, '-o', file('self.run'), ...more);
  assert.equal((await search(arguana)).removeSelf, true);
  assert.deepEqual(await rankingOf(file('self.run')), ['a Q0 b 1']);
  assert.equal((await search(arguana, '--no-remove-self')).hits, 2);
  assert.equal((await search(birds, '--remove-self')).hits, 1);
});

test('bad input exits with 2, says what to do, and leaves no file', async () => {
  const search = (index: string, ...more: string[]) =>
    program('bm25', 'search', index, birds, '-o', file('bad.run'), ...more);
  const other = await readFile(file('birds.bm25'));
  other.writeUInt32LE(9, 8);
  await writeFile(file('other.bm25'), other);
  await writeFile(file('cut.bm25'), other.subarray(0, 200));
  const cases = [
    [await search(file('other.bm25')), /format version 9, expected \d+: build it again/],
    [await search(file('cut.bm25')), /cut short|format version/],
    [await search(file('absent.bm25')), /no such file/],
    [await search(file('birds.bm25'), '--b', '2'), /b: 2 is not between 0 and 1/],
    [await search(file('birds.bm25'), '-k', '0'), /-k/],
    [await search(file('birds.bm25'), '--split', 'dev'), /dev/],
    [await program('bm25', 'index', file('nowhere'), '-o', file('bad.run')), /nowhere/],
  ] as const;
  for (const [{ code, stderr }, message] of cases) {
    assert.match(stderr, message);
    assert.equal(code, 2, stderr);
  }
  await assert.rejects(readFile(file('bad.run')), { code: 'ENOENT' });
});

const data = process.env['ISOFLOP_DATA'];
test("SciFact by the commands: Lucene's nDCG@10 .6789 and R@100 .9253", {
  skip: data === undefined && 'ISOFLOP_DATA is not set',
}, async () => {
  const folder = join(data!, 'scifact');
  await json('bm25', 'index', folder, '-o', file('scifact.bm25'), '--threads', '2');
  await json('bm25', 'search', file('scifact.bm25'), folder, '-o', file('scifact.run'));
  const qrels = join(folder, 'qrels', 'test.tsv');
  const { measures } = await json('eval', qrels, file('scifact.run'), '-m', 'nDCG@10', 'R@100');
  assert.equal(measures['nDCG@10'].toFixed(4), '0.6789');
  assert.equal(measures['R@100'].toFixed(4), '0.9253');
});
