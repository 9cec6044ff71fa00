/**
 * What a scaling law is to the fitter: a function of a few unknowns theta, in coordinates in which it is well conditioned,
 * with its analytic gradient, its bounds, its starts, and the way back to the coefficients people write down.
 */
import type { Numbers } from '../stats/index.ts';

export const FORMS = ['log-linear', 'power', 'sigmoid', 'chinchilla', 'contrastive', 'two-step'] as const;
export type FormName = (typeof FORMS)[number];

/** Does the target rise with compute (a score) or fall (a loss, an error rate)? */
export type Direction = 'rising' | 'falling';

/** What a law has to know of its table before it can be written down. */
export interface LawSetting {
  readonly direction: Direction;
  /** Names of the input columns, for formulas: `['flops']`, `['params', 'tokens']`. */
  readonly axisNames: readonly string[];
  /** Geometric means of the inputs, by which the laws in C are scaled. */
  readonly scales: readonly number[];
  /** The largest value the target can have (1, or 100 in percent); infinite for losses. */
  readonly ceiling: number;
  /** The value of a model that knows nothing (0 for nDCG, chance for multiple choice). */
  readonly floor: number;
}

export interface Coefficient {
  readonly name: string;
  /** What it says, in plain words. */
  readonly meaning: string;
  /** Is it positive and best judged by its logarithm? */
  readonly logarithmic: boolean;
}

export interface Law {
  readonly form: FormName;
  readonly setting: LawSetting;
  readonly formula: string;
  readonly coefficients: readonly Coefficient[];
  /** Box of theta; a coordinate that ends on a side of finite length is reported as being at its bound. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Raw inputs, one array an axis, brought to the law's coordinates. Done once a table. */
  prepare(axes: readonly Numbers[]): readonly Float64Array[];
  /**
   * values[i] = law(theta) at prepared point i; jacobian[i * p + j] = d values[i] / d theta[j].
   * Values may be infinite or NaN where theta is absurd; the fitter treats that as an infinite objective.
   */
  evaluate(
    theta: Float64Array,
    prepared: readonly Float64Array[],
    values: Float64Array,
    jacobian?: Float64Array,
  ): void;
  /** theta as the coefficients, in the order of `coefficients`; jacobian[k * p + j] = d coefficient k / d theta j. */
  toCoefficients(theta: Float64Array, jacobian?: Float64Array): Float64Array;
  fromCoefficients(coefficients: Numbers): Float64Array;
}

/** An objective with its gradient: what a minimiser calls thousands of times. */
export type Objective = (theta: Float64Array, gradient: Float64Array) => number;

/** A law that is fitted on its own (the two-step law is fitted as two of these). */
export interface FittableLaw extends Law {
  /** Where to begin. Every start lies inside the box. */
  starts(prepared: readonly Float64Array[], y: Numbers): Float64Array[];
  /** The summed Huber function of ln(value) - ln(y) in one loop, for a law whose fits have to be fast. */
  logHuber?(prepared: readonly Float64Array[], y: Float64Array, delta: number): Objective;
}

/** The value of a law at one raw point. */
export function valueAt(law: Law, theta: Float64Array, point: readonly number[]): number {
  const value = new Float64Array(1);
  law.evaluate(theta, law.prepare(point.map(x => [x])), value);
  return value[0]!;
}

export function geometricMean(values: Numbers): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.log(values[i]!);
  return Math.exp(sum / values.length);
}

/** `+1` for a law that rises towards its limit, `-1` for one that falls: y = E - sign * (what is still missing). */
export function signOf(direction: Direction): 1 | -1 {
  return direction === 'rising' ? 1 : -1;
}

/** ln(x / scale) for every x. */
export function logScaled(values: Numbers, scale: number): Float64Array {
  return Float64Array.from(values, x => Math.log(x / scale));
}

/** Every combination of one element of each list, the last list fastest. */
export function* combinations(lists: readonly (readonly number[])[]): Generator<readonly number[]> {
  const [first, ...rest] = lists;
  if (first === undefined) return yield [];
  for (const value of first) for (const others of combinations(rest)) yield [value, ...others];
}

/** Moves theta into the box, in place. */
export function clamp(theta: Float64Array, lower: Numbers, upper: Numbers): Float64Array {
  for (let j = 0; j < theta.length; j++) theta[j] = Math.min(upper[j]!, Math.max(lower[j]!, theta[j]!));
  return theta;
}

/** A slightly wider span than that of the values: limits of asymptotes are sought from its edge outwards. */
export function spanOf(y: Numbers): { least: number; most: number; width: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < y.length; i++) {
    least = Math.min(least, y[i]!);
    most = Math.max(most, y[i]!);
  }
  return { least, most, width: Math.max(most - least, 1e-9 * Math.max(Math.abs(most), 1e-300)) };
}

/**
 * Candidate asymptotes beyond the data: just past the best value, then ever farther, up to the limit a target can have.
 * For a rising law these lie above the largest value (to `ceiling`), for a falling one below the smallest (to 0).
 */
export function asymptotes(direction: Direction, y: Numbers, ceiling: number): number[] {
  const { least, most, width } = spanOf(y);
  const steps = [0.02, 0.1, 0.3, 1, 3];
  if (direction === 'falling') return [...steps.map(k => Math.max(0, least - k * width)), 0];
  const limit = Number.isFinite(ceiling) ? ceiling : most + 10 * width;
  return [...steps.map(k => Math.min(limit, most + k * width)), limit];
}
