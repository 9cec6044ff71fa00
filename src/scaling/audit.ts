/** Is the best fit really the best, and do the data determine it? What the fitter says instead of hoping. */
import { symmetricEigenvalues } from '../stats/index.ts';
import type { Minimum } from './minimize.ts';
import type { Stage } from './model.ts';

/** A start counts as converged when its objective (a sum over the points) ends within this of the best. */
export const CONVERGED_WITHIN = 1e-6;
/** The same, relative to the best objective: the stricter measure where residuals are small. */
const RELATIVE = 1e-6;
/** Above this condition number of the column-scaled Jacobian, coefficients are combinations that the data cannot tell apart. */
const CONDITION_LIMIT = 1e6;
/** Two thetas further apart than this (in units of 1 + |theta|) are different answers. */
const DIFFERENT = 0.05;

export interface Audit {
  readonly starts: number;
  readonly convergedShare: number;
  /** Share within 1e-6 of the best, relative to the best objective. */
  readonly convergedShareRelative: number;
  /** Largest component of the gradient at the best fit, in the law's inner coordinates. */
  readonly gradientNorm: number;
  /** Of the Jacobian with columns scaled to length 1; null where it is singular. */
  readonly conditionNumber: number | null;
  readonly iterations: number;
  /** Coefficients that ended at the edge of what is allowed. */
  readonly atBounds: readonly string[];
  /** Why the coefficients are not determined by the data; empty for a sound fit. */
  readonly faults: readonly string[];
}

export function auditStage(stage: Stage): Audit {
  const { minimum, endings } = stage.solution;
  const share = (within: number) =>
    endings.filter(ending => ending !== undefined && ending.value <= minimum.value + within).length /
    endings.length;
  const atBounds = coefficientsAtBounds(stage);
  const condition = conditionNumber(stage);
  return {
    starts: endings.length,
    convergedShare: share(CONVERGED_WITHIN),
    convergedShareRelative: share(RELATIVE * Math.abs(minimum.value) + Number.MIN_VALUE),
    gradientNorm: minimum.gradientNorm,
    conditionNumber: Number.isFinite(condition) ? condition : null,
    iterations: minimum.iterations,
    atBounds,
    faults: faultsOf(stage, condition),
  };
}

/** Is coordinate j at a bound, to rounding? */
function isAtBound({ law }: Stage, { theta }: Minimum, j: number): boolean {
  const near = 1e-7 * (1 + Math.abs(theta[j]!));
  return theta[j]! - law.lower[j]! <= near || law.upper[j]! - theta[j]! <= near;
}

function coefficientsAtBounds(stage: Stage): string[] {
  const { minimum } = stage.solution;
  return stage.law.coefficients.filter((_, j) => isAtBound(stage, minimum, j)).map(c => c.name);
}

/** Ratio of the largest to the smallest singular value of the Jacobian over the free coordinates, columns scaled. */
function conditionNumber(stage: Stage): number {
  const { problem, minimum } = stage.solution;
  const found = problem.detail(minimum.theta);
  if (found === undefined) return Number.POSITIVE_INFINITY;
  const p = minimum.theta.length;
  const n = found.residuals.length;
  const free = Array.from({ length: p }, (_, j) => j).filter(j => !isAtBound(stage, minimum, j));
  if (n < free.length) return Number.POSITIVE_INFINITY;
  const column = (j: number) => Float64Array.from({ length: n }, (_, i) => found.jacobian[i * p + j]!);
  const scaled = free.map(column).map(c => {
    const length = Math.hypot(...c);
    return c.map(v => v / length);
  });
  const gram = scaled.flatMap(a => scaled.map(b => a.reduce((sum, v, i) => sum + v * b[i]!, 0)));
  if (!gram.every(Number.isFinite)) return Number.POSITIVE_INFINITY;
  const eigenvalues = symmetricEigenvalues(gram, free.length);
  const least = eigenvalues[0] ?? 1;
  return least > 0 ? Math.sqrt((eigenvalues.at(-1) ?? 1) / least) : Number.POSITIVE_INFINITY;
}

function faultsOf(stage: Stage, condition: number): string[] {
  const { law, data, solution } = stage;
  const p = law.lower.length;
  const n = data.y.length;
  const places = distinctPlaces(data.axes);
  const faults: string[] = [];
  if (n <= p) faults.push(`${n} points cannot determine ${p} coefficients: at least ${p + 1} are needed`);
  else if (places < p)
    faults.push(
      `${places} distinct values of ${law.setting.axisNames.join(' and ')} cannot determine ${p} coefficients`,
    );
  const together = sameDirection(data.axes);
  if (together !== undefined)
    faults.push(
      `${law.setting.axisNames.join(' and ')} move together (correlation of logarithms ${together.toFixed(5)}), so their terms cannot be told apart`,
    );
  if (condition > CONDITION_LIMIT)
    faults.push('some combination of coefficients changes nothing in the fit (singular Jacobian)');
  if (hasRival(solution.minimum, solution.endings))
    faults.push('other starts end in different coefficients with the same objective');
  return faults;
}

function distinctPlaces(axes: readonly Float64Array[]): number {
  return new Set(Array.from(axes[0]!, (_, i) => axes.map(axis => axis[i]).join(' '))).size;
}

/** The correlation of ln N and ln D where it is all but perfect: a table with one ratio of tokens to parameters. */
function sameDirection(axes: readonly Float64Array[]): number | undefined {
  if (axes.length < 2) return undefined;
  const [a, b] = axes.slice(0, 2).map(axis => {
    const logs = axis.map(Math.log);
    const centre = logs.reduce((sum, v) => sum + v, 0) / logs.length;
    const centred = logs.map(v => v - centre);
    const length = Math.hypot(...centred);
    return centred.map(v => v / length);
  }) as [Float64Array, Float64Array];
  const r = a.reduce((sum, v, i) => sum + v * b[i]!, 0);
  return Math.abs(r) > 0.9999 ? r : undefined;
}

/** Did another start reach the same objective with clearly different coefficients? */
function hasRival(best: Minimum, endings: readonly (Minimum | undefined)[]): boolean {
  const same = RELATIVE * best.value + 1e-24;
  return endings.some(
    ending =>
      ending !== undefined &&
      ending.value <= best.value + same &&
      ending.theta.some((v, j) => Math.abs(v - best.theta[j]!) > DIFFERENT * (1 + Math.abs(best.theta[j]!))),
  );
}
