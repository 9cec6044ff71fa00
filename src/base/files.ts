/**
 * Files that are either whole or not there. Everything isoflop writes goes to a temporary name in the same folder,
 * is flushed to the disk, and is then renamed; a crash leaves at most a file ending in `.tmp`, which nobody reads.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode, InputError, messageOf } from './errors.ts';

/** A sibling of `path` that no other process uses. Rename within one folder is atomic. */
export function temporaryName(path: string): string {
  return `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
}

/** Makes a rename itself durable: flushes the folder's entry. Windows has no such call, and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A file written in pieces that appears under its name only at `commit()`. */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  #bytes = 0;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  static async create(path: string): Promise<AtomicFile> {
    await mkdir(dirname(path), { recursive: true });
    const temporary = temporaryName(path);
    return new AtomicFile(path, temporary, await open(temporary, 'wx'));
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Appends text (as UTF-8) or bytes. */
  async write(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
    for (let from = 0; from < bytes.byteLength; ) {
      const { bytesWritten } = await this.#handle.write(
        bytes,
        from,
        Math.min(bytes.byteLength - from, 1 << 30),
      );
      from += bytesWritten;
    }
    this.#bytes += bytes.byteLength;
  }

  /** Flushes, renames into place, and flushes the folder. */
  async commit(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
    await rename(this.#temporary, this.path);
    await syncFolder(dirname(this.path));
  }

  /** Drops everything written. Safe to call after a failure of any other method. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }
}

/** Runs `write` on a file that is committed if it returns and discarded if it throws. */
export async function writeAtomically<T>(path: string, write: (file: AtomicFile) => Promise<T>): Promise<T> {
  const file = await AtomicFile.create(path);
  try {
    const result = await write(file);
    await file.commit();
    return result;
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** Writes one whole file atomically. */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await writeAtomically(path, file => file.write(data));
}

/**
 * Fills a folder under a temporary name and renames it into place, so that a folder with that name is always complete.
 * Returns false, and drops the new one, if another process published it first.
 */
export async function publishFolder(path: string, fill: (folder: string) => Promise<void>): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  await mkdir(temporary);
  try {
    await fill(temporary);
    const first = await moveFolder(temporary, path);
    if (!first) await rm(temporary, { recursive: true, force: true });
    return first;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Renames a complete folder to its final name, durably. Returns false, and leaves the source where it is,
 * if a folder of that name is there already: the first publisher wins.
 */
export async function moveFolder(from: string, to: string): Promise<boolean> {
  await syncFolder(from);
  try {
    await rename(from, to);
  } catch (error) {
    const taken = hasCode(error, 'ENOTEMPTY') || hasCode(error, 'EEXIST');
    if (taken || (hasCode(error, 'EPERM') && (await exists(to)))) return false; // EPERM: how Windows says it
    throw error;
  }
  await syncFolder(dirname(to));
  return true;
}

/** Does something stand at this path? */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Turns the system's refusal to open a path that the user named into an `InputError` that says what to do. */
export function unreadable(path: string, error: unknown): InputError {
  if (hasCode(error, 'ENOENT')) return new InputError(path, 'no such file or folder');
  if (hasCode(error, 'EISDIR')) return new InputError(path, 'is a folder, expected a file');
  if (hasCode(error, 'ENOTDIR')) return new InputError(path, 'a part of this path is a file, not a folder');
  if (hasCode(error, 'EACCES')) return new InputError(path, 'may not be read: check its permissions');
  return new InputError(path, messageOf(error), { cause: error });
}

/** Reads a file that the user named, as bytes. `maxBytes` guards against reading a wrong, huge file into memory. */
export async function readInput(path: string, maxBytes = 2 ** 31 - 1): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes)
      throw new InputError(path, `${size} bytes is more than the ${maxBytes} expected here`);
    return await readFile(path);
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(path, error);
  }
}

/** Reads a text file that the user named: UTF-8, a byte-order mark dropped, anything else refused with its byte offset. */
export async function readInputText(path: string, maxBytes?: number): Promise<string> {
  return decodeUtf8(await readInput(path, maxBytes), path);
}

/** Strict UTF-8. The error names the first offending byte. */
export function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(
      where,
      `not valid UTF-8 at byte ${firstInvalidByte(bytes)}: convert the file to UTF-8`,
    );
  }
}

function firstInvalidByte(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (good < bad) {
    const middle = Math.ceil((good + bad) / 2);
    if (isPrefixValid(bytes.subarray(0, middle))) good = middle;
    else bad = middle - 1;
  }
  return good;
}

/** Could these bytes be the beginning of valid UTF-8? (A character cut off at the end is fine.) */
function isPrefixValid(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Parses a JSON file that the user named. */
export async function readInputJson(path: string, maxBytes?: number): Promise<unknown> {
  const text = await readInputText(path, maxBytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(path, `not valid JSON: ${messageOf(error)}`);
  }
}

/** Joins a name from outside to a folder, refusing any that would leave it (`../x`, `/etc/x`, `a\0b`). */
export function joinInside(folder: string, name: string): string {
  const path = join(folder, name);
  const inside = path.startsWith(join(folder, '/')) && !name.includes('\0');
  if (!inside) throw new InputError(name, `leaves the folder ${folder}`);
  return path;
}
