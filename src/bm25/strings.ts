/** Sets of many short strings, kept in a few flat arrays instead of one object each. */

/** A typed array whose length doubles when it is full. */
export function grown<T extends Int32Array | Uint32Array | Uint16Array | Uint8Array>(
  array: T,
  needed: number,
): T {
  if (needed <= array.length) return array;
  const larger = new (array.constructor as new (length: number) => T)(Math.max(needed, 2 * array.length));
  larger.set(array);
  return larger;
}

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Gives every distinct string a number, counted from 0 in order of arrival. Strings are looked up as ranges of a longer text,
 * so that a word of a document costs no object. FNV-1a over UTF-16 units, open addressing, at most half full.
 */
export class StringTable {
  #size = 0;
  /** Pairs: the hash, and the number + 1 (0: free). */
  #slots = new Int32Array(2 * 1024);
  #units = new Uint16Array(8 * 1024);
  #ends = new Uint32Array(1024);

  get size(): number {
    return this.#size;
  }

  /** The number of `text.slice(start, end)`, which is added if it is new: then the number is the `size` of before. */
  intern(text: string, start: number, end: number): number {
    let hash = FNV_BASIS;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
    hash ^= hash >>> 15;
    const slots = this.#slots;
    const mask = slots.length / 2 - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = slots[2 * slot + 1]! - 1;
      if (number < 0) return this.#add(hash, slot, text, start, end);
      if (slots[2 * slot] === hash && this.#equals(number, text, start, end)) return number;
    }
  }

  /** The string with that number. */
  at(number: number): string {
    const from = number === 0 ? 0 : this.#ends[number - 1]!;
    return String.fromCharCode(...this.#units.subarray(from, this.#ends[number]!));
  }

  #equals(number: number, text: string, start: number, end: number): boolean {
    const units = this.#units;
    const from = number === 0 ? 0 : this.#ends[number - 1]!;
    if (this.#ends[number]! - from !== end - start) return false;
    for (let i = start, at = from; i < end; i++, at++) if (units[at] !== text.charCodeAt(i)) return false;
    return true;
  }

  #add(hash: number, slot: number, text: string, start: number, end: number): number {
    const number = this.#size++;
    let at = number === 0 ? 0 : this.#ends[number - 1]!;
    this.#units = grown(this.#units, at + end - start);
    this.#ends = grown(this.#ends, number + 1);
    for (let i = start; i < end; i++) this.#units[at++] = text.charCodeAt(i);
    this.#ends[number] = at;
    this.#slots[2 * slot] = hash;
    this.#slots[2 * slot + 1] = number + 1;
    if (4 * this.#size > this.#slots.length) this.#rehash();
    return number;
  }

  #rehash(): void {
    const old = this.#slots;
    const slots = new Int32Array(2 * old.length);
    const mask = slots.length / 2 - 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue;
      let slot = old[i]! & mask;
      while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
      slots[2 * slot] = old[i]!;
      slots[2 * slot + 1] = old[i + 1]!;
    }
    this.#slots = slots;
  }
}

/** Strings end to end as UTF-8: string `i` is bytes `ends[i - 1]` (0 for the first) to `ends[i]`. */
export interface PackedStrings {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** Grows a `PackedStrings` one string at a time. */
export class StringPacker {
  #bytes = Buffer.alloc(64 * 1024);
  #ends = new Uint32Array(4 * 1024);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(text: string): void {
    const from = this.#count === 0 ? 0 : this.#ends[this.#count - 1]!;
    const room = from + 3 * text.length; // UTF-8 takes at most three bytes a UTF-16 unit
    if (room > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(room, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, from);
      this.#bytes = larger;
    }
    this.#ends = grown(this.#ends, this.#count + 1);
    this.#ends[this.#count++] = from + this.#bytes.write(text, from, 'utf8');
  }

  packed(): PackedStrings {
    const ends = this.#ends.subarray(0, this.#count);
    return { bytes: this.#bytes.subarray(0, ends.at(-1) ?? 0), ends };
  }
}

/** String `i`. */
export function unpack(strings: PackedStrings, i: number): string {
  const { bytes, ends } = strings;
  const from = i === 0 ? 0 : ends[i - 1]!;
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, ends[i]! - from).toString('utf8');
}

/** -1, 0 or 1 as string `i` stands before, at or after these bytes in byte order. */
export function compareWith(strings: PackedStrings, i: number, other: Uint8Array): number {
  const { bytes, ends } = strings;
  const from = i === 0 ? 0 : ends[i - 1]!;
  const length = ends[i]! - from;
  const common = Math.min(length, other.length);
  for (let k = 0; k < common; k++) {
    const difference = bytes[from + k]! - other[k]!;
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(length - other.length);
}

/** The number of a string among strings in byte order, or -1. */
export function find(sorted: PackedStrings, text: string): number {
  const wanted = Buffer.from(text, 'utf8');
  let [low, high] = [0, sorted.ends.length - 1];
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = compareWith(sorted, middle, wanted);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/**
 * The order of strings by their bytes, which for UTF-8 is the order of code points: `order[0]` is the number of the first.
 * Multikey quicksort (Bentley & Sedgewick, 1997): strings that share a prefix have it compared once.
 */
export function packedOrder(strings: PackedStrings): Uint32Array {
  const { bytes, ends } = strings;
  const order = Uint32Array.from(ends.keys());
  /** The byte of a string at a depth, or -1 past its end. */
  const byteAt = (i: number, depth: number): number => {
    const at = (i === 0 ? 0 : ends[i - 1]!) + depth;
    return at < ends[i]! ? bytes[at]! : -1;
  };
  const pending: number[] = [0, order.length, 0];
  while (pending.length > 0) {
    const depth = pending.pop()!;
    const high = pending.pop()!;
    const low = pending.pop()!;
    if (high - low < 2) continue;
    const pivot = byteAt(order[(low + high) >>> 1]!, depth);
    let [less, greater] = [low, high];
    for (let i = low; i < greater; ) {
      const held = order[i]!;
      const byte = byteAt(held, depth);
      if (byte < pivot) {
        order[i++] = order[less]!;
        order[less++] = held;
      } else if (byte > pivot) {
        order[i] = order[--greater]!;
        order[greater] = held;
      } else i++;
    }
    pending.push(low, less, depth, greater, high, depth);
    if (pivot >= 0) pending.push(less, greater, depth + 1);
  }
  return order;
}
