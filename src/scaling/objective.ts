/**
 * What a fit minimises: the sum over points of Huber's function of the residual, r^2/2 up to delta and delta (|r| - delta/2) beyond.
 * Residuals are ln(predicted) - ln(observed) for losses, predicted - observed for scores.
 */
import type { FittableLaw, Objective } from './law.ts';
import type { Problem } from './minimize.ts';

export type ResidualKind = 'log' | 'plain';

export interface Huber {
  readonly residuals: ResidualKind;
  readonly delta: number;
}

/** Residuals of every point and their derivatives. */
export interface ResidualDetail {
  readonly residuals: Float64Array;
  /** d residual / d theta, n x p. */
  readonly jacobian: Float64Array;
}

export interface HuberProblem extends Problem {
  readonly law: FittableLaw;
  /** Residuals and Jacobian at theta, in buffers that the next call overwrites; undefined where the law has no finite value. */
  detail(theta: Float64Array): ResidualDetail | undefined;
}

/** Binds a law to observations. `prepared` comes from `law.prepare`. */
export function huberProblem(
  law: FittableLaw,
  prepared: readonly Float64Array[],
  y: Float64Array,
  huber: Huber,
): HuberProblem {
  const { delta } = huber;
  const detail = residualsOfLaw(law, prepared, y, huber.residuals);
  const fast = huber.residuals === 'log' ? law.logHuber?.(prepared, y, delta) : undefined;
  const value = fast ?? huberOf(detail, delta);
  const last = new Float64Array(law.lower.length);
  return {
    law,
    lower: law.lower,
    upper: law.upper,
    detail,
    value(theta, gradient) {
      last.set(theta);
      return value(theta, gradient);
    },
    curvature(hessian) {
      const found = detail(last);
      if (found === undefined) hessian.fill(0);
      else gaussNewton(found.residuals, found.jacobian, delta, hessian);
    },
  };
}

function residualsOfLaw(
  law: FittableLaw,
  prepared: readonly Float64Array[],
  y: Float64Array,
  kind: ResidualKind,
): (theta: Float64Array) => ResidualDetail | undefined {
  const n = y.length;
  const p = law.lower.length;
  const log = kind === 'log';
  const target = log ? y.map(Math.log) : y;
  const residuals = new Float64Array(n);
  const jacobian = new Float64Array(n * p);
  const found = { residuals, jacobian };
  return theta => {
    law.evaluate(theta, prepared, residuals, jacobian);
    for (let i = 0; i < n; i++) {
      const value = residuals[i]!;
      if (log && !(value > 0)) return undefined;
      residuals[i] = (log ? Math.log(value) : value) - target[i]!;
      if (log) for (let j = i * p; j < i * p + p; j++) jacobian[j]! /= value;
    }
    return found;
  };
}

/** The summed Huber function through residuals and Jacobian: for every law without a loop of its own. */
function huberOf(detail: (theta: Float64Array) => ResidualDetail | undefined, delta: number): Objective {
  return (theta, gradient) => {
    gradient.fill(0);
    const found = detail(theta);
    if (found === undefined) return Number.POSITIVE_INFINITY;
    const { residuals, jacobian } = found;
    const p = gradient.length;
    let sum = 0;
    for (let i = 0; i < residuals.length; i++) {
      const r = residuals[i]!;
      const size = Math.abs(r);
      sum += size <= delta ? 0.5 * r * r : delta * (size - 0.5 * delta);
      const pull = size <= delta ? r : r > 0 ? delta : -delta;
      for (let j = 0; j < p; j++) gradient[j]! += pull * jacobian[i * p + j]!;
    }
    return sum;
  };
}

/** Sum of w J'J with Huber's weights w = psi(r)/r: an upper bound of the curvature of the Huber function. */
function gaussNewton(
  residuals: Float64Array,
  jacobian: Float64Array,
  delta: number,
  hessian: Float64Array,
): void {
  const n = residuals.length;
  const p = jacobian.length / n;
  hessian.fill(0);
  for (let i = 0; i < n; i++) {
    const weight = Math.min(1, delta / Math.abs(residuals[i]!));
    for (let j = 0; j < p; j++) {
      const scaled = weight * jacobian[i * p + j]!;
      for (let k = 0; k <= j; k++) hessian[j * p + k]! += scaled * jacobian[i * p + k]!;
    }
  }
  for (let j = 0; j < p; j++) for (let k = 0; k < j; k++) hessian[k * p + j] = hessian[j * p + k]!;
}
