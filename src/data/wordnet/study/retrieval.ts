/**
 * Two retrieval collections from WordNet. In both the query is a definition.
 *
 * - `wordnet-relatives`: documents are definitions of other synsets; the hypernym's is relevant with grade 2, a sibling's with grade 1.
 * - `wordnet-entries`: documents are entries, lemmas and the names of the synsets above, without the words of the definition; the synset's own is relevant.
 *
 * No document is the definition or the entry of a query of another split, and in the relatives no document is the query itself.
 */
import type { Rng } from '../../../base/index.ts';
import type { PairRecord } from '../../pairs.ts';
import type { Synset } from '../synset.ts';
import type { WordNet } from '../wordnet.ts';
import { definitionKey } from './split.ts';

export interface Judged {
  readonly query: Synset;
  /** Relevant synsets with their grades. */
  readonly relevant: ReadonlyMap<Synset, number>;
}

/** One way to ask: which synsets are relevant, and what a synset is as a document. */
export interface RetrievalTask {
  readonly name: string;
  readonly title: string;
  /** What is relevant to a synset's definition; undefined where it makes no good query. */
  judge(synset: Synset): ReadonlyMap<Synset, number> | undefined;
  /** A synset as a document; undefined where it makes none. */
  document(synset: Synset): string | undefined;
}

/** A query needs a few words, and not so many relatives that everything is relevant. */
const FEWEST_WORDS = 4;
const MOST_SIBLINGS = 12;

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

export function retrievalTasks(wordnet: WordNet): readonly [RetrievalTask, RetrievalTask] {
  return [
    {
      name: 'wordnet-relatives',
      title: 'WordNet: definition to the definitions of its hypernym and siblings',
      judge: synset => relativesOf(wordnet, synset),
      document: ({ definition }) => definition,
    },
    {
      name: 'wordnet-entries',
      title: "WordNet: definition to its entry, without the definition's words",
      judge: synset =>
        isQuery(synset) && entryOf(wordnet, synset) !== undefined ? new Map([[synset, 1]]) : undefined,
      document: synset => entryOf(wordnet, synset),
    },
  ];
}

function isQuery({ definition }: Synset): boolean {
  return wordsOf(definition).length >= FEWEST_WORDS;
}

function relativesOf(wordnet: WordNet, synset: Synset): ReadonlyMap<Synset, number> | undefined {
  const hypernyms = wordnet.hypernyms(synset);
  const siblings = wordnet.siblings(synset);
  if (!isQuery(synset) || hypernyms.length === 0 || siblings.length > MOST_SIBLINGS) return undefined;
  const own = definitionKey(synset);
  const graded = [...siblings.map(one => [one, 1] as const), ...hypernyms.map(one => [one, 2] as const)];
  return new Map(graded.filter(([other]) => definitionKey(other) !== own));
}

/** `car, auto : motor vehicle, conveyance, artifact`: lemmas and the lemmas above whose words do not stand in the definition. */
export function entryOf(wordnet: WordNet, synset: Synset): string | undefined {
  const said = new Set(wordsOf(synset.definition).map(stem));
  const unsaid = (lemma: string) => !wordsOf(lemma).some(word => said.has(stem(word)));
  const lemmas = synset.lemmas.filter(unsaid);
  const above = [...new Set(ancestors(wordnet, synset).flatMap(ancestor => ancestor.lemmas))].filter(unsaid);
  if (lemmas.length === 0 || above.length === 0) return undefined;
  return `${lemmas.join(', ')} : ${above.join(', ')}`;
}

/** Steps up that an entry names; higher ones are the same for very many synsets. */
const LEVELS = 4;

/** Hypernyms, their hypernyms and so on, nearest first, each once. */
function ancestors(wordnet: WordNet, synset: Synset): Synset[] {
  const found = new Set<Synset>();
  let level: readonly Synset[] = [synset];
  for (let up = 0; up < LEVELS; up++) {
    level = level.flatMap(below => wordnet.hypernyms(below)).filter(above => !found.has(above));
    for (const above of level) found.add(above);
  }
  return [...found];
}

/** The first five letters: enough to see that `walks` and `walking` are one word. */
const stem = (word: string): string => word.slice(0, 5);

export interface Collection {
  readonly queries: readonly Judged[];
  readonly documents: readonly Synset[];
}

/**
 * Queries drawn from `askable`, every relevant document, and others from all of WordNet up to `documents`. Synsets in `barred`, the queries of
 * another split, are no documents.
 */
export function drawCollection(
  wordnet: WordNet,
  task: RetrievalTask,
  askable: readonly Synset[],
  sizes: { readonly queries: number; readonly documents: number },
  barred: ReadonlySet<Synset>,
  rng: Rng,
): Collection {
  const drawn = drawQueries(task, askable, sizes.queries, rng);
  const asked = new Set(drawn.map(({ query }) => query));
  const selfIsAnswer = drawn.some(({ query, relevant }) => relevant.has(query));
  const usable = (synset: Synset) =>
    (selfIsAnswer || !asked.has(synset)) && !barred.has(synset) && task.document(synset) !== undefined;
  const queries = drawn.flatMap(({ query, relevant }) => {
    const kept = new Map([...relevant].filter(([synset]) => usable(synset)));
    return kept.size > 0 ? [{ query, relevant: kept }] : [];
  });
  const documents = new Set(queries.flatMap(({ relevant }) => [...relevant.keys()]));
  for (const place of rng.permutation(wordnet.synsets.length)) {
    if (documents.size >= sizes.documents) break;
    const synset = wordnet.synsets[place]!;
    if (usable(synset)) documents.add(synset);
  }
  return { queries, documents: [...documents].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

function drawQueries(task: RetrievalTask, askable: readonly Synset[], count: number, rng: Rng): Judged[] {
  const drawn: Judged[] = [];
  const keys = new Set<string>(); // two synsets with one definition would be one query with two judgements
  for (const place of rng.permutation(askable.length)) {
    if (drawn.length === count) break;
    const query = askable[place]!;
    const relevant = task.judge(query);
    const key = definitionKey(query);
    if (relevant === undefined || relevant.size === 0 || keys.has(key)) continue;
    keys.add(key);
    drawn.push({ query, relevant });
  }
  return drawn;
}

/** Positives a pair holds at most: one is drawn in each epoch, all are kept from being negatives. */
const MOST_POSITIVES = 8;

/**
 * Finetuning pairs from synsets that are asked about nowhere; positives too are from these. Each drawn synset asks in every task, so that a miner,
 * which leaves out whatever is relevant for a query's text, never takes the answer to one task for a hard negative of another.
 */
export function drawPairs(
  tasks: readonly RetrievalTask[],
  trainable: readonly Synset[],
  count: number,
  rng: Rng,
): PairRecord[] {
  const allowed = new Set(trainable);
  const keys = new Set<string>();
  const pairs: PairRecord[] = [];
  for (const place of rng.permutation(trainable.length)) {
    if (pairs.length >= count) break;
    const query = trainable[place]!;
    const own = tasks.map(task => pairOf(task, query, allowed));
    const key = definitionKey(query);
    if (keys.has(key) || !own.every(pair => pair !== undefined)) continue;
    keys.add(key);
    pairs.push(...own);
  }
  return pairs;
}

function pairOf(task: RetrievalTask, query: Synset, allowed: ReadonlySet<Synset>): PairRecord | undefined {
  const relevant = [...(task.judge(query)?.keys() ?? [])].filter(synset => allowed.has(synset));
  const positives = relevant
    .reverse() // hypernyms first
    .filter(synset => task.document(synset) !== undefined)
    .slice(0, MOST_POSITIVES);
  if (positives.length === 0) return undefined;
  return {
    query_id: `${task.name}:${query.id}`,
    query: query.definition,
    pos: positives.map(synset => task.document(synset)!),
    pos_ids: positives.map(({ id }) => `${task.name}:${id}`),
    neg: [],
  };
}
