/** From many starts to one minimum, and an account of how the starts fared. */
import type { Numbers } from '../stats/index.ts';
import type { FittableLaw } from './law.ts';
import { type MinimizeOptions, type Minimum, minimize, type Problem } from './minimize.ts';
import { type Huber, type HuberProblem, huberProblem } from './objective.ts';

/** Inputs (one array an axis, all of length n) and the observed target. */
export interface Observations {
  readonly axes: readonly Float64Array[];
  readonly y: Float64Array;
}

export interface Solution {
  readonly problem: HuberProblem;
  readonly minimum: Minimum;
  /** Where every start ended; undefined for one at which the law has no finite value. */
  readonly endings: readonly (Minimum | undefined)[];
}

/** Tolerance of a single start; the best one is then polished to `POLISHED`. */
const ROUGH: MinimizeOptions = { valueTolerance: 1e-10, maxIterations: 300 };
const POLISHED: MinimizeOptions = { valueTolerance: 0, gradientTolerance: 0, maxIterations: 200 };

export function observationsOf(axes: readonly Numbers[], y: Numbers): Observations {
  return { axes: axes.map(axis => Float64Array.from(axis)), y: Float64Array.from(y) };
}

/** The observations at `rows`, which may repeat. */
export function takeRows({ axes, y }: Observations, rows: ArrayLike<number>): Observations {
  const take = (values: Float64Array) => Float64Array.from(rows, row => values[row]!);
  return { axes: axes.map(take), y: take(y) };
}

export function problemOf(law: FittableLaw, data: Observations, huber: Huber): HuberProblem {
  return huberProblem(law, law.prepare(data.axes), data.y, huber);
}

/** Minimises from every start; undefined where none has a finite objective. `onStart` is told how many are done. */
export function solve(
  law: FittableLaw,
  data: Observations,
  huber: Huber,
  starts: readonly Float64Array[] = law.starts(law.prepare(data.axes), data.y),
  onStart?: (done: number) => void,
): Solution | undefined {
  const problem = problemOf(law, data, huber);
  const endings = starts.map((start, i) => {
    const ending = minimize(problem, start, ROUGH);
    onStart?.(i + 1);
    return ending;
  });
  const best = bestOf(endings);
  return best && { problem, minimum: polish(problem, best), endings };
}

/** The lowest of several minima. */
export function bestOf(minima: readonly (Minimum | undefined)[]): Minimum | undefined {
  let best: Minimum | undefined;
  for (const minimum of minima)
    if (minimum !== undefined && !(minimum.value >= (best?.value ?? Number.POSITIVE_INFINITY)))
      best = minimum;
  return best;
}

/** Restarts from the minimum with fresh curvature until nothing is gained. */
export function polish(problem: Problem, minimum: Minimum): Minimum {
  let best = minimum;
  for (let round = 0; round < 5; round++) {
    const next = minimize(problem, best.theta, POLISHED);
    if (next === undefined || !(next.value < best.value || next.gradientNorm < best.gradientNorm)) break;
    const gain = best.value - next.value;
    best = next;
    if (gain <= 1e-15 * Math.abs(best.value)) break;
  }
  return best;
}
