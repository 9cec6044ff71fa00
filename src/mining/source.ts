/** What there is to mine: queries with their positives, and the collection that negatives come from. */
import { stat } from 'node:fs/promises';
import { InputError, Problems, unreadable } from '../base/index.ts';
import {
  docTexts,
  judgedQueries,
  type PairRecord,
  type Qrels,
  readCorpus,
  readPairs,
  readQrels,
  readQueries,
} from '../data/index.ts';
import { textKey } from './texts.ts';

export interface MiningQuery {
  readonly id: string;
  readonly text: string;
  readonly prompt?: string | undefined;
  /** Ids of its positives, in the order they were given; at least one. */
  readonly positives: readonly string[];
}

/** Consecutive documents, texts whole. */
export interface Documents {
  readonly ids: readonly string[];
  readonly texts: readonly string[];
}

export interface Source {
  readonly queries: readonly MiningQuery[];
  /** For each query the ids of all documents relevant for its text, whichever query or pair says so. */
  readonly relevant: readonly (readonly string[])[];
  readonly corpus: () => AsyncIterable<Documents> | Iterable<Documents>;
}

export interface SourceOptions {
  /** Of a BEIR folder: the split whose judgements name the positives. */
  readonly split: string;
  /** Collection that document ids of a file of pairs point into, where the pairs have no texts. */
  readonly corpus?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A BEIR folder, or a file of pairs whose distinct positives are the collection. */
export async function openSource(input: string, options: SourceOptions): Promise<Source> {
  const kind = await stat(input).catch(error => {
    throw unreadable(input, error);
  });
  if (kind.isDirectory() && options.corpus !== undefined)
    throw new InputError('corpus', `${input} is a collection itself: a corpus is named for a file of pairs`);
  return kind.isDirectory() ? folderSource(input, options) : pairSource(input, options);
}

async function folderSource(folder: string, { split, signal }: SourceOptions): Promise<Source> {
  const qrels = await readQrels(folder, split);
  const judged = judgedQueries(await readQueries(folder, split, { signal }), qrels, folder);
  const queries = judged.ids
    .map((id, i) => ({ id, text: judged.texts[i]!, positives: positivesOf(qrels, id) }))
    .filter(({ positives }) => positives.length > 0);
  return {
    queries,
    relevant: relevantByText(queries),
    corpus: async function* () {
      for await (const batch of readCorpus(folder, { signal }))
        yield { ids: batch.ids, texts: docTexts(batch) };
    },
  };
}

function positivesOf(qrels: Qrels, query: string): string[] {
  return [...qrels.get(query)!].filter(([, grade]) => grade > 0).map(([document]) => document);
}

/** The union of the positives of all queries with the same normalised text. */
function relevantByText(queries: readonly MiningQuery[]): string[][] {
  const groups = new Map<number, Set<string>>();
  const keys = queries.map(query => textKey(query.text));
  queries.forEach(({ positives }, i) => {
    const group = groups.get(keys[i]!) ?? new Set();
    for (const document of positives) group.add(document);
    groups.set(keys[i]!, group);
  });
  return keys.map(key => [...groups.get(key)!]);
}

const DOCUMENTS_A_BATCH = 1000;

async function pairSource(path: string, { corpus, signal }: SourceOptions): Promise<Source> {
  const pairs: PairRecord[] = [];
  for await (const block of readPairs(path, { corpus, signal })) pairs.push(...block);
  refuseAmbiguousQueries(path, pairs);
  const { ids, texts, positives } = allHave(path, pairs, 'pos_ids') ? byId(path, pairs) : byText(pairs);
  const queries = pairs.map((pair, i) => ({
    id: pair.query_id ?? `q${i + 1}`,
    text: pair.query,
    prompt: pair.prompt,
    positives: positives[i]!,
  }));
  return {
    queries,
    relevant: relevantByText(queries),
    corpus: function* () {
      for (let from = 0; from < ids.length; from += DOCUMENTS_A_BATCH)
        yield {
          ids: ids.slice(from, from + DOCUMENTS_A_BATCH),
          texts: texts.slice(from, from + DOCUMENTS_A_BATCH),
        };
    },
  };
}

/** Do the records have this field? Throws an `InputError` if only some do. */
function allHave(path: string, pairs: readonly PairRecord[], field: 'query_id' | 'pos_ids'): boolean {
  const count = pairs.filter(pair => pair[field] !== undefined).length;
  if (count > 0 && count < pairs.length)
    throw new InputError(
      path,
      `${count} of ${pairs.length} records have ${field}: give it to all or to none`,
    );
  return count > 0;
}

/** A query's id names its random numbers and its ranking in a stored run, so it may stand for one record only. */
function refuseAmbiguousQueries(path: string, pairs: readonly PairRecord[]): void {
  if (!allHave(path, pairs, 'query_id')) return;
  const recordOf = new Map<string, number>();
  const problems = new Problems();
  for (const [i, { query_id }] of pairs.entries()) {
    const earlier = recordOf.get(query_id!);
    if (earlier === undefined) recordOf.set(query_id!, i + 1);
    else
      problems.add(
        `${path} record ${i + 1}`,
        `query_id '${query_id}' stands in record ${earlier} already: gather its positives in one record, or rename it`,
      );
  }
  problems.throwIfAny();
}

/** The distinct documents of pairs, and each pair's positives by id. */
interface PairDocuments extends Documents {
  readonly positives: readonly (readonly string[])[];
}

function byId(path: string, pairs: readonly PairRecord[]): PairDocuments {
  const texts = new Map<string, string>();
  const problems = new Problems();
  for (const [i, { pos, pos_ids }] of pairs.entries()) {
    pos_ids!.forEach((id, k) => {
      const known = texts.get(id);
      if (known === undefined) texts.set(id, pos[k]!);
      else if (known !== pos[k])
        problems.add(`${path} record ${i + 1}`, `document '${id}' has another text in an earlier record`);
    });
  }
  problems.throwIfAny();
  return { ids: [...texts.keys()], texts: [...texts.values()], positives: pairs.map(pair => pair.pos_ids!) };
}

/** Positives without ids get them in order of appearance, one for each normalised text. */
function byText(pairs: readonly PairRecord[]): PairDocuments {
  const idOf = new Map<number, string>();
  const texts: string[] = [];
  const positives = pairs.map(({ pos }) =>
    pos.map(text => {
      const key = textKey(text);
      const id = idOf.get(key) ?? `d${texts.push(text)}`;
      idOf.set(key, id);
      return id;
    }),
  );
  return { ids: [...idOf.values()], texts, positives };
}
