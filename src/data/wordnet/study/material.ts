/** What all parts of the study's data are chosen from. */
import type { Synset } from '../synset.ts';
import { wordnetDocuments } from '../text.ts';
import type { WordNet } from '../wordnet.ts';
import type { WordnetStudyOptions } from './options.ts';
import { definitionKey, type SynsetSplit, splitSynsets } from './split.ts';
import { countWords, PHRASE_WORDS, phrasesWithin, wordsOf } from './words.ts';

/** Definitions shorter or longer than this make no query: a word or two says too little, and models are evaluated with short inputs. */
const QUERY_WORDS = { least: PHRASE_WORDS, most: 30 };

export interface Material {
  readonly wordnet: WordNet;
  readonly split: SynsetSplit;
  /** The documents to pretrain on. */
  readonly pretraining: readonly string[];
  /** How often the rarest word of a name occurs in the pretraining text. */
  readonly frequency: (name: string) => number;
  /** Does the test's text stand nowhere in the pretraining text? False for what was never a candidate. */
  readonly isUnseen: (text: string) => boolean;
  /** Synsets whose definition can be a query: of fitting length, no other synset's definition, and on the test side not part of any pretraining document. */
  readonly askable: readonly Synset[];
}

export function studyMaterial(wordnet: WordNet, options: WordnetStudyOptions): Material {
  const split = splitSynsets(wordnet, options);
  const pretraining = wordnetDocuments(wordnet, synset => !split.isTest(synset));
  const counts = countWords(pretraining);
  const unseen = unseenTexts(split.test, pretraining);
  const isUnseen = (text: string) => unseen.has(text);
  const unique = uniqueDefinitions(wordnet);
  const askable = wordnet.synsets.filter(synset => {
    const { length } = wordsOf(synset.definition);
    const fits = length >= QUERY_WORDS.least && length <= QUERY_WORDS.most;
    return fits && unique.has(synset.definition) && (!split.isTest(synset) || isUnseen(synset.definition));
  });
  const frequency = (name: string) => Math.min(...wordsOf(name).map(word => counts.get(word) ?? 0));
  return { wordnet, split, pretraining, frequency, isUnseen, askable };
}

/** Definitions and examples of the test side, of at least `PHRASE_WORDS` words, that no pretraining document contains. */
function unseenTexts(test: readonly Synset[], pretraining: readonly string[]): ReadonlySet<string> {
  const texts = new Set(test.flatMap(({ definition, examples }) => [definition, ...examples]));
  for (const text of texts) if (wordsOf(text).length < PHRASE_WORDS) texts.delete(text);
  for (const seen of phrasesWithin(texts, pretraining)) texts.delete(seen);
  return texts;
}

function uniqueDefinitions({ synsets }: WordNet): ReadonlySet<string> {
  const [once, again] = [new Map<string, string>(), new Set<string>()];
  for (const { definition } of synsets) {
    const key = definitionKey(definition);
    if (once.has(key)) again.add(key);
    else once.set(key, definition);
  }
  for (const key of again) once.delete(key);
  return new Set(once.values());
}
