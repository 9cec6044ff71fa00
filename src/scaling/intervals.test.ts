import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../base/index.ts';
import { leastSquares, studentTQuantile } from '../stats/index.ts';
import { bootstrap, bootstrapInterval, type QueryScores } from './bootstrap.ts';
import { choose, fitModel } from './choose.ts';
import { coefficientIntervals, predictorOf } from './intervals.ts';
import { minimize, type Problem } from './minimize.ts';
import type { Model } from './model.ts';
import { takePoints } from './points.ts';
import { dispersionOf } from './profile.ts';
import { PLANTED, simulatedLadder } from './simulate.ts';

function modelOf(
  form: 'log-linear' | 'power' | 'two-step',
  delta?: number,
  seed: number | string = 1,
): Model {
  const raw = simulatedLadder({ ...PLANTED[form], noise: 0.01, seed });
  const { points, choice } = choose(raw, { form, starts: 100, ...(delta !== undefined && { delta }) });
  return fitModel(points, choice)!;
}

/** Rosenbrock's valley, in a box. */
function rosenbrock(upper: number): Problem {
  return {
    lower: Float64Array.of(-5, -5),
    upper: Float64Array.of(upper, 5),
    value(theta, gradient) {
      const [x, y] = theta as unknown as [number, number];
      gradient[0] = -2 * (1 - x) - 400 * x * (y - x * x);
      gradient[1] = 200 * (y - x * x);
      return (1 - x) ** 2 + 100 * (y - x * x) ** 2;
    },
    curvature: hessian => hessian.set([1, 0, 0, 1]),
  };
}

test('the minimiser finds the bottom of a curved valley, and the edge of a box', () => {
  const free = minimize(rosenbrock(5), Float64Array.of(-1.2, 1))!;
  assert.ok(free.converged && free.value < 1e-20 && free.gradientNorm < 1e-8);
  const boxed = minimize(rosenbrock(0.5), Float64Array.of(-1.2, 1))!;
  assert.equal(boxed.theta[0], 0.5);
  assert.ok(Math.abs(boxed.theta[1]! - 0.25) < 1e-8);
  const undefinedStart = { ...rosenbrock(5), value: () => Number.NaN };
  assert.equal(minimize(undefinedStart, Float64Array.of(0, 0)), undefined);
});

test('with a large delta and a linear law the profile is the exact t interval of least squares', () => {
  const model = modelOf('log-linear', 10);
  const x = model.points.compute.map(c => Math.log10(c / model.law.setting.scales[0]!));
  const fit = leastSquares([new Float64Array(24).fill(1), x], model.points.target.values)!;
  const t = studentTQuantile(0.975, 22);
  const at = 3;
  const place = [model.law.setting.scales[0]! * 10 ** at];
  const { value, low, high, measurement } = predictorOf(model, 0.95)(place);
  const [half, wide] = [fit.leverage([1, at]), Math.hypot(1, fit.leverage([1, at]))].map(
    s => t * s * fit.sigma,
  );
  assert.ok(Math.abs(value - (fit.coefficients[0]! + at * fit.coefficients[1]!)) < 1e-9);
  assert.ok(Math.abs(high! - value - half!) < 1e-4 * half! && Math.abs(value - low! - half!) < 1e-4 * half!);
  assert.ok(Math.abs(measurement.high! - value - wide!) < 1e-4 * wide!);
  const slope = coefficientIntervals(model, 0.95)[1]!;
  const slopeHalf = t * fit.sigma * fit.leverage([0, 1]);
  assert.ok(Math.abs(slope.high! - slope.value - slopeHalf) < 1e-4 * slopeHalf);
});

test('the ends of a profile are where the best fit through them has risen by the allowed amount', () => {
  const model = modelOf('power');
  const place = [4 * Math.max(...model.points.compute)];
  const { low, high } = predictorOf(model, 0.95)(place);
  const scratch = new Float64Array(3);
  const value = new Float64Array(1);
  const prepared = model.law.prepare(place.map(x => [x]));
  const allowed = model.rise(0.95);
  let [least, most] = [Infinity, -Infinity]; // brute force over E and alpha; A from the wanted value of the law
  for (let e = 0.5; e <= 1; e += 0.01) {
    for (let alpha = 0.01; alpha < 1; alpha *= 1.06) {
      for (let a = -3; a < 0.5; a += 0.02) {
        const theta = Float64Array.of(e, a, alpha);
        if (model.joint.value(theta, scratch) - model.minimum.value > allowed) continue;
        model.law.evaluate(theta, prepared, value);
        least = Math.min(least, value[0]!);
        most = Math.max(most, value[0]!);
      }
    }
  }
  assert.ok(low! <= least + 1e-6 && low! > least - 4e-3, `${low} against ${least}`);
  assert.ok(high! >= most - 1e-6 && high! < most + 4e-3, `${high} against ${most}`);
});

test('95% intervals of a prediction at four times the compute hold the truth at about that rate', () => {
  for (const form of ['log-linear', 'power'] as const) {
    const c = 24 * 500 * 6_658_859_008 ** 2;
    const truth = PLANTED[form].truth(0, 0, c);
    let covered = 0;
    for (let seed = 0; seed < 100; seed++) {
      const { low, high } = predictorOf(modelOf(form, undefined, `t${seed}`), 0.95)([c]);
      if (low! <= truth && truth <= high!) covered++;
    }
    assert.ok(covered >= 88, `${form}: ${covered} of 100`);
  }
});

test('dispersion: lambda is the variance for Gaussian residuals and least squares, and finite where most are clipped', () => {
  const rng = Rng.from(8);
  const residuals = Float64Array.from({ length: 4000 }, () => 0.02 * rng.normal());
  const squares = dispersionOf(residuals, 1, 3);
  assert.ok(Math.abs(squares.lambda / 4e-4 - 1) < 0.06 && squares.slope > 0.999);
  const clipped = dispersionOf(residuals, 1e-3, 3);
  const density = 1 / (0.02 * Math.sqrt(2 * Math.PI));
  assert.ok(Math.abs(clipped.slope / (2e-3 * density) - 1) < 0.1, `${clipped.slope}`);
});

test('the bootstrap draws models whole, counts what cannot be refitted, and repeats itself', () => {
  const model = modelOf('power');
  const draw = () => bootstrap(model, { resamples: 60, seed: 17 });
  assert.deepEqual(draw().thetas, draw().thetas);
  const sizes = takePoints(
    { ...model.points, models: model.points.models.map((_, i) => `m${Math.floor(i / 12)}`) },
    [...Array(24).keys()],
  );
  const paired = fitModel(sizes, model.choice)!;
  assert.equal(bootstrap(paired, { resamples: 5, seed: 1 }).models, 2);
  const few = takePoints(model.points, [0, 7, 13, 23]);
  const tiny = bootstrap(fitModel(few, model.choice)!, { resamples: 200, seed: 1 });
  assert.ok(tiny.failed > 20);
  assert.equal(
    bootstrapInterval({ ...tiny, thetas: tiny.thetas.slice(0, 50) }, t => t[0]!, 0.95),
    undefined,
  );
});

test('the nested bootstrap over queries widens intervals and insists on the scores that were fitted', () => {
  const base = modelOf('power', undefined, 3);
  const rng = Rng.from(4);
  const scores = new Map(
    base.points.models.map((name, row) => {
      const noise = Float64Array.from({ length: 50 }, () => 0.3 * rng.normal());
      const centre = noise.reduce((a, b) => a + b, 0) / 50;
      return [name, [noise.map(v => base.points.target.values[row]! + v - centre)]];
    }),
  );
  const queries: QueryScores = { datasets: ['all'], scores };
  const width = (sample: ReturnType<typeof bootstrap>) => {
    const { low, high } = bootstrapInterval(sample, theta => theta[0]! - Math.exp(theta[1]!), 0.95)!;
    return high - low;
  };
  const [plain, nested] = [{}, { queries }].map(o =>
    width(bootstrap(base, { resamples: 200, seed: 5, ...o })),
  );
  assert.ok(nested! > 1.3 * plain!, `${nested} against ${plain}`);
  const wrong = new Map([...scores].map(([name, [own]]) => [name, [own!.map(v => v + 0.1)]]));
  assert.throws(
    () => bootstrap(base, { resamples: 1, seed: 1, queries: { datasets: ['all'], scores: wrong } }),
    /per-query scores average/,
  );
  assert.throws(
    () =>
      bootstrap(base, {
        resamples: 1,
        seed: 1,
        queries: { datasets: ['all'], scores: new Map([[...scores][0]!]) },
      }),
    /no per-query scores/,
  );
});
