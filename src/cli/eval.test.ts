import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-eval-'));
after(() => rm(root, { recursive: true }));

const file = async (name: string, text: string) => {
  await writeFile(join(root, name), text);
  return join(root, name);
};
const qrels = await file('qrels.tsv', 'query-id\tcorpus-id\tscore\n1\ta\t2\n1\tb\t1\n2\ta\t1\n3\tc\t1\n');
const run = await file('a.run', '1 Q0 b 1 2 t\n1 Q0 a 2 1 t\n2 Q0 x 1 1 t\n2 Q0 a 2 1 t\n');
const other = await file('b.run', '1 Q0 a 1 2 t\n1 Q0 b 2 1 t\n2 Q0 a 1 2 t\n3 Q0 c 1 2 t\n');

async function json(...argv: string[]) {
  const io = testIo();
  assert.equal(await runProgram(['eval', ...argv, '--json'], io), 0, io.stderr());
  return JSON.parse(io.stdout());
}

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`);

test('one run prints unrounded means, with what they rest on', async () => {
  const result = await json(qrels, run, '-m', 'ndcg_cut_10', 'MRR@10', '-q');
  const log2 = Math.log2;
  const first = (1 + 2 / log2(3)) / (2 + 1 / log2(3));
  // Query 2: x and a tie and x ranks first by its id; query 3 is missing and counts 0.
  near(result.measures['nDCG@10'], (first + 1 / log2(3) + 0) / 3);
  near(result.measures['RR@10'], (1 + 1 / 2 + 0) / 3);
  assert.equal(result.queries, 3);
  assert.equal(result.missingQueries, 1);
  near(result.ties.rate, 1 / 3);
  near(result.ties.expected['RR@10'], (1 + 3 / 4 + 0) / 3);
  assert.deepEqual(
    result.perQuery.map((row: { query: string }) => row.query),
    ['1', '2', '3'],
  );
  near(result.perQuery[0]['nDCG@10'], first);
  const [low, high] = result.intervals.measures['RR@10'];
  assert.ok(low <= result.measures['RR@10'] && result.measures['RR@10'] <= high);
});

test('missing queries can be dropped as pytrec_eval does', async () => {
  const result = await json(qrels, run, '-m', 'RR@10', '--missing', 'drop', '--ties', 'none');
  near(result.measures['RR@10'], 3 / 4);
  assert.equal(result.queries, 2);
  assert.equal(result.ties, undefined);
});

test('two runs are compared, with corrected p values, reproducibly', async () => {
  const result = await json(qrels, run, other, '-m', 'nDCG@10', 'P@1');
  assert.equal(result.runs.length, 2);
  assert.equal(result.comparisons.length, 2);
  const [ndcg] = result.comparisons;
  near(ndcg.difference, result.runs[0].measures['nDCG@10'] - result.runs[1].measures['nDCG@10']);
  near(ndcg.pValue, 2 / 8); // three queries differ, all in one direction
  near(ndcg.adjusted, 1 / 2);
  assert.deepEqual(await json(qrels, run, other, '-m', 'nDCG@10', 'P@1'), result);
  const bootstrap = await json(qrels, run, other, '-m', 'nDCG@10', '--test', 'bootstrap');
  assert.ok(bootstrap.comparisons[0].pValue > 0 && bootstrap.comparisons[0].pValue <= 1);
});

test('people get tables', async () => {
  const io = testIo();
  assert.equal(await runProgram(['eval', qrels, run, other, '-q'], io), 0);
  assert.match(io.stdout(), /measure +mean +95% interval +over ties/);
  assert.match(io.stdout(), /3 queries, 1 judged ones not in the run, tie rate 0\.3333/);
  assert.match(io.stdout(), /p \(Holm, 6 tests\)/);
});

test('bad input is exit 2, on stderr, and yields no number', async () => {
  const bad = await file('bad.run', '1 Q0 a 1 nan t\n');
  for (const [argv, message] of [
    [[qrels, bad], /bad\.run:1: expected a finite score, found 'nan'/],
    [[qrels, run, '-m', 'nDGC@10', 'foo'], /did you mean nDCG@10.*\n.*'foo': unknown/],
    [[qrels, run, run], /named twice/],
    [[await file('none.tsv', '1\ta\t0\n'), run], /no document has a grade above 0/],
    [[await file('far.tsv', '99\ta\t1\n'), run], /none of its 2 queries has judgements/],
    [[qrels, run, '--level', '2'], /between 0 and 1/],
  ] as const) {
    const io = testIo();
    assert.equal(await runProgram(['eval', ...argv], io), 2);
    assert.equal(io.stdout(), '');
    assert.match(io.stderr(), message);
  }
});

test('warnings go to stderr and leave the object whole', async () => {
  const odd = await file('odd.run', '1 Q0 a 1 0.1 t\n1 Q0 b 2 0.2 t\n');
  const io = testIo();
  assert.equal(await runProgram(['eval', qrels, odd, '--json'], io), 0);
  assert.match(io.stderr(), /warning: .*ranks contradict the scores/);
  assert.equal(JSON.parse(io.stdout()).queries, 3);
});
