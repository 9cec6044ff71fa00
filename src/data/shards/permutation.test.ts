import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../../base/index.ts';
import { Permutation } from './permutation.ts';

const order = (size: number, seed: number) => {
  const permutation = new Permutation(size, Rng.from(seed, 'order'));
  return Array.from({ length: size }, (_, i) => permutation.at(i));
};

test('an order holds every number once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer(), (size, seed) => {
      assert.deepEqual(
        order(size, seed).sort((a, b) => a - b),
        Array.from({ length: size }, (_, i) => i),
      );
    }),
    { numRuns: 100 },
  );
});

test('every number is equally likely at every place, for small sizes too', () => {
  for (const size of [3, 10, 40]) {
    const draws = 4000;
    const counts = Array.from({ length: size }, () => new Float64Array(size));
    for (let seed = 0; seed < draws; seed++)
      for (const [place, value] of order(size, seed).entries()) counts[place]![value]!++;
    const expected = draws / size;
    const chiSquare = counts.reduce(
      (sum, row) => sum + row.reduce((s, n) => s + (n - expected) ** 2 / expected, 0),
      0,
    );
    const freedom = (size - 1) ** 2;
    assert.ok(
      Math.abs(chiSquare - freedom) < 5 * Math.sqrt(2 * freedom),
      `size ${size}: ${chiSquare} of ${freedom}`,
    );
  }
});

test('neighbours are not related', () => {
  const values = order(50_000, 3);
  const steps = values.slice(1).map((value, i) => (value - values[i]! + 50_000) % 50_000);
  const tenths = new Float64Array(10);
  for (const step of steps) tenths[Math.floor((step * 10) / 50_000)]!++;
  for (const n of tenths) assert.ok(Math.abs(n - 5000) < 5 * Math.sqrt(5000), String(tenths));
  assert.ok(new Set(steps).size > 30_000);
});

test('huge sizes need no memory and stay in range', () => {
  const size = 2 ** 45 + 12_345;
  const permutation = new Permutation(size, Rng.from(1));
  const values = Array.from({ length: 1000 }, (_, i) => permutation.at(size - 1 - i));
  assert.equal(new Set(values).size, 1000);
  assert.ok(values.every(value => Number.isInteger(value) && value >= 0 && value < size));
  assert.throws(() => new Permutation(0, Rng.from(1)), RangeError);
  assert.throws(() => new Permutation(2 ** 51, Rng.from(1)), RangeError);
});
