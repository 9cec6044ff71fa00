/** Documents and queries as records of a file (JSON lines or tab-separated), whatever the file calls their fields. */
import { type LineBlock, type Problems, readLineBlocks, withRoom } from '../base/index.ts';
import { IdTable } from '../trec/index.ts';
import { idOf, type JsonObject, jsonBlock, textOf } from './jsonl.ts';
import { tsvColumns, tsvRecords } from './msmarco.ts';

/** One document or query, with the line it stands on. */
export interface TextRecord {
  readonly id: string;
  /** Empty where there is none. */
  readonly title: string;
  readonly text: string;
  readonly line: number;
}

export type RecordKind = 'document' | 'query';

/** The spellings of BEIR, Tevatron and Pyserini; a record uses the first one it has. */
const ID_KEYS: Readonly<Record<RecordKind, readonly string[]>> = {
  document: ['_id', 'docid', 'id'],
  query: ['_id', 'query_id', 'id'],
};
const TEXT_KEYS: Readonly<Record<RecordKind, readonly string[]>> = {
  document: ['text'],
  query: ['text', 'query', 'query_text'],
};

/** How the lines of a file hold records: one JSON object each, or so many columns between tabs. */
export type RecordFormat = 'json' | 2 | 4;

/** By the file's name, and by its first line where it has columns; undefined where these lines do not say. */
export function recordFormat(path: string, block: LineBlock): RecordFormat | undefined {
  return /\.tsv(\.gz)?$/i.test(path) ? tsvColumns(block) : 'json';
}

/** The records among lines of a file. Those with something wrong are left out and reported. */
export function recordsOf(
  block: LineBlock,
  format: RecordFormat,
  kind: RecordKind,
  path: string,
  problems: Problems,
): TextRecord[] {
  if (format !== 'json') return tsvRecords(block, format, path, problems);
  const { values, lines } = jsonBlock(block, path, problems);
  const records: TextRecord[] = [];
  for (let i = 0; i < values.length; i++) {
    const record = recordOf(values[i]!, kind, path, lines[i]!, problems);
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** The records of a file in blocks. Those with something wrong are left out and reported. */
export async function* readRecords(
  path: string,
  kind: RecordKind,
  problems: Problems,
  signal?: AbortSignal,
): AsyncGenerator<readonly TextRecord[]> {
  let format: RecordFormat | undefined;
  for await (const block of readLineBlocks(path, { signal })) {
    format ??= recordFormat(path, block);
    if (format !== undefined) yield recordsOf(block, format, kind, path, problems);
  }
}

function recordOf(
  value: JsonObject,
  kind: RecordKind,
  path: string,
  line: number,
  problems: Problems,
): TextRecord | undefined {
  const idKey = firstKey(value, ID_KEYS[kind]);
  const textKey = firstKey(value, TEXT_KEYS[kind]);
  const id = idOf(value[idKey], idKey, path, line, problems);
  const title = textOf(value['title'] ?? '', 'title', path, line, problems);
  const text = textOf(value[textKey], textKey, path, line, problems);
  return id === undefined || title === undefined || text === undefined
    ? undefined
    : { id, title, text, line };
}

function firstKey(value: JsonObject, keys: readonly string[]): string {
  for (const key of keys) if (value[key] !== undefined) return key;
  return keys[0]!;
}

/** Remembers ids and the lines they came from, and reports those that come again. */
export class UniqueIds {
  readonly #ids = new IdTable();
  #lines = new Uint32Array(1 << 9);

  /** False, after reporting it, for an id that came before. */
  add(id: string, path: string, line: number, problems: Problems): boolean {
    const before = this.#ids.size;
    const index = this.#ids.add(id);
    if (index < before) {
      const id = this.#ids.at(index);
      problems.add(`${path}:${line}`, `id '${id}' was used on line ${this.#lines[index]} already`);
      return false;
    }
    this.#lines = withRoom(this.#lines, index + 1);
    this.#lines[index] = line;
    return true;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** The ids in the order they came, with their lines. */
  *entries(): Generator<{ readonly id: string; readonly line: number }> {
    for (let i = 0; i < this.#ids.size; i++) yield { id: this.#ids.at(i), line: this.#lines[i]! };
  }

  get size(): number {
    return this.#ids.size;
  }
}
