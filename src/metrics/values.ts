/**
 * The measures of one query, as trec_eval defines them: linear gain, discount log2(rank + 1), the ideal over all judged documents,
 * relevant = grade above 0, negative grades worth nothing, 0 where a query has no relevant document.
 */
import type { Measure, MeasureKind } from './measures.ts';

/** Grade of a retrieved document that nobody judged. */
export const UNJUDGED = -(2 ** 31);

/** What a measure may look at. */
export interface RankedGrades {
  /** Grades of the retrieved documents, best rank first; `UNJUDGED` where there is none. */
  readonly grades: Int32Array;
  /** Grades above 0 of all judged documents, descending. */
  readonly ideal: Int32Array;
}

type Formula = (ranked: RankedGrades, cutoff: number) => number;

const FORMULAS: Readonly<Record<MeasureKind, Formula>> = {
  nDCG: ({ grades, ideal }, cutoff) => ratio(dcg(grades, cutoff), dcg(ideal, cutoff)),
  R: ({ grades, ideal }, cutoff) => ratio(countRelevant(grades, cutoff), ideal.length),
  P: ({ grades }, cutoff) => countRelevant(grades, cutoff) / cutoff,
  AP: averagePrecision,
  RR: reciprocalRank,
  Judged: judgedShare,
  Success: ({ grades }, cutoff) => (countRelevant(grades, cutoff) > 0 ? 1 : 0),
};

export function scoreRanking(measure: Measure, ranked: RankedGrades): number {
  return FORMULAS[measure.kind](ranked, measure.cutoff);
}

let discounts = Float64Array.from({ length: 1024 }, (_, i) => Math.log2(i + 2));

/** log2(rank + 1) by rank - 1, for at least `length` ranks. */
export function rankDiscounts(length: number): Float64Array {
  if (length > discounts.length)
    discounts = Float64Array.from({ length: 2 * length }, (_, i) => Math.log2(i + 2));
  return discounts;
}

/** Discounted gain of the first `cutoff` ranks. */
export function dcg(grades: Int32Array, cutoff: number): number {
  const end = Math.min(cutoff, grades.length);
  const discount = rankDiscounts(end);
  let sum = 0;
  for (let i = 0; i < end; i++) if (grades[i]! > 0) sum += grades[i]! / discount[i]!;
  return sum;
}

function countRelevant(grades: Int32Array, cutoff: number): number {
  const end = Math.min(cutoff, grades.length);
  let count = 0;
  for (let i = 0; i < end; i++) if (grades[i]! > 0) count++;
  return count;
}

/** Mean over all relevant documents of the precision at their rank, 0 for those beyond the cut-off. */
function averagePrecision({ grades, ideal }: RankedGrades, cutoff: number): number {
  const end = Math.min(cutoff, grades.length);
  let [found, sum] = [0, 0];
  for (let i = 0; i < end; i++) if (grades[i]! > 0) sum += ++found / (i + 1);
  return ratio(sum, ideal.length);
}

function reciprocalRank({ grades }: RankedGrades, cutoff: number): number {
  const end = Math.min(cutoff, grades.length);
  for (let i = 0; i < end; i++) if (grades[i]! > 0) return 1 / (i + 1);
  return 0;
}

/** Share of judged documents among the first `cutoff`, or among all if fewer were retrieved (ir-measures' rule); 0 if none was. */
function judgedShare({ grades }: RankedGrades, cutoff: number): number {
  const end = Math.min(cutoff, grades.length);
  let count = 0;
  for (let i = 0; i < end; i++) if (grades[i] !== UNJUDGED) count++;
  return ratio(count, end);
}

/** a / b, and 0 where there was nothing to find. */
export function ratio(a: number, b: number): number {
  return b > 0 ? a / b : 0;
}
