import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../base/index.ts';
import { chinchilla } from './chinchilla.ts';
import { contrastive } from './contrastive.ts';
import { fastExp } from './exponential.ts';
import type { Direction, Law, LawSetting } from './law.ts';
import { logLinear } from './log-linear.ts';
import { huberProblem } from './objective.ts';
import { powerLaw } from './power.ts';
import { sigmoid } from './sigmoid.ts';
import { chainLaws } from './two-step.ts';

const setting = (direction: Direction, ...scales: number[]): LawSetting => ({
  direction,
  axisNames: scales.length === 1 ? ['flops'] : ['params', 'tokens'],
  scales,
  ceiling: direction === 'rising' ? 1 : Number.POSITIVE_INFINITY,
  floor: direction === 'rising' ? 0.05 : 0,
});

const lossLaw = chinchilla(setting('falling', 1e9, 2e10));
const onLoss = sigmoid({ ...setting('falling', 2.5), ceiling: 1 }, 'linear');
const cases: readonly [string, Law, number[], readonly number[][]][] = [
  ['log-linear', logLinear(setting('rising', 1e20)), [0.4, 0.05], [[1e18, 1e19, 3e22]]],
  ['power, rising', powerLaw(setting('rising', 1e20)), [0.7, -1.2, 0.15], [[1e18, 1e19, 3e22]]],
  ['power, falling', powerLaw(setting('falling', 1e20)), [1.7, 0.2, 0.15], [[1e18, 1e19, 3e22]]],
  ['sigmoid', sigmoid(setting('rising', 1e20)), [0.6, -0.4, 0.3], [[1e18, 1e19, 3e22]]],
  ['sigmoid on a loss', onLoss, [0.6, 1.1, 0.2], [[1.9, 2.6, 4.1]]],
  [
    'chinchilla',
    lossLaw,
    [1.8, -1, -1.3, 0.34, 0.37],
    [
      [1e8, 1e9, 7e9],
      [2e9, 8e10, 3e11],
    ],
  ],
  [
    'chinchilla, rising',
    chinchilla(setting('rising', 1e9, 2e10)),
    [0.7, -2, -1.8, 0.3, 0.2],
    [
      [1e8, 1e9, 7e9],
      [2e9, 8e10, 3e11],
    ],
  ],
  [
    'contrastive',
    contrastive(setting('falling', 1e9, 2e10)),
    [0.2, -1, -1.4, 0.5, 0.8],
    [
      [1e8, 1e9, 7e9],
      [2e9, 8e10, 3e11],
    ],
  ],
  [
    'two-step',
    chainLaws(lossLaw, onLoss),
    [1.8, -1, -1.3, 0.34, 0.37, 0.6, 1.1, 0.2],
    [
      [1e8, 1e9, 7e9],
      [2e9, 8e10, 3e11],
    ],
  ],
];

/** Richardson-extrapolated central difference: its error is of fourth order in the step. */
function derivative(f: (x: number) => number, x: number): number {
  const h = 1e-3 * (1 + Math.abs(x));
  const central = (step: number) => (f(x + step) - f(x - step)) / (2 * step);
  return (4 * central(h / 2) - central(h)) / 3;
}

function assertClose(actual: number, expected: number, what: string): void {
  const tolerance = 1e-8 * Math.max(1e-3, Math.abs(expected));
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);
}

for (const [name, law, start, axes] of cases) {
  const theta = Float64Array.from(start);
  const p = theta.length;
  const n = axes[0]!.length;
  const prepared = law.prepare(axes);

  test(`${name}: the gradient of its values equals finite differences`, () => {
    const jacobian = new Float64Array(n * p);
    law.evaluate(theta, prepared, new Float64Array(n), jacobian);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < p; j++) {
        const along = (x: number) => {
          const values = new Float64Array(n);
          law.evaluate(theta.with(j, x), prepared, values);
          return values[i]!;
        };
        assertClose(jacobian[i * p + j]!, derivative(along, theta[j]!), `value ${i}, theta ${j}`);
      }
    }
  });

  test(`${name}: coefficients go back and forth, with the right gradient, and are explained`, () => {
    const jacobian = new Float64Array(p * p);
    const coefficients = law.toCoefficients(theta, jacobian);
    for (const [j, v] of law.fromCoefficients(coefficients).entries())
      assertClose(v, theta[j]!, `theta ${j}`);
    for (let k = 0; k < p; k++) {
      for (let j = 0; j < p; j++) {
        const along = (x: number) => law.toCoefficients(theta.with(j, x))[k]! / coefficients[k]!;
        assertClose(
          jacobian[k * p + j]! / coefficients[k]!,
          derivative(along, theta[j]!),
          `coefficient ${k} by ${j}`,
        );
      }
    }
    assert.equal(law.coefficients.length, p);
    for (const { meaning } of law.coefficients) assert.ok(meaning.length > 20);
  });

  test(`${name}: every theta lies in a box of its size`, () => {
    assert.equal(law.lower.length, p);
    for (const [j, v] of theta.entries()) assert.ok(law.lower[j]! < v && v < law.upper[j]!);
  });
}

test('starts lie in the box and have finite values', () => {
  const rng = Rng.from(5);
  const axes = [Float64Array.from({ length: 12 }, () => 1e9 * Math.exp(3 * rng.normal()))];
  const two = [axes[0]!, axes[0]!.map(v => v * 20 * Math.exp(rng.normal()))];
  const losses = axes[0]!.map(v => 2 + (v / 1e9) ** -0.3);
  const scores = losses.map(v => 1 / v);
  for (const [law, data, y] of [
    [logLinear(setting('rising', 1e9)), axes, scores],
    [powerLaw(setting('rising', 1e9)), axes, scores],
    [powerLaw(setting('falling', 1e9)), axes, losses],
    [sigmoid(setting('rising', 1e9)), axes, scores],
    [chinchilla(setting('falling', 1e9, 2e10)), two, losses],
    [chinchilla(setting('rising', 1e9, 2e10)), two, scores],
    [contrastive(setting('falling', 1e9, 2e10)), two, losses],
  ] as const) {
    const prepared = law.prepare(data);
    const starts = law.starts(prepared, y);
    assert.ok(starts.length >= 3);
    for (const theta of starts) {
      for (const [j, v] of theta.entries()) assert.ok(v >= law.lower[j]! && v <= law.upper[j]!, law.formula);
      const values = new Float64Array(y.length);
      law.evaluate(theta, prepared, values);
      assert.ok(values.every(Number.isFinite), `${law.formula} at ${theta}`);
    }
  }
  assert.equal(chinchilla(setting('falling', 1e9, 2e10)).starts(two, losses).length, 4500 + 96);
});

test('the objective is the sum of Huber terms, by hand', () => {
  const law = logLinear(setting('falling', 1));
  const problem = (residuals: 'log' | 'plain', delta: number) =>
    huberProblem(law, [Float64Array.of(0, 0)], Float64Array.of(2, 4), { residuals, delta });
  const gradient = new Float64Array(2);
  const r = [Math.log(3 / 2), Math.log(3 / 4)] as const;
  assertClose(
    problem('log', 10).value(Float64Array.of(3, 0), gradient),
    (r[0] ** 2 + r[1] ** 2) / 2,
    'quadratic',
  );
  const clipped = 0.1 * (r[0] - 0.05) + 0.1 * (-r[1] - 0.05);
  assertClose(problem('log', 0.1).value(Float64Array.of(3, 0), gradient), clipped, 'linear');
  assertClose(problem('plain', 0.5).value(Float64Array.of(3, 0), gradient), 0.5 * 0.75 * 2, 'plain');
  assert.equal(problem('log', 1).value(Float64Array.of(-3, 0), gradient), Number.POSITIVE_INFINITY);
});

test('the fast objective of Chinchilla equals the general one, and its gradient', () => {
  const rng = Rng.from(6);
  const axes = [1e9, 2e10].map(scale =>
    Float64Array.from({ length: 60 }, () => scale * Math.exp(1.5 * rng.normal())),
  );
  const prepared = lossLaw.prepare(axes);
  const values = new Float64Array(60);
  const theta = Float64Array.of(1.8, -1, -1.3, 0.34, 0.37);
  lossLaw.evaluate(theta, prepared, values);
  for (const [noise, delta] of [
    [0.01, 1e-3],
    [5e-4, 1e-3],
    [0.05, 0.1],
    [40, 1e-3],
  ] as const) {
    const y = values.map(v => v * Math.exp(noise * rng.normal()));
    const { logHuber: _, ...slow } = lossLaw;
    const [fast, general] = [lossLaw, slow].map(law =>
      huberProblem(law, prepared, y, { residuals: 'log', delta }),
    );
    const [g, h] = [new Float64Array(5), new Float64Array(5)];
    const [a, b] = [fast!.value(theta, g), general!.value(theta, h)];
    assert.ok(Math.abs(a - b) <= 1e-13 * (1e-3 + Math.abs(b)), `${a} against ${b}`);
    g.forEach((v, j) => {
      assert.ok(Math.abs(v - h[j]!) <= 1e-11 * (1e-3 + Math.abs(h[j]!)), `${v} against ${h[j]}`);
    });
  }
  const negative = huberProblem(lossLaw, prepared, values, { residuals: 'log', delta: 1e-3 });
  assert.equal(
    negative.value(Float64Array.of(-50, -1, -1, 0.3, 0.3), new Float64Array(5)),
    Number.POSITIVE_INFINITY,
  );
});

test('the fast exponential is that of Math.exp to 4e-16, and beyond its range the same', () => {
  const rng = Rng.from(7);
  for (let i = 0; i < 200_000; i++) {
    const x = (rng.uniform() - 0.5) * (i % 2 ? 1390 : 20);
    const exact = Math.exp(x);
    assert.ok(Math.abs(fastExp(x) / exact - 1) <= 4.5e-16, `${x}: ${fastExp(x)} against ${exact}`);
  }
  assert.equal(fastExp(0), 1);
  assert.ok(Number.isNaN(fastExp(Number.NaN)));
  for (const x of [710, 701, -701, -745, -800, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    assert.equal(fastExp(x), Math.exp(x));
});
