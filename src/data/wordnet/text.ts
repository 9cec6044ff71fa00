/** WordNet as text to learn a language from: one document a synset. */
import type { Synset } from './synset.ts';
import type { WordNet } from './wordnet.ts';

/**
 * `car, auto, automobile : a motor vehicle with four wheels ; he needs a car to get to work`: lemmas, definition, examples. The blanks around the
 * colon let `car :` be a prompt whose continuation is a definition.
 */
export function synsetText({ lemmas, definition, examples }: Synset): string {
  return `${lemmas.join(', ')} : ${[definition, ...examples].join(' ; ')}`;
}

/** The documents of all synsets that `keep` accepts, in WordNet's order. */
export function wordnetDocuments(wordnet: WordNet, keep: (synset: Synset) => boolean = () => true): string[] {
  return wordnet.synsets.filter(keep).map(synsetText);
}
