/**
 * Pair codes. All that BM25 asks of a posting is how often the term occurs and how long the document is, and few such pairs exist:
 * some thousands in millions of passages. So a posting keeps the 16-bit number of its pair, and scoring one is a table look-up, whatever
 * the variant and its parameters. Should a collection have more pairs, the rarest share one code and are looked up the long way.
 */
import { threadId } from 'node:worker_threads';
import { shared } from './shared.ts';

/** The code of pairs that have none of their own. */
export const RARE = 0xffff;

/** `tfs[code]` and `lengths[code]`: the pair of each code, by ascending frequency, then length. At most 65,535. */
export interface Codebook {
  readonly tfs: Uint32Array;
  readonly lengths: Uint32Array;
}

/** Pairs up to these limits are counted, and later found, in flat tables; the rest in a map. */
const FLAT_TF = 16;
const FLAT_LENGTH = 4096;

/** Lengths and frequencies are below 2^26 and 2^27: a text has fewer tokens than a string has units. */
const TF_STEP = 2 ** 26;

/** What a thread has counted. */
export interface PairCounts {
  readonly thread: number;
  /** All it has counted so far of the pairs within the limits, in memory that threads share. */
  readonly flat: Float64Array;
  /** The others since the last `take`: pair and count in turn. */
  readonly others: Float64Array;
}

/** Counts the pairs of a collection. */
export class PairCounter {
  readonly #flat = shared(Float64Array, FLAT_TF * FLAT_LENGTH);
  readonly #others = new Map<number, number>();

  count(tf: number, length: number): void {
    if (tf < FLAT_TF && length < FLAT_LENGTH) this.#flat[tf * FLAT_LENGTH + length]!++;
    else this.#add(tf * TF_STEP + length, 1);
  }

  /** Hands over what was counted. */
  take(): PairCounts {
    const others = Float64Array.from([...this.#others].flat());
    this.#others.clear();
    return { thread: threadId, flat: this.#flat, others };
  }

  /** Adds pairs that a thread counted: `flat` or `others`. */
  addFlat(flat: Float64Array): void {
    for (let i = 0; i < flat.length; i++) this.#flat[i]! += flat[i]!;
  }

  addOthers(others: Float64Array): void {
    for (let i = 0; i < others.length; i += 2) this.#add(others[i]!, others[i + 1]!);
  }

  #add(pair: number, count: number): void {
    this.#others.set(pair, (this.#others.get(pair) ?? 0) + count);
  }

  /** Codes for all pairs, or for the most frequent `limit` of them. */
  codebook(limit = RARE): Codebook {
    let pairs = [...this.#others].map(([pair, count]) => ({ pair, count }));
    for (let i = 0; i < this.#flat.length; i++) {
      const pair = Math.floor(i / FLAT_LENGTH) * TF_STEP + (i % FLAT_LENGTH);
      if (this.#flat[i]! > 0) pairs.push({ pair, count: this.#flat[i]! });
    }
    if (pairs.length > limit)
      pairs = pairs.sort((a, b) => b.count - a.count || a.pair - b.pair).slice(0, limit);
    pairs.sort((a, b) => a.pair - b.pair);
    const [tfs, lengths] = [shared(Uint32Array, pairs.length), shared(Uint32Array, pairs.length)];
    pairs.forEach(({ pair }, code) => {
      tfs[code] = Math.floor(pair / TF_STEP);
      lengths[code] = pair % TF_STEP;
    });
    return { tfs, lengths };
  }
}

/** Finds the code of a pair. */
export class CodeFinder {
  readonly #flat = new Uint16Array(FLAT_TF * FLAT_LENGTH).fill(RARE);
  readonly #others = new Map<number, number>();

  constructor({ tfs, lengths }: Codebook) {
    for (let code = 0; code < tfs.length; code++) {
      const [tf, length] = [tfs[code]!, lengths[code]!];
      if (tf < FLAT_TF && length < FLAT_LENGTH) this.#flat[tf * FLAT_LENGTH + length] = code;
      else this.#others.set(tf * TF_STEP + length, code);
    }
  }

  of(tf: number, length: number): number {
    if (tf < FLAT_TF && length < FLAT_LENGTH) return this.#flat[tf * FLAT_LENGTH + length]!;
    return this.#others.get(tf * TF_STEP + length) ?? RARE;
  }
}
