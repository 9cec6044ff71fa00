import { IntVector } from './int-vector.ts';

/** Distinct pairs of token ids numbered 0, 1, 2, ... in the order they were first added: an open-addressing hash table. */
export class PairTable {
  /** Three numbers a slot: left, right, index plus one (0 marks an empty slot). */
  #slots: Int32Array;
  #mask: number;
  /** Left and right of every pair, in the order of their numbers. */
  readonly #members = new IntVector();

  constructor(pairs = 1 << 12) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(2, pairs) * 2));
    this.#slots = new Int32Array(slots * 3);
    this.#mask = slots - 1;
  }

  get size(): number {
    return this.#members.length / 2;
  }

  left(pair: number): number {
    return this.#members.at(pair * 2);
  }

  right(pair: number): number {
    return this.#members.at(pair * 2 + 1);
  }

  /** The pair's number, or -1. */
  find(left: number, right: number): number {
    return this.#slots[this.#seek(left, right) + 2]! - 1;
  }

  /** The pair's number; a new pair gets the number `size`. */
  intern(left: number, right: number): number {
    const at = this.#seek(left, right);
    const found = this.#slots[at + 2]!;
    if (found !== 0) return found - 1;
    this.#slots[at] = left;
    this.#slots[at + 1] = right;
    this.#members.push(left);
    this.#members.push(right);
    const size = this.size;
    this.#slots[at + 2] = size;
    if (size * 2 > this.#mask) this.#grow();
    return size - 1;
  }

  /** Where the pair is, or the empty slot where it would be. */
  #seek(left: number, right: number): number {
    const slots = this.#slots;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca77);
    hash ^= hash >>> 15;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = slot * 3;
      if (slots[at + 2] === 0 || (slots[at] === left && slots[at + 1] === right)) return at;
    }
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Int32Array(old.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let from = 0; from < old.length; from += 3) {
      if (old[from + 2] === 0) continue;
      const to = this.#seek(old[from]!, old[from + 1]!);
      this.#slots[to] = old[from]!;
      this.#slots[to + 1] = old[from + 1]!;
      this.#slots[to + 2] = old[from + 2]!;
    }
  }
}
