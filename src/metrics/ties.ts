/**
 * Expected measures when documents with equal scores come in random order: the mean over all orderings of every group of ties, in closed form
 * (McSherry and Najork, ECIR 2008). The sums over ranks are linear in the grades, so a group's documents share its mean grade; AP, RR and
 * Success need the chances of where relevant documents fall inside a group.
 */
import type { Measure, MeasureKind } from './measures.ts';
import { idealDcg, type RankedGrades, rankDiscounts, ratio } from './values.ts';

/** A stretch of equally scored documents: ranks `start + 1 .. start + size`. */
export interface TieGroup {
  readonly start: number;
  readonly size: number;
  readonly relevant: number;
  readonly judged: number;
  /** Sum of the grades above 0. */
  readonly gain: number;
}

type Expectation = (groups: readonly TieGroup[], ranked: RankedGrades, cutoff: number) => number;

const EXPECTATIONS: Readonly<Record<MeasureKind, Expectation>> = {
  nDCG: (groups, { ideal }, cutoff) => ratio(expectedDcg(groups, cutoff), idealDcg(ideal, cutoff)),
  R: (groups, { ideal }, cutoff) =>
    ratio(
      expectedCount(groups, cutoff, group => group.relevant),
      ideal.length,
    ),
  P: (groups, _, cutoff) => expectedCount(groups, cutoff, group => group.relevant) / cutoff,
  AP: (groups, { ideal }, cutoff) => ratio(expectedPrecisionSum(groups, cutoff), ideal.length),
  RR: (groups, _, cutoff) => expectedReciprocalRank(groups, cutoff),
  Judged: (groups, { retrieved }, cutoff) =>
    ratio(
      expectedCount(groups, cutoff, group => group.judged),
      Math.min(cutoff, retrieved),
    ),
  Success: (groups, _, cutoff) => expectedSuccess(groups, cutoff),
};

/** The mean of the measure over all orderings of equal scores. */
export function expectedScore(measure: Measure, ranked: RankedGrades, groups: readonly TieGroup[]): number {
  return EXPECTATIONS[measure.kind](groups, ranked, measure.cutoff);
}

/** The groups of equal scores that hold a judged document: no other matters. `scores` are those of all retrieved documents, descending. */
export function tieGroups({ places, grades }: RankedGrades, scores: Float64Array): TieGroup[] {
  const groups: TieGroup[] = [];
  for (let i = 0; i < places.length; ) {
    const score = scores[places[i]!]!;
    let [start, end] = [places[i]!, places[i]! + 1];
    while (start > 0 && scores[start - 1] === score) start--;
    while (end < scores.length && scores[end] === score) end++;
    let [relevant, judged, gain] = [0, 0, 0];
    for (; i < places.length && places[i]! < end; i++, judged++) {
      if (grades[i]! <= 0) continue;
      relevant++;
      gain += grades[i]!;
    }
    groups.push({ start, size: end - start, relevant, judged, gain });
  }
  return groups;
}

/** How many documents of the group are above the cut-off. */
function slots({ start, size }: TieGroup, cutoff: number): number {
  return Math.max(0, Math.min(size, cutoff - start));
}

function expectedDcg(groups: readonly TieGroup[], cutoff: number): number {
  const last = groups.at(-1);
  const discount = rankDiscounts(last ? last.start + last.size : 0);
  let sum = 0;
  for (const group of groups) {
    if (group.gain === 0) continue;
    const end = group.start + slots(group, cutoff);
    for (let i = group.start; i < end; i++) sum += group.gain / group.size / discount[i]!;
  }
  return sum;
}

function expectedCount(
  groups: readonly TieGroup[],
  cutoff: number,
  countIn: (group: TieGroup) => number,
): number {
  let sum = 0;
  for (const group of groups) sum += (countIn(group) * slots(group, cutoff)) / group.size;
  return sum;
}

/**
 * The document at place j of a group with r of n relevant is relevant with chance r/n; given that, each of the j - 1 before it is with
 * chance (r - 1)/(n - 1). All relevant documents of earlier groups rank above.
 */
function expectedPrecisionSum(groups: readonly TieGroup[], cutoff: number): number {
  let [above, sum] = [0, 0];
  for (const group of groups) {
    const { start, size, relevant } = group;
    const density = size > 1 ? (relevant - 1) / (size - 1) : 0;
    const end = relevant > 0 ? slots(group, cutoff) : 0;
    for (let j = 1; j <= end; j++) sum += ((relevant / size) * (above + 1 + (j - 1) * density)) / (start + j);
    above += relevant;
  }
  return sum;
}

/** The first relevant document is in the first group that has one: at place j with the chance that j - 1 draws miss and the next one hits. */
function expectedReciprocalRank(groups: readonly TieGroup[], cutoff: number): number {
  const group = groups.find(({ relevant }) => relevant > 0);
  if (group === undefined) return 0;
  const { start, size, relevant } = group;
  const end = slots(group, cutoff);
  let [missed, sum] = [1, 0];
  for (let j = 1; j <= end && missed > 0; j++) {
    const left = size - j + 1;
    sum += (missed * (relevant / left)) / (start + j);
    missed *= (left - relevant) / left;
  }
  return sum;
}

/** One minus the chance that every place above the cut-off is filled from the documents that are not relevant. */
function expectedSuccess(groups: readonly TieGroup[], cutoff: number): number {
  const group = groups.find(({ relevant }) => relevant > 0);
  if (group === undefined) return 0;
  let missed = 1;
  for (let j = 0; j < slots(group, cutoff) && missed > 0; j++)
    missed *= Math.max(0, group.size - group.relevant - j) / (group.size - j);
  return 1 - missed;
}
