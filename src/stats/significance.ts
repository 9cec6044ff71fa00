/**
 * How sure a difference between two systems is, given one value a query for each: intervals by the bootstrap, tests by the bootstrap and by
 * randomisation (Smucker, Allan and Carterette, CIKM 2007), and Holm's correction for making several tests.
 */
import { InternalError, type Rng } from '../base/index.ts';
import { mean, type Numbers, percentileInterval } from './quantile.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface PairedComparison extends Interval {
  /** Mean of a - b. */
  readonly difference: number;
  /** Two-sided: how often a difference at least this large arises where there is none. */
  readonly pValue: number;
}

/**
 * Percentile bootstrap intervals of the means of several columns over the same queries. Each resample draws its queries once for all columns.
 */
export function bootstrapMeans(
  columns: readonly Numbers[],
  rng: Rng,
  resamples: number,
  level: number,
): Interval[] {
  const n = columns[0]?.length ?? 0;
  const width = columns.length;
  const byQuery = Float64Array.from(
    { length: n * width },
    (_, i) => columns[i % width]![Math.floor(i / width)]!,
  );
  const means = columns.map(() => new Float64Array(resamples));
  const sums = new Float64Array(width);
  for (let b = 0; b < resamples; b++) {
    sums.fill(0);
    for (let i = 0; i < n; i++) {
      const from = width * rng.int(n);
      for (let c = 0; c < width; c++) sums[c]! += byQuery[from + c]!;
    }
    for (let c = 0; c < width; c++) means[c]![b] = sums[c]! / n;
  }
  return means.map(values => percentileInterval(values, level));
}

/**
 * Percentile bootstrap interval of a weighted sum of several groups' means, such as a mean over collections. Each resample draws as many values of
 * every group as it has, so that a small group's uncertainty stays its own.
 */
export function bootstrapSumOfMeans(
  groups: readonly Numbers[],
  weights: readonly number[],
  rng: Rng,
  resamples: number,
  level: number,
): Interval {
  const sums = new Float64Array(resamples);
  for (let b = 0; b < resamples; b++) {
    groups.forEach((group, g) => {
      let drawn = 0;
      for (let i = 0; i < group.length; i++) drawn += group[rng.int(group.length)]!;
      sums[b]! += (weights[g]! * drawn) / group.length;
    });
  }
  return percentileInterval(sums, level);
}

/**
 * Bootstrap of the mean of a - b over queries: percentile interval, and the p value of resampling differences that were shifted to mean 0
 * (Efron and Tibshirani 1993, 16.4).
 */
export function pairedBootstrap(
  a: Numbers,
  b: Numbers,
  rng: Rng,
  resamples: number,
  level: number,
): PairedComparison {
  const differences = paired(a, b);
  const difference = mean(differences);
  const means = new Float64Array(resamples);
  const n = differences.length;
  let extreme = 0;
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += differences[rng.int(n)]!;
    const resampled = sum / n;
    means[r] = resampled;
    if (isAtLeast(Math.abs(resampled - difference), Math.abs(difference))) extreme++;
  }
  return { difference, ...percentileInterval(means, level), pValue: (extreme + 1) / (resamples + 1) };
}

/** Up to this many differing queries every assignment of signs is tried, and the p value is exact. */
const EXACT_UP_TO = 16;

/**
 * Two-sided paired randomisation test of equal means: under the null hypothesis each query's two values could as well be exchanged.
 * With more than 16 queries that differ, `permutations` random exchanges are tried, and the p value counts the observed one among them.
 */
export function randomisationTest(a: Numbers, b: Numbers, rng: Rng, permutations: number): number {
  const differences = paired(a, b).filter(d => d !== 0);
  const observed = Math.abs(signedSum(differences, () => 0));
  if (differences.length <= EXACT_UP_TO) {
    const assignments = 2 ** differences.length;
    let extreme = 0;
    for (let signs = 0; signs < assignments; signs++)
      if (isAtLeast(Math.abs(signedSum(differences, () => signs)), observed)) extreme++;
    return extreme / assignments;
  }
  let extreme = 0;
  for (let r = 0; r < permutations; r++)
    if (isAtLeast(Math.abs(signedSum(differences, () => rng.uint32())), observed)) extreme++;
  return (extreme + 1) / (permutations + 1);
}

/** Sum with the signs that the bits say, `nextBits` being asked for 32 at a time. */
function signedSum(values: Float64Array, nextBits: () => number): number {
  let sum = 0;
  let bits = 0;
  for (let i = 0; i < values.length; i++) {
    bits = i % 32 === 0 ? nextBits() : bits >>> 1;
    sum += (bits & 1) === 1 ? -values[i]! : values[i]!;
  }
  return sum;
}

/** Sums of the same numbers in another order differ by rounding; such differences do not count. */
function isAtLeast(value: number, bound: number): boolean {
  return value >= bound * (1 - 1e-12) - 1e-15;
}

function paired(a: Numbers, b: Numbers): Float64Array {
  if (a.length !== b.length || a.length === 0)
    throw new InternalError(`a paired test of ${a.length} and ${b.length} values`);
  return Float64Array.from(a, (value, i) => value - b[i]!);
}

/** Holm's step-down adjusted p values, in the order given: rejecting those at or below alpha keeps the chance of any false rejection below alpha. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((i, j) => pValues[i]! - pValues[j]!);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  order.forEach((index, step) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - step) * pValues[index]!));
    adjusted[index] = largest;
  });
  return adjusted;
}
