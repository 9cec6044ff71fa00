import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError, Rng } from '../base/index.ts';
import { chinchilla } from './chinchilla.ts';
import { choose } from './choose.ts';
import { correlateAll, rankTasks, type ScoreTable } from './correlate.ts';
import { compareAll, largestRows, naiveOf, rollouts } from './holdout.ts';
import * as plan from './planning.ts';
import { takePoints } from './points.ts';
import { fitProxy } from './proxy.ts';
import { PLANTED, simulatedLadder } from './simulate.ts';

const law = chinchilla({
  direction: 'falling',
  axisNames: ['params', 'tokens'],
  scales: [1e9, 2e10],
  ceiling: Number.POSITIVE_INFINITY,
  floor: 0,
});
const [E, A, B, alpha, beta] = [1.8172, 482.01, 2085.43, 0.3478, 0.3658] as const;
const joint = { law, theta: law.fromCoefficients([E, A, B, alpha, beta]) };

test('the best split of a budget is the closed form of Hoffmann et al.', () => {
  const g = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta));
  for (const flops of [1e18, 1e21, 1e24]) {
    const best = plan.optimalAllocation(joint, flops);
    const params = g * (flops / 6) ** (beta / (alpha + beta));
    assert.ok(Math.abs(best.params / params - 1) < 1e-6, `${best.params} against ${params}`);
    assert.ok(Math.abs((6 * best.params * best.tokens) / flops - 1) < 1e-12);
    const curve = plan.isoflopCurve(joint, flops);
    assert.ok(curve.every(point => point.value >= best.value - 1e-12));
  }
  const oneSided = { law, theta: law.fromCoefficients([E, A, 1e-30, alpha, beta]) };
  assert.equal(plan.findOptimum(oneSided, 1e21), undefined);
  assert.throws(() => plan.optimalAllocation(oneSided, 1e21), InputError);
  assert.throws(() => plan.optimalAllocation(joint, 0), InputError);
  const range = plan.allocationRange(joint, [joint.theta, joint.theta, joint.theta], 1e21, 0.95);
  assert.equal(range.decided, 1);
  assert.ok(Math.abs(range.params!.low / range.best.params - 1) < 1e-9);
});

const service: plan.Service = {
  finetuningTokens: 1e9,
  documents: 1e8,
  documentTokens: 200,
  reencodings: 2,
  years: 3,
  queries: 3e9,
  queryTokens: 30,
};

test('a lifetime adds up, by hand', () => {
  const cost = plan.lifetimeCost(1e9, 2e10, service);
  assert.equal(cost.pretraining, 1.2e20);
  assert.equal(cost.finetuning, 6e18);
  assert.equal(cost.encoding, 4e19);
  assert.equal(cost.reencoding, 2.4e20);
  assert.equal(cost.queries, 1.8e20);
  assert.equal(cost.total, 1.2e20 + 6e18 + 4e19 + 2.4e20 + 1.8e20);
});

test('the cheapest plan reaches the wish, and no neighbour reaches it for less', () => {
  const wished = 2.4;
  const best = plan.cheapestPlan(joint, wished, service);
  assert.ok(Math.abs(best.value - wished) < 1e-6);
  for (const factor of [0.5, 0.9, 1.1, 2]) {
    const params = best.params * factor;
    const left = wished - E - A / params ** alpha;
    if (left <= 0) continue;
    const tokens = (B / left) ** (1 / beta);
    assert.ok(plan.lifetimeCost(params, tokens, service).total >= best.cost.total * (1 - 1e-9));
  }
  const idle = plan.cheapestPlan(joint, wished, {
    ...service,
    documents: 0,
    queries: 0,
    finetuningTokens: 0,
  });
  assert.ok(idle.params > best.params, 'a model that serves much is better small and trained longer');
  const optimum = plan.optimalAllocation(joint, idle.flops);
  assert.ok(
    Math.abs(optimum.params / idle.params - 1) < 1e-3,
    'without a service it is the compute-optimal one',
  );
  assert.throws(() => plan.cheapestPlan(joint, 1.5, service), /out of reach/);
});

test('the largest model is left out whole, and the baselines are what they say', () => {
  const points = simulatedLadder({ ...PLANTED['log-linear'], noise: 0, seed: 1 });
  const rows = largestRows(points);
  assert.deepEqual(rows, [20, 21, 22, 23]);
  const shared = {
    ...points,
    models: points.models.map((name, row) => (row === 3 || row === 20 ? 'same' : name)),
  };
  assert.deepEqual(largestRows(shared), [3, 20, 21, 22, 23]);
  const { choice } = choose(points, { form: 'log-linear' });
  const rest = takePoints(points, [...Array(20).keys()]);
  const naive = naiveOf(rest, choice)(1e24);
  assert.ok(Math.abs(naive.logLinear! - PLANTED['log-linear'].truth(0, 0, 1e24)) < 1e-6);
  assert.equal(naive.last, rest.target.values[19]);
  const rolled = rollouts(
    simulatedLadder({ ...PLANTED.power, noise: 0.005, seed: 2 }),
    choose(points, { form: 'power' }).choice,
    3,
    0.95,
  );
  assert.deepEqual(
    rolled.map(r => [r.sizesLeftOut, r.fittedOn, r.predicted]),
    [
      [1, 20, 4],
      [2, 16, 8],
      [3, 12, 12],
    ],
  );
  assert.ok(rolled.every(r => r.error < r.naive.last));
});

test('forms are ranked by hold-out error with the baselines among them', () => {
  const ranking = compareAll(simulatedLadder({ ...PLANTED.sigmoid, noise: 0.002, seed: 2 }), {}, 2);
  assert.deepEqual(ranking.map(r => r.name).sort(), ['last value', 'log-linear', 'power', 'sigmoid']);
  assert.equal(ranking[0]!.name, 'sigmoid');
  assert.ok(ranking.every((r, i) => i === 0 || r.error >= ranking[i - 1]!.error));
});

/** Four families of four; the task and the target share compute, and the noise task shares nothing. */
function scores(): ScoreTable {
  const rng = Rng.from(6);
  const flops = Array.from({ length: 16 }, (_, i) => 10 ** (19 + i / 4 + 0.1 * rng.normal()));
  return {
    source: 'test',
    models: flops.map((_, i) => `m${i}`),
    families: flops.map((_, i) => `f${i % 4}`),
    columns: {
      flops,
      good: flops.map(c => 0.1 * Math.log10(c) - 1.5 + 0.01 * rng.normal()),
      noise: flops.map(() => rng.uniform()),
      ndcg: flops.map(c => 0.05 * Math.log10(c) - 0.6 + 0.01 * rng.normal()),
      gaps: flops.map((_, i) => (i < 2 ? i : undefined)),
      constant: flops.map(() => 1),
    },
  };
}

test('correlation: compute taken out, constants not defined, too few models refused', () => {
  const options = {
    x: ['good', 'constant'],
    y: ['ndcg'],
    partial: 'flops',
    level: 0.95,
    resamples: 200,
    seed: 1,
  };
  const [good, constant] = correlateAll(scores(), options);
  assert.ok(good!.pearson!.value > 0.95 && good!.pearson!.low! > 0.85 && good!.pearson!.bootstrap!.low > 0.8);
  assert.ok(Math.abs(good!.partial!.pearson!.value) < 0.6);
  assert.equal(good!.partial!.given, 'ln flops');
  assert.equal(good!.families, 4);
  assert.equal(constant!.pearson, null);
  assert.throws(() => correlateAll(scores(), { ...options, x: ['gaps'] }), /only 2 models/);
  assert.throws(() => correlateAll(scores(), { ...options, x: ['nothing'] }), /no column/);
  assert.deepEqual(
    rankTasks(scores(), ['noise', 'good', 'gaps'], 'ndcg').map(t => t.task),
    ['good', 'noise'],
  );
});

test('the proxy keeps the task that carries over to unseen families, and its interval covers', () => {
  const proxy = fitProxy(scores(), ['noise', 'good'], 'ndcg');
  assert.equal(proxy.task, 'good');
  assert.equal(proxy.candidates.length, 3);
  assert.ok(proxy.leftOutError! < proxy.meanError!);
  const { value, low, high } = proxy.predict(0.5, 0.95);
  const truth = 0.05 * 20 - 0.6;
  assert.ok(low < truth && truth < high && Math.abs(value - truth) < 0.02);
  const useless = fitProxy(scores(), ['noise'], 'ndcg');
  assert.match(useless.warnings.join(), /no better than the mean/);
  assert.throws(() => fitProxy(scores(), ['gaps'], 'ndcg'), /at least 4 models/);
});
