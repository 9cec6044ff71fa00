/**
 * Retrieval collections as folders: BEIR's (`corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`) and MS MARCO's (`collection.tsv`,
 * `queries.SPLIT.tsv`, `qrels.SPLIT.tsv`), each file plain or gzip. A corpus streams by in batches and never has to fit in memory.
 */
import { join } from 'node:path';
import { decodeLines, exists, InputError, type LineBytes, Problems, readLineBytes } from '../base/index.ts';
import { type Qrels, readQrelsFile } from '../trec/index.ts';
import {
  type RecordFormat,
  readRecords,
  recordFormat,
  recordsOf,
  type TextRecord,
  UniqueIds,
} from './records.ts';

/** Consecutive documents of a corpus. */
export interface CorpusBatch {
  /** The number of the first one, counted from 0. */
  readonly first: number;
  readonly ids: readonly string[];
  /** Empty where a document has no title. */
  readonly titles: readonly string[];
  readonly texts: readonly string[];
}

export interface Queries {
  readonly ids: readonly string[];
  readonly texts: readonly string[];
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What a document is to every retriever: title, a blank, text, without white space around it (BEIR's rule). */
export function docText(title: string, text: string): string {
  return title === '' ? text.trim() : `${title} ${text}`.trim();
}

/** The texts of a whole batch. */
export function docTexts(batch: CorpusBatch): string[] {
  return batch.texts.map((text, i) => docText(batch.titles[i]!, text));
}

/**
 * The documents of a collection folder, in file order. Ids are unique, not empty, and text; titles default to ''; empty texts are allowed
 * (official collections have some). Problems of the whole file are collected: once one is found nothing more is yielded, and the
 * `InputError` with all of them ends the iteration.
 */
export async function* readCorpus(folder: string, options: ReadOptions = {}): AsyncGenerator<CorpusBatch> {
  const path = await pathOf(folder, CORPUS_FILES);
  const problems = new Problems();
  const unique = new UniqueIds();
  let first = 0;
  for await (const records of readRecords(path, 'document', problems, options.signal)) {
    for (const { id, line } of records) unique.add(id, path, line, problems);
    if (problems.count > 0 || records.length === 0) continue;
    yield {
      first,
      ids: records.map(record => record.id),
      titles: records.map(record => record.title),
      texts: records.map(record => record.text),
    };
    first += records.length;
  }
  problems.throwIfAny();
  if (first === 0) throw new InputError(path, 'holds no documents');
}

/** Lines of a corpus that nobody has decoded yet, for threads to go on with. */
export interface CorpusBlock extends LineBytes {
  readonly path: string;
  readonly format: RecordFormat;
}

/** The lines of a collection folder's corpus, in file order. Whoever takes the records out of them must also check that no id comes twice. */
export async function* readCorpusBlocks(
  folder: string,
  { signal }: ReadOptions = {},
): AsyncGenerator<CorpusBlock> {
  const path = await pathOf(folder, CORPUS_FILES);
  let format: RecordFormat | undefined;
  for await (const block of readLineBytes(path, { signal })) {
    format ??= recordFormat(path, decodeLines(block, path));
    if (format !== undefined) yield { ...block, path, format };
  }
}

/** The documents in a block of lines. What is wrong with it is reported, bytes that are no UTF-8 too. */
export function corpusRecords(block: CorpusBlock, problems: Problems): TextRecord[] {
  const { path, format, first, bytes } = block;
  try {
    // what came from another thread is no longer a Buffer
    const lines = decodeLines(
      { first, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) },
      path,
    );
    return recordsOf(lines, format, 'document', path, problems);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.absorb({ count: error.problems.length, kept: error.problems });
    return [];
  }
}

/** All queries of a collection folder, in file order. `split` chooses among MS MARCO's files (`queries.SPLIT.tsv`); BEIR has one file. */
export async function readQueries(
  folder: string,
  split?: string,
  options: ReadOptions = {},
): Promise<Queries> {
  const path = await pathOf(folder, [
    'queries.jsonl',
    ...(split === undefined ? [] : [`queries.${split}.tsv`]),
  ]);
  const problems = new Problems();
  const unique = new UniqueIds();
  const [ids, texts]: [string[], string[]] = [[], []];
  for await (const records of readRecords(path, 'query', problems, options.signal)) {
    for (const { id, text, line } of records) {
      unique.add(id, path, line, problems);
      ids.push(id);
      texts.push(text);
    }
  }
  problems.throwIfAny();
  if (ids.length === 0) throw new InputError(path, 'holds no queries');
  return { ids, texts };
}

/** The judgements of one split: `qrels/SPLIT.tsv` (BEIR) or `qrels.SPLIT.tsv` (MS MARCO). */
export async function readQrels(folder: string, split: string): Promise<Qrels> {
  return readQrelsFile(await pathOf(folder, qrelsFiles(split)));
}

/**
 * The queries that have judgements, in file order: what BEIR's loader keeps and what evaluation needs.
 * A judged query without text is an error, because its score could only be 0.
 */
export function judgedQueries(queries: Queries, qrels: Qrels, folder: string): Queries {
  const kept = queries.ids.flatMap((id, i) => (qrels.has(id) ? [i] : []));
  if (kept.length < qrels.size) {
    const known = new Set(queries.ids);
    const problems = new Problems();
    for (const id of qrels.keys())
      if (!known.has(id)) problems.add(folder, `query '${id}' has judgements and no text among the queries`);
    problems.throwIfAny();
  }
  return { ids: kept.map(i => queries.ids[i]!), texts: kept.map(i => queries.texts[i]!) };
}

/** Names a corpus may have: BEIR's, MS MARCO's. */
export const CORPUS_FILES: readonly string[] = ['corpus.jsonl', 'collection.tsv'];
const qrelsFiles = (split: string) => [join('qrels', `${split}.tsv`), `qrels.${split}.tsv`];

/** The one of these files of a folder that exists, plain or with `.gz`. Throws if none does, or several. */
export async function pathOf(folder: string, names: readonly string[]): Promise<string> {
  const candidates = names.flatMap(name => [name, `${name}.gz`]).map(name => join(folder, name));
  const found: string[] = [];
  for (const path of candidates) if (await exists(path)) found.push(path);
  if (found.length === 1) return found[0]!;
  if (found.length === 0)
    throw new InputError(folder, `has no ${names.join(' or ')} (plain or .gz): is this a BEIR folder?`);
  throw new InputError(folder, `has ${found.join(' and ')}: keep one of them`);
}
