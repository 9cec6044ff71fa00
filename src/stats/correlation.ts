/**
 * Pearson, Spearman and Kendall correlations, plain or partial, with large-sample intervals.
 * A correlation with a constant is not defined; these functions return undefined for it, never 0 or NaN.
 */
import { normalQuantile } from './distributions.ts';
import { leastSquares } from './linear.ts';
import { mean, midRanks, type Numbers } from './quantile.ts';

export const CORRELATIONS = ['pearson', 'spearman', 'kendall'] as const;
export type CorrelationKind = (typeof CORRELATIONS)[number];

/** Pearson's product-moment correlation. */
export function pearson(x: Numbers, y: Numbers): number | undefined {
  if (x.length < 2) return undefined;
  const [mx, my] = [mean(x), mean(y)];
  let [sxx, syy, sxy, rawX, rawY] = [0, 0, 0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - mx, y[i]! - my];
    sxx += dx * dx;
    syy += dy * dy;
    sxy += dx * dy;
    rawX += x[i]! ** 2;
    rawY += y[i]! ** 2;
  }
  const noise = 1e-24; // squared rounding of a constant column or of residuals that should be zero
  if (!(sxx > noise * rawX) || !(syy > noise * rawY)) return undefined;
  return Math.min(1, Math.max(-1, sxy / Math.sqrt(sxx) / Math.sqrt(syy)));
}

/** Spearman's rank correlation: Pearson's of the mid-ranks. */
export function spearman(x: Numbers, y: Numbers): number | undefined {
  return pearson(midRanks(x), midRanks(y));
}

/** Kendall's tau-b, which allows for ties. */
export function kendall(x: Numbers, y: Numbers): number | undefined {
  let [agree, untiedX, untiedY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const dx = Math.sign(x[i]! - x[j]!);
      const dy = Math.sign(y[i]! - y[j]!);
      agree += dx * dy;
      untiedX += dx * dx;
      untiedY += dy * dy;
    }
  }
  return untiedX === 0 || untiedY === 0 ? undefined : agree / Math.sqrt(untiedX) / Math.sqrt(untiedY);
}

const PLAIN = { pearson, spearman, kendall };

/**
 * The correlation of x and y with the influence of `controls` taken out: Pearson's and Spearman's on the residuals of a
 * linear regression (of values, or of ranks) on the controls; Kendall's by its recursion, one control at a time.
 */
export function correlation(
  kind: CorrelationKind,
  x: Numbers,
  y: Numbers,
  controls: readonly Numbers[] = [],
): number | undefined {
  if (controls.length === 0) return PLAIN[kind](x, y);
  if (kind === 'kendall') return partialKendall(x, y, controls);
  const prepare = kind === 'spearman' ? midRanks : (values: Numbers) => values;
  const columns = [new Float64Array(x.length).fill(1), ...controls.map(prepare)];
  const [px, py] = [prepare(x), prepare(y)];
  const [rx, ry] = [leastSquares(columns, px), leastSquares(columns, py)];
  if (rx === undefined || ry === undefined || rx.degreesOfFreedom < 2) return undefined;
  if (isRounding(rx.residuals, px) || isRounding(ry.residuals, py)) return undefined;
  return pearson(rx.residuals, ry.residuals);
}

/** Are the residuals nothing but rounding, so that the control explains the variable wholly? */
function isRounding(residuals: Numbers, values: Numbers): boolean {
  const size = (v: Numbers) => Math.sqrt(Array.from(v).reduce((sum, a) => sum + a * a, 0));
  return size(residuals) <= 1e-10 * size(values);
}

function partialKendall(x: Numbers, y: Numbers, controls: readonly Numbers[]): number | undefined {
  const [last, rest] = [controls.at(-1), controls.slice(0, -1)];
  if (last === undefined) return kendall(x, y);
  const xy = partialKendall(x, y, rest);
  const xz = partialKendall(x, last, rest);
  const yz = partialKendall(y, last, rest);
  if (xy === undefined || xz === undefined || yz === undefined) return undefined;
  const scale = (1 - xz * xz) * (1 - yz * yz);
  return scale > 1e-12 ? (xy - xz * yz) / Math.sqrt(scale) : undefined;
}

/** Large-sample variance of atanh(r): Fisher's 1/(n-3), Bonett and Wright's (2000) for Spearman, Fieller's for Kendall. */
function variance(kind: CorrelationKind, value: number, n: number): number {
  if (kind === 'kendall') return 0.437 / (n - 4);
  return (kind === 'spearman' ? 1 + (value * value) / 2 : 1) / (n - 3);
}

/**
 * The interval of a correlation by Fisher's z over `n` independent pairs with `controls` variables partialled out.
 * Undefined where there are too few pairs to have one.
 */
export function fisherInterval(
  kind: CorrelationKind,
  value: number,
  n: number,
  controls: number,
  level: number,
): { low: number; high: number } | undefined {
  const effective = n - controls;
  if (effective <= (kind === 'kendall' ? 4 : 3)) return undefined;
  const half = normalQuantile((1 + level) / 2) * Math.sqrt(variance(kind, value, effective));
  const centre = Math.atanh(value);
  if (!Number.isFinite(centre)) return { low: value, high: value };
  return { low: Math.tanh(centre - half), high: Math.tanh(centre + half) };
}
