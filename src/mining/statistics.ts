/** What a mining run did, in numbers: what was passed over and why, and how positives and negatives score. */
import { quantileSorted } from '../stats/index.ts';
import type { Ranked } from './candidates.ts';
import { REASONS, type Selection, type Skipped } from './select.ts';

/** Of some queries. */
export interface ShardStatistics {
  queries: number;
  /** Queries left out for want of negatives. */
  dropped: number;
  /** Queries with fewer eligible candidates than were asked for, and random documents they were given. */
  short: number;
  padded: number;
  /** Queries that the ranking has no document for. */
  unranked: number;
  candidates: number;
  skipped: Skipped;
  /** Of each query that was kept: the mean score of its positives (null: not scored), and the scores and ranks of its negatives. */
  positives: (number | null)[];
  negatives: { scores: number[]; ranks: number[] }[];
}

export function emptyStatistics(): ShardStatistics {
  return {
    queries: 0,
    dropped: 0,
    short: 0,
    padded: 0,
    unranked: 0,
    candidates: 0,
    skipped: Object.fromEntries(REASONS.map(reason => [reason, 0])) as Skipped,
    positives: [],
    negatives: [],
  };
}

/** Counts one query in. */
export function count(
  statistics: ShardStatistics,
  selection: Selection,
  { documents, positiveScores }: Ranked,
  kept: boolean,
): void {
  statistics.queries++;
  statistics.candidates += selection.seen;
  for (const reason of REASONS) statistics.skipped[reason] += selection.skipped[reason];
  if (selection.short) statistics.short++;
  if (documents.length === 0) statistics.unranked++;
  if (!kept) {
    statistics.dropped++;
    return;
  }
  const ranked = selection.negatives.filter(({ rank }) => rank !== null);
  statistics.padded += selection.negatives.length - ranked.length;
  const scored = positiveScores.filter(score => score !== null);
  statistics.positives.push(
    scored.length > 0 ? scored.reduce((sum, score) => sum + score, 0) / scored.length : null,
  );
  statistics.negatives.push({
    scores: ranked.map(({ score }) => score!),
    ranks: ranked.map(({ rank }) => rank!),
  });
}

export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly p5: number;
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
  readonly p95: number;
  readonly max: number;
}

export interface MiningReport {
  readonly queries: number;
  readonly written: number;
  readonly dropped: number;
  readonly short: number;
  readonly padded: number;
  readonly unranked: number;
  readonly candidates: number;
  readonly skipped: Skipped;
  /** Scores of positives (one a query, their mean), of ranked negatives, and their differences; null where there are none. */
  readonly positive: Summary | null;
  readonly negative: Summary | null;
  readonly difference: Summary | null;
  /** Ranks of negatives in the candidate run. */
  readonly rank: Summary | null;
}

export function report(shards: readonly ShardStatistics[]): MiningReport {
  const total = (of: (shard: ShardStatistics) => number) => shards.reduce((sum, shard) => sum + of(shard), 0);
  const skipped = Object.fromEntries(
    REASONS.map(reason => [reason, total(s => s.skipped[reason])]),
  ) as Skipped;
  const positives = shards.flatMap(shard => shard.positives);
  const negatives = shards.flatMap(shard => shard.negatives);
  const differences = negatives.flatMap(({ scores }, i) => {
    const positive = positives[i]!;
    return positive === null ? [] : scores.map(score => positive - score);
  });
  return {
    queries: total(s => s.queries),
    written: total(s => s.queries - s.dropped),
    dropped: total(s => s.dropped),
    short: total(s => s.short),
    padded: total(s => s.padded),
    unranked: total(s => s.unranked),
    candidates: total(s => s.candidates),
    skipped,
    positive: summarise(positives.filter(score => score !== null)),
    negative: summarise(negatives.flatMap(({ scores }) => scores)),
    difference: summarise(differences),
    rank: summarise(negatives.flatMap(({ ranks }) => ranks)),
  };
}

function summarise(values: readonly number[]): Summary | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length;
  const at = (share: number) => quantileSorted(sorted, share);
  return {
    count: sorted.length,
    mean,
    std: Math.sqrt(variance),
    min: sorted[0]!,
    p5: at(0.05),
    p25: at(0.25),
    median: at(0.5),
    p75: at(0.75),
    p95: at(0.95),
    max: sorted.at(-1)!,
  };
}
