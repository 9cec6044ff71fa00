/**
 * Fang et al. (2024, arXiv 2403.18684), contrastive entropy of a dense retriever against parameters N and annotated pairs D:
 * `L = ((A/N)^(alpha/beta) + B/D)^beta + delta`. With P = (A/N)^alpha and R = (B/D)^beta it is delta plus the 1/beta-norm of (P, R).
 * theta = (delta, ln P and ln R at the middle of the table, alpha, beta).
 */
import { asymptotes, clamp, combinations, type FittableLaw, type LawSetting, logScaled } from './law.ts';

const ALPHAS = [0.1, 0.25, 0.5, 1] as const;
const BETAS = [0.15, 0.3, 0.6, 1, 1.5] as const;
const SHARES = [0.15, 0.5, 0.85] as const;

export function contrastive(setting: LawSetting): FittableLaw {
  const [meanN, meanD] = setting.scales.map(Math.log) as [number, number];
  const [n, d] = setting.axisNames;
  const lower = Float64Array.of(0, -80, -80, 1e-3, 1e-2);
  const upper = Float64Array.of(Number.POSITIVE_INFINITY, 80, 80, 10, 10);
  return {
    form: 'contrastive',
    setting,
    formula: `y = ((A / ${n})^(alpha / beta) + B / ${d})^beta + delta`,
    coefficients: [
      {
        name: 'delta',
        meaning: 'the contrastive entropy that remains however large both grow',
        logarithmic: false,
      },
      {
        name: 'A',
        meaning: `the scale of ${n}: at ${n} = A the model's share of the loss is 1`,
        logarithmic: true,
      },
      {
        name: 'B',
        meaning: `the scale of ${d}: at ${d} = B the data's share of the loss is 1`,
        logarithmic: true,
      },
      { name: 'alpha', meaning: 'how fast a larger model helps where data abound', logarithmic: true },
      { name: 'beta', meaning: 'how fast more data help where the model is large', logarithmic: true },
    ],
    lower,
    upper,
    prepare: axes => axes.map((axis, i) => logScaled(axis, setting.scales[i]!)),
    evaluate,
    toCoefficients(theta, jacobian) {
      const [delta, p, r, alpha, beta] = theta as unknown as [number, number, number, number, number];
      const bigA = Math.exp(p / alpha + meanN);
      const bigB = Math.exp(r / beta + meanD);
      if (jacobian !== undefined) {
        jacobian.fill(0);
        jacobian[0] = 1;
        jacobian[6] = bigA / alpha;
        jacobian[8] = (-bigA * p) / alpha ** 2;
        jacobian[12] = bigB / beta;
        jacobian[14] = (-bigB * r) / beta ** 2;
        jacobian[18] = 1;
        jacobian[24] = 1;
      }
      return Float64Array.of(delta, bigA, bigB, alpha, beta);
    },
    fromCoefficients: c =>
      Float64Array.of(
        c[0]!,
        c[3]! * (Math.log(c[1]!) - meanN),
        c[4]! * (Math.log(c[2]!) - meanD),
        c[3]!,
        c[4]!,
      ),
    starts(_, y) {
      const limits = asymptotes('falling', y, setting.ceiling);
      return [...combinations([limits, ALPHAS, BETAS, SHARES])].map(([delta, alpha, beta, share]) => {
        let level = 0; // mean of ln((L - delta)^(1/beta)): the sum of the two terms, split by `share`
        for (let i = 0; i < y.length; i++) level += Math.log(Math.max(y[i]! - delta!, 1e-6)) / beta!;
        level /= y.length;
        const p = beta! * (level + Math.log(share!));
        const r = beta! * (level + Math.log(1 - share!));
        return clamp(Float64Array.of(delta!, p, r, alpha!, beta!), lower, upper);
      });
    },
  };
}

function evaluate(
  theta: Float64Array,
  [x, z]: readonly Float64Array[],
  values: Float64Array,
  jacobian?: Float64Array,
): void {
  const [delta, p, r, alpha, beta] = theta as unknown as [number, number, number, number, number];
  for (let i = 0; i < values.length; i++) {
    const logU = (p - alpha * x![i]!) / beta;
    const logV = r / beta - z![i]!;
    const u = Math.exp(logU);
    const v = Math.exp(logV);
    const sum = u + v;
    const loss = sum ** beta;
    values[i] = loss + delta;
    if (jacobian === undefined) continue;
    const at = 5 * i;
    jacobian[at] = 1;
    jacobian[at + 1] = (loss * u) / sum;
    jacobian[at + 2] = (loss * v) / sum;
    jacobian[at + 3] = (-loss * u * x![i]!) / sum;
    jacobian[at + 4] = loss * (Math.log(sum) - (u * logU + (v * r) / beta) / sum);
  }
}
