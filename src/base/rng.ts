/**
 * Seeded random numbers: xoshiro128** (Blackman & Vigna, 2018), seeded through SHA-256 of a path of names, so that
 * every use has a stream of its own (`Rng.from(17, 'shuffle', epoch)`) and none shifts when another is added.
 */
import { createHash } from 'node:crypto';

export type RngState = readonly [number, number, number, number];

export class Rng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  private constructor(state: RngState) {
    [this.#a, this.#b, this.#c, this.#d] = state;
  }

  /** The stream named by a seed and a path; equal names give equal streams on every platform. */
  static from(seed: number | string, ...path: readonly (number | string)[]): Rng {
    const digest = createHash('sha256')
      .update(JSON.stringify([String(seed), ...path.map(String)]))
      .digest();
    const word = (i: number) => digest.readUInt32LE(4 * i);
    return new Rng([word(0) | 1, word(1), word(2), word(3)]); // the all-zero state is the one forbidden state
  }

  static fromState(state: RngState): Rng {
    return new Rng(state);
  }

  /** All there is to save: `Rng.fromState(rng.state())` continues the stream. */
  state(): RngState {
    return [this.#a, this.#b, this.#c, this.#d];
  }

  /** Uniform integer in 0 .. 2^32-1. */
  uint32(): number {
    const scaled = Math.imul(this.#b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** Uniform in [0, 1) with 53 random bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 67108864 + (this.uint32() >>> 6)) / 9007199254740992;
  }

  /** Uniform integer in 0 .. n-1, without modulo bias, for 1 <= n <= 2^32. */
  int(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    let draw = this.uint32();
    while (draw >= limit) draw = this.uint32();
    return draw % n;
  }

  /** Standard normal (Marsaglia's polar method; the second value of each pair is dropped so that the state stays four words). */
  normal(): number {
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * Math.log(s)) / s);
    }
  }

  /** Shuffles in place (Fisher-Yates) and returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const held = items[i];
      items[i] = items[j];
      items[j] = held;
    }
    return items;
  }

  /** A random order of 0 .. n-1. */
  permutation(n: number): Uint32Array {
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    return this.shuffle(order);
  }
}
