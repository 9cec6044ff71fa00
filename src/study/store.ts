/**
 * The store: a folder of plain files, shared by any number of studies and runners.
 *
 *     artifacts/<identity>/            outputs of one step beside manifest.json; never changed once there
 *     scratch/<identity>/<lease>/      work in progress: `work` survives crashes, `out` is what will be published
 *     jobs/<identity>/                 job.json, reports.jsonl, log.txt of the attempts to make that artifact
 *     leases/<key>/<lease>.json        who is working on what
 *     runners/<run>.pins               artifacts that a live runner uses
 *     studies/<name>/steps/*.json      which artifact each step of a study last made
 *     studies/<name>/runs/*.jsonl      what happened, when, where
 *     trash/                           on its way out
 *     hashes.json                      remembered hashes of outside files
 */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import {
  canonicalJson,
  exists,
  hasCode,
  hashOf,
  InputError,
  joinInside,
  mapConcurrently,
  readInputJson,
  sha256File,
  writeFileAtomic,
} from '../base/index.ts';
import { type ContentDigest, folderDigest } from './digest.ts';
import { type Fingerprint, identityOf } from './fingerprint.ts';
import { MANIFEST } from './spec.ts';

const STORE_FORMAT = 1;
const MARKER = 'isoflop-store.json';

const sha256Text = z.string().regex(/^[0-9a-f]{64}$/);

export const inputDigestSchema = z.strictObject({
  name: z.string(),
  type: z.enum(['file', 'folder']),
  sha256: sha256Text,
});

export const fingerprintSchema = z.strictObject({
  format: z.literal(1),
  kind: z.string(),
  version: z.number(),
  params: z.unknown(),
  inputs: z.record(z.string(), z.array(inputDigestSchema)),
});

const fileSchema = z.strictObject({
  /** Relative to the output and inside it; empty where the output is one file. */
  path: z.string().refine(path => !/^\/|\0|(^|\/)\.\.?(\/|$)/.test(path)),
  bytes: z.number().int().nonnegative(),
  sha256: sha256Text,
});

const outputSchema = z.strictObject({
  /** The type its kind declares. */
  holds: z.string(),
  type: z.enum(['file', 'folder']),
  sha256: sha256Text,
  bytes: z.number().int().nonnegative(),
  files: z.array(fileSchema),
});

const manifestSchema = z.strictObject({
  format: z.literal(1),
  identity: sha256Text,
  fingerprint: fingerprintSchema,
  outputs: z.record(z.string(), outputSchema),
});

/** What an artifact holds and what it was made from. No times, no machine, no paths: equal work has equal manifests. */
export type Manifest = z.infer<typeof manifestSchema>;
export type OutputEntry = z.infer<typeof outputSchema>;

export interface Artifact {
  readonly identity: string;
  /** Absolute. */
  readonly folder: string;
  /** What it was made from: the identity is its hash. */
  readonly fingerprint: Manifest['fingerprint'];
  readonly outputs: Readonly<Record<string, OutputEntry>>;
  readonly bytes: number;
}

/** What a look at an artifact found. */
export type Lookup =
  | { readonly state: 'whole'; readonly artifact: Artifact }
  | { readonly state: 'missing' }
  | { readonly state: 'damaged'; readonly detail: string };

/** `quick` compares names and sizes with the manifest; `full` reads and hashes every byte. */
export type Depth = 'quick' | 'full';

export class Store {
  /** Absolute. */
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /**
   * Opens a store. With `create`, makes it where there is none; without, a store that is not there is an empty one.
   * Throws an `InputError` on a folder that is something else.
   */
  static async open(root: string, { create = true } = {}): Promise<Store> {
    const store = new Store(resolve(root));
    const found = await readdir(root).catch((error: unknown): string[] => {
      if (hasCode(error, 'ENOENT')) return [];
      throw new InputError(root, 'cannot be used as a store: not a folder that can be read', {
        cause: error,
      });
    });
    if (found.includes(MARKER)) await refuseOtherFormat(store.path(MARKER));
    else if (found.some(name => !name.endsWith('.tmp')))
      throw new InputError(
        root,
        'is not an isoflop store, and not empty: choose another folder with --store',
      );
    else if (create) await writeFileAtomic(store.path(MARKER), canonicalJson({ format: STORE_FORMAT }));
    return store;
  }

  /** Is there anything on the disk yet? */
  exists(): Promise<boolean> {
    return exists(this.path(MARKER));
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  artifactFolder(identity: string): string {
    return this.path('artifacts', identity);
  }

  scratchFolder(identity: string): string {
    return this.path('scratch', identity);
  }

  jobFolder(identity: string): string {
    return this.path('jobs', identity);
  }

  leaseFolder(key: string): string {
    return this.path('leases', key);
  }

  studyFolder(study: string): string {
    return joinInside(this.path('studies'), study);
  }

  /** Looks for an artifact and compares it with its manifest. */
  async lookup(identity: string, depth: Depth = 'quick'): Promise<Lookup> {
    const folder = this.artifactFolder(identity);
    let text: string;
    try {
      text = await readFile(join(folder, MANIFEST), 'utf8');
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
      const there = await lstat(folder).catch(() => undefined);
      return there ? { state: 'damaged', detail: `${MANIFEST} is missing` } : { state: 'missing' };
    }
    const manifest = parseManifest(text, identity);
    if (manifest === undefined) return { state: 'damaged', detail: `${MANIFEST} is not as it was written` };
    const detail = await firstDamage(folder, manifest, depth);
    if (detail !== undefined) return { state: 'damaged', detail };
    const bytes = Object.values(manifest.outputs).reduce((sum, output) => sum + output.bytes, 0);
    const { fingerprint, outputs } = manifest;
    return { state: 'whole', artifact: { identity, folder, fingerprint, outputs, bytes } };
  }

  /** Moves something out of the way, to be deleted later; false if it has gone already. */
  async discard(path: string): Promise<boolean> {
    while (await exists(path)) {
      try {
        await mkdir(this.path('trash'), { recursive: true });
        await rename(path, this.path('trash', randomBytes(8).toString('hex')));
        return true;
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error; // it has gone, or a cleaner has just removed the trash: look again
      }
    }
    return false;
  }
}

async function refuseOtherFormat(marker: string): Promise<void> {
  const found = z.object({ format: z.number() }).safeParse(await readInputJson(marker, 1 << 16));
  if (found.data?.format === STORE_FORMAT) return;
  throw new InputError(
    marker,
    `expected store format ${STORE_FORMAT}, found ${found.data?.format ?? 'none'}: use another folder, or the isoflop that made it`,
  );
}

export function manifestOf(fingerprint: Fingerprint, outputs: Manifest['outputs']): Manifest {
  return {
    format: 1,
    identity: identityOf(fingerprint),
    fingerprint: fingerprint as Manifest['fingerprint'],
    outputs,
  };
}

export function outputEntry(holds: string, content: ContentDigest): OutputEntry {
  return { holds, ...content, files: [...content.files] };
}

/** A manifest that says what its name and its own hashes say; undefined for any other text. */
function parseManifest(text: string, identity: string): Manifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const manifest = manifestSchema.safeParse(value).data;
  if (manifest?.identity !== identity || hashOf(manifest.fingerprint) !== identity) return undefined;
  const sound = Object.values(manifest.outputs).every(output => {
    const [file] = output.files;
    return output.type === 'file'
      ? file?.sha256 === output.sha256
      : folderDigest(output.files).sha256 === output.sha256;
  });
  return sound ? manifest : undefined;
}

const PARALLEL_FILES = 16;

/** The first file that is not as the manifest says, in words. */
async function firstDamage(folder: string, manifest: Manifest, depth: Depth): Promise<string | undefined> {
  const files = Object.entries(manifest.outputs).flatMap(([output, { files }]) =>
    files.map(file => ({ ...file, path: file.path === '' ? output : `${output}/${file.path}` })),
  );
  const damages = await mapConcurrently(files, PARALLEL_FILES, async file => {
    const path = joinInside(folder, file.path);
    const found = await lstat(path).catch(() => undefined);
    if (!found?.isFile()) return `${file.path} is missing`;
    if (found.size !== file.bytes) return `${file.path} has ${found.size} bytes instead of ${file.bytes}`;
    if (depth === 'quick') return undefined;
    const sha256 = await sha256File(path).catch(() => 'unreadable');
    return sha256 === file.sha256
      ? undefined
      : `${file.path} does not have the content it was published with`;
  });
  return damages.find(damage => damage !== undefined);
}
