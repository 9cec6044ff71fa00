/** WordNet's structure (wndb(5WN), wninput(5WN)): synsets, the words in them, and the pointers between them. */

/** The file a synset stands in. Adjective satellites stand with the adjectives. */
export type PartOfSpeech = 'n' | 'v' | 'a' | 'r';

/** Pointer symbols and what they mean, read from the source to the target: a `hypernym` pointer leads to the more general synset. */
export const POINTER_TYPES = {
  '!': 'antonym',
  '@': 'hypernym',
  '@i': 'instanceHypernym',
  '~': 'hyponym',
  '~i': 'instanceHyponym',
  '#m': 'memberHolonym',
  '#s': 'substanceHolonym',
  '#p': 'partHolonym',
  '%m': 'memberMeronym',
  '%s': 'substanceMeronym',
  '%p': 'partMeronym',
  '=': 'attribute',
  '+': 'derivation',
  ';c': 'topicDomain',
  '-c': 'topicDomainMember',
  ';r': 'regionDomain',
  '-r': 'regionDomainMember',
  ';u': 'usageDomain',
  '-u': 'usageDomainMember',
  '*': 'entailment',
  '>': 'cause',
  '^': 'alsoSee',
  $: 'verbGroup',
  '&': 'similar',
  '<': 'participle',
  '\\': 'pertainym',
} as const;

export type PointerType = (typeof POINTER_TYPES)[keyof typeof POINTER_TYPES];

export interface Pointer {
  readonly type: PointerType;
  /** Id of the synset pointed to. */
  readonly target: string;
  /** Which of the source's lemmas it is from; undefined if from the synset as a whole. */
  readonly from?: number;
  /** Which of the target's lemmas it is to; undefined if to the synset as a whole. */
  readonly to?: number;
}

export interface Synset {
  /** Offset and part of speech, `00001740-n`: unique, and stable within WordNet 3.1. */
  readonly id: string;
  readonly pos: PartOfSpeech;
  /** An adjective that only has a meaning close to that of another one (WordNet's `s`). */
  readonly satellite: boolean;
  /** The lexicographer's file, a coarse topic: `noun.animal`. */
  readonly lexname: string;
  /** Words and phrases of this meaning, blanks for underscores, without syntactic markers. */
  readonly lemmas: readonly string[];
  readonly definition: string;
  /** Usage examples without their quotation marks and without the names of quoted authors. */
  readonly examples: readonly string[];
  readonly pointers: readonly Pointer[];
}

/** The lexicographer files by number (lexnames(5WN)). */
export const LEXNAMES: readonly string[] = [
  ...['adj.all', 'adj.pert', 'adv.all', 'noun.Tops', 'noun.act', 'noun.animal', 'noun.artifact'],
  ...['noun.attribute', 'noun.body', 'noun.cognition', 'noun.communication', 'noun.event', 'noun.feeling'],
  ...['noun.food', 'noun.group', 'noun.location', 'noun.motive', 'noun.object', 'noun.person'],
  ...['noun.phenomenon', 'noun.plant', 'noun.possession', 'noun.process', 'noun.quantity', 'noun.relation'],
  ...['noun.shape', 'noun.state', 'noun.substance', 'noun.time', 'verb.body', 'verb.change'],
  ...['verb.cognition', 'verb.communication', 'verb.competition', 'verb.consumption', 'verb.contact'],
  ...['verb.creation', 'verb.emotion', 'verb.motion', 'verb.perception', 'verb.possession', 'verb.social'],
  ...['verb.stative', 'verb.weather', 'adj.ppl'],
];
