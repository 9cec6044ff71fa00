/** Parquet files as blocks of objects, read through hyparquet one row group at a time. */
import { exists, InputError, messageOf, unreadable } from '../base/index.ts';
import { isObject, type JsonBlock, type JsonObject } from './jsonl.ts';

/** The rows of a parquet file; the "line" of a row is its number, counted from 1. 64-bit integers become numbers. */
export async function* readParquetBlocks(path: string, signal?: AbortSignal): AsyncGenerator<JsonBlock> {
  if (!(await exists(path))) throw new InputError(path, 'no such file or folder');
  const groups = await guarded(path, () => openRowGroups(path));
  let first = 1;
  for (const readGroup of groups) {
    signal?.throwIfAborted();
    const values = await guarded(path, readGroup);
    yield { values, lines: values.map((_, i) => first + i) };
    first += values.length;
  }
}

async function openRowGroups(path: string): Promise<(() => Promise<JsonObject[]>)[]> {
  // Loaded here because few commands read parquet and the decompressors are large.
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  let rowEnd = 0;
  return metadata.row_groups.map(group => {
    const rowStart = rowEnd;
    rowEnd += Number(group.num_rows);
    const options = { file, metadata, compressors, rowStart, rowEnd };
    return async () => (await parquetReadObjects(options)).map(row => plain(row) as JsonObject);
  });
}

/** hyparquet throws plain errors for whatever is wrong with a file; the system's own errors keep their meaning. */
async function guarded<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
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
