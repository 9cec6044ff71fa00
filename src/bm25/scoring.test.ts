import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../base/index.ts';
import {
  absentPart,
  type Bm25Parameters,
  checkParameters,
  DEFAULT_PARAMETERS,
  describeParameters,
  idf,
  luceneLength,
  parametersOf,
  presentPart,
  toGrid,
  VARIANTS,
} from './scoring.ts';

const anyParameters = fc.record({
  variant: fc.constantFrom(...VARIANTS),
  k1: fc.double({ min: 0, max: 5, noNaN: true }),
  b: fc.double({ min: 0, max: 1, noNaN: true }),
  delta: fc.double({ min: 0, max: 3, noNaN: true }),
  lengths: fc.constant('exact' as const),
});

/** The formulas of Kamphuis et al. 2020, Table 1, as they stand there; `tf` 0 gives what BM25L and BM25+ add for an absent term. */
function published({ variant, k1, b, delta }: Bm25Parameters, tf: number, relativeLength: number): number {
  const norm = 1 - b + b * relativeLength;
  if (variant === 'bm25l') {
    const c = tf / norm;
    return c + delta === 0 ? 0 : ((k1 + 1) * (c + delta)) / (k1 + c + delta);
  }
  if (variant === 'bm25+') return (tf === 0 ? 0 : ((k1 + 1) * tf) / (k1 * norm + tf)) + delta;
  const saturated = tf === 0 ? 0 : tf / (tf + k1 * norm);
  return variant === 'atire' ? (k1 + 1) * saturated : saturated;
}

test('parts are the published formulas', () => {
  const arguments_ = [
    anyParameters,
    fc.integer({ min: 1, max: 1e6 }),
    fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
  ] as const;
  fc.assert(
    fc.property(...arguments_, (parameters, tf, relativeLength) => {
      const score = presentPart(parameters, tf, relativeLength) + absentPart(parameters);
      const expected = published(parameters, tf, relativeLength);
      assert.ok(Math.abs(score - expected) <= 1e-12 * Math.max(1, expected), `${score} ${expected}`);
      assert.ok(Math.abs(absentPart(parameters) - published(parameters, 0, 1)) < 1e-12);
    }),
  );
});

test('inverse document frequencies are the published ones, never negative', () => {
  const [n, df] = [1000, 30];
  const expected = {
    lucene: Math.log(1 + 970.5 / 30.5),
    robertson: Math.log(970.5 / 30.5),
    atire: Math.log(1000 / 30),
    bm25l: Math.log(1001 / 30.5),
    'bm25+': Math.log(1001 / 30),
  };
  for (const variant of VARIANTS) {
    assert.equal(idf(variant, df, n), expected[variant]);
    assert.ok(idf(variant, n, n) >= 0);
  }
  assert.equal(idf('robertson', 600, n), 0);
});

test('contributions never fall with tf nor rise with length, down to the last bit: bounds computed from parts hold', () => {
  const length = fc.integer({ min: 1, max: 5000 });
  const weight = fc.double({ min: 1e-6, max: 20, noNaN: true });
  fc.assert(
    fc.property(anyParameters, length, fc.integer({ min: 1, max: 1000 }), weight, (parameters, l, tf, w) => {
      const contribution = (f: number, dl: number) =>
        toGrid(w * presentPart(parameters, f, (dl * 977) / 56021));
      assert.ok(contribution(tf + 1, l) >= contribution(tf, l));
      assert.ok(contribution(tf, l + 1) <= contribution(tf, l));
    }),
    { numRuns: 2000 },
  );
});

test('the grid has steps of 2^-24, and sums on it have no rounding, whatever their order', () => {
  assert.equal(toGrid(2 ** -25 * 3), 2 ** -23);
  assert.equal(toGrid(1 + 2 ** -26), 1);
  const numbers = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 50 });
  fc.assert(
    fc.property(numbers, values => {
      const grid = values.map(toGrid);
      const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
      assert.equal(sum(grid), sum([...grid].reverse()));
      for (const [i, value] of grid.entries()) assert.ok(Math.abs(value - values[i]!) <= 2 ** -25);
    }),
  );
});

test("lengths as Lucene's SmallFloat.intToByte4 keeps them", () => {
  for (let length = 0; length <= 40; length++) assert.equal(luceneLength(length), length);
  // Decoded values of the codes that follow: 24 + (8..15) * 2^shift.
  const decoded: number[] = [];
  for (let shift = 0; shift < 20; shift++) for (let m = 8; m < 16; m++) decoded.push(24 + m * 2 ** shift);
  for (let length = 32; length < 100_000; length += 1 + (length >> 6)) {
    assert.equal(
      luceneLength(length),
      decoded.findLast(value => value <= length),
    );
  }
});

test('parameters: defaults by variant, names, limits', () => {
  assert.deepEqual(parametersOf(), DEFAULT_PARAMETERS);
  assert.equal(parametersOf({ variant: 'atire' }).lengths, 'exact');
  assert.equal(describeParameters(DEFAULT_PARAMETERS), 'lucene,k1=0.9,b=0.4');
  assert.equal(
    describeParameters(parametersOf({ variant: 'bm25+', k1: 1.2 })),
    'bm25+,k1=1.2,b=0.4,delta=0.5',
  );
  assert.equal(describeParameters(parametersOf({ lengths: 'exact' })), 'lucene,k1=0.9,b=0.4,lengths=exact');
  for (const bad of [{ k1: -1 }, { b: 1.1 }, { delta: Number.NaN }, { k1: Number.POSITIVE_INFINITY }])
    assert.throws(() => checkParameters(parametersOf(bad)), InputError);
});
