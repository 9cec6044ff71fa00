import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../base/index.ts';
import type { CheckpointResult, StudyResults } from '../../report/index.ts';
import { mergeResults } from './merge.ts';
import { correlations, fits, trends } from './science.ts';

const around = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });

/** A rung at a budget, on a line in log FLOPs but for a wobble. */
function checkpointOf(rung: string, params: number, ratio: number): CheckpointResult {
  const tokens = ratio * params;
  const flops = 6 * params * tokens;
  const score = 0.05 * Math.log10(flops) - 0.4 + 0.004 * Math.sin(params + ratio);
  const scores = { collections: { one: around(score), two: around(score) }, mean: around(score) };
  const bits = around(6 - 10 * score);
  return {
    ...{ name: `${rung}.${ratio}x`, rung, params, paramsNonEmbedding: params / 2, tokens, epochs: 0.5 },
    flops: { '6nd': flops, palm: 1.2 * flops },
    heldOut: { lossNats: 8 - 10 * score, bitsPerByte: 4 - 5 * score },
    ...{ finetuned: scores, zeroShot: null },
    icl: { choice: { accuracy: around(score), bitsPerByte: bits } },
    iclMean: { accuracy: around(score), bitsPerByte: bits },
  };
}

const sizes = { a: 1e5, b: 2e5, c: 4e5, d: 8e5 };
const whole: StudyResults = {
  ...{
    kind: 'isoflop-results',
    version: 1,
    study: 'ladder',
    title: 'A ladder',
    description: '',
    level: 0.95,
  },
  conventions: ['6nd', 'palm'],
  collections: ['one', 'two'].map(name => ({
    ...{ name, title: name, split: 'test', documents: 100, queries: 10, inMean: true },
  })),
  tasks: [{ name: 'choice', type: 'multiple_choice', shots: 0, items: 50, chance: 0.5 }],
  checkpoints: Object.entries(sizes).flatMap(([rung, params]) =>
    [20, 50, 100].map(ratio => checkpointOf(rung, params, ratio)),
  ),
  references: [],
  curves: Object.entries(sizes).map(([rung, params]) => ({ rung, params, lines: [] })),
  ...{ trends: [], fits: [], correlations: [], caveats: ['a caveat'], deviations: ['a deviation'] },
};
const largest = 'd';

/** Stated by the results; no part alone has a law: with its largest rung left out nothing, or little, is left. */
const laws = { form: 'log-linear' as const, resamples: 100, seed: 5 };
const scaling = {
  ...{ ...laws, level: whole.level, conventions: [...whole.conventions] as ('6nd' | 'palm')[] },
};

/** The results as a study of these checkpoints alone would have them. */
function part(name: string, keep: (rung: string) => boolean, more: Partial<StudyResults> = {}) {
  const checkpoints = whole.checkpoints.filter(({ rung }) => keep(rung));
  const curves = whole.curves.filter(({ rung }) => keep(rung));
  return { name, results: { ...whole, scaling: laws, checkpoints, curves, ...more } };
}

test('parts of a ladder make the whole: checkpoints by size, laws and correlations from all of them', () => {
  const parts = [part('large', rung => rung === largest), part('small', rung => rung !== largest)];
  const merged = mergeResults(parts);
  assert.deepEqual(merged.checkpoints, whole.checkpoints);
  assert.deepEqual(merged.curves, whole.curves);
  assert.deepEqual(merged.trends, trends(whole.checkpoints, scaling));
  assert.deepEqual(merged.correlations, correlations(whole.checkpoints, scaling));
  assert.deepEqual(merged.fits, fits(whole.checkpoints, { scaling, collections: whole.collections }));
  assert.equal(merged.fits[0]!.report!.holdout!.model, largest);
  assert.deepEqual(merged.caveats, whole.caveats);
  assert.equal(merged.fits[0]!.report!.form, 'log-linear');
  assert.deepEqual(mergeResults([parts[1]!, parts[0]!]), merged);
});

test('a checkpoint of two parts is the last one’s, and a caveat says what the other had', () => {
  const again = whole.checkpoints.at(-1)!;
  const mean = { value: 0.4321, low: 0.4, high: 0.5 };
  const other = { ...again, finetuned: { ...again.finetuned!, mean } };
  const second = part('second', () => false, { checkpoints: [other], caveats: ['another caveat'] });
  const merged = mergeResults([part('first', () => true), second]);
  assert.equal(merged.checkpoints.length, whole.checkpoints.length);
  assert.deepEqual(merged.checkpoints.at(-1), other);
  assert.deepEqual(merged.caveats.slice(0, -1), [...whole.caveats, 'another caveat']);
  assert.match(
    merged.caveats.at(-1)!,
    /was made twice: its numbers are those of second \(mean nDCG@10 0\.4321.*not those of first \(mean nDCG@10 0\.\d{4}/,
  );
  const sources = { pretraining: ['elsewhere'] };
  const same = part('second', () => false, { checkpoints: [{ ...again, sources }] });
  assert.deepEqual(mergeResults([part('first', () => true), same]).caveats, whole.caveats);
});

test('parts of different ladders are refused, with everything that differs', () => {
  const [collection, ...collections] = whole.collections;
  const other = part('other', () => true, {
    level: 0.9,
    conventions: ['6nd'],
    collections: [{ ...collection!, queries: 1 }, ...collections],
    tasks: [],
    checkpoints: whole.checkpoints.map(checkpoint => ({ ...checkpoint, params: checkpoint.params + 1 })),
  });
  assert.throws(
    () => mergeResults([part('one', () => true), other]),
    (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.equal(error.problems.length, 4 + whole.checkpoints.length); // each checkpoint says another size of its rung
      assert.ok(error.problems.every(({ where }) => where === 'other'));
      assert.match(error.message, /level of confidence 0\.9 where one has 0\.95/);
      assert.match(error.message, /in-context tasks/);
      return true;
    },
  );
});

test('one checkpoint under two names, other scores of BM25, a size that only later parts disagree on: refused', () => {
  const scores = { collections: { one: around(0.5), two: around(0.6) }, mean: around(0.55) };
  const others = { collections: { one: around(0.5), two: around(0.7) }, mean: around(0.6) };
  const small = part('small', rung => rung === 'a', { references: [{ name: 'BM25', scores }] });
  const last = whole.checkpoints.at(-1)!;
  const renamed = part('renamed', () => false, { checkpoints: [{ ...last, name: 'd.80M' }] });
  assert.throws(
    () => mergeResults([small, part('d', rung => rung === 'd'), renamed]),
    /renamed: checkpoint of rung d at 80000000 tokens d\.80M where d has d\.100x/,
  );
  const larger = part('larger', () => false, { checkpoints: [{ ...last, params: 9e5 }] });
  assert.throws(
    () => mergeResults([small, part('d', rung => rung === 'd'), larger]),
    /larger: parameters of rung d 900000 where d has 800000/,
  );
  const elsewhere = part('elsewhere', rung => rung === 'b', {
    references: [{ name: 'BM25', scores: others }],
  });
  assert.throws(() => mergeResults([small, elsewhere]), /elsewhere: nDCG@10 of BM25: other test data\?/);
});

test('older results do not say how laws are made: others do, or a law of theirs, or nobody', () => {
  const { scaling: _, ...unsaid } = part('old', rung => rung !== 'd').results;
  const old = { name: 'old', results: unsaid };
  const large = part('large', rung => rung === 'd');
  assert.deepEqual(mergeResults([old, large]).fits, mergeResults([large, old]).fits);
  const { scaling: __, ...silent } = large.results;
  assert.throws(() => mergeResults([old, { name: 'silent', results: silent }]), /none of the parts says/);
  const shown = { ...unsaid, fits: mergeResults([large, old]).fits };
  const { fits: read } = mergeResults([
    { name: 'old', results: shown },
    { name: 'silent', results: silent },
  ]);
  assert.deepEqual(read, shown.fits);
});
