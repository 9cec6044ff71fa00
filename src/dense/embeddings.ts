/**
 * Vectors on disk: raw little-endian rows in blocks, with the ids beside them, openable by anything that reads arrays.
 *
 *     embeddings.json        what the vectors are of: model, settings, source; written first
 *     00000.f32 (or .f16)    rows of block 0
 *     00000.ids.jsonl        its ids, one JSON string a line
 *     manifest.json          blocks with rows and hashes; written last: a folder that has one is whole
 *
 * Blocks appear whole and in order, so an interrupted embedding goes on after the last one that is there.
 */
import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  canonicalJson,
  exists,
  InputError,
  type Json,
  prettyJson,
  readConfig,
  readInputJson,
  readInputText,
  sha256,
  writeFileAtomic,
} from '../base/index.ts';
import { decodeFloat16, encodeFloat16 } from '../models/index.ts';

export type VectorType = 'f32' | 'f16';

const FORMAT = 'isoflop-embeddings';
const VERSION = 1;
const DESCRIPTION = 'embeddings.json';
const MANIFEST = 'manifest.json';

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  type: z.enum(['f32', 'f16']),
  dimension: z.number().int().positive(),
  count: z.number().int().min(0),
  blocks: z.array(
    z.strictObject({ rows: z.number().int().positive(), sha256: z.string(), idsSha256: z.string() }),
  ),
});

export type EmbeddingsManifest = z.infer<typeof manifestSchema>;

export interface EmbeddingBlock {
  readonly ids: readonly string[];
  /** (ids.length, dimension) */
  readonly vectors: Float32Array;
}

const blockName = (i: number): string => String(i).padStart(5, '0');

export class EmbeddingsWriter {
  readonly #folder: string;
  readonly #dimension: number;
  readonly #type: VectorType;
  readonly #blocks: EmbeddingsManifest['blocks'] = [];

  private constructor(folder: string, dimension: number, type: VectorType) {
    this.#folder = folder;
    this.#dimension = dimension;
    this.#type = type;
  }

  /** Begins a folder or continues one of the same description; another description is refused. */
  static async open(
    folder: string,
    description: Json,
    dimension: number,
    type: VectorType,
  ): Promise<EmbeddingsWriter> {
    await mkdir(folder, { recursive: true });
    const file = join(folder, DESCRIPTION);
    const whole = { format: FORMAT, version: VERSION, type, dimension, of: description };
    if (!(await exists(file))) await writeFileAtomic(file, prettyJson(whole));
    else if (canonicalJson(await readInputJson(file)) !== canonicalJson(whole)) {
      throw new InputError(
        folder,
        'holds vectors of another model, collection or settings: remove it, or choose another folder',
      );
    }
    const writer = new EmbeddingsWriter(folder, dimension, type);
    await writer.#resume();
    return writer;
  }

  /** Rows that are there already. */
  get rows(): number {
    return this.#blocks.reduce((sum, { rows }) => sum + rows, 0);
  }

  async #resume(): Promise<void> {
    const names = new Set(await readdir(this.#folder));
    for (
      let i = 0;
      names.has(`${blockName(i)}.${this.#type}`) && names.has(`${blockName(i)}.ids.jsonl`);
      i++
    ) {
      const ids = await readIds(this.#folder, i);
      const bytes = await readBytes(join(this.#folder, `${blockName(i)}.${this.#type}`));
      if (bytes.byteLength !== ids.length * this.#dimension * widthOf(this.#type)) return; // damaged: made again
      this.#blocks.push({ rows: ids.length, sha256: sha256(bytes), idsSha256: sha256(idLines(ids)) });
    }
  }

  async write({ ids, vectors }: EmbeddingBlock): Promise<void> {
    const name = join(this.#folder, blockName(this.#blocks.length));
    const stored = this.#type === 'f32' ? vectors : encodeFloat16(vectors);
    const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
    const lines = idLines(ids);
    await writeFileAtomic(`${name}.ids.jsonl`, lines);
    await writeFileAtomic(`${name}.${this.#type}`, bytes); // last: a block with vectors is whole
    this.#blocks.push({ rows: ids.length, sha256: sha256(bytes), idsSha256: sha256(lines) });
  }

  async finish(): Promise<EmbeddingsManifest> {
    const manifest: EmbeddingsManifest = {
      format: FORMAT,
      version: VERSION,
      type: this.#type,
      dimension: this.#dimension,
      count: this.rows,
      blocks: this.#blocks,
    };
    await writeFileAtomic(join(this.#folder, MANIFEST), prettyJson(manifest));
    return manifest;
  }
}

const idLines = (ids: readonly string[]): string => ids.map(id => `${JSON.stringify(id)}\n`).join('');

/** Reads a finished folder block by block. */
export class Embeddings {
  readonly folder: string;
  readonly manifest: EmbeddingsManifest;

  private constructor(folder: string, manifest: EmbeddingsManifest) {
    this.folder = folder;
    this.manifest = manifest;
  }

  static async open(folder: string): Promise<Embeddings> {
    const file = join(folder, MANIFEST);
    if (!(await exists(file)))
      throw new InputError(
        folder,
        'holds no finished embeddings: run isoflop embed, which continues what was begun',
      );
    return new Embeddings(folder, await readConfig(file, manifestSchema, {}));
  }

  get dimension(): number {
    return this.manifest.dimension;
  }

  /** All blocks in order, each checked against its hash; damage is an `InputError`. */
  async *blocks(): AsyncGenerator<EmbeddingBlock> {
    const { type, dimension, blocks } = this.manifest;
    for (const [i, { rows, sha256: expected, idsSha256 }] of blocks.entries()) {
      const file = join(this.folder, `${blockName(i)}.${type}`);
      const bytes = await readBytes(file);
      const ids = await readIds(this.folder, i);
      const whole =
        bytes.byteLength === rows * dimension * widthOf(type) &&
        sha256(bytes) === expected &&
        sha256(idLines(ids)) === idsSha256;
      if (!whole)
        throw new InputError(file, 'does not match its manifest: the file was damaged, embed again');
      const vectors = numbersOf(bytes, type);
      if (!vectors.every(Number.isFinite))
        throw new InputError(file, 'holds numbers that are not finite: embed again');
      yield { ids, vectors };
    }
  }
}

/** Bytes a number. */
const widthOf = (type: VectorType): number => (type === 'f32' ? 4 : 2);

function numbersOf(bytes: Uint8Array<ArrayBuffer>, type: VectorType): Float32Array {
  if (type === 'f32') return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const vectors = new Float32Array(bytes.byteLength / 2);
  decodeFloat16(new Uint16Array(bytes.buffer, bytes.byteOffset, vectors.length), vectors);
  return vectors;
}

/** A whole file in a buffer of its own, aligned for typed arrays. */
async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const handle = await open(path, 'r').catch(() => {
    throw new InputError(path, 'is missing: embed again');
  });
  try {
    const bytes = new Uint8Array((await handle.stat()).size);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, 1 << 30), at);
      if (bytesRead === 0) throw new InputError(path, 'became shorter while it was read');
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

async function readIds(folder: string, block: number): Promise<string[]> {
  const path = join(folder, `${blockName(block)}.ids.jsonl`);
  const lines = (await readInputText(path)).split('\n').slice(0, -1);
  return lines.map((line, i) => {
    const id: unknown = parseJson(line);
    if (typeof id !== 'string') throw new InputError(`${path}:${i + 1}`, 'expected a JSON string');
    return id;
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
