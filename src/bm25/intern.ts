/** Sets and lists of strings under construction, kept in a few flat arrays instead of one object each. */
import { withRoom } from '../data/index.ts';
import type { PackedStrings } from './strings.ts';

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
    this.#units = withRoom(this.#units, at + end - start);
    this.#ends = withRoom(this.#ends, number + 1);
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
    this.#ends = withRoom(this.#ends, this.#count + 1);
    this.#ends[this.#count++] = from + this.#bytes.write(text, from, 'utf8');
  }

  packed(): PackedStrings {
    const ends = this.#ends.subarray(0, this.#count);
    return { bytes: this.#bytes.subarray(0, ends.at(-1) ?? 0), ends };
  }
}
