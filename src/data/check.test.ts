import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkCollection, datasetOfFolder, failedCheck, reportText } from './index.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-check-'));
after(() => rm(root, { recursive: true }));

async function check(name: string, files: Record<string, string | Buffer>) {
  const folder = join(root, name);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  const report = await checkCollection(folder, { removeSelf: datasetOfFolder(folder)?.removeSelf });
  const short = (problems: typeof report.errors) =>
    problems.map(
      ({ where, message }) => `${where.replace(`${folder}/`, '').replace(folder, '.')} ${message}`,
    );
  return { report, errors: short(report.errors), warnings: short(report.warnings) };
}

const sound = {
  'corpus.jsonl': '{"_id":"a","title":"A","text":"x"}\n{"_id":"b","text":"y"}\n',
  'queries.jsonl': '{"_id":"q","text":"query"}\n',
  'qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq\ta\t1\n',
};

test('a sound collection has nothing to report', async () => {
  const { report, errors, warnings } = await check('sound', {
    ...sound,
    'corpus.jsonl': sound['corpus.jsonl'],
  });
  assert.deepEqual([errors, warnings], [[], []]);
  assert.deepEqual(report.splits, [{ split: 'test', queries: 1, judgements: 1, relevant: 1 }]);
  assert.deepEqual([report.documents, report.queries], [2, 1]);
  assert.equal(failedCheck(report, true), undefined);
  assert.match(reportText(report), /2 documents, 1 queries; 0 errors, 0 warnings\nsplit +judged queries/);
});

test('everything that is wrong is found at once, in every file', async () => {
  const { report, errors, warnings } = await check('broken', {
    'corpus.jsonl.gz': gzipSync(
      '{"_id":"a","text":"x"}\n{"_id":"a","text":"z"}\nnot json\n{"_id":"empty","title":" ","text":""}\n',
    ),
    'queries.jsonl':
      '{"_id":"q","text":"query"}\n{"_id":"r"}\n{"_id":"unjudged","text":"u"}\n{"_id":"a","text":" "}\n',
    'qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq\ta\t1\nq\tnowhere\t1\nlost\ta\t1\nq\ta\n',
    'qrels/dev.tsv': 'query-id\tcorpus-id\tscore\nq\ta\t0\n',
  });
  assert.deepEqual(errors.map(line => line.replace(/JSON.*/, 'JSON')).sort(), [
    "corpus.jsonl.gz:2 id 'a' was used on line 1 already",
    'corpus.jsonl.gz:3 not valid JSON',
    'qrels/dev.tsv no document has a grade above 0, so every measure would be 0: is this the right file?',
    "qrels/test.tsv:3 document 'nowhere' is not in the corpus",
    "qrels/test.tsv:4 query 'lost' is not among the queries",
    'qrels/test.tsv:5 expected 3 tab-separated fields, found 2',
    "queries.jsonl:2 expected 'text' to be a text, found nothing",
  ]);
  assert.deepEqual(warnings, [
    "corpus.jsonl.gz:4 document 'empty' has no text",
    "queries.jsonl:4 query 'a' has no text",
    "queries.jsonl:3 query 'unjudged' has no judgements in any split",
    "queries.jsonl:4 query 'a' has no judgements in any split",
    ". 1 query ids are also document ids (such as 'a'): if they are not the same texts, never score with --remove-self",
  ]);
  assert.equal(report.errorCount, 7);
  assert.equal(failedCheck(report, false)?.problems.length, 7);
  assert.equal(failedCheck(report, true)?.problems.length, 12);
});

test('missing files, truncated ones and faults beyond the fiftieth', async () => {
  const absent = await check('absent', { 'queries.jsonl': sound['queries.jsonl'] });
  assert.match(absent.errors.join('\n'), /has no corpus\.jsonl.*\n.*has no qrels/);
  const zipped = gzipSync(sound['corpus.jsonl'].repeat(1000));
  const truncated = await check('truncated', {
    ...sound,
    'corpus.jsonl': zipped.subarray(0, zipped.length - 20),
  });
  assert.match(truncated.errors.join('\n'), /truncated/);
  const many = await check('many', { ...sound, 'corpus.jsonl': '{"_id":"a","text":"x"}\n'.repeat(80) });
  assert.equal(many.report.errorCount, 79);
  assert.match(many.errors.at(-1)!, /and 29 more/);
  await assert.rejects(checkCollection(join(root, 'nowhere')), /nowhere: no such file or folder/);
});

test('where the collection drops self-hits, shared ids are right and their absence is odd', async () => {
  const shared = { ...sound, 'queries.jsonl': '{"_id":"a","text":"A x"}\n', 'qrels/test.tsv': 'a\tb\t1\n' };
  assert.deepEqual((await check('arguana', shared)).warnings, []);
  assert.match((await check('x/quora', sound)).warnings[0]!, /no query has the id of a document/);
});

test("MS MARCO's files are checked too", async () => {
  const { report, errors } = await check('msmarco-passage', {
    'collection.tsv': '0\tfirst\n1\tsecond\n',
    'queries.dev.small.tsv': '7\tquery\n',
    'queries.train.tsv': '8\tother\n',
    'qrels.dev.small.tsv': '7\t0\t1\t1\n',
    'qrels.train.tsv': '8\t0\t0\t1\n8\t0\t5\t1\n',
  });
  assert.deepEqual(errors, ["qrels.train.tsv:2 document '5' is not in the corpus"]);
  assert.deepEqual(
    report.splits.map(({ split, judgements }) => [split, judgements]),
    [
      ['dev.small', 1],
      ['train', 2],
    ],
  );
});
