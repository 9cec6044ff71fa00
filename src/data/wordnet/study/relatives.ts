/** The task `wordnet-relatives`: from a definition to the definitions of its hypernym (grade 2) and its siblings (grade 1). */
import { Rng } from '../../../base/index.ts';
import type { Synset } from '../synset.ts';
import type { WordNet } from '../wordnet.ts';
import {
  type Collection,
  type CollectionText,
  DocumentSet,
  exactly,
  type JudgedQuery,
  take,
} from './collection.ts';
import type { Material } from './material.ts';
import type { WordnetStudyOptions } from './options.ts';

/** Families with more siblings are left out: members of a family of hundreds (`a genus of ...`) have little to do with each other. */
const MOST_SIBLINGS = 10;

/** Who asks in which split. */
export interface Askers {
  readonly test: readonly Synset[];
  readonly dev: readonly Synset[];
  readonly train: readonly Synset[];
}

/**
 * Chooses the synsets that ask. All are nouns or verbs without hyponyms, so that no hypernym is among them, with at least one hypernym and one
 * to ten siblings on the train side. Test ones are on the test side, the others on the train side.
 */
export function relativesAskers({ wordnet, split, askable }: Material, options: WordnetStudyOptions): Askers {
  const able = askable.filter(synset => isAsker(wordnet, synset, other => !split.isTest(other)));
  const shuffled = (side: boolean) =>
    Rng.from(options.seed, 'relatives', String(side)).shuffle(able.filter(s => split.isTest(s) === side));
  const others = shuffled(false);
  const pairs = options.pairs / 2;
  return {
    test: take(shuffled(true), options.queries, 'test queries for relatives', 'queries'),
    dev: take(others, options.devQueries, 'validation queries for relatives', 'devQueries'),
    train: take(others.slice(options.devQueries), pairs, 'training pairs for relatives', 'pairs'),
  };
}

function isAsker(wordnet: WordNet, synset: Synset, isTrain: (synset: Synset) => boolean): boolean {
  if (wordnet.hyponyms(synset).length > 0 || !wordnet.hypernyms(synset).some(isTrain)) return false;
  const siblings = wordnet.siblings(synset);
  return siblings.length <= MOST_SIBLINGS && siblings.some(isTrain);
}

/** The collection of test and validation queries: their relatives and other definitions, all from the train side, none of them a query anywhere. */
export function relativesCollection(
  material: Material,
  askers: Askers,
  options: WordnetStudyOptions,
): Collection {
  const mayAnswer = answerers(material, askers);
  const documents = documentsFor([...askers.test, ...askers.dev], material.wordnet, mayAnswer);
  const rest = material.wordnet.synsets.filter(s => (s.pos === 'n' || s.pos === 'v') && mayAnswer(s));
  documents.fill(Rng.from(options.seed, 'relatives fill').shuffle(rest).map(definitionOf), options.documents);
  const judge = (queries: readonly Synset[]) =>
    queries.map(query => judged(query, material.wordnet, documents));
  return {
    documents: exactly(documents, options.documents),
    queries: { test: judge(askers.test), dev: judge(askers.dev) },
  };
}

/** The training queries with the documents relevant to any of them. */
export function relativesTraining(material: Material, askers: Askers): Collection {
  const documents = documentsFor(askers.train, material.wordnet, answerers(material, askers));
  return {
    documents: documents.sorted(),
    queries: { train: askers.train.map(query => judged(query, material.wordnet, documents)) },
  };
}

/** Train-side synsets that ask nowhere. */
function answerers({ split }: Material, askers: Askers): (synset: Synset) => boolean {
  const asking = new Set([...askers.test, ...askers.dev, ...askers.train]);
  return synset => !split.isTest(synset) && !asking.has(synset);
}

function documentsFor(
  askers: readonly Synset[],
  wordnet: WordNet,
  mayAnswer: (synset: Synset) => boolean,
): DocumentSet {
  const documents = new DocumentSet();
  for (const asker of askers)
    for (const relative of [...wordnet.hypernyms(asker), ...wordnet.siblings(asker)])
      if (mayAnswer(relative)) documents.add(definitionOf(relative));
  return documents;
}

function definitionOf({ id, definition }: Synset): CollectionText {
  return { id: `def-${id}`, text: definition };
}

/** Every hypernym and sibling whose definition is among the documents is relevant, whoever it came in for. */
function judged(query: Synset, wordnet: WordNet, documents: DocumentSet): JudgedQuery {
  const relevant = new Map<string, number>();
  const grade = (relatives: readonly Synset[], value: number) => {
    for (const { definition } of relatives) {
      const id = documents.idOf(definition);
      if (id !== undefined && !relevant.has(id)) relevant.set(id, value);
    }
  };
  grade(wordnet.hypernyms(query), 2);
  grade(wordnet.siblings(query), 1);
  return { id: `q-${query.id}`, text: query.definition, relevant };
}
