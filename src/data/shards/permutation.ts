/**
 * A random order of 0 .. n-1 that needs no memory: a Feistel network permutes the numbers below a power of four, and numbers of n and
 * above are sent through it again until they land below n (cycle walking; Black & Rogaway 2002).
 */
import type { Rng } from '../../base/index.ts';

const ROUNDS = 8;
/** Below this many bits a half, a network reaches too few of the possible orders. */
const LEAST_HALF_BITS = 4;

export class Permutation {
  readonly #size: number;
  readonly #half: number;
  readonly #keys: readonly number[];

  /** An order of 0 .. size-1 (size up to 2^50) drawn from `rng`. */
  constructor(size: number, rng: Rng) {
    if (!(Number.isInteger(size) && size >= 1 && size <= 2 ** 50))
      throw new RangeError(`cannot order ${size} things`);
    const bits = Math.ceil(Math.log2(size) / 2);
    this.#size = size;
    this.#half = 2 ** Math.max(LEAST_HALF_BITS, bits);
    this.#keys = Array.from({ length: ROUNDS }, () => rng.uint32());
  }

  /** What stands at place `index` of the order. */
  at(index: number): number {
    let value = index;
    do value = this.#scramble(value);
    while (value >= this.#size);
    return value;
  }

  #scramble(value: number): number {
    const half = this.#half;
    let left = Math.floor(value / half);
    let right = value % half;
    for (const key of this.#keys) {
      const next = (left ^ mix(right, key)) & (half - 1);
      left = right;
      right = next;
    }
    return left * half + right;
  }
}

/** Murmur3's finaliser, keyed. */
function mix(value: number, key: number): number {
  let hash = value ^ key;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
