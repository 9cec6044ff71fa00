/**
 * The measures of one query, as trec_eval defines them: linear gain, discount log2(rank + 1), the ideal over all judged documents,
 * relevant = grade above 0, negative grades worth nothing, 0 where a query has no relevant document.
 */
import type { Measure, MeasureKind } from './measures.ts';

/** What a measure may look at. Documents that nobody judged leave no trace but the places they take. */
export interface RankedGrades {
  /** How many documents were retrieved. */
  readonly retrieved: number;
  /** Places (rank - 1) of the retrieved documents that are judged, ascending, */
  readonly places: Int32Array;
  /** and their grades. */
  readonly grades: Int32Array;
  /** Grades above 0 of all judged documents, retrieved or not, descending. */
  readonly ideal: Int32Array;
}

type Formula = (ranked: RankedGrades, cutoff: number) => number;

const FORMULAS: Readonly<Record<MeasureKind, Formula>> = {
  nDCG: (ranked, cutoff) => ratio(dcg(ranked, cutoff), idealDcg(ranked.ideal, cutoff)),
  R: (ranked, cutoff) => ratio(countRelevant(ranked, cutoff), ranked.ideal.length),
  P: (ranked, cutoff) => countRelevant(ranked, cutoff) / cutoff,
  AP: averagePrecision,
  RR: reciprocalRank,
  Judged: judgedShare,
  Success: (ranked, cutoff) => (countRelevant(ranked, cutoff) > 0 ? 1 : 0),
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

function dcg({ places, grades, retrieved }: RankedGrades, cutoff: number): number {
  const discount = rankDiscounts(retrieved);
  let sum = 0;
  for (let i = 0; i < places.length && places[i]! < cutoff; i++)
    if (grades[i]! > 0) sum += grades[i]! / discount[places[i]!]!;
  return sum;
}

/** The discounted gain of the best ranking there could be. */
export function idealDcg(ideal: Int32Array, cutoff: number): number {
  const end = Math.min(cutoff, ideal.length);
  const discount = rankDiscounts(end);
  let sum = 0;
  for (let i = 0; i < end; i++) sum += ideal[i]! / discount[i]!;
  return sum;
}

function countRelevant({ places, grades }: RankedGrades, cutoff: number): number {
  let count = 0;
  for (let i = 0; i < places.length && places[i]! < cutoff; i++) if (grades[i]! > 0) count++;
  return count;
}

/** Mean over all relevant documents of the precision at their rank, 0 for those beyond the cut-off. */
function averagePrecision({ places, grades, ideal }: RankedGrades, cutoff: number): number {
  let [found, sum] = [0, 0];
  for (let i = 0; i < places.length && places[i]! < cutoff; i++)
    if (grades[i]! > 0) sum += ++found / (places[i]! + 1);
  return ratio(sum, ideal.length);
}

function reciprocalRank({ places, grades }: RankedGrades, cutoff: number): number {
  for (let i = 0; i < places.length && places[i]! < cutoff; i++)
    if (grades[i]! > 0) return 1 / (places[i]! + 1);
  return 0;
}

/** Share of judged documents among the first `cutoff`, or among all if fewer were retrieved (ir-measures' rule); 0 if none was. */
function judgedShare({ places, retrieved }: RankedGrades, cutoff: number): number {
  let count = 0;
  while (count < places.length && places[count]! < cutoff) count++;
  return ratio(count, Math.min(cutoff, retrieved));
}

/** a / b, and 0 where there was nothing to find. */
export function ratio(a: number, b: number): number {
  return b > 0 ? a / b : 0;
}
