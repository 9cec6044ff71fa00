/** Loops without the ceremony: the body as a function. */
import { identity, input, loop } from './build.ts';
import { makeGraph } from './graph.ts';
import type { Dim, Value } from './types.ts';

export interface Repeat {
  /** How often, int64 scalar. */
  readonly count: Value;
  /** First values of what goes from one iteration to the next. */
  readonly carried: readonly Value[];
  /** Values of the surrounding graph that the body reads. */
  readonly captured: readonly Value[];
  /** Name or number of the stacked results' first axis; it is the number of iterations. */
  readonly stackedAxis?: Dim;
}

export interface IterationResult {
  readonly carried: readonly Value[];
  /** Results of every iteration, stacked along a new first axis. */
  readonly stacked?: readonly Value[];
}

/**
 * Runs `body` on the iteration number (int64 scalar) and the carried values, again and again. Returns the carried values after the last
 * iteration, and everything stacked.
 */
export function repeat(
  { count, carried, captured, stackedAxis = 'iterations' }: Repeat,
  body: (iteration: Value, carried: readonly Value[]) => IterationResult,
): { readonly carried: readonly Value[]; readonly stacked: readonly Value[] } {
  const iteration = input('iteration', 'int64', []);
  const proceed = input('proceed', 'bool', []);
  const inner = carried.map((value, i) => input(`carried${i}`, value.type.dtype, value.type.shape));
  const result = body(iteration, inner);
  const named = [...result.carried, ...(result.stacked ?? [])].map(
    (value, i) => [`result${i}`, value] as const,
  );
  const outputs = { proceed: identity(proceed), ...Object.fromEntries(named) };
  const results = loop(
    count,
    carried,
    makeGraph([iteration, proceed, ...inner], outputs, captured),
    stackedAxis,
  );
  return { carried: results.slice(0, carried.length), stacked: results.slice(carried.length) };
}
