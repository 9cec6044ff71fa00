/** The task `wordnet-entries`: from a definition to the entry of names it defines, which has no word of it. */
import { Rng } from '../../../base/index.ts';
import type { Synset } from '../synset.ts';
import type { WordNet } from '../wordnet.ts';
import { type Collection, type CollectionText, DocumentSet, exactly, take } from './collection.ts';
import type { Material } from './material.ts';
import type { WordnetStudyOptions } from './options.ts';
import { ancestors } from './relations.ts';
import type { Askers } from './relatives.ts';
import { wordsOf } from './words.ts';

/**
 * `poodle, poodle dog ; dog, domestic dog, Canis familiaris, canine`: lemmas, then the lemmas of what is above, up to four steps, nearest first, without
 * those that have a word of the synset's own definition. Undefined if one of the two lists is left empty.
 */
export function entryText(wordnet: WordNet, synset: Synset): string | undefined {
  const taken = new Set(wordsOf(synset.definition));
  const kept = (names: readonly string[]) =>
    [...new Set(names)].filter(name => !wordsOf(name).some(word => taken.has(word))).join(', ');
  const [names, above] = [
    kept(synset.lemmas),
    kept(ancestors(wordnet, synset, LEVELS).flatMap(({ lemmas }) => lemmas)),
  ];
  return names === '' || above === '' ? undefined : `${names} ; ${above}`;
}

/** Steps up that an entry names; what is higher is the same for very many. */
const LEVELS = 4;

interface Entry {
  readonly query: CollectionText;
  readonly document: CollectionText;
}

/** Collection and training queries, each query with its own entry as the one relevant document. */
export interface EntriesData {
  readonly collection: Collection;
  readonly training: Collection;
}

/**
 * Chooses disjoint queries for test and validation among the synsets that `relatives` has left: neither its queries nor its training documents, so that
 * no text is a query here and a document there. Training queries are those of the relatives as far as they have an entry, then others: a miner
 * leaves out what is relevant for a query's text, so the answer to one task is no hard negative of the other.
 */
export function entriesData(
  material: Material,
  relatives: Askers,
  taken: Iterable<string>,
  options: WordnetStudyOptions,
): EntriesData {
  const used = new Set([
    ...taken,
    ...[...relatives.test, ...relatives.dev, ...relatives.train].map(s => s.definition),
  ]);
  const able = material.askable.filter(synset => !used.has(synset.definition));
  const shuffled = (side: boolean) =>
    Rng.from(options.seed, 'entries', String(side)).shuffle(
      able.filter(s => material.split.isTest(s) === side),
    );
  const test = distinctEntries(material.wordnet, shuffled(true));
  const train = distinctEntries(material.wordnet, shuffled(false));
  const { queries, devQueries, pairs } = options;
  const others = Rng.from(options.seed, 'entries fill').shuffle([...material.split.test]);
  const dev = take(train, devQueries, 'validation queries for entries', 'devQueries');
  return {
    collection: collectionOf(
      { test: take(test, queries, 'test queries for entries', 'queries'), dev },
      [...test.slice(queries), ...distinctEntries(material.wordnet, others)],
      options.documents,
    ),
    training: collectionOf({
      train: take(
        [...distinctEntries(material.wordnet, relatives.train), ...train.slice(devQueries)].map(forTraining),
        pairs / 2,
        'training pairs for entries',
        'pairs',
      ),
    }),
  };
}

/** The synsets with an entry that no earlier one has. */
function distinctEntries(wordnet: WordNet, synsets: readonly Synset[]): Entry[] {
  const seen = new Set<string>();
  return synsets.flatMap(synset => {
    const text = entryText(wordnet, synset);
    if (text === undefined || seen.has(text)) return [];
    seen.add(text);
    const { id, definition } = synset;
    return [{ query: { id: `q-${id}`, text: definition }, document: { id: `entry-${id}`, text } }];
  });
}

/** The same synset asks for its relatives too, under the plain id. */
function forTraining({ query, document }: Entry): Entry {
  return { query: { ...query, id: `${query.id}-entry` }, document };
}

/** The splits' entries, and of the others as many as it takes to have `count` documents. */
function collectionOf(
  splits: Readonly<Record<string, readonly Entry[]>>,
  others: readonly Entry[] = [],
  count?: number,
): Collection {
  const documents = new DocumentSet();
  for (const { document } of Object.values(splits).flat()) documents.add(document);
  if (count !== undefined)
    documents.fill(
      others.map(({ document }) => document),
      count,
    );
  const queries = Object.entries(splits).map(([split, entries]) => [
    split,
    entries.map(({ query, document }) => ({
      ...query,
      relevant: new Map([[documents.idOf(document.text)!, 1]]),
    })),
  ]);
  return {
    documents: count === undefined ? documents.sorted() : exactly(documents, count),
    queries: Object.fromEntries(queries),
  };
}
