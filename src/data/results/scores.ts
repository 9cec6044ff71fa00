/** What the importers of foreign result files agree on: scores of one model, by column, and where each came from. */
import { InputError } from '../../base/index.ts';
import { BEIR_13, BEIR_14, BEIR_15 } from '../published/table.ts';

export interface ModelScores {
  readonly model: string;
  /** Column -> score in 0..1. */
  readonly scores: ReadonlyMap<string, number>;
  /** Parameters, where the result files say. */
  readonly params?: number;
}

/** Named sets of collections whose mean may be asked for. */
export const COLLECTION_SETS: Readonly<Record<string, readonly string[]>> = {
  beir13: BEIR_13,
  beir14: BEIR_14,
  beir15: BEIR_15,
};

/** The mean over a whole set. Throws, naming what is missing, where the set is not complete. */
export function meanOverSet(model: ModelScores, set: string): number {
  const members = COLLECTION_SETS[set];
  if (members === undefined)
    throw new InputError(
      set,
      `no such set of collections; there are ${Object.keys(COLLECTION_SETS).join(', ')}`,
    );
  const missing = members.filter(name => !model.scores.has(name));
  if (missing.length > 0)
    throw new InputError(
      model.model,
      `no mean over ${set}: ${missing.length} of ${members.length} collections are missing: ${missing.join(', ')}`,
    );
  return members.reduce((sum, name) => sum + model.scores.get(name)!, 0) / members.length;
}

/** All four spellings of nDCG@10 that the tools of the field write. */
export const NDCG_KEYS = ['ndcg_at_10', 'NDCG@10', 'nDCG@10', 'ndcg_cut_10'] as const;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** nDCG@10 under whichever name it has; undefined where it has none. Refuses what is no number. */
export function ndcgIn(value: unknown, where: string): number | undefined {
  if (!isRecord(value)) return undefined;
  const key = NDCG_KEYS.find(name => name in value);
  if (key === undefined) return undefined;
  const score = value[key];
  if (typeof score !== 'number' || !Number.isFinite(score) || score < 0)
    throw new InputError(where, `${key} is ${JSON.stringify(score)}, not a score`);
  return score;
}

/** Scores of one model in one unit: all fractions, or all percentages, which are divided by 100. A mixture is refused. */
export function inFractions(model: string, scores: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const above = [...scores].filter(([, score]) => score > 1);
  if (above.length === 0) return scores;
  const below = [...scores].filter(([, score]) => score > 0 && score <= 1);
  if (below.length > 0 || above.some(([, score]) => score > 100))
    throw new InputError(
      model,
      `mixes percentages and fractions: ${above[0]![0]} is ${above[0]![1]}${below[0] ? `, ${below[0][0]} is ${below[0][1]}` : ''}`,
    );
  return new Map([...scores].map(([name, score]) => [name, score / 100]));
}
