/** Which synsets a study trains on, and which it asks about: disjoint, decided by a hash of seed and synset alone. */
import { Rng } from '../../../base/index.ts';
import type { Synset } from '../synset.ts';
import type { WordNet } from '../wordnet.ts';

export interface SplitOptions {
  readonly seed: number;
  /** Shares of the synsets that are asked about in tests, and in the choice of hyperparameters. */
  readonly testShare: number;
  readonly devShare: number;
}

export type Part = 'train' | 'dev' | 'test' | 'unused';

/**
 * The part of every synset, by id. A synset outside test and dev that has the definition of one inside, to the letter, is `unused`: in no
 * part, because it would give the answer away.
 */
export function splitSynsets(wordnet: WordNet, options: SplitOptions): ReadonlyMap<string, Part> {
  const parts = new Map<string, Part>();
  const asked = new Set<string>();
  for (const synset of wordnet.synsets) {
    const part = drawPart(synset.id, options);
    parts.set(synset.id, part);
    if (part !== 'train') asked.add(definitionKey(synset));
  }
  for (const synset of wordnet.synsets)
    if (parts.get(synset.id) === 'train' && asked.has(definitionKey(synset))) parts.set(synset.id, 'unused');
  return parts;
}

function drawPart(id: string, { seed, testShare, devShare }: SplitOptions): Part {
  const place = Rng.from(seed, 'wordnet part', id).uniform();
  if (place < testShare) return 'test';
  return place < testShare + devShare ? 'dev' : 'train';
}

/** Definitions that differ only in case, punctuation or blanks say the same. */
export function definitionKey({ definition }: Synset): string {
  return definition
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
