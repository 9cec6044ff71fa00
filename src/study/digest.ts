/** Content of files and folders as hashes, and a memory of hashes so that unchanged files are not read again. */
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import {
  hashOf,
  InputError,
  mapConcurrently,
  sha256File,
  unreadable,
  writeFileAtomic,
} from '../base/index.ts';
import type { InputDigest } from './fingerprint.ts';

export interface FileEntry {
  /** Relative to the folder, with `/`; empty for a single file. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ContentDigest {
  readonly type: 'file' | 'folder';
  readonly sha256: string;
  readonly bytes: number;
  /** Sorted by path. */
  readonly files: readonly FileEntry[];
}

/** Hashes one file; where given, a `HashCache` stands in for reading it. */
export type HashFile = (path: string) => Promise<{ readonly bytes: number; readonly sha256: string }>;

const PARALLEL_FILES = 8;
const MAX_FILES = 1_000_000;

/**
 * Every regular file below a folder, as sorted relative paths. Symbolic links are followed where the folder belongs to the
 * user, and refused (like sockets and devices) where it is a step's output.
 */
export async function listFiles(folder: string, links: 'follow' | 'refuse'): Promise<string[]> {
  const files: string[] = [];
  const visit = async (path: string, prefix: string, above: readonly string[]): Promise<void> => {
    const real = links === 'follow' ? await realpath(path) : path;
    if (above.includes(real))
      throw new InputError(path, 'a symbolic link leads back to a folder that contains it');
    for (const name of await readdir(path)) {
      const inner = join(path, name);
      const found = await (links === 'follow' ? stat(inner) : lstat(inner));
      if (found.isDirectory()) await visit(inner, `${prefix}${name}/`, [...above, real]);
      else if (found.isFile()) files.push(`${prefix}${name}`);
      else throw new InputError(inner, 'neither a regular file nor a folder');
      if (files.length > MAX_FILES) throw new InputError(folder, `more than ${MAX_FILES} files`);
    }
  };
  await visit(folder, '', []);
  return files.sort((a, b) => (a < b ? -1 : 1));
}

export async function readAndHash(path: string): Promise<{ bytes: number; sha256: string }> {
  const sha256 = await sha256File(path);
  return { bytes: (await stat(path)).size, sha256 };
}

/** The content of a file or folder. A folder's hash covers its files' paths and contents, not times, modes or empty folders. */
export async function digestOf(
  path: string,
  links: 'follow' | 'refuse',
  hash: HashFile = readAndHash,
): Promise<ContentDigest> {
  const found = await (links === 'follow' ? stat(path) : lstat(path));
  if (found.isFile()) {
    const { bytes, sha256 } = await hash(path);
    return { type: 'file', sha256, bytes, files: [{ path: '', bytes, sha256 }] };
  }
  if (!found.isDirectory()) throw new InputError(path, 'neither a regular file nor a folder');
  const names = await listFiles(path, links);
  const files = await mapConcurrently(names, PARALLEL_FILES, async name => ({
    path: name,
    ...(await hash(join(path, name))),
  }));
  return folderDigest(files);
}

export function folderDigest(files: readonly FileEntry[]): ContentDigest {
  const sha256 = hashOf(files.map(file => [file.path, file.sha256]));
  return { type: 'folder', sha256, bytes: files.reduce((sum, file) => sum + file.bytes, 0), files };
}

/** An outside file or folder as a step's input. Throws an `InputError` where it cannot be read. */
export async function outsideDigest(path: string, hash?: HashFile): Promise<InputDigest> {
  try {
    const { type, sha256 } = await digestOf(path, 'follow', hash);
    return { name: basename(path), type, sha256 };
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(path, error);
  }
}

/**
 * What the file system says of a file. A write changes size or times, and no program can set `ctime`, so an unchanged
 * signature means unchanged bytes, unless the write came within the clock's grain of the last look at it.
 */
async function signatureOf(path: string): Promise<{ text: string; changedMs: number }> {
  const { size, mtimeNs, ctimeNs, ino, dev } = await stat(path, { bigint: true });
  const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  return { text: [size, mtimeNs, ctimeNs, ino, dev].join(':'), changedMs: Number(newest / 1_000_000n) };
}

/** The signatures of all files of a file or folder, as one text: did anything in it change meanwhile? */
export async function signatureOfTree(path: string): Promise<string> {
  const found = await stat(path);
  const names = found.isDirectory() ? await listFiles(path, 'follow') : [''];
  const signatures = await mapConcurrently(names, PARALLEL_FILES, name => signatureOf(join(path, name)));
  return hashOf(names.map((name, i) => [name, signatures[i]!.text]));
}

const hint = z.object({ signature: z.string(), bytes: z.number(), sha256: z.string() });
const hints = z.record(z.string(), hint);

/** Times within this of now may still repeat after another write. */
const GRAIN_MS = 2000;

/**
 * Hashes of outside files, remembered between runs by path and signature. Only a hint: a child process that reads such a file
 * hashes it in full before it starts, so a wrong hint can at worst stop a step, never give it a wrong identity.
 */
export class HashCache {
  readonly #path: string;
  readonly #known: Map<string, z.infer<typeof hint>>;
  readonly #now: () => number;
  #changed = false;

  private constructor(path: string, known: Map<string, z.infer<typeof hint>>, now: () => number) {
    this.#path = path;
    this.#known = known;
    this.#now = now;
  }

  /** A memory that is missing or damaged is an empty one. */
  static async load(path: string, now: () => number): Promise<HashCache> {
    const parsed = hints.safeParse(
      await readFile(path, 'utf8')
        .then(JSON.parse)
        .catch(() => ({})),
    );
    return new HashCache(path, new Map(Object.entries(parsed.success ? parsed.data : {})), now);
  }

  readonly hash: HashFile = async path => {
    const before = await signatureOf(path);
    const known = this.#known.get(path);
    if (known?.signature === before.text) return { bytes: known.bytes, sha256: known.sha256 };
    const began = this.#now();
    const found = await readAndHash(path);
    const settled = (await signatureOf(path)).text === before.text && began - before.changedMs > GRAIN_MS;
    if (settled) this.#known.set(path, { signature: before.text, ...found });
    else this.#known.delete(path);
    this.#changed ||= settled || known !== undefined;
    return found;
  };

  /** Forgets a file or everything in a folder. */
  forget(path: string): void {
    for (const known of [...this.#known.keys()])
      if (known === path || known.startsWith(join(path, '/'))) {
        this.#known.delete(known);
        this.#changed = true;
      }
  }

  async save(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    await writeFileAtomic(this.#path, `${JSON.stringify(Object.fromEntries(this.#known))}\n`);
  }
}
