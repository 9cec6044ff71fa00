/** Parquet files as blocks of objects, read through hyparquet one row group at a time. */
import { type FileHandle, open } from 'node:fs/promises';
import type { AsyncBuffer, FileMetaData, SchemaTree } from 'hyparquet';
import { decodeUtf8, InputError, messageOf, unreadable } from '../base/index.ts';
import { isObject, type JsonBlock, type JsonObject } from '../collections/index.ts';

/**
 * The rows of a parquet file, with all columns or those named; the "line" of a row is its number, counted from 1.
 * 64-bit integers become numbers. A named column that the file lacks, and text that is no UTF-8, are an `InputError`.
 */
export async function* readParquetBlocks(
  path: string,
  signal?: AbortSignal,
  columns?: readonly string[],
): AsyncGenerator<JsonBlock> {
  const handle = await open(path, 'r').catch(error => {
    throw unreadable(path, error);
  });
  try {
    let first = 1;
    for (const readGroup of await guarded(path, () => openRowGroups(path, handle, columns))) {
      signal?.throwIfAborted();
      const values = await guarded(path, readGroup);
      yield { values, lines: values.map((_, i) => first + i) };
      first += values.length;
    }
  } finally {
    await handle.close();
  }
}

async function openRowGroups(
  path: string,
  handle: FileHandle,
  columns: readonly string[] | undefined,
): Promise<(() => Promise<JsonObject[]>)[]> {
  // Loaded here because few commands read parquet and the decompressors are large.
  const { parquetMetadataAsync, parquetReadObjects, parquetSchema } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const file = await bufferOf(handle);
  const metadata = await parquetMetadataAsync(file);
  const schema = parquetSchema(metadata);
  checkMetadata(metadata, schema, file.byteLength);
  const present = schema.children.map(child => child.element.name);
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

/** The file for hyparquet, which asks for byte ranges. */
async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  const slice = async (start: number, end = size): Promise<ArrayBuffer> => {
    if (!(start >= 0 && start <= end && end <= size))
      throw new Error(`bytes ${start} to ${end} of a file of ${size}`);
    const bytes = new Uint8Array(end - start);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) throw new Error('the file became shorter while it was read');
      at += bytesRead;
    }
    return bytes.buffer;
  };
  return { byteLength: size, slice };
}

/**
 * Refuses metadata that would make hyparquet fail between starting the columns of a row group, all at once, and waiting for them: what the columns
 * already started then throw is heard by nobody, and ends the process. Found by reading files with random bytes changed.
 */
function checkMetadata(metadata: FileMetaData, schema: SchemaTree, size: number): void {
  for (const group of metadata.row_groups) {
    if (!isWithin(Number(group.num_rows), Number.MAX_SAFE_INTEGER))
      throw new Error('a row group has no number of rows');
    for (const { meta_data: column, file_path } of group.columns) {
      if (column === undefined || file_path) throw new Error('a column lies in another file');
      const name = column.path_in_schema.join('.');
      if (!isInSchema(column.path_in_schema, schema))
        throw new Error(`column '${name}' is not in the schema`);
      const start = Number(column.dictionary_page_offset || column.data_page_offset);
      const end = start + Number(column.total_compressed_size);
      if (!isWithin(start, size) || !(start <= end) || !isWithin(end, size))
        throw new Error(`column '${name}' lies outside the file`);
    }
  }
}

function isWithin(value: number, most: number): boolean {
  return value >= 0 && value <= most;
}

function isInSchema(path: readonly string[], schema: SchemaTree): boolean {
  let node: SchemaTree | undefined = schema;
  for (const name of path) node = node?.children.find(child => child.element.name === name);
  return node !== undefined && path.length > 0;
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
