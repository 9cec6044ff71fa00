/**
 * Training sequences from token shards. The documents of a split form one stream of N tokens; sequence `i` is the window of length + 1 tokens from
 * `i * length` on, so that inputs and targets are the same window shifted by one, and every token but the first is a target once an epoch.
 * Tokens after the last whole window are not used.
 *
 * Windows are read from the files one by one; nothing but a manifest is held in memory.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, messageOf, Rng } from '../../base/index.ts';
import { bytesPerToken, readManifest, type ShardManifest, type Split } from './manifest.ts';
import { Permutation } from './permutation.ts';
import { tokensOf } from './token-arrays.ts';
import { verifyShards } from './verify.ts';

export interface ShardReaderOptions {
  /** Default: `train`. */
  readonly split?: Split;
  /** Inputs a sequence, T. */
  readonly length: number;
  /** Read every shard once and compare hashes, sizes and ids with the manifest (default true). */
  readonly verify?: boolean;
}

export interface Batch {
  /** `(rows, length + 1)`, row by row. */
  readonly tokens: Int32Array<ArrayBuffer>;
  readonly rows: number;
  /** Which pass over the data the batch begins in, from 0. */
  readonly epoch: number;
}

export class ShardReader {
  readonly manifest: ShardManifest;
  readonly split: Split;
  readonly length: number;
  /** Sequences an epoch. */
  readonly sequences: number;
  readonly #folder: string;
  readonly #width: 2 | 4;
  readonly #files: (number | undefined)[] = [];
  #order: { readonly seed: number; readonly epoch: number; readonly order: Permutation } | undefined;

  private constructor(folder: string, manifest: ShardManifest, split: Split, length: number) {
    this.#folder = folder;
    this.manifest = manifest;
    this.split = split;
    this.length = length;
    this.#width = bytesPerToken(manifest.dtype);
    this.sequences = Math.max(0, Math.floor((manifest[split].tokens - 1) / length));
  }

  /** Opens one split of a folder. Throws `InputError` for damaged shards and for too little text. */
  static async open(folder: string, options: ShardReaderOptions): Promise<ShardReader> {
    const { split = 'train', length, verify = true } = options;
    if (!(Number.isInteger(length) && length >= 1)) throw new RangeError(`no sequences of length ${length}`);
    const manifest = await readManifest(folder);
    if (verify) await verifyShards(folder, manifest, split);
    const reader = new ShardReader(folder, manifest, split, length);
    if (reader.sequences === 0) {
      const { tokens } = manifest[split];
      const remedy = split === 'heldOut' ? 'hold out a larger share' : 'add text';
      throw new InputError(folder, `its ${tokens} ${split} tokens are no sequence of ${length}: ${remedy}`);
    }
    return reader;
  }

  /**
   * The batch of training step `step`: rows `step * rows ...` of an endless sequence of epochs, each in a random order of its own. Depends on
   * the arguments alone, so a run resumes with nothing but its step.
   */
  batch(step: number, rows: number, seed: number): Batch {
    const first = step * rows;
    const tokens = new Int32Array(rows * (this.length + 1));
    for (let row = 0; row < rows; row++) {
      const epoch = Math.floor((first + row) / this.sequences);
      const place = (first + row) % this.sequences;
      this.#readWindow(this.#orderOf(seed, epoch).at(place), tokens, row);
    }
    return { tokens, rows, epoch: Math.floor(first / this.sequences) };
  }

  /** All sequences once, in the order of the text; the last batch may have fewer rows. */
  *inOrder(rows: number): Generator<Batch> {
    for (let first = 0; first < this.sequences; first += rows) {
      const count = Math.min(rows, this.sequences - first);
      const tokens = new Int32Array(count * (this.length + 1));
      for (let row = 0; row < count; row++) this.#readWindow(first + row, tokens, row);
      yield { tokens, rows: count, epoch: 0 };
    }
  }

  /** Text bytes a token stands for on average: nats a token over this and over ln 2 are bits a byte. */
  get bytesPerToken(): number {
    const { bytes, tokens } = this.manifest[this.split];
    return bytes / tokens;
  }

  close(): void {
    for (const file of this.#files.splice(0)) if (file !== undefined) closeSync(file);
  }

  #orderOf(seed: number, epoch: number): Permutation {
    const held = this.#order;
    if (held?.seed === seed && held.epoch === epoch) return held.order;
    const order = new Permutation(this.sequences, Rng.from(seed, 'sequences', epoch));
    this.#order = { seed, epoch, order };
    return order;
  }

  /** Copies window `index` into row `row`. */
  #readWindow(index: number, into: Int32Array, row: number): void {
    const { shardTokens, tokenizer } = this.manifest;
    let at = row * (this.length + 1);
    const stop = at + this.length + 1;
    for (let from = index * this.length; at < stop; ) {
      const shard = Math.floor(from / shardTokens);
      const within = from % shardTokens;
      const count = Math.min(stop - at, shardTokens - within);
      for (const id of this.#read(shard, within, count)) {
        if (id >= tokenizer.vocabSize) throw this.#broken(shard, `token id ${id} is outside the vocabulary`);
        into[at++] = id;
      }
      from += count;
    }
  }

  #read(shard: number, from: number, count: number): Uint16Array | Uint32Array {
    const bytes = Buffer.allocUnsafe(count * this.#width);
    let read = 0;
    try {
      this.#files[shard] ??= openSync(this.#path(shard), 'r');
      while (read < bytes.length) {
        const position = from * this.#width + read;
        const got = readSync(this.#files[shard], bytes, read, bytes.length - read, position);
        if (got === 0) break;
        read += got;
      }
    } catch (error) {
      throw this.#broken(shard, messageOf(error));
    }
    if (read < bytes.length) throw this.#broken(shard, 'the file is shorter than the manifest says');
    return tokensOf(bytes, this.#width);
  }

  #path(shard: number): string {
    return join(this.#folder, this.manifest[this.split].shards[shard]!.file);
  }

  #broken(shard: number, message: string): InputError {
    return new InputError(this.#path(shard), message);
  }
}
