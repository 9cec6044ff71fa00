/** What a miner may be told, checked, with its defaults. */
import { InputError, type Problem } from '../base/index.ts';

/** What to do with a query that has fewer eligible candidates than negatives are asked for. */
export type ShortPolicy = 'pad-random' | 'keep' | 'drop' | 'error';
export const SHORT_POLICIES: readonly ShortPolicy[] = ['pad-random', 'keep', 'drop', 'error'];

export type Sampling = 'top' | 'random';
export const SAMPLINGS: readonly Sampling[] = ['top', 'random'];

/** A candidate is a document of a query's ranking. */
export interface MiningSettings {
  /** Negatives a query. */
  readonly negatives: number;
  /** Candidates are taken from these ranks, counted from 1, ends included. */
  readonly ranks: { readonly from: number; readonly to: number };
  /** The best-ranked eligible candidates, or a uniform sample of them. */
  readonly sampling: Sampling;
  /** Candidates with scores outside these limits are passed over. */
  readonly minScore?: number | undefined;
  readonly maxScore?: number | undefined;
  /** A candidate must score at least this much less than the query's lowest-scoring positive. */
  readonly absoluteMargin?: number | undefined;
  /** The same as a share of that positive's score. */
  readonly relativeMargin?: number | undefined;
  readonly short: ShortPolicy;
  readonly seed: number;
}

/** Negatives a query are the paper's (arXiv 2508.17400). DEVIATION: it does not say how they are chosen; the best-ranked are. */
export const DEFAULT_SETTINGS: MiningSettings = {
  negatives: 15,
  ranks: { from: 1, to: 100 },
  sampling: 'top',
  short: 'pad-random',
  seed: 17,
};

/** Throws an `InputError` that lists every setting out of range. */
export function checkSettings(settings: MiningSettings): void {
  const problems: Problem[] = [];
  const fail = (where: string, message: string) => problems.push({ where, message });
  const { negatives, ranks, minScore, maxScore, absoluteMargin, relativeMargin } = settings;
  if (!Number.isSafeInteger(negatives) || negatives < 1)
    fail('negatives', `${negatives} is no whole number from 1 on`);
  if (
    !Number.isSafeInteger(ranks.from) ||
    !Number.isSafeInteger(ranks.to) ||
    ranks.from < 1 ||
    ranks.to < ranks.from
  )
    fail('ranks', `${ranks.from}-${ranks.to} is no range of ranks from 1 on`);
  else if (ranks.to - ranks.from + 1 < negatives)
    fail('ranks', `${ranks.from}-${ranks.to} holds fewer than the ${negatives} negatives asked for`);
  if (minScore !== undefined && maxScore !== undefined && minScore > maxScore)
    fail('scores', `the lowest (${minScore}) is above the highest (${maxScore})`);
  for (const [name, margin] of Object.entries({ absoluteMargin, relativeMargin }))
    if (margin !== undefined && !(margin >= 0 && Number.isFinite(margin)))
      fail(name, `${margin} is not at least 0`);
  if (problems.length > 0) throw new InputError(problems);
}
