import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TopK } from './index.ts';

/** What the heap must return: everything sorted, cut at k. */
function sortedBest(scores: readonly number[], k: number): [number, number][] {
  return scores
    .map((score, rank): [number, number] => [score, rank])
    .sort(([a, i], [b, j]) => b - a || j - i)
    .slice(0, k);
}

function drained(top: TopK): [number, number][] {
  const { scores, ranks } = top.drain();
  return Array.from(scores, (score, i) => [score, ranks[i]!]);
}

const scoreLists = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })), {
  maxLength: 60,
});

test('the k best come out sorted, ties by the larger rank, whatever the order they went in', () => {
  fc.assert(
    fc.property(scoreLists, fc.nat(70), fc.integer(), (scores, k, salt) => {
      const top = new TopK(k);
      const order = scores.map((_, i) => i).sort((a, b) => ((a * salt) % 101) - ((b * salt) % 101));
      for (const rank of order) top.push(scores[rank]!, rank);
      assert.deepEqual(drained(top), sortedBest(scores, k));
      assert.equal(top.size, 0);
    }),
  );
});

test('heaps of parts merge into the heap of the whole', () => {
  fc.assert(
    fc.property(scoreLists, fc.nat(20), fc.nat(60), (scores, k, cut) => {
      const [left, right] = [new TopK(k), new TopK(k)];
      scores.forEach((score, rank) => void (rank < cut ? left : right).push(score, rank));
      left.merge(right);
      assert.deepEqual(drained(left), sortedBest(scores, k));
    }),
  );
});

test('a document enters exactly if it is at or above the threshold', () => {
  const top = new TopK(2);
  assert.equal(top.threshold, Number.NEGATIVE_INFINITY);
  assert.ok(top.push(1, 5));
  assert.ok(top.push(3, 6));
  assert.equal(top.threshold, 1);
  assert.equal(top.push(0.5, 9), false);
  assert.equal(top.push(1, 4), false); // same score, smaller rank
  assert.ok(top.push(1, 7)); // same score, larger rank
  assert.deepEqual(drained(top), [
    [3, 6],
    [1, 7],
  ]);
  assert.equal(new TopK(0).push(1, 1), false);
});
