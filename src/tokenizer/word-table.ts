/** Distinct byte strings numbered 0, 1, 2, ... in the order they were first seen: an open-addressing hash table over typed arrays. */

/** Slots stay at most half full. */
const LOAD = 2;

export class WordTable {
  /** All words, one after another. */
  #arena: Uint8Array;
  /** Word `i` is `arena[starts[i] .. starts[i + 1])`. */
  #starts: Uint32Array;
  /** Two numbers a slot, so that a probe touches one cache line: a word's hash, and its index plus one (0: empty). */
  #slots: Int32Array;
  #size = 0;

  constructor(words = 1 << 12) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(2, words)));
    this.#arena = new Uint8Array(capacity * 8);
    this.#starts = new Uint32Array(capacity + 1);
    this.#slots = new Int32Array(capacity * LOAD * 2);
  }

  get size(): number {
    return this.#size;
  }

  /** How many words fit before the next growth: arrays kept beside the table grow with it. */
  get capacity(): number {
    return this.#starts.length - 1;
  }

  /** Bytes of all words together. */
  get bytes(): number {
    return this.#starts[this.#size]!;
  }

  /** The words' bytes and where each begins (`size + 1` numbers); views, valid until the next `intern`. */
  contents(): { readonly arena: Uint8Array; readonly starts: Uint32Array } {
    return {
      arena: this.#arena.subarray(0, this.bytes),
      starts: this.#starts.subarray(0, this.#size + 1),
    };
  }

  /** The number of the word `bytes[from .. to)`; a new word gets the number `size`. */
  intern(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashOfBytes(bytes, from, to);
    const slots = this.#slots;
    const mask = slots.length - 2;
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const index = slots[slot + 1]! - 1;
      if (index < 0) return this.#append(bytes, from, to, hash, slot);
      if (slots[slot] === hash && this.#equals(index, bytes, from, to)) return index;
    }
  }

  clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
  }

  #equals(index: number, bytes: Uint8Array, from: number, to: number): boolean {
    const arena = this.#arena;
    const start = this.#starts[index]!;
    const length = to - from;
    if (this.#starts[index + 1]! - start !== length) return false;
    for (let i = 0; i < length; i++) if (arena[start + i] !== bytes[from + i]) return false;
    return true;
  }

  #append(bytes: Uint8Array, from: number, to: number, hash: number, slot: number): number {
    const index = this.#size++;
    const start = this.#starts[index]!;
    const end = start + to - from;
    if (end > this.#arena.length) this.#growArena(end);
    for (let i = from, at = start; i < to; i++, at++) this.#arena[at] = bytes[i]!;
    this.#starts[index + 1] = end;
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = index + 1;
    if (this.#size === this.capacity) this.#grow();
    return index;
  }

  #growArena(needed: number): void {
    if (needed > 0xffff_ffff) throw new RangeError('more than 4 GiB of distinct words');
    const arena = new Uint8Array(Math.min(0xffff_ffff, Math.max(needed, this.#arena.length * 2)));
    arena.set(this.#arena);
    this.#arena = arena;
  }

  #grow(): void {
    const starts = new Uint32Array(this.capacity * 2 + 1);
    starts.set(this.#starts);
    this.#starts = starts;
    const old = this.#slots;
    const slots = new Int32Array(old.length * 2);
    const mask = slots.length - 2;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === 0) continue;
      let to = (old[from]! << 1) & mask;
      while (slots[to + 1] !== 0) to = (to + 2) & mask;
      slots[to] = old[from]!;
      slots[to + 1] = old[from + 1]!;
    }
    this.#slots = slots;
  }
}

/** FNV-1a with a final mix, because the low bits choose the slot. */
function hashOfBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
