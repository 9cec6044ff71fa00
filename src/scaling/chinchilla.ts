/**
 * Hoffmann et al. (2022): `L = E + A / N^alpha + B / D^beta`; for scores the mirror image `y = E - A / N^alpha - B / D^beta`.
 * theta = (E, a, b, alpha, beta) with a = ln A - alpha * mean ln N and b = ln B - beta * mean ln D: in these the two terms are
 * counted at the middle of the table, which takes out nearly all of the correlation between A and alpha, and between B and beta.
 */
import { mean, solvePositive } from '../stats/index.ts';
import { chinchillaLogHuber } from './chinchilla-objective.ts';
import {
  asymptotes,
  type Coefficient,
  clamp,
  combinations,
  type FittableLaw,
  type LawSetting,
  logScaled,
  signOf,
} from './law.ts';

/** The starts of Hoffmann et al., appendix D.2, and of Besiroglu et al. (2024): 5 * 5 * 5 * 6 * 6 = 4,500. */
const GRID = {
  alpha: [0, 0.5, 1, 1.5, 2],
  beta: [0, 0.5, 1, 1.5, 2],
  logE: [-1, -0.5, 0, 0.5, 1],
  logA: [0, 5, 10, 15, 20, 25],
  logB: [0, 5, 10, 15, 20, 25],
} as const;

/*
 * Half of that grid describes no table: with A = 1 and alpha = 2 the parameters' term is 1e-17 at a billion parameters, its gradient
 * vanishes, and the start can go nowhere. Such starts are moved to where the term is a thousandth (or a thousand times) of the data.
 */

/** Exponents for the starts that take E, A and B from the data. */
const EXPONENTS = [0.1, 0.25, 0.5, 1] as const;

function meanings(sign: 1 | -1): readonly Coefficient[] {
  const what = sign > 0 ? 'score' : 'loss';
  return [
    {
      name: 'E',
      meaning: `the ${what} of an infinite model on infinite data`,
      logarithmic: false,
    },
    {
      name: 'A',
      meaning: 'the size of the term that parameters shrink (at N = 1)',
      logarithmic: true,
    },
    { name: 'B', meaning: 'the size of the term that tokens shrink (at D = 1)', logarithmic: true },
    {
      name: 'alpha',
      meaning: 'how fast more parameters help: ten times N divides its term by 10^alpha',
      logarithmic: false,
    },
    {
      name: 'beta',
      meaning: 'how fast more tokens help: ten times D divides its term by 10^beta',
      logarithmic: false,
    },
  ];
}

export function chinchilla(setting: LawSetting): FittableLaw {
  const sign = signOf(setting.direction);
  const [meanN, meanD] = setting.scales.map(Math.log) as [number, number];
  const [n, d] = setting.axisNames;
  const lower = Float64Array.of(sign > 0 ? Number.NEGATIVE_INFINITY : 0, -80, -80, 0, 0);
  const upper = Float64Array.of(sign > 0 ? setting.ceiling : Number.POSITIVE_INFINITY, 80, 80, 10, 10);
  const minus = sign > 0 ? '-' : '+';
  return {
    form: 'chinchilla',
    setting,
    formula: `y = E ${minus} A / ${n}^alpha ${minus} B / ${d}^beta`,
    coefficients: meanings(sign),
    lower,
    upper,
    prepare: axes => axes.map((axis, i) => logScaled(axis, setting.scales[i]!)),
    logHuber: (prepared, y, delta) => chinchillaLogHuber(sign, prepared, y, delta),
    evaluate: (theta, prepared, values, jacobian) => evaluate(sign, theta, prepared, values, jacobian),
    toCoefficients(theta, jacobian) {
      const [limit, a, b, alpha, beta] = theta as unknown as [number, number, number, number, number];
      const bigA = Math.exp(a + alpha * meanN);
      const bigB = Math.exp(b + beta * meanD);
      jacobian?.fill(0);
      for (const [at, value] of [
        [0, 1],
        [6, bigA],
        [8, bigA * meanN],
        [12, bigB],
        [14, bigB * meanD],
        [18, 1],
        [24, 1],
      ] as const) {
        if (jacobian !== undefined) jacobian[at] = value;
      }
      return Float64Array.of(limit, bigA, bigB, alpha, beta);
    },
    fromCoefficients: c =>
      Float64Array.of(c[0]!, Math.log(c[1]!) - c[3]! * meanN, Math.log(c[2]!) - c[4]! * meanD, c[3]!, c[4]!),
    starts(prepared, y) {
      const [least, most] = [1e-3, 1e3].map(factor => Math.log(factor * Math.abs(mean(y)))) as [
        number,
        number,
      ];
      const centre = (logSize: number, exponent: number, meanLog: number) =>
        Math.min(most, Math.max(least, logSize - exponent * meanLog));
      const published = [...combinations(Object.values(GRID))].map(([alpha, beta, e, a, b]) =>
        Float64Array.of(Math.exp(e!), centre(a!, alpha!, meanN), centre(b!, beta!, meanD), alpha!, beta!),
      );
      const own = startsFromData(setting, prepared, y);
      return [...(sign < 0 ? published : []), ...own].map(theta => clamp(theta, lower, upper));
    },
  };
}

function evaluate(
  sign: 1 | -1,
  theta: Float64Array,
  prepared: readonly Float64Array[],
  values: Float64Array,
  jacobian: Float64Array | undefined,
): void {
  const limit = theta[0]!;
  const a = theta[1]!;
  const b = theta[2]!;
  const alpha = theta[3]!;
  const beta = theta[4]!;
  const x = prepared[0]!;
  const z = prepared[1]!;
  const n = values.length;
  for (let i = 0; i < n; i++) {
    const xi = x[i]!;
    const zi = z[i]!;
    const termN = -sign * Math.exp(a - alpha * xi);
    const termD = -sign * Math.exp(b - beta * zi);
    values[i] = limit + termN + termD;
    if (jacobian === undefined) continue;
    const at = 5 * i;
    jacobian[at] = 1;
    jacobian[at + 1] = termN;
    jacobian[at + 2] = termD;
    jacobian[at + 3] = -termN * xi;
    jacobian[at + 4] = -termD * zi;
  }
}

/** For each asymptote and pair of exponents, A and B by least squares through (N^-alpha, D^-beta). */
function startsFromData(
  setting: LawSetting,
  [x, z]: readonly Float64Array[],
  y: ArrayLike<number>,
): Float64Array[] {
  const sign = signOf(setting.direction);
  const limits = asymptotes(setting.direction, y, setting.ceiling);
  return [...combinations([limits, EXPONENTS, EXPONENTS])].map(([limit, alpha, beta]) => {
    const gram = new Float64Array(4);
    const right = new Float64Array(2);
    for (let i = 0; i < y.length; i++) {
      const u = Math.exp(-alpha! * x![i]!);
      const v = Math.exp(-beta! * z![i]!);
      const missing = sign * (limit! - y[i]!);
      gram[0]! += u * u;
      gram[1]! += u * v;
      gram[3]! += v * v;
      right[0]! += u * missing;
      right[1]! += v * missing;
    }
    gram[2] = gram[1]!;
    const ridge = 1e-9 * (gram[0]! + gram[3]!);
    gram[0]! += ridge;
    gram[3]! += ridge;
    const half = (right[0]! + right[1]!) / (gram[0]! + 2 * gram[1]! + gram[3]!);
    const [a, b] = solvePositive(gram, right) ?? [half, half];
    const least = 1e-3 * Math.abs(half) + 1e-12;
    return Float64Array.of(
      limit!,
      Math.log(Math.max(a!, least)),
      Math.log(Math.max(b!, least)),
      alpha!,
      beta!,
    );
  });
}
