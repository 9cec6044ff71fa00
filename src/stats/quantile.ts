/** Means, variances, quantiles and ranks. All functions leave their arguments as they are. */
import { InternalError } from '../base/index.ts';

/** Numbers to read by position: a plain or a typed array. */
export type Numbers = ArrayLike<number>;

function refuseEmpty(values: Numbers, what: string): void {
  if (values.length === 0) throw new InternalError(`${what} of no values`);
}

/** Arithmetic mean. */
export function mean(values: Numbers): number {
  refuseEmpty(values, 'mean');
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Unbiased sample variance (n - 1); 0 for one value. */
export function variance(values: Numbers): number {
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - centre) ** 2;
  return values.length > 1 ? sum / (values.length - 1) : 0;
}

/** Ascending copy. */
export function sortedCopy(values: Numbers): Float64Array {
  return Float64Array.from(values).sort();
}

/** Quantile of ascending values by linear interpolation (Hyndman and Fan's type 7, as numpy and R do). */
export function quantileSorted(sorted: Numbers, probability: number): number {
  refuseEmpty(sorted, 'quantile');
  const at = Math.min(1, Math.max(0, probability)) * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return at === below ? low : low + (at - below) * (high - low);
}

/** Quantile of values in any order. */
export function quantile(values: Numbers, probability: number): number {
  return quantileSorted(sortedCopy(values), probability);
}

export function median(values: Numbers): number {
  return quantile(values, 0.5);
}

/** The central interval that holds `level` of the values: for 0.95 the 2.5% and the 97.5% quantile. */
export function percentileInterval(values: Numbers, level: number): { low: number; high: number } {
  const sorted = sortedCopy(values);
  const tail = (1 - level) / 2;
  return { low: quantileSorted(sorted, tail), high: quantileSorted(sorted, 1 - tail) };
}

/** Ranks from 1, ties sharing their mean rank. */
export function midRanks(values: Numbers): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let k = from; k < to; k++) ranks[order[k]!] = (from + to + 1) / 2;
    from = to;
  }
  return ranks;
}
