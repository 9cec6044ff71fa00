/** Documents from `.txt`, `.jsonl` and `.parquet` files. */
import { InputError, Problems, readLineBlocks, sha256File } from '../../base/index.ts';
import { type JsonBlock, readJsonBlocks, textOf } from '../../collections/index.ts';
import { readParquetBlocks } from '../parquet.ts';
import type { FileKind, FoundFile } from './paths.ts';
import { batchOf, type DocumentBatch, type ReadTextOptions, type TextSource } from './source.ts';

export interface TextFormatOptions {
  /** The field (JSONL) or column (parquet) that holds the text; default `text`. */
  readonly field?: string | undefined;
  /** In `.txt` files blank lines separate documents; by default a file is one document. */
  readonly paragraphs?: boolean | undefined;
}

const PLAIN = /\.txt(\.gz)?$/i;
const JSON_LINES = /\.(jsonl|ndjson)(\.gz)?$/i;
const PARQUET = /\.parquet$/i;

export const TEXT_FILES: FileKind = {
  accepts: path => PLAIN.test(path) || JSON_LINES.test(path) || PARQUET.test(path),
  names: '.txt, .jsonl or .ndjson, each also with .gz, and .parquet',
};

export function fileSource({ path, name, bytes }: FoundFile, format: TextFormatOptions): TextSource {
  const field = format.field ?? 'text';
  let hash: Promise<string> | undefined;
  const common = { name, bytes, hash: () => (hash ??= sha256File(path)) };
  if (!PLAIN.test(path)) {
    const rows = PARQUET.test(path) ? parquetRows : jsonLines;
    return { ...common, reading: `field ${field}`, documents: (options = {}) => rows(path, field, options) };
  }
  const [reading, read] = format.paragraphs
    ? (['paragraphs', paragraphs] as const)
    : (['whole file', wholeFile] as const);
  return { ...common, reading, documents: (options = {}) => read(path, options) };
}

/** V8 holds no string of 2^29 characters, and a document is held whole. */
const MAX_DOCUMENT = 1 << 28;

/** Line ends become `\n`; the last one goes. */
async function* wholeFile(path: string, options: ReadTextOptions): AsyncGenerator<DocumentBatch> {
  const parts: string[] = [];
  let size = 0;
  for await (const { lines } of readLineBlocks(path, options)) {
    const part = lines.join('\n');
    parts.push(part);
    size += part.length + 1;
    if (size > MAX_DOCUMENT)
      throw new InputError(path, `a document of more than ${MAX_DOCUMENT} characters: try --paragraphs`);
  }
  yield batchOf([parts.join('\n')]);
}

async function* paragraphs(path: string, options: ReadTextOptions): AsyncGenerator<DocumentBatch> {
  let open: string[] = [];
  for await (const { lines } of readLineBlocks(path, options)) {
    const texts: string[] = [];
    for (const line of lines) {
      if (/\S/.test(line)) open.push(line);
      else if (open.length > 0) {
        texts.push(open.join('\n'));
        open = [];
      }
    }
    yield { texts, empty: 0 };
  }
  if (open.length > 0) yield { texts: [open.join('\n')], empty: 0 };
}

async function* jsonLines(
  path: string,
  field: string,
  options: ReadTextOptions,
): AsyncGenerator<DocumentBatch> {
  const problems = new Problems();
  for await (const block of readJsonBlocks(path, problems, options.signal, options.onRead))
    yield* textBatch(block, path, field, problems);
  problems.throwIfAny();
}

async function* parquetRows(
  path: string,
  field: string,
  options: ReadTextOptions,
): AsyncGenerator<DocumentBatch> {
  const problems = new Problems();
  for await (const block of readParquetBlocks(path, options.signal, [field]))
    yield* textBatch(block, path, field, problems);
  problems.throwIfAny();
}

/** The texts of a block; once something is wrong, the rest of the file is only read for more problems. */
function* textBatch(
  { values, lines }: JsonBlock,
  path: string,
  field: string,
  problems: Problems,
): Generator<DocumentBatch> {
  const texts: string[] = [];
  for (let i = 0; i < values.length; i++) {
    const text = textOf(values[i]![field], field, path, lines[i]!, problems);
    if (text !== undefined) texts.push(text);
  }
  if (problems.count === 0) yield batchOf(texts);
}
