/** Indexing and searching collection folders: what `isoflop bm25` does. */
import { stat } from 'node:fs/promises';
import { InputError, type Progress, silentProgress, writeAtomically } from '../base/index.ts';
import {
  datasetOfFolder,
  docTexts,
  type Hit,
  judgedQueries,
  type Queries,
  readCorpus,
  readQrels,
  readQueries,
  runLines,
} from '../data/index.ts';
import type { AnalyzerName } from './analyzer.ts';
import type { DocumentBatch } from './bags.ts';
import { searchBatch } from './batch.ts';
import { type Bm25Index, type BuildOptions, documentId } from './build.ts';
import { openIndex, writeIndex } from './file.ts';
import { prepare } from './prepare.ts';
import type { Bm25Parameters } from './scoring.ts';
import { runTag, separatorOf } from './tag.ts';

/** The documents of a collection folder, title and text in one. */
export async function* documentsOf(folder: string, signal?: AbortSignal): AsyncGenerator<DocumentBatch> {
  for await (const batch of readCorpus(folder, { signal })) yield { ids: batch.ids, texts: docTexts(batch) };
}

export interface IndexSummary {
  readonly index: string;
  readonly analyzer: AnalyzerName;
  readonly documents: number;
  readonly terms: number;
  readonly tokens: number;
  readonly postings: number;
  readonly bytes: number;
}

/** Indexes a collection folder into a file. */
export async function indexFolder(
  folder: string,
  path: string,
  options: BuildOptions,
): Promise<IndexSummary> {
  const head = await writeIndex(path, { folder }, options);
  return {
    index: path,
    analyzer: head.analyzer,
    documents: head.documents,
    terms: head.df.length,
    tokens: head.tokens,
    postings: head.df.reduce((sum, df) => sum + df, 0),
    bytes: (await stat(path)).size,
  };
}

export function indexText({ index, analyzer, documents, terms, tokens, bytes }: IndexSummary): string {
  const mean = (tokens / documents).toFixed(2);
  return `${index}: ${documents} documents of ${mean} tokens on average, ${terms} terms (${analyzer} analyzer), ${(bytes / 1e6).toFixed(1)} MB`;
}

export interface SearchFolderOptions {
  /** Of the queries (default: the one the collection's results are reported on, else test). */
  readonly split?: string | undefined;
  readonly k: number;
  readonly parameters: Bm25Parameters;
  /** Leave out the document whose id is the query's (default: as the collection's rules say, else no). */
  readonly removeSelf?: boolean | undefined;
  readonly threads?: number | undefined;
  readonly progress?: Progress;
  readonly signal?: AbortSignal | undefined;
}

export interface SearchSummary {
  readonly run: string;
  readonly tag: string;
  readonly split: string;
  readonly queries: number;
  readonly hits: number;
  readonly removeSelf: boolean;
}

/** Searches an index with a folder's judged queries and writes a run. */
export async function searchFolder(
  indexPath: string,
  folder: string,
  runPath: string,
  options: SearchFolderOptions,
): Promise<SearchSummary> {
  const dataset = datasetOfFolder(folder);
  const split = options.split ?? dataset?.split ?? 'test';
  const removeSelf = options.removeSelf ?? dataset?.removeSelf ?? false;
  const queries = judgedQueries(await readQueries(folder, split), await readQrels(folder, split), folder);
  const index = await openIndex(indexPath);
  const tag = runTag(index.analyzer, options.parameters);
  const hits = await writeRun(runPath, index, queries, tag, { ...options, removeSelf });
  return { run: runPath, tag, split, queries: queries.ids.length, hits, removeSelf };
}

async function writeRun(
  path: string,
  index: Bm25Index,
  { ids, texts }: Queries,
  tag: string,
  options: SearchFolderOptions,
): Promise<number> {
  const { k, threads, signal, progress = silentProgress } = options;
  const separator = separatorOf(index);
  if (separator === ' ' && ids.some(id => /\s/.test(id)))
    throw new InputError(path, 'query ids with blanks cannot stand in a run: rename them');
  const selves = options.removeSelf === true ? documentsNamed(index, ids) : undefined;
  const queries = texts.map((text, i) => ({ text, without: selves?.[i] }));
  const task = progress.start('search', ids.length, 'queries');
  let total = 0;
  await writeAtomically(path, async file => {
    for await (const { query, documents, scores } of searchBatch(
      prepare(index, options.parameters),
      queries,
      k,
      { threads, signal },
    )) {
      const hits: Hit[] = Array.from(documents, (document, i) => ({
        id: documentId(index, document),
        score: scores[i]!,
      }));
      await file.write(runLines(ids[query]!, hits, tag, separator));
      total += hits.length;
      task.update(query + 1);
    }
  });
  task.finish();
  return total;
}

/** The numbers of documents by id; -1 for ids that the index lacks. */
export function documentsNamed(index: Bm25Index, ids: readonly string[]): number[] {
  const wanted = new Map(ids.map(id => [id, -1]));
  for (let document = 0; document < index.documents; document++) {
    const id = documentId(index, document);
    if (wanted.has(id)) wanted.set(id, document);
  }
  return ids.map(id => wanted.get(id)!);
}

export function searchText({ run, tag, split, queries, hits, removeSelf }: SearchSummary): string {
  const self = removeSelf ? ", documents with the query's own id left out" : '';
  return `${run}: ${hits} documents for ${queries} ${split} queries (${tag}${self})`;
}
