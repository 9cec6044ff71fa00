/**
 * Intervals by profiling: all values that a quantity (a coefficient, a prediction) can take while the fit stays about as good.
 *
 * The statistic is the drop in dispersion of robust regression (Schrader and Hettmansperger 1980; Huber and Ronchetti 2009, 7.6):
 * 2 (Q(restricted) - Q(best)) / lambda with lambda = E[psi^2] / E[psi'], compared with F(1, n - p). For least squares it is the
 * ordinary profile interval. It does not depend on how the law is parametrised, which is what makes it hold for laws whose
 * coefficients are badly determined while their predictions are not.
 */
import { normalCdf, quantileSorted, solvePositive, sortedCopy, studentTQuantile } from '../stats/index.ts';
import { type Minimum, minimize, type Problem } from './minimize.ts';

/** A quantity of interest: its value at theta, its gradient (p) filled in. */
export type Functional = (theta: Float64Array, gradient: Float64Array) => number;

export interface Side {
  readonly value: number;
  /** `crossed`: the fit becomes too bad here. `limit`: the quantity can go no further in its box. */
  readonly end: 'crossed' | 'limit';
}

export interface ProfileInterval {
  readonly low: Side | undefined;
  readonly high: Side | undefined;
}

/** How residuals scatter, as far as intervals need it. */
export interface Dispersion {
  /** E[psi^2] / E[psi'], the unit of the drop in dispersion. */
  readonly lambda: number;
  /** E[psi'], the share of the residuals in the quadratic part. */
  readonly slope: number;
  readonly degreesOfFreedom: number;
}

/**
 * Estimates lambda from residuals inflated for the p fitted coefficients. Where delta is small against the noise only a few
 * residuals lie in the quadratic part, so E[psi'] is taken from a kernel estimate of their density, not from a count.
 */
export function dispersionOf(residuals: Float64Array, delta: number, p: number): Dispersion {
  const n = residuals.length;
  const inflate = Math.sqrt(n / Math.max(1, n - p));
  const sorted = sortedCopy(residuals).map(r => r * inflate);
  const deviation = Math.sqrt(sorted.reduce((sum, r) => sum + r * r, 0) / n);
  const quartiles = (quantileSorted(sorted, 0.75) - quantileSorted(sorted, 0.25)) / 1.349;
  const width = 1.06 * (quartiles > 0 ? Math.min(deviation, quartiles) : deviation) * n ** -0.2;
  let [square, near] = [0, 0];
  for (const r of sorted) {
    square += Math.min(delta, Math.abs(r)) ** 2 / n;
    near += insideShare(r, delta, width) / n;
  }
  const slope = withoutCaptured(near, insideShare(0, delta, width), p / n);
  return { lambda: slope > 0 ? square / slope : 0, slope, degreesOfFreedom: n - p };
}

/** Share of a kernel of this width around r that lies within delta of 0. */
function insideShare(r: number, delta: number, width: number): number {
  if (!(width > 0)) return Math.abs(r) <= delta ? 1 : 0;
  return normalCdf((delta - r) / width) - normalCdf((-delta - r) / width);
}

/**
 * A fit whose residuals are mostly clipped passes almost exactly through as many points as it has coefficients: of the p coefficients
 * a share 1 - m each captures a point, m being the share of residuals in the quadratic part. Their residuals near 0 say nothing about
 * the noise. Solves near = m + (p/n) (1 - m) (captured - m) for m, where `captured` is what such a point adds.
 */
function withoutCaptured(near: number, captured: number, pOverN: number): number {
  let m = near;
  for (let i = 0; i < 50; i++) m = near - pOverN * (1 - m) * Math.max(0, captured - m);
  return Math.max(m, near / 10);
}

/** The rise of the objective that an interval of this level allows. */
export function allowedRise({ lambda, degreesOfFreedom }: Dispersion, level: number): number {
  return (lambda * studentTQuantile((1 + level) / 2, degreesOfFreedom) ** 2) / 2;
}

/** Below this share of the objective's own size a rise is lost in rounding. */
const ROUNDING = 1e-13;
/** A quantity known to this relative width is known exactly. */
const EXACT = 1e-8;

/** Standard error of the quantity by linearisation, the yardstick of the search; undefined where the fit is singular. */
function standardError(problem: Problem, best: Minimum, gradient: Float64Array, rise: number): number {
  const p = gradient.length;
  const hessian = new Float64Array(p * p);
  const scratch = new Float64Array(p);
  problem.value(best.theta, scratch);
  problem.curvature(hessian);
  let trace = 0;
  for (let j = 0; j < p; j++) trace += hessian[j * p + j]!;
  for (let j = 0; j < p; j++) hessian[j * p + j]! += 1e-10 * trace + 1e-300;
  const solved = solvePositive(hessian, gradient);
  const variance = solved?.reduce((sum, v, j) => sum + v * gradient[j]!, 0) ?? 1;
  return Math.sqrt(2 * rise * variance);
}

/**
 * The interval of `quantity` over which the objective, minimised over everything else, rises by at most `rise` above its minimum.
 * A side is undefined where the rise is never reached: the data do not bound the quantity there. A profile can have branches
 * that a walk from the best fit does not find; `elsewhere` are thetas from which the end of each side is tried once more.
 */
export function profileInterval(
  problem: Problem,
  best: Minimum,
  quantity: Functional,
  rise: number,
  elsewhere: readonly Float64Array[] = [],
): ProfileInterval {
  const gradient = new Float64Array(best.theta.length);
  const centre = quantity(best.theta, gradient);
  const point: ProfileInterval = {
    low: { value: centre, end: 'crossed' },
    high: { value: centre, end: 'crossed' },
  };
  if (!(rise > ROUNDING * Math.max(best.value, 1e-12))) return point;
  const width = standardError(problem, best, gradient, rise);
  if (width < EXACT * Math.abs(centre)) return point; // data without noise: the interval is rounding
  const unit = width > 0 && Number.isFinite(width) ? width : 1e-3 * (Math.abs(centre) + 1e-9);
  const search = (sign: 1 | -1) => side({ problem, best, quantity, elsewhere, centre, unit, rise, sign });
  return { low: search(-1), high: search(1) };
}

interface Search {
  readonly problem: Problem;
  readonly best: Minimum;
  readonly quantity: Functional;
  readonly elsewhere: readonly Float64Array[];
  readonly centre: number;
  readonly unit: number;
  readonly rise: number;
  readonly sign: 1 | -1;
}

interface Trace {
  readonly minimum: Minimum;
  readonly value: number;
  /** sqrt of the rise over the allowed one: about linear in the quantity, 1 at the end of the interval. */
  readonly height: number;
}

const EXPANSIONS = 30;
const REFINEMENTS = 40;
const BRANCHES = 4;

/** Walks outwards until the rise is exceeded, closes in by false position, and looks for another branch beyond. */
function side(search: Search): Side | undefined {
  let inner: Trace = { minimum: search.best, value: search.centre, height: 0 };
  for (let branch = 0; branch < BRANCHES; branch++) {
    const end = walk(search, inner);
    if (end?.end !== 'crossed') return end;
    const beyond = branchBeyond(search, end.value);
    if (beyond === undefined) return end;
    inner = beyond;
  }
  return walk(search, inner);
}

function walk(search: Search, from: Trace): Side | undefined {
  let inner = from;
  let target = Math.max(1.1, (1.1 * search.sign * (from.value - search.centre)) / search.unit);
  for (let i = 0; i < EXPANSIONS; i++) {
    const outer = trace(search, inner.minimum.theta, target);
    if (outer === undefined) return undefined;
    if (outer.height >= 1) return { value: closeIn(search, inner, outer), end: 'crossed' };
    const moved = search.sign * (outer.value - inner.value);
    if (i > 0 && moved <= 1e-6 * search.unit + 1e-9 * Math.abs(outer.value))
      return { value: outer.value, end: 'limit' };
    if (moved > 0) inner = outer;
    target *= Math.min(3, Math.max(1.3, 1.05 / Math.max(outer.height, 0.2)));
  }
  return undefined;
}

/** A fit that is still good enough with the quantity clearly past `value`, reached from one of the other thetas. */
function branchBeyond(search: Search, value: number): Trace | undefined {
  const reach = (search.sign * (value - search.centre)) / search.unit;
  return search.elsewhere
    .map(theta => trace(search, theta, 1.1 * reach))
    .find(
      found => found && found.height < 1 && search.sign * (found.value - value) > 0.01 * search.unit * reach,
    );
}

/**
 * Minimises the objective plus a spring that pulls the quantity towards centre + sign * target * unit. Whatever the spring's
 * strength, its minimum is the best fit among those with the same value of the quantity, that is, a point of the profile.
 */
function trace(search: Search, from: Float64Array, target: number): Trace | undefined {
  const { problem, best, quantity, centre, unit, rise, sign } = search;
  const spring = (40 * rise) / (unit * unit);
  const pulled = withSpring(problem, quantity, centre + sign * target * unit, spring);
  const minimum = minimize(pulled, from, { valueTolerance: 1e-9, maxIterations: 200 });
  if (minimum === undefined) return undefined;
  const scratch = new Float64Array(minimum.theta.length);
  const value = quantity(minimum.theta, scratch);
  const risen = problem.value(minimum.theta, scratch) - best.value;
  if (!Number.isFinite(value) || !Number.isFinite(risen)) return undefined;
  return { minimum, value, height: Math.sqrt(Math.max(0, risen) / rise) };
}

function withSpring(problem: Problem, quantity: Functional, target: number, strength: number): Problem {
  const p = problem.lower.length;
  const slope = new Float64Array(p);
  return {
    lower: problem.lower,
    upper: problem.upper,
    value(theta, gradient) {
      const value = problem.value(theta, gradient);
      const off = quantity(theta, slope) - target;
      for (let j = 0; j < p; j++) gradient[j]! += strength * off * slope[j]!;
      return value + 0.5 * strength * off * off;
    },
    curvature(hessian) {
      problem.curvature(hessian);
      for (let j = 0; j < p; j++)
        for (let k = 0; k < p; k++) hessian[j * p + k]! += strength * slope[j]! * slope[k]!;
    },
  };
}

/** False position between a point inside and one outside, on the height, which is nearly linear. */
function closeIn(search: Search, inside: Trace, outside: Trace): number {
  let [inner, outer] = [inside, outside];
  for (let i = 0; i < REFINEMENTS; i++) {
    const share = (1 - inner.height) / (outer.height - inner.height);
    const guess = inner.value + share * (outer.value - inner.value);
    if (Math.abs(outer.height - 1) < 1e-5) return outer.value;
    if (Math.abs(outer.value - inner.value) <= 1e-6 * search.unit) return guess;
    const clipped = inner.value + Math.min(0.95, Math.max(0.05, share)) * (outer.value - inner.value);
    const target = (search.sign * (clipped - search.centre)) / search.unit;
    // the spring gives way a little: aim past the wished value by what it gave at the nearer end
    const next = trace(search, inner.minimum.theta, target * 1.03);
    if (next === undefined) return guess;
    if (next.height >= 1) {
      if (search.sign * (outer.value - next.value) <= 0) return guess;
      outer = next;
    } else {
      if (search.sign * (next.value - inner.value) <= 0) return guess;
      inner = next;
    }
  }
  return outer.value;
}
