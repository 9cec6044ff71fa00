import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../base/index.ts';
import { FIT_DEFAULTS, type FitOptions, type FitReport, fit } from './fit.ts';
import { loadFit, predictFrom } from './fit-file.ts';
import { FORMS, type FormName } from './law.ts';
import { type Points, takePoints } from './points.ts';
import { PLANTED, simulatedLadder } from './simulate.ts';

const plain: FitOptions = {
  ...FIT_DEFAULTS,
  form: 'power',
  holdout: 'none',
  interval: 'profile',
  resamples: 0,
};

function ladder(form: FormName, noise: number, seed: number | string = 1): Points {
  return simulatedLadder({ ...PLANTED[form], noise, seed, ...(noise === 0 && { lossNoise: 0 }) });
}

function value(report: FitReport, name: string): number {
  assert.ok(report.coefficients, report.warnings.join('\n'));
  return report.coefficients[name]!.value;
}

function near(actual: number, expected: number, share = 1e-6): void {
  assert.ok(Math.abs(actual / expected - 1) <= share, `${actual} is not ${expected}`);
}

test('noiseless planted laws are recovered to 1e-6', () => {
  const c0 = ladder('power', 0).axes[0]!.values.reduce((sum, c) => sum + Math.log10(c), 0) / 24;
  const scale = 10 ** c0;
  const expected: Record<FormName, Record<string, number>> = {
    'log-linear': { level: 0.4 + 0.04 * (c0 - 20), slope: 0.04 },
    power: { E: 0.62, A: 0.17 * (scale / 1e20) ** -0.12, alpha: 0.12 },
    sigmoid: { E: 0.58, k: 0.7, mid: 19.5 },
    chinchilla: { E: 1.8172, A: 482.01, B: 2085.43, alpha: 0.3478, beta: 0.3658 },
    contrastive: { delta: 0.2, A: 3e7, B: 3e8, alpha: 0.35, beta: 0.4 },
    'two-step': {
      ...{ E: 1.8172, A: 482.01, B: 2085.43, alpha: 0.3478, beta: 0.3658 },
      ...{ ceiling: 0.62, steepness: 3, midpoint: 2.6 },
    },
  };
  for (const form of FORMS) {
    const report = fit(ladder(form, 0), { ...plain, form });
    assert.equal(report.identified, true, `${form}: ${report.warnings}`);
    assert.ok(report.objective < 1e-12, `${form}: ${report.objective}`);
    assert.ok(report.convergedShare > 0.5, `${form}: ${report.convergedShare}`);
    for (const [name, v] of Object.entries(expected[form])) near(value(report, name), v);
    assert.deepEqual(Object.keys(report.coefficients!), Object.keys(expected[form]));
  }
});

test('a noisy Chinchilla table: intervals hold the truth, the audit is clean, the hold-out has its baselines', () => {
  const report = fit(ladder('chinchilla', 0.005, 3), {
    ...plain,
    form: 'chinchilla',
    holdout: 'largest',
    resamples: 100,
  });
  assert.equal(report.n, 20);
  assert.equal(report.starts, 4596);
  assert.ok(report.convergedShare > 0.8);
  assert.equal(report.huberDelta, 1e-3);
  assert.ok(report.audit[0]!.gradientNorm < 1e-6);
  for (const [name, truth] of Object.entries({ E: 1.8172, alpha: 0.3478, beta: 0.3658 })) {
    const { low, high } = report.coefficients![name]!;
    assert.ok(low !== null && high !== null && low < truth && truth < high, `${name} ${low} ${high}`);
  }
  const { holdout, bootstrap } = report;
  assert.ok(holdout);
  assert.match(holdout.model, /^6659m/);
  assert.equal(holdout.leftOut, 4);
  assert.ok(holdout.low! < holdout.predicted && holdout.predicted < holdout.high!);
  assert.ok(holdout.low! < holdout.law.low! && holdout.law.high! < holdout.high!);
  assert.ok(Math.abs(holdout.predicted - holdout.actual) < Math.abs(holdout.naive.last - holdout.actual));
  assert.ok(holdout.naive.logLinear !== null);
  assert.equal(bootstrap?.over, 'models');
  assert.ok(bootstrap.coefficients['E']!.low! < report.coefficients!['E']!.value);
});

test('the same table and seed give the same report to the last digit', () => {
  const options = { ...plain, form: 'power' as const, resamples: 50, holdout: 'auto' as const, rollouts: 3 };
  const twice = [1, 2].map(() => JSON.stringify(fit(ladder('power', 0.01), options)));
  assert.equal(twice[0], twice[1]);
});

test('a direction is found, losses are judged by logarithms and percentages by their own delta', () => {
  const points = ladder('power', 0.01);
  const percent = { ...points, target: { name: 'ndcg', values: points.target.values.map(v => 100 * v) } };
  const [a, b] = [points, percent].map(table => fit(table, plain)) as [FitReport, FitReport];
  assert.equal(a.direction, 'rising');
  assert.equal(b.huberDelta, 1);
  near(value(b, 'E'), 100 * value(a, 'E'), 1e-5);
  near(value(b, 'alpha'), value(a, 'alpha'), 1e-5);
  const loss = { ...points, target: { name: 'loss', values: points.target.values.map(v => 1 / v) } };
  const falling = fit(loss, plain);
  assert.equal(falling.direction, 'falling');
  assert.equal(falling.residuals, 'log');
  assert.match(falling.formula, /\+ A/);
});

test('what the data do not determine is not printed as coefficients', () => {
  const constantRatio = takePoints(
    ladder('chinchilla', 0.01),
    [...Array(24).keys()].filter(row => row % 4 === 0),
  );
  const together = fit(constantRatio, { ...plain, form: 'chinchilla' });
  assert.equal(together.coefficients, null);
  assert.match(together.warnings.join('\n'), /move together/);
  const few = fit(takePoints(ladder('power', 0.01), [0, 10, 20]), plain);
  assert.equal(few.coefficients, null);
  assert.match(few.warnings.join('\n'), /3 points cannot determine 3 coefficients/);
  const noise = ladder('power', 0.01, 4);
  const flat = {
    ...noise,
    target: {
      name: 'ndcg',
      values: noise.target.values.map(
        (v, i) => 0.4 + 0.3 * (v - PLANTED.power.truth(0, 0, noise.compute[i]!)),
      ),
    },
  };
  const report = fit(flat, plain);
  assert.match(report.warnings.join('\n'), /no clear improvement on a constant|neither side/);
});

test('tables that no law can be fitted to are refused', () => {
  const points = ladder('power', 0.01);
  const withTarget = (values: Float64Array, name = 'ndcg') => ({ ...points, target: { name, values } });
  const cases: readonly [Points, RegExp, Partial<FitOptions>?][] = [
    [takePoints(points, [3]), /1 usable rows/],
    [withTarget(points.target.values.map(() => 0.4)), /all 24 values of 'ndcg' are equal/],
    [{ ...points, axes: [{ name: 'flops', values: points.compute.with(2, 0) }] }, /'flops' holds 0/],
    [{ ...points, axes: [{ name: 'flops', values: points.compute.with(2, -1e20) }] }, /'flops' holds -1/],
    [
      { ...points, axes: [{ name: 'flops', values: points.compute.map(() => 1e20) }] },
      /all 24 values of 'flops'/,
    ],
    [
      withTarget(points.target.values.map((v, i) => (i % 2 ? 100 * v : v))),
      /mixes percentages and fractions/,
    ],
    [
      withTarget(
        points.target.values.map(v => -v),
        'loss',
      ),
      /a loss is above 0/,
    ],
    [withTarget(points.target.values.map(v => 300 * v)), /above 100/],
    [points, /needs parameters and tokens/, { form: 'chinchilla' }],
    [ladder('chinchilla', 0.01), /one input/, { form: 'power' }],
    [ladder('chinchilla', 0.01), /loss column/, { form: 'two-step' }],
    [points, /not below the ceiling/, { form: 'sigmoid', floor: 1 }],
  ];
  for (const [table, message, options] of cases)
    assert.throws(
      () => fit(table, { ...plain, ...options }),
      (error: unknown) => error instanceof InputError && message.test(error.message),
      String(message),
    );
});

test('repeated rows count once, with a warning', () => {
  const points = ladder('power', 0.01);
  const repeated = takePoints(points, [...Array(24).keys(), 3, 3, 7]);
  const report = fit(repeated, plain);
  assert.equal(report.n, 24);
  assert.match(report.warnings.join('\n'), /3 rows repeat another row/);
  near(report.objective, fit(points, plain).objective);
});

test('a written fit predicts what the model predicts, with intervals, and a changed one is refused', () => {
  const report = fit(ladder('two-step', 0.01), { ...plain, form: 'two-step' });
  const json: unknown = JSON.parse(JSON.stringify(report));
  const [row] = predictFrom(loadFit(json, 'FIT.json'), [[13e9, 13e9 * 100]]);
  assert.deepEqual(row!.at, { params: 13e9, tokens: 1.3e12 });
  assert.ok(row!.low! < row!.value && row!.value < row!.high!);
  assert.ok(row!.measurement.low! < row!.low!);
  const edited = structuredClone(json) as { points: { target: number[] } };
  edited.points.target[0]! += 0.05;
  assert.throws(() => loadFit(edited, 'FIT.json'), /do not belong together/);
  assert.throws(() => loadFit({ kind: 'other' }, 'FIT.json'), InputError);
});

test('bootstrap intervals can take the place of the profile, in the file as well', () => {
  const report = fit(ladder('power', 0.01), { ...plain, interval: 'bootstrap', resamples: 200 });
  assert.equal(report.bootstrap!.draws!.length, 200);
  assert.equal(report.coefficients!['E']!.low, report.bootstrap!.coefficients['E']!.low);
  const [row] = predictFrom(loadFit(JSON.parse(JSON.stringify(report)), 'f'), [[1e24]]);
  assert.ok(row!.low! < row!.value && row!.value < row!.high!);
});
