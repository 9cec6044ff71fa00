/**
 * What a fit minimises: the sum over points of Huber's function of the residual, r^2/2 up to delta and delta (|r| - delta/2) beyond.
 * Residuals are ln(predicted) - ln(observed) for losses, predicted - observed for scores.
 */
import type { Law } from './law.ts';
import type { Problem } from './minimize.ts';

export type ResidualKind = 'log' | 'plain';

export interface Huber {
  readonly residuals: ResidualKind;
  readonly delta: number;
}

export interface HuberProblem extends Problem {
  readonly law: Law;
  /** Residuals of the theta last evaluated, one a point. */
  readonly residuals: Float64Array;
  /** d residual / d theta of the theta last evaluated, n x p. */
  readonly jacobian: Float64Array;
}

/** Binds a law to observations. `prepared` comes from `law.prepare`. */
export function huberProblem(
  law: Law,
  prepared: readonly Float64Array[],
  y: Float64Array,
  huber: Huber,
): HuberProblem {
  const n = y.length;
  const p = law.lower.length;
  const { delta } = huber;
  const log = huber.residuals === 'log';
  const target = log ? y.map(Math.log) : y;
  const residuals = new Float64Array(n);
  const jacobian = new Float64Array(n * p);
  const toLogarithms = () => {
    for (let i = 0; i < n; i++) {
      const value = residuals[i]!;
      if (!(value > 0)) return false;
      residuals[i] = Math.log(value);
      const scale = 1 / value;
      for (let j = i * p; j < i * p + p; j++) jacobian[j]! *= scale;
    }
    return true;
  };
  return {
    law,
    lower: law.lower,
    upper: law.upper,
    residuals,
    jacobian,
    value(theta, gradient) {
      law.evaluate(theta, prepared, residuals, jacobian);
      gradient.fill(0);
      if (log && !toLogarithms()) return Number.POSITIVE_INFINITY;
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const r = residuals[i]! - target[i]!;
        residuals[i] = r;
        const size = Math.abs(r);
        sum += size <= delta ? 0.5 * r * r : delta * (size - 0.5 * delta);
        const pull = size <= delta ? r : r > 0 ? delta : -delta;
        for (let j = 0; j < p; j++) gradient[j]! += pull * jacobian[i * p + j]!;
      }
      return sum;
    },
    curvature: hessian => gaussNewton(residuals, jacobian, delta, hessian),
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
