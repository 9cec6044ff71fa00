/**
 * Training pairs in every form people have them, read into one record: our own mined form (which extends FlagEmbedding's), FlagEmbedding,
 * Tevatron with passages or with document ids, sentence-transformers n-tuples, weak pairs; as JSON lines, parquet or TSV.
 */
import { InputError, Problems, readLineBlocks } from '../base/index.ts';
import {
  docText,
  type JsonBlock,
  type JsonObject,
  type ReadOptions,
  readCorpus,
  readJsonBlocks,
} from '../collections/index.ts';
import type { DocumentText } from './pairforms.ts';
import { readParquetBlocks } from './parquet.ts';

/**
 * One query with its positives and negatives: one line of a file of mined pairs, keys as FlagEmbedding spells them.
 * Lists that run beside `pos` or `neg` have their length. No text is empty.
 */
export interface PairRecord {
  readonly query_id?: string;
  readonly query: string;
  /** At least one. */
  readonly pos: readonly string[];
  readonly pos_ids?: readonly string[];
  /** Null where a positive was not scored. */
  readonly pos_scores?: readonly (number | null)[];
  /** Empty where none were mined. */
  readonly neg: readonly string[];
  readonly neg_ids?: readonly string[];
  /** Null where a negative was not scored. */
  readonly neg_scores?: readonly (number | null)[];
  /** Ranks, from 1, in the candidate run the negatives were taken from; null for one that was taken from elsewhere. */
  readonly neg_ranks?: readonly (number | null)[];
  /** An instruction that goes before the query. */
  readonly prompt?: string;
}

export interface PairOptions extends ReadOptions {
  /** Folder of the collection that document ids point into; needed for Tevatron's form without passages, unused by the others. */
  readonly corpus?: string | undefined;
}

/**
 * The pairs of a file in blocks, in file order. The form is seen from each record's keys, the container from the file's name: `.parquet`,
 * `.tsv` (query, positive, negatives...; MS MARCO's triples), else JSON lines; text files may be gzip. Problems of the whole file are collected:
 * once one is found nothing more is yielded, and the `InputError` with all of them ends the iteration.
 */
export async function* readPairs(
  path: string,
  options: PairOptions = {},
): AsyncGenerator<readonly PairRecord[]> {
  const { pairOf } = await import('./pairforms.ts'); // with its schemas, which no other reader should wait for
  const problems = new Problems();
  const textOfDocument = await documentsOf(path, options);
  let count = 0;
  for await (const { values, lines } of readRows(path, problems, options)) {
    const pairs: PairRecord[] = [];
    for (let i = 0; i < values.length; i++) {
      const report = (message: string) => problems.add(`${path}:${lines[i]}`, message);
      const pair = pairOf(values[i]!, textOfDocument, report);
      if (pair !== undefined) pairs.push(pair);
    }
    if (problems.count > 0 || pairs.length === 0) continue;
    yield pairs;
    count += pairs.length;
  }
  problems.throwIfAny();
  if (count === 0) throw new InputError(path, 'holds no pairs');
}

/** A record as the line of a file of pairs, with its line end. */
export function pairLine(record: PairRecord): string {
  return `${JSON.stringify(record)}\n`;
}

function readRows(path: string, problems: Problems, options: PairOptions): AsyncGenerator<JsonBlock> {
  if (/\.parquet$/i.test(path)) return readParquetBlocks(path, options.signal);
  if (/\.tsv(\.gz)?$/i.test(path)) return readTuples(path, problems, options);
  return readJsonBlocks(path, problems, options.signal);
}

/** Lines of query, positive and any number of negatives become the records that sentence-transformers would hold. */
async function* readTuples(
  path: string,
  problems: Problems,
  options: PairOptions,
): AsyncGenerator<JsonBlock> {
  for await (const block of readLineBlocks(path, options.signal ? { signal: options.signal } : {})) {
    const values: JsonObject[] = [];
    const lines: number[] = [];
    for (let i = 0; i < block.lines.length; i++) {
      if (block.lines[i] === '') continue;
      const [query, positive, ...negatives] = block.lines[i]!.split('\t');
      if (positive === undefined) {
        problems.add(`${path}:${block.first + i}`, 'expected query, positive and negatives divided by tabs');
        continue;
      }
      values.push({ query, pos: [positive], neg: negatives });
      lines.push(block.first + i);
    }
    yield { values, lines };
  }
}

/** Texts of the documents that the file's records name by id. Only those are kept in memory. */
async function documentsOf(path: string, options: PairOptions): Promise<DocumentText> {
  if (options.corpus === undefined) return () => undefined;
  const { documentIdsOf } = await import('./pairforms.ts');
  const wanted = new Map<string, string | undefined>();
  for await (const { values } of readRows(path, new Problems(), options)) {
    for (const value of values) for (const id of documentIdsOf(value)) wanted.set(id, undefined);
  }
  if (wanted.size === 0) return () => undefined;
  for await (const batch of readCorpus(options.corpus, options)) {
    for (let i = 0; i < batch.ids.length; i++) {
      const id = batch.ids[i]!;
      if (wanted.has(id)) wanted.set(id, docText(batch.titles[i]!, batch.texts[i]!));
    }
  }
  return id => wanted.get(id);
}
