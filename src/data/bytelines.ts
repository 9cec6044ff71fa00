/**
 * Files as bytes in blocks of whole lines, for readers too fast for strings. A plain file is read into one buffer over and over, which spares
 * allocating (and collecting) as many megabytes as the file has.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { InputError, readBytes, unreadable } from '../base/index.ts';

const NEWLINE = 10;
const BLOCK_BYTES = 4 << 20;
const LONGEST_LINE = 1 << 20;

/** Whole lines, plain or gzip; only the last block may lack its line end. A block is valid until the next one is asked for. */
export async function* wholeLines(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const handle = await open(path, 'r').catch(error => {
    throw unreadable(path, error);
  });
  try {
    const chunks = (await isGzip(path, handle)) ? readBytes(path, signal) : undefined;
    yield* chunks ? joinLines(path, chunks) : readLines(path, handle, signal);
  } finally {
    await handle.close();
  }
}

async function isGzip(path: string, handle: FileHandle): Promise<boolean> {
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function* readLines(path: string, handle: FileHandle, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES + LONGEST_LINE);
  let kept = 0; // bytes of a line whose end has not been read yet
  for (let position = 0; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, kept, BLOCK_BYTES, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const filled = kept + bytesRead;
    const end = buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
    if (end > 0) yield buffer.subarray(0, end);
    buffer.copyWithin(0, end, filled);
    kept = filled - end;
    refuseLong(path, kept);
  }
  if (kept > 0) yield buffer.subarray(0, kept);
}

async function* joinLines(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const begin = chunk.indexOf(NEWLINE) + 1;
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    rest = Buffer.concat([rest, begin > 0 ? chunk.subarray(0, begin) : chunk]);
    if (begin > 0) {
      yield rest;
      if (end > begin) yield chunk.subarray(begin, end);
      rest = Buffer.from(chunk.subarray(end));
    }
    refuseLong(path, rest.length);
  }
  if (rest.length > 0) yield rest;
}

function refuseLong(path: string, bytes: number): void {
  if (bytes > LONGEST_LINE)
    throw new InputError(path, `has a line of more than ${LONGEST_LINE} bytes: is this a run file?`);
}
