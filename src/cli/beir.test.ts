import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-beir-command-'));
after(() => rm(root, { recursive: true }));

const folder = join(root, 'birds');
await mkdir(join(folder, 'qrels'), { recursive: true });
const corpus = ['owls hunt at night', 'ducks swim on ponds', 'swifts sleep in flight'];
const lines = (rows: readonly object[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('');
await writeFile(
  join(folder, 'corpus.jsonl'),
  lines(corpus.map((text, i) => ({ _id: `d${i}`, title: '', text }))),
);
await writeFile(join(folder, 'queries.jsonl'), lines([{ _id: 'q1', text: 'night hunting owl' }]));
await writeFile(join(folder, 'qrels', 'test.tsv'), 'query-id\tcorpus-id\tscore\nq1\td0\t1\n');

test('beir evaluates, prints a table or JSON, and says what it refuses', async () => {
  const results = join(root, 'results');
  const io = testIo();
  assert.equal(await runProgram(['beir', 'bm25', folder, '-o', results, '--json'], io), 0, io.stderr());
  const { rows, model } = JSON.parse(io.stdout());
  assert.equal(rows[0].measures['nDCG@10'], 1);
  assert.equal(model, 'bm25,english,lucene,k1=0.9,b=0.4');
  const again = testIo();
  assert.equal(await runProgram(['beir', 'bm25', folder, '-o', results], again), 0);
  assert.equal(again.stdout(), await readFile(join(results, 'summary.txt'), 'utf8'));
  assert.match(again.stdout(), /birds +test +3 +1 +1\.0000/);
  for (const [argv, message] of [
    [['beir', 'bm25', folder, '-o', results, '--k1', '1.5'], /results of another model/],
    [
      ['beir', 'bm25', folder, '-o', results, '--max-query-tokens', '8'],
      /maxQueryTokens: is a setting of embed/,
    ],
    [['beir', 'bm25', root, '-o', results], /is this a BEIR folder\?/],
    [['beir', join(root, 'no-model'), folder, '-o', results], /config\.json: no such file/],
    [['embed', 'bm25', folder, '-o', join(root, 'vectors')], /makes no vectors/],
    [['search', folder, '-o', join(root, 'x.run')], /expected a folder made by isoflop embed/],
    [['beir', 'bm25', folder], /required option/],
  ] as const) {
    const refused = testIo();
    assert.equal(await runProgram(argv, refused), 2, argv.join(' '));
    assert.match(refused.stderr(), message);
  }
});
