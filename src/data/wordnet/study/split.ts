/** Which synsets a test may ask about, and the text to pretrain on without them. */
import { createHash } from 'node:crypto';
import type { TextSource } from '../../text/source.ts';
import { wordnetSource } from '../source.ts';
import type { Synset } from '../synset.ts';
import type { WordNet } from '../wordnet.ts';

export interface SplitOptions {
  readonly seed: number;
  /** Expected share of test synsets, between 0 and 1. */
  readonly testShare: number;
}

/** Two sides that share no synset and no definition; each in WordNet's order. */
export interface SynsetSplit {
  readonly train: readonly Synset[];
  readonly test: readonly Synset[];
  readonly isTest: (synset: Synset) => boolean;
}

/**
 * Divides the synsets. A synset is on the test side if SHA-256 of the seed and of a synset's id falls below the share; the id is that of the first
 * synset with the same definition (case, white space and compatibility forms aside), so that equal definitions are on one side.
 * Each decision depends on nothing but the seed, the share and that id.
 */
export function splitSynsets(wordnet: WordNet, { seed, testShare }: SplitOptions): SynsetSplit {
  const sideOf = new Map<string, boolean>();
  const ids = new Set<string>();
  for (const { id, definition } of wordnet.synsets) {
    const key = definitionKey(definition);
    const side = sideOf.get(key) ?? hashedShare(seed, id) < testShare;
    sideOf.set(key, side);
    if (side) ids.add(id);
  }
  const isTest = ({ id }: Synset) => ids.has(id);
  return {
    train: wordnet.synsets.filter(synset => !isTest(synset)),
    test: wordnet.synsets.filter(isTest),
    isTest,
  };
}

/** The embedded corpus without the test side: what a study may pretrain on. */
export function pretrainingSource(split: SynsetSplit): Promise<TextSource> {
  return wordnetSource(synset => !split.isTest(synset));
}

/** Equal for definitions that differ in nothing but case, white space or compatibility forms. */
export function definitionKey(definition: string): string {
  return definition.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Uniform in [0, 1), 48 bits. */
function hashedShare(seed: number, id: string): number {
  const digest = createHash('sha256')
    .update(JSON.stringify(['wordnet split', seed, id]))
    .digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}
