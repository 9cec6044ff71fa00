/** Parquet files as blocks of objects, read through hyparquet one row group at a time. */
import { decodeUtf8, exists, InputError, messageOf, unreadable } from '../base/index.ts';
import { isObject, type JsonBlock, type JsonObject } from './jsonl.ts';

/**
 * The rows of a parquet file, with all columns or those named; the "line" of a row is its number, counted from 1.
 * 64-bit integers become numbers. A named column that the file lacks, and text that is no UTF-8, are an `InputError`.
 */
export async function* readParquetBlocks(
  path: string,
  signal?: AbortSignal,
  columns?: readonly string[],
): AsyncGenerator<JsonBlock> {
  if (!(await exists(path))) throw new InputError(path, 'no such file or folder');
  const groups = await guarded(path, () => openRowGroups(path, columns));
  let first = 1;
  for (const readGroup of groups) {
    signal?.throwIfAborted();
    const values = await guarded(path, readGroup);
    yield { values, lines: values.map((_, i) => first + i) };
    first += values.length;
  }
}

async function openRowGroups(
  path: string,
  columns: readonly string[] | undefined,
): Promise<(() => Promise<JsonObject[]>)[]> {
  // Loaded here because few commands read parquet and the decompressors are large.
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import(
    'hyparquet'
  );
  const { compressors } = await import('hyparquet-compressors');
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const present = parquetSchema(metadata).children.map(child => child.element.name);
  for (const column of columns ?? []) {
    if (!present.includes(column))
      throw new InputError(path, `has no column '${column}', only ${present.join(', ')}`);
  }
  const parsers = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && decodeUtf8(bytes, path) };
  let rowEnd = 0;
  return metadata.row_groups.map(group => {
    const rowStart = rowEnd;
    rowEnd += Number(group.num_rows);
    const options = {
      ...{ file, metadata, compressors, parsers, rowStart, rowEnd },
      ...(columns && { columns: [...columns] }),
    };
    return async () => (await parquetReadObjects(options)).map(row => plain(row) as JsonObject);
  });
}

/** hyparquet throws plain errors for whatever is wrong with a file; the system's own errors keep their meaning. */
async function guarded<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof InputError) throw error;
    if (error instanceof Error && 'syscall' in error) throw unreadable(path, error);
    throw new InputError(path, `not a readable parquet file (${messageOf(error)})`, { cause: error });
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
