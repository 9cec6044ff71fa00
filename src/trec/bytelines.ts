/**
 * Files as bytes in blocks of whole lines, for readers too fast for strings. A plain file is read into one buffer over and over, which spares
 * allocating (and collecting) as many megabytes as the file has.
 */
import { open } from 'node:fs/promises';
import { InputError, isGzip, readBytes } from '../base/index.ts';

const NEWLINE = 10;
const BLOCK_BYTES = 4 << 20;
const LONGEST_LINE = 1 << 20;

/** Whole lines, plain or gzip; only the last block may lack its line end. A block is valid until the next one is asked for. */
export async function* wholeLines(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  yield* (await isGzip(path)) ? joinLines(path, readBytes(path, signal)) : readLines(path, signal);
}

async function* readLines(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES + LONGEST_LINE);
  const handle = await open(path, 'r');
  try {
    let kept = 0; // bytes of a line whose end has not been read yet
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, kept, BLOCK_BYTES, null);
      if (bytesRead === 0) break;
      const filled = kept + bytesRead;
      const end = buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
      if (end > 0) yield buffer.subarray(0, end);
      buffer.copyWithin(0, end, filled);
      kept = filled - end;
      refuseLong(path, kept);
    }
    if (kept > 0) yield buffer.subarray(0, kept);
  } finally {
    await handle.close();
  }
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
