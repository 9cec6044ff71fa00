/** Cuts the token stream of one split into shards: each is gathered in memory, written whole, and recorded. */
import { join } from 'node:path';
import { sha256, writeFileAtomic } from '../../base/index.ts';
import type { EncodedPart } from './encode-documents.ts';
import { type ShardRecord, type Split, type SplitCounts, shardName } from './manifest.ts';
import { largestOf, littleEndian, type TokenArray } from './token-arrays.ts';

export class ShardWriter {
  readonly #folder: string;
  readonly #split: Split;
  readonly #buffer: TokenArray;
  #filled = 0;
  #documents = 0;
  #tokens = 0;
  #bytes = 0;
  readonly #shards: ShardRecord[] = [];

  constructor(folder: string, split: Split, shardTokens: number, width: 2 | 4) {
    this.#folder = folder;
    this.#split = split;
    this.#buffer = width === 2 ? new Uint16Array(shardTokens) : new Uint32Array(shardTokens);
  }

  /** Counts so far, and the shards written. */
  get counts(): SplitCounts {
    return {
      documents: this.#documents,
      tokens: this.#tokens,
      bytes: this.#bytes,
      shards: [...this.#shards],
    };
  }

  /** Tokens that are in no shard yet. */
  get rest(): TokenArray {
    return this.#buffer.subarray(0, this.#filled);
  }

  /** Goes on where another writer stopped. */
  restore(counts: SplitCounts, rest: TokenArray): void {
    this.#documents = counts.documents;
    this.#tokens = counts.tokens;
    this.#bytes = counts.bytes;
    this.#shards.push(...counts.shards);
    this.#buffer.set(rest);
    this.#filled = rest.length;
  }

  async append({ ids, documents, bytes }: EncodedPart): Promise<void> {
    for (let from = 0; from < ids.length; ) {
      const to = Math.min(ids.length, from + this.#buffer.length - this.#filled);
      this.#buffer.set(ids.subarray(from, to), this.#filled);
      this.#filled += to - from;
      from = to;
      if (this.#filled === this.#buffer.length) await this.#write();
    }
    this.#documents += documents;
    this.#tokens += ids.length;
    this.#bytes += bytes;
  }

  /** Writes what is left as the last, shorter shard. */
  async finish(): Promise<SplitCounts> {
    if (this.#filled > 0) await this.#write();
    return this.counts;
  }

  async #write(): Promise<void> {
    const file = shardName(this.#split, this.#shards.length);
    const tokens = this.rest;
    const bytes = littleEndian(tokens);
    await writeFileAtomic(join(this.#folder, file), bytes);
    this.#shards.push({ file, tokens: tokens.length, maxId: largestOf(tokens), sha256: sha256(bytes) });
    this.#filled = 0;
  }
}
