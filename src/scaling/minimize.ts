/**
 * A quasi-Newton method for a handful of unknowns in a box: BFGS on the Hessian itself (damped, so that it stays positive
 * definite), begun from the problem's own Gauss-Newton curvature, with the coordinates that press against their bounds held still.
 */
import { choleskyInPlace, solveCholesky } from '../stats/index.ts';
import { clamp } from './law.ts';

/** A smooth function of p unknowns in a box. */
export interface Problem {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** The value at theta; fills `gradient` (p). A value that is not finite means "not allowed here". */
  value(theta: Float64Array, gradient: Float64Array): number;
  /** Fills `hessian` (p x p) with a positive semidefinite guess of the curvature at the theta last given to `value`. */
  curvature(hessian: Float64Array): void;
}

export interface Minimum {
  readonly theta: Float64Array;
  readonly value: number;
  /** Largest component of the gradient, counting only those that the bounds leave free. */
  readonly gradientNorm: number;
  readonly iterations: number;
  /** False where the iterations ran out or no step improved while the gradient was still large. */
  readonly converged: boolean;
}

export interface MinimizeOptions {
  readonly maxIterations?: number;
  /** Stop when the free gradient is this small, in units of the value per unit of theta. */
  readonly gradientTolerance?: number;
  /** Stop when two steps in a row improve the value by less than this share of it. */
  readonly valueTolerance?: number;
}

const ARMIJO = 1e-4;
const SHRINKS = 40;

/** Longest step of a coordinate x, in units of 1 + |x|. */
const MAX_STEP = 1;

/** Minimises from `start`, or returns undefined where the problem has no finite value there. */
export function minimize(
  problem: Problem,
  start: Float64Array,
  options: MinimizeOptions = {},
): Minimum | undefined {
  const { maxIterations = 300, gradientTolerance = 1e-12, valueTolerance = 1e-12 } = options;
  const state = begin(problem, start);
  if (!Number.isFinite(state.value)) return undefined;
  let quiet = 0;
  let iterations = 0;
  for (; iterations < maxIterations && quiet < 2; iterations++) {
    markHeld(problem, state);
    if (freeGradient(state) <= gradientTolerance) break;
    const before = state.value;
    if (!step(problem, state)) {
      if (state.fresh) break;
      resetCurvature(problem, state);
      continue;
    }
    quiet = before - state.value <= valueTolerance * Math.abs(state.value) ? quiet + 1 : 0;
  }
  markHeld(problem, state);
  return {
    theta: state.theta,
    value: state.value,
    gradientNorm: freeGradient(state),
    iterations,
    converged: iterations < maxIterations,
  };
}

/** Everything the iteration carries; buffers are reused from step to step. */
interface State {
  theta: Float64Array;
  value: number;
  gradient: Float64Array;
  nextTheta: Float64Array;
  nextGradient: Float64Array;
  readonly hessian: Float64Array;
  readonly matrix: Float64Array;
  readonly product: Float64Array;
  readonly held: Uint8Array;
  readonly direction: Float64Array;
  /** Is the Hessian the problem's own, with no BFGS update yet? */
  fresh: boolean;
}

function begin(problem: Problem, start: Float64Array): State {
  const p = start.length;
  const theta = clamp(start.slice(), problem.lower, problem.upper);
  const state: State = {
    theta,
    value: 0,
    gradient: new Float64Array(p),
    nextTheta: new Float64Array(p),
    nextGradient: new Float64Array(p),
    hessian: new Float64Array(p * p),
    matrix: new Float64Array(p * p),
    product: new Float64Array(p),
    held: new Uint8Array(p),
    direction: new Float64Array(p),
    fresh: true,
  };
  state.value = problem.value(theta, state.gradient);
  if (Number.isFinite(state.value)) resetCurvature(problem, state);
  return state;
}

function resetCurvature(problem: Problem, state: State): void {
  const p = state.theta.length;
  problem.value(state.theta, state.gradient); // the curvature is that at the last point evaluated
  problem.curvature(state.hessian);
  let trace = 0;
  for (let j = 0; j < p; j++) trace += state.hessian[j * p + j]!;
  const ridge = 1e-8 * (trace / p) + 1e-14;
  for (let j = 0; j < p; j++) state.hessian[j * p + j]! += ridge;
  state.fresh = true;
}

/** Marks the coordinates at a bound whose gradient points outwards. */
function markHeld(problem: Problem, { theta, gradient, held }: State): void {
  for (let j = 0; j < theta.length; j++) {
    const atLower = theta[j]! <= problem.lower[j]! && gradient[j]! > 0;
    const atUpper = theta[j]! >= problem.upper[j]! && gradient[j]! < 0;
    held[j] = atLower || atUpper ? 1 : 0;
  }
}

function freeGradient({ gradient, held }: State): number {
  let norm = 0;
  for (let j = 0; j < gradient.length; j++) if (held[j] === 0) norm = Math.max(norm, Math.abs(gradient[j]!));
  return norm;
}

/** One damped quasi-Newton step with backtracking; false where no step along the direction improves the value. */
function step(problem: Problem, state: State): boolean {
  findDirection(state);
  const { theta, gradient, direction, nextTheta, nextGradient } = state;
  let length = 1;
  for (let tries = 0; tries < SHRINKS; tries++) {
    let slope = 0;
    for (let j = 0; j < theta.length; j++) nextTheta[j] = theta[j]! + length * direction[j]!;
    clamp(nextTheta, problem.lower, problem.upper);
    for (let j = 0; j < theta.length; j++) slope += gradient[j]! * (nextTheta[j]! - theta[j]!);
    const value = problem.value(nextTheta, nextGradient);
    if (slope < 0 && value <= state.value + ARMIJO * slope) {
      updateHessian(state);
      state.theta = nextTheta;
      state.nextTheta = theta;
      state.gradient = nextGradient;
      state.nextGradient = gradient;
      state.value = value;
      return true;
    }
    const fitted = Number.isFinite(value) ? -slope / (2 * (value - state.value - slope)) : 0.1;
    length *= Math.min(0.5, Math.max(0.1, fitted > 0 ? fitted : 0.1));
  }
  return false;
}

/** direction = -H^-1 gradient over the coordinates that are not held. */
function findDirection(state: State): void {
  const { hessian, matrix, gradient, held, direction } = state;
  const p = gradient.length;
  matrix.set(hessian);
  for (let j = 0; j < p; j++) {
    direction[j] = held[j] === 1 ? 0 : -gradient[j]!;
    if (held[j] === 0) continue;
    for (let k = 0; k < p; k++) {
      matrix[j * p + k] = 0;
      matrix[k * p + j] = 0;
    }
    matrix[j * p + j] = 1;
  }
  if (choleskyInPlace(matrix, p)) solveCholesky(matrix, direction);
  shorten(state);
}

/** Laws are steep in their exponents: a first step from a poor start can throw a term out of sight for good, so its length is limited. */
function shorten({ theta, direction }: State): void {
  let longest = 0;
  for (let j = 0; j < theta.length; j++)
    longest = Math.max(longest, Math.abs(direction[j]!) / (1 + Math.abs(theta[j]!)));
  if (longest > MAX_STEP) for (let j = 0; j < theta.length; j++) direction[j]! *= MAX_STEP / longest;
}

/** Powell's damped BFGS: keeps the Hessian positive definite although the line search only asks for a decrease. */
function updateHessian(state: State): void {
  const { theta, nextTheta, gradient, nextGradient, hessian, product } = state;
  const p = theta.length;
  let sBs = 0;
  let sy = 0;
  for (let i = 0; i < p; i++) {
    let sum = 0;
    for (let j = 0; j < p; j++) sum += hessian[i * p + j]! * (nextTheta[j]! - theta[j]!);
    product[i] = sum;
    const s = nextTheta[i]! - theta[i]!;
    sBs += s * sum;
    sy += s * (nextGradient[i]! - gradient[i]!);
  }
  if (!(sBs > 0)) return;
  const mix = sy < 0.2 * sBs ? (0.8 * sBs) / (sBs - sy) : 1;
  const curvature = mix * sy + (1 - mix) * sBs;
  for (let i = 0; i < p; i++) {
    const ri = mix * (nextGradient[i]! - gradient[i]!) + (1 - mix) * product[i]!;
    for (let j = 0; j <= i; j++) {
      const rj = mix * (nextGradient[j]! - gradient[j]!) + (1 - mix) * product[j]!;
      const change = (ri * rj) / curvature - (product[i]! * product[j]!) / sBs;
      hessian[i * p + j]! += change;
      if (i !== j) hessian[j * p + i]! += change;
    }
  }
  state.fresh = false;
}
