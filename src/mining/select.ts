/** Which candidates of one query become its negatives. Pure: the same query, candidates and settings give the same negatives, always. */
import { Rng } from '../base/index.ts';
import type { MiningSettings } from './settings.ts';

/** The ranking of one query: documents by number, best first. */
export interface Candidates {
  readonly documents: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
}

/** A query to find negatives for. */
export interface Anchor {
  /** Names the query's stream of random numbers. */
  readonly id: string;
  /** Documents that may never be negatives: all that are relevant for the query. */
  readonly relevant: readonly number[];
  /** The scores of its positives; null for one that the ranking does not reach, and which therefore scores less than all of it. */
  readonly positiveScores: readonly (number | null)[];
}

/** What selection asks about the collection. */
export interface Collection {
  readonly count: number;
  /** A number that documents with the same normalised text share; `EMPTY_TEXT` for a document without text. */
  textKey(document: number): number;
}

export const EMPTY_TEXT = -1;

export interface Negative {
  readonly document: number;
  /** Null for one that padding brought in. */
  readonly score: number | null;
  readonly rank: number | null;
}

/** Why candidates within the ranks were passed over, in the order the reasons are tried. */
export const REASONS = [
  'relevant',
  'empty',
  'duplicateOfRelevant',
  'duplicate',
  'maxScore',
  'minScore',
  'absoluteMargin',
  'relativeMargin',
] as const;
export type Reason = (typeof REASONS)[number];
export type Skipped = Record<Reason, number>;

export interface Selection {
  /** By rank; those that padding brought in stand last. */
  readonly negatives: readonly Negative[];
  /** Candidates within the ranks. */
  readonly seen: number;
  readonly skipped: Skipped;
  /** Fewer candidates were eligible than were asked for. */
  readonly short: boolean;
}

/** Chooses the negatives of one query. Under the policies `drop` and `error` a short query keeps what it has; the caller acts on it. */
export function selectNegatives(
  anchor: Anchor,
  candidates: Candidates,
  collection: Collection,
  settings: MiningSettings,
): Selection {
  const { eligible, seen, skipped } = filter(anchor, candidates, collection, settings);
  const chosen = sample(eligible, anchor, settings);
  const short = chosen.length < settings.negatives;
  const padding =
    short && settings.short === 'pad-random' ? pad(chosen, anchor, candidates, collection, settings) : [];
  return { negatives: [...chosen, ...padding], seen, skipped, short };
}

function filter(anchor: Anchor, candidates: Candidates, collection: Collection, settings: MiningSettings) {
  const skipped = Object.fromEntries(REASONS.map(reason => [reason, 0])) as Skipped;
  const relevant = new Set(anchor.relevant);
  const relevantKeys = new Set(anchor.relevant.map(document => collection.textKey(document)));
  const seenKeys = new Set<number>();
  const reasonOutside = limits(anchor, settings);
  const eligible: Negative[] = [];
  const to = Math.min(settings.ranks.to, candidates.documents.length);
  for (let rank = settings.ranks.from; rank <= to; rank++) {
    const document = candidates.documents[rank - 1]!;
    const score = candidates.scores[rank - 1]!;
    const key = collection.textKey(document);
    let reason: Reason | undefined;
    if (relevant.has(document)) reason = 'relevant';
    else if (key === EMPTY_TEXT) reason = 'empty';
    else if (relevantKeys.has(key)) reason = 'duplicateOfRelevant';
    else if (seenKeys.has(key)) reason = 'duplicate';
    else reason = reasonOutside(score);
    seenKeys.add(key);
    if (reason === undefined) eligible.push({ document, score, rank });
    else skipped[reason]++;
  }
  return { eligible, skipped, seen: Math.max(0, to - settings.ranks.from + 1) };
}

/** Why a score disqualifies, if it does. Margins are counted from the lowest positive, to be on the safe side (as sentence-transformers does). */
function limits(anchor: Anchor, settings: MiningSettings): (score: number) => Reason | undefined {
  const { minScore = Number.NEGATIVE_INFINITY, maxScore = Number.POSITIVE_INFINITY } = settings;
  const { absoluteMargin, relativeMargin } = settings;
  const lowest = Math.min(...anchor.positiveScores.map(score => score ?? Number.NEGATIVE_INFINITY));
  const below = (share: number) => (lowest === Number.NEGATIVE_INFINITY ? lowest : lowest - share);
  return score => {
    if (score > maxScore) return 'maxScore';
    if (score < minScore) return 'minScore';
    if (absoluteMargin !== undefined && score > below(absoluteMargin)) return 'absoluteMargin';
    if (relativeMargin !== undefined && score > below(Math.abs(lowest) * relativeMargin))
      return 'relativeMargin';
    return undefined;
  };
}

function sample(eligible: readonly Negative[], anchor: Anchor, settings: MiningSettings): Negative[] {
  const { negatives, sampling, seed } = settings;
  if (sampling === 'top' || eligible.length <= negatives) return eligible.slice(0, negatives);
  const rng = Rng.from(seed, 'negatives', anchor.id);
  const places = rng.permutation(eligible.length).subarray(0, negatives).sort();
  return Array.from(places, place => eligible[place]!);
}

/** Draws a document this often for each one wanted before it gives up: enough unless nearly all of the collection is excluded. */
const DRAWS_EACH = 100;
/** Collections up to this size are gone through whole instead. */
const SMALL = 10_000;

/**
 * Random documents to make up the number: none that is relevant, none of the ranking (the ranks and limits left those out on purpose), none whose
 * text is that of one of these or of another negative, none empty. Fewer only if the collection has no more.
 */
function pad(
  chosen: readonly Negative[],
  anchor: Anchor,
  candidates: Candidates,
  collection: Collection,
  settings: MiningSettings,
): Negative[] {
  const rng = Rng.from(settings.seed, 'padding', anchor.id);
  const excluded = new Set<number>([EMPTY_TEXT]);
  for (const document of anchor.relevant) excluded.add(collection.textKey(document));
  for (const document of Array.from(candidates.documents)) excluded.add(collection.textKey(document));
  const wanted = settings.negatives - chosen.length;
  const found: Negative[] = [];
  const draws = collection.count <= SMALL ? rng.permutation(collection.count) : undefined;
  for (let i = 0; i < (draws?.length ?? wanted * DRAWS_EACH) && found.length < wanted; i++) {
    const document = draws ? draws[i]! : rng.int(collection.count);
    const key = collection.textKey(document);
    if (excluded.has(key)) continue;
    excluded.add(key);
    found.push({ document, score: null, rank: null });
  }
  return found;
}
