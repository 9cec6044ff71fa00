/**
 * Text files line by line, plain or gzip (recognised by content, not by name), in constant memory.
 * Whole blocks are decoded at once, which is what makes this fast; invalid UTF-8, a truncated or corrupt gzip stream
 * and lines that are absurdly long are refused with the line's number.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { hasCode, InputError, messageOf } from './errors.ts';
import { decodeUtf8, unreadable } from './files.ts';

/** Consecutive lines without their line ends; `first` is the number of the first one, counted from 1. */
export interface LineBlock {
  readonly first: number;
  readonly lines: readonly string[];
}

/** The same before decoding: whole lines, without the end of the last one. The bytes have a buffer of their own. */
export interface LineBytes {
  readonly first: number;
  readonly bytes: Buffer;
}

export interface LineOptions {
  /** Longest line accepted, in bytes (default 64 MiB). */
  readonly maxLineBytes?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onRead?: OnRead | undefined;
}

/** Told how many bytes of the file, as it lies on the disk, have been read: for progress. */
export type OnRead = (bytes: number) => void;

const NEWLINE = 10;

const CHUNK_BYTES = 1 << 20;

/** The bytes of a file, gunzipped if it is gzip. A chunk is good until the next is asked for: its memory is used again. */
export async function* readBytes(
  path: string,
  signal?: AbortSignal,
  onRead?: OnRead,
): AsyncGenerator<Buffer> {
  yield* (await isGzip(path)) ? unzippedBytes(path, signal, onRead) : plainBytes(path, signal, onRead);
}

/** Read into one buffer: a stream takes a new one for every chunk, and the collector has to come for them. */
async function* plainBytes(
  path: string,
  signal: AbortSignal | undefined,
  onRead: OnRead | undefined,
): AsyncGenerator<Buffer> {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  const handle = await open(path, 'r');
  try {
    for (let total = 0; ; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      total += bytesRead;
      onRead?.(total);
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function* unzippedBytes(
  path: string,
  signal: AbortSignal | undefined,
  onRead: OnRead | undefined,
): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES, ...(signal && { signal }) });
  const stream = file.pipe(createGunzip({ chunkSize: CHUNK_BYTES }));
  file.on('error', error => stream.destroy(error));
  try {
    for await (const chunk of stream) {
      onRead?.(file.bytesRead);
      yield chunk as Buffer;
    }
  } catch (error) {
    if (hasCode(error, 'Z_BUF_ERROR'))
      throw new InputError(path, 'the gzip stream ends too early: the file is truncated, fetch it again');
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw new InputError(path, `corrupt gzip data (${messageOf(error)}): fetch the file again`);
    }
    throw error;
  } finally {
    file.destroy();
  }
}

/** Does the file begin as gzip files do? Throws an `InputError` if it can not be read. */
export async function isGzip(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The lines of a text file in blocks. `\r\n` and `\n` both end a line; a last line without an end counts; a byte-order mark is dropped. */
export async function* readLineBlocks(path: string, options: LineOptions = {}): AsyncGenerator<LineBlock> {
  for await (const block of readLineBytes(path, options)) yield decodeLines(block, path);
}

/** The lines of a text file before they are decoded, for other threads to go on with; see `decodeLines`. */
export async function* readLineBytes(path: string, options: LineOptions = {}): AsyncGenerator<LineBytes> {
  const maxLineBytes = options.maxLineBytes ?? 64 << 20;
  let rest: Buffer[] = [];
  let restBytes = 0;
  let first = 1;
  const take = (bytes: Buffer): LineBytes => {
    const block = { first, bytes };
    first += countLines(bytes);
    return block;
  };
  for await (const chunk of readBytes(path, options.signal, options.onRead)) {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end >= 0) {
      yield take(joined([...rest, chunk.subarray(0, end)]));
      rest = [];
      restBytes = 0;
    }
    const tail = chunk.subarray(end + 1);
    if (tail.length > 0) rest.push(Buffer.from(tail));
    restBytes += tail.length;
    if (restBytes > maxLineBytes)
      throw new InputError(
        `${path}:${first}`,
        `a line of more than ${maxLineBytes} bytes: is this a text file?`,
      );
  }
  if (restBytes > 0) yield take(joined(rest));
}

/** `Buffer.concat` takes small ones from memory that buffers share, which must not go over to another thread (from Node 21 on that throws). */
function joined(parts: readonly Buffer[]): Buffer {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) at += part.copy(whole, at);
  return whole;
}

/** One more than there are line ends: what is read ends before the last one. */
function countLines(bytes: Buffer): number {
  let count = 1;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** Bytes decoded at a time. The engine gives larger strings pages of their own and returns them to the system, which costs threads that share an address space some 5%. */
const DECODED_BYTES = 60 << 10;

/** The text of lines that were read as bytes. Invalid UTF-8 is an `InputError` with its line; `path` is for that. */
export function decodeLines({ first, bytes }: LineBytes, path: string): LineBlock {
  const lines: string[] = [];
  for (let from = 0; from <= bytes.length; ) {
    const end = endOfLines(bytes, from);
    for (const line of decodeBlock(bytes.subarray(from, end), path, first + lines.length).split('\n'))
      lines.push(line.endsWith('\r') ? line.slice(0, -1) : line);
    from = end + 1;
  }
  return { first, lines };
}

/** The end of about `DECODED_BYTES` of whole lines, or of one line if it is longer. */
function endOfLines(bytes: Buffer, from: number): number {
  const limit = from + DECODED_BYTES;
  if (limit >= bytes.length) return bytes.length;
  const last = bytes.lastIndexOf(NEWLINE, limit);
  const end = last >= from ? last : bytes.indexOf(NEWLINE, limit);
  return end < 0 ? bytes.length : end;
}

/** `TextDecoder` drops a byte-order mark at the start of every block; only the file's own may go. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeBlock(bytes: Buffer, path: string, first: number): string {
  try {
    const text = strict.decode(bytes);
    return first === 1 && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  } catch {
    for (let at = 0, number = first; ; number++) {
      const end = bytes.indexOf(NEWLINE, at);
      decodeUtf8(bytes.subarray(at, end < 0 ? bytes.length : end), `${path}:${number}`); // throws at the bad line
      at = end + 1;
    }
  }
}

/** Calls `visit` for every line with its number, counted from 1. */
export async function eachLine(
  path: string,
  visit: (line: string, number: number) => void,
  options: LineOptions = {},
): Promise<void> {
  for await (const { first, lines } of readLineBlocks(path, options)) {
    for (let i = 0; i < lines.length; i++) visit(lines[i]!, first + i);
  }
}
