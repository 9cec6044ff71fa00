/**
 * Archives from the net, unpacked as if they were hostile: only the files asked for are written, no name may leave the folder, links and devices are
 * refused, and neither the declared nor the actual sizes may pass a limit.
 */
import { createReadStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InternalError, joinInside, messageOf, StepError } from '../../base/index.ts';

export interface UnpackOptions {
  readonly format: 'zip' | 'tar.gz';
  /** Path to write a member to, relative to the target folder; undefined: leave it out. */
  readonly select: (name: string) => string | undefined;
  /** Most bytes, over all members, declared or actual. */
  readonly maxBytes: number;
  readonly maxMembers?: number;
  readonly signal?: AbortSignal | undefined;
}

/** One member of an archive, whatever its format. */
interface Member {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
  /** Declared size, unpacked. */
  readonly bytes: number;
  readonly content: () => Promise<AsyncIterable<Uint8Array>>;
}

/** Unpacks the selected members of `archive` into `folder`. Returns what was written, in the archive's order. Throws a `StepError` that names the member. */
export async function unpack(archive: string, folder: string, options: UnpackOptions): Promise<string[]> {
  const guard = new Guard(archive, options);
  const written: string[] = [];
  const visit = async (member: Member) => {
    options.signal?.throwIfAborted();
    guard.check(member);
    const path = member.kind === 'file' ? options.select(member.name) : undefined;
    if (path === undefined) return;
    await writeMember(member, joinInside(folder, path), guard);
    written.push(path);
  };
  try {
    await (options.format === 'zip' ? eachZipMember(archive, visit) : eachTarMember(archive, visit));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof StepError || error instanceof InternalError) throw error;
    throw new StepError(archive, `can not be unpacked: ${messageOf(error)}`, { cause: error });
  }
  return written;
}

class Guard {
  readonly #archive: string;
  readonly #maxBytes: number;
  readonly #maxMembers: number;
  #members = 0;
  #declared = 0;
  #actual = 0;

  constructor(archive: string, options: UnpackOptions) {
    this.#archive = archive;
    this.#maxBytes = options.maxBytes;
    this.#maxMembers = options.maxMembers ?? 10_000;
  }

  check({ name, kind, bytes }: Member): void {
    if (++this.#members > this.#maxMembers)
      this.refuse(name, `is beyond the ${this.#maxMembers} members expected`);
    if (isUnsafe(name)) this.refuse(name, 'leaves the folder it should be unpacked into');
    if (kind === 'other') this.refuse(name, 'is a link or a device, and no collection has those');
    this.#declared += bytes;
    if (this.#declared > this.#maxBytes)
      this.refuse(name, `declares sizes beyond the ${this.#maxBytes} bytes expected`);
  }

  /** Counts bytes as they come out. */
  count(name: string, bytes: number): void {
    this.#actual += bytes;
    if (this.#actual > this.#maxBytes)
      this.refuse(name, `unpacks to more than the ${this.#maxBytes} bytes expected`);
  }

  refuse(name: string, message: string): never {
    throw new StepError(`${this.#archive}: ${JSON.stringify(name.slice(0, 200))}`, message);
  }
}

function isUnsafe(name: string): boolean {
  const outside = /^([\\/]|[A-Za-z]:)/.test(name) || name.split(/[\\/]/).includes('..');
  return outside || name.includes('\0') || name.includes('\\');
}

async function writeMember(member: Member, path: string, guard: Guard): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const handle = await open(path, 'wx').catch(error => {
    return guard.refuse(member.name, `occurs twice, or can not be written: ${messageOf(error)}`);
  });
  let bytes = 0;
  try {
    for await (const chunk of await member.content()) {
      bytes += chunk.byteLength;
      guard.count(member.name, chunk.byteLength);
      await handle.writeFile(chunk);
    }
    if (bytes !== member.bytes) guard.refuse(member.name, `has ${bytes} bytes and declares ${member.bytes}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const FILE_TYPE = 0o170000;
const [REGULAR, FOLDER] = [0o100000, 0o040000];

async function eachZipMember(archive: string, visit: (member: Member) => Promise<void>): Promise<void> {
  const { openPromise } = await import('yauzl');
  const zip = await openPromise(archive, { lazyEntries: true, autoClose: false, strictFileNames: true });
  try {
    for await (const entry of zip.eachEntry()) {
      const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE; // 0 where the archiver knew no Unix modes
      const isFolder = entry.fileName.endsWith('/');
      const regular = type === 0 || type === REGULAR || (isFolder && type === FOLDER);
      await visit({
        name: entry.fileName,
        kind: !regular ? 'other' : isFolder ? 'folder' : 'file',
        bytes: entry.uncompressedSize,
        content: () => zip.openReadStreamPromise(entry),
      });
    }
  } finally {
    zip.close();
  }
}

async function eachTarMember(archive: string, visit: (member: Member) => Promise<void>): Promise<void> {
  const { Parser } = await import('tar');
  const kinds: Readonly<Record<string, Member['kind']>> = {
    File: 'file',
    OldFile: 'file',
    Directory: 'folder',
    GNUDumpDir: 'folder',
  };
  await new Promise<void>((resolve, reject) => {
    const input = createReadStream(archive, { highWaterMark: 1 << 20 });
    const fail = (error: unknown) => {
      input.destroy();
      reject(error);
    };
    let visited: Promise<void> = Promise.resolve();
    const parser = new Parser({
      strict: true,
      onReadEntry: entry => {
        const kind = kinds[entry.type] ?? 'other';
        const content = async () => entry as AsyncIterable<Uint8Array>;
        visited = visited
          .then(() => visit({ name: entry.path, kind, bytes: entry.size, content }))
          .then(() => void entry.resume()); // the parser waits until a member is read to its end
        visited.catch(fail);
      },
    });
    parser.on('error', fail);
    parser.on('end', () => visited.then(resolve, fail));
    input.on('error', fail);
    input.pipe(parser as unknown as NodeJS.WritableStream);
  });
}
