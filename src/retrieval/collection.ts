/** A retrieval collection as evaluation sees it: judged queries, judgements, and documents that stream by, from a folder or from memory. */
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { hashOf, InputError, Problems, sha256File, unreadable } from '../base/index.ts';
import { type DocumentBatch, documentsOf } from '../bm25/index.ts';
import {
  CORPUS_FILES,
  DATASETS,
  type Dataset,
  datasetOfFolder,
  judgedQueries,
  pathOf,
  type Qrels,
  type Queries,
  readQrels,
  readQueries,
} from '../data/index.ts';

export interface Collection {
  /** Names it in messages. */
  readonly name: string;
  /** Its name in MTEB's results, and of the files written about it. */
  readonly task: string;
  readonly split: string;
  /** Leave out a document whose id is the query's. */
  readonly removeSelf: boolean;
  /** Those that have judgements, in file order. */
  readonly queries: Queries;
  readonly qrels: Qrels;
  /** All documents, title and text in one, from the first on; may be asked for again. */
  readonly documents: (signal?: AbortSignal) => AsyncIterable<DocumentBatch> | Iterable<DocumentBatch>;
  /** How many there are, where that is known. */
  readonly size?: number;
}

export interface CollectionOptions {
  /** Default: the one the collection's results are reported on, else test. */
  readonly split?: string | undefined;
  /** Default: the collection's rule (ArguAna and Quora drop self-hits), else false: ids of other folders collide by accident. */
  readonly removeSelf?: boolean | undefined;
}

/** Documents, queries and judgements that are in memory already. */
export interface MemoryCollection extends Omit<Collection, 'documents' | 'size' | 'task' | 'queries'> {
  readonly task?: string;
  readonly queries: Queries;
  readonly documentIds: readonly string[];
  /** Title and text in one. */
  readonly documentTexts: readonly string[];
}

/** A collection in memory. Ids are unique, and every judged query has a text; queries without judgements are left out. */
export function memoryCollection(parts: MemoryCollection): Collection {
  const { documentIds, documentTexts, name, task = name, split, removeSelf, qrels } = parts;
  const problems = new Problems();
  for (const [what, ids, texts] of [
    ['document', documentIds, documentTexts],
    ['query', parts.queries.ids, parts.queries.texts],
  ] as const) {
    if (ids.length !== texts.length)
      problems.add(name, `${ids.length} ${what} ids and ${texts.length} ${what} texts`);
    const seen = new Set<string>();
    for (const id of ids)
      if (seen.size === seen.add(id).size) problems.add(name, `${what} id '${id}' is used twice`);
  }
  if (documentIds.length === 0) problems.add(name, 'holds no documents');
  problems.throwIfAny();
  return {
    ...{ name, task, split, removeSelf, qrels },
    queries: judgedQueries(parts.queries, qrels, name),
    documents: () => [{ ids: documentIds, texts: documentTexts }],
    size: documentIds.length,
  };
}

/** Opens a BEIR or MS MARCO folder: reads queries and judgements, leaves the documents on the disk. */
export async function openCollection(folder: string, options: CollectionOptions = {}): Promise<Collection> {
  await stat(folder).catch(error => {
    throw unreadable(folder, error);
  });
  const dataset = datasetOfFolder(folder);
  const split = options.split ?? dataset?.split ?? 'test';
  const qrels = await readQrels(folder, split);
  return {
    name: folder,
    task: dataset?.task ?? nameOf(folder),
    split,
    removeSelf: options.removeSelf ?? dataset?.removeSelf ?? false,
    queries: judgedQueries(await readQueries(folder, split), qrels, folder),
    qrels,
    documents: signal => documentsOf(folder, signal),
  };
}

/** The last name of a path, with nothing in it that a file name may not have everywhere. */
export function nameOf(path: string): string {
  return basename(resolve(path)).replaceAll(/[^\p{L}\p{N}._-]+/gu, '-');
}

/** Hashes of the files a collection is read from: what results belong to. */
export interface CollectionHashes {
  readonly corpus: string;
  readonly queries: string;
  readonly qrels: string;
}

export async function hashCollection(folder: string, split: string): Promise<CollectionHashes> {
  const hash = async (names: readonly string[]) => sha256File(await pathOf(folder, names));
  return {
    corpus: await hash(CORPUS_FILES),
    queries: await hash(['queries.jsonl', `queries.${split}.tsv`]),
    qrels: await hash([join('qrels', `${split}.tsv`), `qrels.${split}.tsv`]),
  };
}

/** One hash for all of a collection. */
export const revisionOf = (hashes: CollectionHashes): string => hashOf(hashes);

/** One collection, or several whose unweighted mean is one result: CQADupStack and its forums. */
export interface CollectionGroup {
  readonly task: string;
  readonly folders: readonly string[];
}

/** Where no corpus lies in a folder but CQADupStack's forums do, it stands for all of them; some of the twelve are refused. */
export async function groupOf(folder: string): Promise<CollectionGroup> {
  const forums = DATASETS.filter(({ name }) => name.startsWith(FORUM_PREFIX));
  const isThere = async (path: string) => (await stat(path).catch(() => undefined))?.isDirectory() === true;
  const names = forums.map(({ name }) => name.slice(FORUM_PREFIX.length));
  const here = await Promise.all(names.map(name => isThere(join(folder, name, 'qrels'))));
  const missing = names.filter((_, i) => !here[i]);
  if (missing.length === names.length) {
    const dataset = datasetOfFolder(folder);
    return { task: dataset?.task ?? nameOf(folder), folders: [folder] };
  }
  if (missing.length > 0)
    throw new InputError(
      folder,
      `lacks ${missing.length} of CQADupStack's ${names.length} forums (${missing.join(', ')}): the mean of the others would be another number`,
    );
  return { task: 'CQADupstackRetrieval', folders: names.map(name => join(folder, name)) };
}

const FORUM_PREFIX = 'cqadupstack/';

/** A folder that is called as an official collection and is not as large: its result is not that collection's. */
export function sizeWarning(collection: Collection, documents: number): string | undefined {
  const dataset: Dataset | undefined = datasetOfFolder(collection.name);
  const counts = dataset?.splits[collection.split];
  if (dataset === undefined || counts === undefined) return undefined;
  const found = `${documents} documents and ${collection.qrels.size} judged queries`;
  const official = `${dataset.documents} documents and ${counts.queries} judged queries`;
  return found === official
    ? undefined
    : `${collection.name} is called ${dataset.name} and has ${found}; the official collection has ${official}`;
}
