/** Every measure of trec_eval, per query, against pytrec_eval on random runs with many ties (bench/peers/metrics_golden.py says how to check 1,000). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RunBuilder } from '../data/index.ts';
import { evaluate, parseMeasures } from './index.ts';

type Nested<T> = Readonly<Record<string, Readonly<Record<string, T>>>>;
interface Case {
  readonly qrels: Nested<number>;
  readonly run: Nested<number>;
  readonly values: Nested<number>;
}

const golden =
  process.env['ISOFLOP_METRICS_GOLDEN'] ??
  fileURLToPath(new URL('../../tests/golden/metrics.golden.json', import.meta.url));
const cases = JSON.parse(readFileSync(golden, 'utf8')) as Case[];

function runOf(name: string, run: Nested<number>) {
  const builder = new RunBuilder(name);
  for (const [query, scores] of Object.entries(run))
    builder.addRanking(query, Object.keys(scores), Object.values(scores));
  return builder.build();
}

const qrelsOf = (qrels: Nested<number>) =>
  new Map(Object.entries(qrels).map(([query, grades]) => [query, new Map(Object.entries(grades))]));

test(`pytrec_eval's values to 1e-9 on ${cases.length} runs`, () => {
  let compared = 0;
  for (const [index, { qrels, run, values }] of cases.entries()) {
    const names = Object.keys(Object.values(values)[0]!);
    const result = evaluate(qrelsOf(qrels), runOf(`case ${index}`, run), parseMeasures(names), {
      missing: 'drop',
    });
    assert.deepEqual([...result.queryIds].sort(), Object.keys(values).sort(), 'queries that count');
    assert.equal(result.measures.length, names.length);
    names.forEach((name, m) => {
      result.queryIds.forEach((query, i) => {
        const difference = Math.abs(result.values[m]![i]! - values[query]![name]!);
        assert.ok(difference <= 1e-9, `case ${index}, ${query}, ${name}: off by ${difference}`);
        compared++;
      });
    });
  }
  assert.ok(compared > 30 * cases.length);
});

test('judged queries missing from the run count as 0 unless told otherwise', () => {
  const [withMissing] = cases.filter(({ qrels, run }) => Object.keys(run).length < Object.keys(qrels).length);
  const { qrels, run } = withMissing!;
  const measures = parseMeasures(['nDCG@10']);
  const counted = evaluate(qrelsOf(qrels), runOf('r', run), measures);
  assert.deepEqual(counted.queryIds, Object.keys(qrels));
  assert.ok(counted.missing.length > 0);
  for (const query of counted.missing) assert.equal(counted.values[0]![counted.queryIds.indexOf(query)], 0);
});
