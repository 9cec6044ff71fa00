/** Word n-grams of test texts, and which of them a corpus holds, in bounded memory. */
import { WordHashes } from './words.ts';

/** Odd multipliers of the rolling hashes. */
const BASE = [0x9e3779b1, 0x85ebca6b] as const;

/** A set of n-grams by their 64-bit hashes, with a mark on those that were met. */
export class NgramSet {
  readonly n: number;
  readonly #most: number;
  readonly #words = new WordHashes();
  /** BASE to the power of n, by which the word that leaves the window was multiplied. */
  readonly #leaving: readonly [number, number];
  #high = new Uint32Array(1 << 16);
  #low = new Uint32Array(1 << 16);
  /** 0: free, 1: in the set, 2: met. */
  #state = new Uint8Array(1 << 16);
  #size = 0;
  /** Only n-grams whose hash has zeros in these bits are looked at. */
  #sample = 0;

  /** Keeps at most `most` n-grams: above that a fair sample of them, halved as often as it takes. */
  constructor(n: number, most: number) {
    this.n = n;
    this.#most = most;
    this.#leaving = [power(BASE[0], n), power(BASE[1], n)];
  }

  /** The share of all n-grams that is looked at: 1, 1/2, 1/4... */
  get sampled(): number {
    return 1 / (this.#sample + 1);
  }

  /** Puts the n-grams of a text into the set. */
  add(text: string): void {
    this.#each(text, (high, low) => this.#insert(high, low, 1));
  }

  /** Marks those of the set that a text holds. */
  meet(text: string): void {
    this.#each(text, (high, low) => {
      const slot = this.#find(high, low);
      if (this.#state[slot] !== 0) this.#state[slot] = 2;
    });
  }

  /** How many n-grams of a text are looked at, and how many of these were met. */
  count(text: string): { readonly looked: number; readonly met: number } {
    let [looked, met] = [0, 0];
    this.#each(text, (high, low) => {
      looked++;
      if (this.#state[this.#find(high, low)] === 2) met++;
    });
    return { looked, met };
  }

  #each(text: string, visit: (high: number, low: number) => void): void {
    const { n } = this;
    const words = this.#words;
    words.read(text);
    const { first, second, length } = words;
    let [a, b] = [0, 0];
    for (let i = 0; i < length; i++) {
      a = (Math.imul(a, BASE[0]) + first[i]!) | 0;
      b = (Math.imul(b, BASE[1]) + second[i]!) | 0;
      if (i >= n) {
        a = (a - Math.imul(first[i - n]!, this.#leaving[0])) | 0;
        b = (b - Math.imul(second[i - n]!, this.#leaving[1])) | 0;
      }
      if (i < n - 1) continue;
      const low = mixed(b);
      if ((low & this.#sample) === 0) visit(mixed(a), low);
    }
  }

  /** The slot of an n-gram, or the free one where it belongs. */
  #find(high: number, low: number): number {
    const mask = this.#state.length - 1;
    let slot = high & mask;
    while (this.#state[slot] !== 0 && (this.#high[slot] !== high || this.#low[slot] !== low))
      slot = (slot + 1) & mask;
    return slot;
  }

  #insert(high: number, low: number, state: number): void {
    const slot = this.#find(high, low);
    if (this.#state[slot] !== 0) return;
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#state[slot] = state;
    this.#size++;
    while (this.#size > this.#most) {
      this.#sample = this.#sample * 2 + 1;
      this.#rebuild(this.#state.length);
    }
    if (this.#size > this.#state.length / 2) this.#rebuild(this.#state.length * 2);
  }

  #rebuild(slots: number): void {
    const [high, low, state] = [this.#high, this.#low, this.#state];
    this.#high = new Uint32Array(slots);
    this.#low = new Uint32Array(slots);
    this.#state = new Uint8Array(slots);
    this.#size = 0;
    for (let i = 0; i < state.length; i++) {
      if (state[i] === 0 || (low[i]! & this.#sample) !== 0) continue;
      const slot = this.#find(high[i]!, low[i]!);
      this.#high[slot] = high[i]!;
      this.#low[slot] = low[i]!;
      this.#state[slot] = state[i]!;
      this.#size++;
    }
  }
}

/** Spreads what differs over all 32 bits (the finalizer of MurmurHash3): the low bits of a rolling hash are poor. */
function mixed(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function power(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = Math.imul(result, base);
  return result;
}
