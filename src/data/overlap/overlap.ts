/**
 * Do test texts stand in the pretraining text? Counted as PaLM's authors did (Chowdhery et al. 2022, arXiv 2204.02311, section 8): by the share of
 * a text's word 8-grams that the corpus holds, anywhere and in any order; from 70% on the text counts as standing in it.
 */
import { type ReadAllOptions, readDocuments, type TextSource } from '../text/source.ts';
import { NgramSet } from './ngrams.ts';

/** Texts that a model is tested on: passages and queries of a collection, items of a task. */
export interface TestSet {
  readonly name: string;
  /** May be read twice; gives the same texts in the same order each time. */
  texts(): AsyncIterable<{ readonly ids: readonly string[]; readonly texts: readonly string[] }>;
}

export interface OverlapSettings {
  /** Words of an n-gram. Shorter texts are not judged. */
  readonly words: number;
  /** Share of a text's n-grams from which on it stands in the corpus. */
  readonly share: number;
}

export const OVERLAP_DEFAULTS: OverlapSettings = { words: 8, share: 0.7 };

export interface SetOverlap {
  readonly name: string;
  readonly texts: number;
  /** Texts with at least one n-gram that was looked at. */
  readonly judged: number;
  /** Judged texts that share at least one n-gram with the corpus. */
  readonly touched: number;
  /** Judged texts that stand in the corpus, with the share of their n-grams, in the order of the set. */
  readonly standing: readonly { readonly id: string; readonly share: number }[];
}

export interface Overlap extends OverlapSettings {
  /** The share of all n-grams that was looked at; below 1 for test sets that are too large for memory. */
  readonly sampled: number;
  readonly sets: readonly SetOverlap[];
}

export interface OverlapOptions extends Partial<OverlapSettings>, ReadAllOptions {
  /**
   * Distinct n-grams in memory, 18 bytes or more each. Default 2^24 (302 MB when full): of 5 million passages of 56 words, MS MARCO's mean, and
   * their 245 million 8-grams, 1 in 16 is kept.
   */
  readonly mostNgrams?: number;
}

/** Reads the test sets, then the corpus once, then the test sets again. Throws what reading throws; equal inputs give equal results. */
export async function measureOverlap(
  sources: readonly TextSource[],
  testSets: readonly TestSet[],
  options: OverlapOptions = {},
): Promise<Overlap> {
  const { words = OVERLAP_DEFAULTS.words, share = OVERLAP_DEFAULTS.share, mostNgrams = 2 ** 24 } = options;
  const ngrams = new NgramSet(words, mostNgrams);
  for (const set of testSets)
    for await (const { texts } of set.texts()) {
      options.signal?.throwIfAborted();
      for (const text of texts) ngrams.add(text);
    }
  for await (const { texts } of readDocuments(sources, options)) for (const text of texts) ngrams.meet(text);
  const sets: SetOverlap[] = [];
  for (const set of testSets) sets.push(await judge(set, ngrams, share, options.signal));
  return { words, share, sampled: ngrams.sampled, sets };
}

async function judge(
  set: TestSet,
  ngrams: NgramSet,
  share: number,
  signal: AbortSignal | undefined,
): Promise<SetOverlap> {
  const standing: { id: string; share: number }[] = [];
  const counts = { texts: 0, judged: 0, touched: 0 };
  for await (const { ids, texts } of set.texts()) {
    signal?.throwIfAborted();
    for (const [i, text] of texts.entries()) {
      counts.texts++;
      const { looked, met } = ngrams.count(text);
      if (looked > 0) counts.judged++;
      if (met > 0) counts.touched++;
      if (looked > 0 && met / looked >= share) standing.push({ id: ids[i]!, share: met / looked });
    }
  }
  return { name: set.name, ...counts, standing };
}
