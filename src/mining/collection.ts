/** The collection that negatives come from: gone through once, its texts stored, its ids numbered, and if need be indexed. */
import { join } from 'node:path';
import { exists, InputError, silentProgress } from '../base/index.ts';
import {
  type Bm25Index,
  documentId,
  openIndex,
  prepare,
  runTag,
  separatorOf,
  writeIndex,
} from '../bm25/index.ts';
import { IdTable, readRun } from '../data/index.ts';
import { type Ranker, runRanker, searchRanker } from './candidates.ts';
import type { MineOptions } from './options.ts';
import type { Documents, Source } from './source.ts';
import { TextStore } from './texts.ts';

export interface Collection {
  readonly ids: IdTable;
  readonly texts: TextStore;
  readonly ranker: Ranker;
  /** Tag of the run that the rankings make, and what divides its columns. */
  readonly tag: string;
  readonly separator: ' ' | '\t';
}

/** Reads the collection; files go to the scratch folder. Close `texts` when done. */
export async function readCollection(
  source: Source,
  scratch: string,
  options: MineOptions,
): Promise<Collection> {
  const ids = new IdTable();
  const texts = new TextStore(join(scratch, 'texts'));
  try {
    const corpus = kept(source, ids, texts, options);
    const ranking =
      options.candidates === undefined
        ? await searching(corpus, ids, join(scratch, 'index'), options)
        : await stored(source, corpus, ids, options.candidates, options);
    return { ids, texts, ...ranking };
  } catch (error) {
    texts.close();
    throw error;
  }
}

/** The documents, as they go by into ids and texts. */
async function* kept(
  source: Source,
  ids: IdTable,
  texts: TextStore,
  { progress = silentProgress, signal }: MineOptions,
): AsyncGenerator<Documents> {
  const task = progress.start('read', undefined, 'documents');
  for await (const batch of source.corpus()) {
    signal?.throwIfAborted();
    for (const id of batch.ids) ids.add(id);
    texts.add(batch.texts);
    task.update(texts.count);
    yield batch;
  }
  task.finish();
}

type Ranking = Pick<Collection, 'ranker' | 'tag' | 'separator'>;

async function stored(
  { queries }: Source,
  corpus: AsyncIterable<Documents>,
  ids: IdTable,
  path: string,
  { signal }: MineOptions,
): Promise<Ranking> {
  await drain(corpus);
  const { run } = await readRun(path, { signal });
  const queryIds = queries.map(({ id }) => id);
  return { ranker: runRanker(run, ids, queryIds), tag: run.name, separator: ' ' };
}

async function searching(
  corpus: AsyncIterable<Documents>,
  ids: IdTable,
  scratchIndex: string,
  options: MineOptions,
): Promise<Ranking> {
  const { analyzer, parameters, settings, threads = 1, progress = silentProgress, signal } = options;
  const path = options.index ?? scratchIndex;
  if (options.index !== undefined || (await exists(path))) await drain(corpus);
  else await writeIndex(path, corpus, { analyzer, threads, progress, signal });
  const index = await openIndex(path);
  refuseOther(path, index, ids, options);
  return {
    ranker: searchRanker(prepare(index, parameters), { depth: settings.ranks.to, threads, signal }),
    tag: runTag(analyzer, parameters),
    separator: separatorOf(index),
  };
}

function refuseOther(path: string, index: Bm25Index, ids: IdTable, { analyzer }: MineOptions): void {
  if (index.analyzer !== analyzer)
    throw new InputError(path, `was built with the analyzer '${index.analyzer}', not '${analyzer}'`);
  let same = index.documents === ids.size;
  for (let document = 0; same && document < index.documents; document++)
    same = ids.find(documentId(index, document)) === document;
  if (!same)
    throw new InputError(path, 'is the index of another collection, or of another order of this one');
}

async function drain(corpus: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of corpus);
}
