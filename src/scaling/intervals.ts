/** Intervals of coefficients, of the law's value at a point, and of a new measurement there. */
import { studentTQuantile } from '../stats/index.ts';
import { type Bootstrap, bootstrapInterval } from './bootstrap.ts';
import type { Law } from './law.ts';
import type { Model } from './model.ts';
import { type Functional, type ProfileInterval, profileInterval } from './profile.ts';

export interface Interval {
  readonly value: number;
  /** null: the data do not bound it on this side. */
  readonly low: number | null;
  readonly high: number | null;
}

export interface CoefficientInterval extends Interval {
  /** Sides at which the interval ends because the coefficient may go no further, not because the data say so. */
  readonly limits: readonly ('low' | 'high')[];
}

/** Coefficient k as a functional of theta, by its logarithm where it is judged so. */
function coefficientFunctional(law: Law, k: number): Functional {
  const p = law.lower.length;
  const jacobian = new Float64Array(p * p);
  const { logarithmic } = law.coefficients[k]!;
  return (theta, gradient) => {
    const value = law.toCoefficients(theta, jacobian)[k]!;
    for (let j = 0; j < p; j++) gradient[j] = jacobian[k * p + j]! / (logarithmic ? value : 1);
    return logarithmic ? Math.log(value) : value;
  };
}

/** The law's value at a raw point as a functional of theta. */
export function valueFunctional(law: Law, point: readonly number[]): Functional {
  const prepared = law.prepare(point.map(x => [x]));
  const value = new Float64Array(1);
  return (theta, gradient) => {
    law.evaluate(theta, prepared, value, gradient);
    return value[0]!;
  };
}

export function coefficientIntervals(model: Model, level: number): CoefficientInterval[] {
  const { law, joint, minimum, theta, elsewhere } = model;
  const values = law.toCoefficients(theta);
  const rise = model.rise(level);
  return law.coefficients.map(({ logarithmic }, k) => {
    const back = logarithmic ? Math.exp : (x: number) => x;
    const profile = profileInterval(joint, minimum, coefficientFunctional(law, k), rise, elsewhere);
    const side = (s: ProfileInterval['low']) =>
      s === undefined || !Number.isFinite(back(s.value)) ? null : back(s.value);
    return {
      value: values[k]!,
      low: side(profile.low),
      high: side(profile.high),
      limits: (['low', 'high'] as const).filter(name => profile[name]?.end === 'limit'),
    };
  });
}

export interface Prediction extends Interval {
  /** Where a single new measurement would fall: the law's interval widened by the scatter of the points. */
  readonly measurement: { readonly low: number | null; readonly high: number | null };
}

/** The law at a raw point, with the interval of the law itself and that of a measurement. */
export type Predictor = (point: readonly number[]) => Prediction;

/** Predicts by profile, or, where a bootstrap sample is given, by its percentiles. */
export function predictorOf(model: Model, level: number, sample?: Bootstrap): Predictor {
  const { law, joint, minimum, theta, elsewhere } = model;
  const rise = model.rise(level);
  const scratch = new Float64Array(theta.length);
  return point => {
    const quantity = valueFunctional(law, point);
    const value = quantity(theta, scratch);
    const profile =
      sample === undefined ? profileInterval(joint, minimum, quantity, rise, elsewhere) : undefined;
    const drawn = sample && bootstrapInterval(sample, drawnTheta => quantity(drawnTheta, scratch), level);
    const low = profile?.low?.value ?? drawn?.low ?? null;
    const high = profile?.high?.value ?? drawn?.high ?? null;
    return { value, low, high, measurement: widen(model, value, low, high, level) };
  };
}

/** Root mean square of the target's residuals, counting the degrees of freedom left. */
export function noiseOf({ residuals, degreesOfFreedom }: Model): number {
  const sum = residuals.reduce((total, r) => total + r * r, 0);
  return degreesOfFreedom > 0 ? Math.sqrt(sum / degreesOfFreedom) : 0;
}

/** Adds the scatter of one measurement to each side, in quadrature; for losses in logarithms, in which they scatter. */
export function widen(
  model: Model,
  value: number,
  low: number | null,
  high: number | null,
  level: number,
): { low: number | null; high: number | null } {
  const scatter = studentTQuantile((1 + level) / 2, Math.max(1, model.degreesOfFreedom)) * noiseOf(model);
  const log = model.choice.huber.residuals === 'log';
  const to = log ? Math.log : (x: number) => x;
  const back = log ? Math.exp : (x: number) => x;
  const side = (end: number | null, sign: 1 | -1) => {
    if (end === null || (log && !(end > 0))) return null;
    return back(to(value) + sign * Math.hypot(to(end) - to(value), scatter));
  };
  return { low: side(low, -1), high: side(high, 1) };
}
