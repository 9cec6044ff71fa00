/** Sets and lists of strings under construction, kept in a few flat arrays instead of one object each. */
import { withRoom } from '../data/index.ts';
import type { PackedStrings } from './strings.ts';
import type { Tokens } from './words.ts';

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Units of a string that a slot holds itself. */
const INLINE_UNITS = 8;
/** Numbers a slot, and a key. */
const SLOT = 4;
const KEY = 3;
/** Strings with slots of their own: 256 KB of slots. */
const NEAR_STRINGS = 1 << 13;
/** In the second number of a key: the string does not fit into a slot. */
const LONG = -1;

/**
 * Gives every distinct string a number, counted from 0 in order of arrival. Strings are looked up as ranges of UTF-16 units,
 * so that a word of a document costs no object. FNV-1a over UTF-16 units, open addressing, at most half full.
 *
 * A look-up in a table of a million words waits for memory and for little else. So a slot holds all of a string of up to 8 ASCII
 * letters, which most words are: one line of the cache is fetched, where the hash, the place and the letters would be three. And the strings that
 * come first, which are the frequent ones of a natural text, have slots of their own, few enough to stay in a cache.
 */
export class StringTable {
  #size = 0;
  /**
   * A slot: the hash, the number + 1 (0: free), the first four units and the last four, a byte each. Of a string that does not fit the number
   * is negative, and instead of units come the place in `#units` and the length.
   */
  readonly #near = new Int32Array(SLOT * 2 * NEAR_STRINGS);
  #far = new Int32Array(SLOT * 1024);
  #units = new Uint16Array(8 * 1024);
  #ends = new Uint32Array(1024);
  /** Keys of the ranges being looked up: the hash, and the units as a slot has them; or the hash, `LONG` and the length. */
  #keys = new Int32Array(KEY * 64);
  /** Those of them that are not near. */
  #missed = new Uint32Array(64);
  /** Keeps the compiler from leaving out the reads that only fetch. */
  protected touched = 0;

  get size(): number {
    return this.#size;
  }

  /** The number of the string of these UTF-16 units, which is added if it is new: then the number is the `size` of before. */
  intern(units: Uint16Array, start: number, end: number): number {
    writeKey(this.#keys, 0, units, start, end);
    return this.#find(0, units, start, end);
  }

  /** The numbers of many at once: faster, because what they need of the far slots is asked for together, and so its ways from memory overlap. */
  internAll({ units, starts, ends, count }: Tokens, numbers: Uint32Array): void {
    this.#keys = withRoom(this.#keys, KEY * count);
    this.#missed = withRoom(this.#missed, count);
    const [keys, missed, near] = [this.#keys, this.#missed, this.#near];
    let misses = 0;
    for (let i = 0; i < count; i++) writeKey(keys, KEY * i, units, starts[i]!, ends[i]!);
    for (let i = 0; i < count; i++) {
      const number = near[this.#probe(near, KEY * i, units, starts[i]!) + 1]!;
      if (number === 0) missed[misses++] = i;
      else numbers[i] = Math.abs(number) - 1;
    }
    this.#fetch(misses);
    for (let k = 0; k < misses; k++) {
      const i = missed[k]!;
      numbers[i] = this.#find(KEY * i, units, starts[i]!, ends[i]!);
    }
  }

  #fetch(misses: number): void {
    const [keys, missed, far] = [this.#keys, this.#missed, this.#far];
    const mask = far.length / SLOT - 1;
    let touched = 0;
    for (let i = 0; i < misses; i++) touched ^= far[SLOT * (keys[KEY * missed[i]!]! & mask)]!;
    this.touched = touched;
  }

  /** The number of a string whose key is at `key`. */
  #find(key: number, units: Uint16Array, start: number, end: number): number {
    let slots = this.#near;
    let at = this.#probe(slots, key, units, start);
    if (slots[at + 1] === 0 && this.#size >= NEAR_STRINGS) {
      slots = this.#far;
      at = this.#probe(slots, key, units, start);
    }
    const number = slots[at + 1]!;
    return number === 0 ? this.#add(slots, at, key, units, start, end) : Math.abs(number) - 1;
  }

  /** The slot of a string, or the free one where it would be. */
  #probe(slots: Int32Array, key: number, units: Uint16Array, start: number): number {
    const keys = this.#keys;
    const [hash, first, second] = [keys[key]!, keys[key + 1]!, keys[key + 2]!];
    const mask = slots.length - SLOT;
    for (let at = (SLOT * hash) & mask; ; at = (at + SLOT) & mask) {
      const number = slots[at + 1]!;
      if (number === 0) return at;
      if (first !== LONG) {
        if (number > 0 && slots[at + 2] === first && slots[at + 3] === second) return at;
      } else if (number < 0 && slots[at] === hash && slots[at + 3] === second) {
        if (this.#holds(slots[at + 2]! >>> 0, units, start, second)) return at;
      }
    }
  }

  /** The number of a string, which is added if it is new. */
  internText(text: string): number {
    const units = unitsOf(text);
    return this.intern(units, 0, units.length);
  }

  /** The string with that number. */
  at(number: number): string {
    const from = number === 0 ? 0 : this.#ends[number - 1]!;
    return String.fromCharCode(...this.#units.subarray(from, this.#ends[number]!));
  }

  /** Copies of the strings from a number on, end to end as UTF-16: the first ends at `ends[0]`. */
  since(number: number): { readonly units: Uint16Array; readonly ends: Uint32Array } {
    const from = number === 0 ? 0 : this.#ends[number - 1]!;
    const ends = this.#ends.slice(number, this.#size);
    for (let i = 0; i < ends.length; i++) ends[i]! -= from;
    return { units: this.#units.slice(from, from + (ends.at(-1) ?? 0)), ends };
  }

  /** All strings, in the order of their numbers. */
  packed(): PackedStrings {
    const packer = new StringPacker();
    for (let i = 0, from = 0; i < this.#size; from = this.#ends[i++]!) {
      const end = this.#ends[i]!;
      if (!packer.pushAscii(this.#units, from, end)) packer.push(this.at(i));
    }
    return packer.packed();
  }

  /** Whether the units kept from `place` on are those from `start` on. */
  #holds(place: number, from: Uint16Array, start: number, length: number): boolean {
    const units = this.#units;
    for (let i = 0; i < length; i++) if (units[place + i] !== from[start + i]) return false;
    return true;
  }

  /** Keeps a new string, in a free slot. */
  #add(slots: Int32Array, at: number, key: number, from: Uint16Array, start: number, end: number): number {
    const keys = this.#keys;
    const number = this.#size++;
    const place = number === 0 ? 0 : this.#ends[number - 1]!;
    this.#units = withRoom(this.#units, place + end - start);
    this.#ends = withRoom(this.#ends, number + 1);
    this.#units.set(from.subarray(start, end), place);
    this.#ends[number] = place + end - start;
    const isLong = keys[key + 1] === LONG;
    slots[at] = keys[key]!;
    slots[at + 1] = isLong ? -number - 1 : number + 1;
    slots[at + 2] = isLong ? place : keys[key + 1]!;
    slots[at + 3] = keys[key + 2]!;
    if (2 * SLOT * (this.#size - NEAR_STRINGS) > this.#far.length) this.#rehash();
    return number;
  }

  #rehash(): void {
    const old = this.#far;
    const slots = new Int32Array(2 * old.length);
    const mask = slots.length - SLOT;
    for (let i = 0; i < old.length; i += SLOT) {
      if (old[i + 1] === 0) continue;
      let at = (SLOT * old[i]!) & mask;
      while (slots[at + 1] !== 0) at = (at + SLOT) & mask;
      for (let k = 0; k < SLOT; k++) slots[at + k] = old[i + k]!;
    }
    this.#far = slots;
  }
}

/** Writes the key of a range (see `StringTable`). */
function writeKey(keys: Int32Array, at: number, units: Uint16Array, start: number, end: number): void {
  let [hash, first, second] = [FNV_BASIS, 0, 0];
  let fits = end - start <= INLINE_UNITS;
  for (let i = start, shift = 0; i < end; i++, shift += 8) {
    const unit = units[i]!;
    hash = Math.imul(hash ^ unit, FNV_PRIME);
    if (unit === 0 || unit > 127) fits = false;
    if (shift < 32) first |= unit << shift;
    else second |= unit << shift; // shifts count modulo 32
  }
  keys[at] = hash ^ (hash >>> 15);
  keys[at + 1] = fits ? first : LONG;
  keys[at + 2] = fits ? second : end - start;
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
    this.#makeRoom(from, 3 * text.length); // UTF-8 takes at most three bytes a UTF-16 unit
    this.#ends = withRoom(this.#ends, this.#count + 1);
    this.#ends[this.#count++] = from + this.#bytes.write(text, from, 'utf8');
  }

  /** Adds the string of these UTF-16 units if they are all ASCII, and says whether they are. */
  pushAscii(units: Uint16Array, start: number, end: number): boolean {
    const from = this.#count === 0 ? 0 : this.#ends[this.#count - 1]!;
    this.#makeRoom(from, end - start);
    const bytes = this.#bytes;
    let all = 0;
    for (let i = start, at = from; i < end; i++) all |= bytes[at++] = units[i]!;
    if (all > 127) return false;
    this.#ends = withRoom(this.#ends, this.#count + 1);
    this.#ends[this.#count++] = from + end - start;
    return true;
  }

  /** The strings of another packer, in their order. */
  pushAll({ bytes, ends }: PackedStrings): void {
    const from = this.#count === 0 ? 0 : this.#ends[this.#count - 1]!;
    this.#makeRoom(from, bytes.length);
    this.#bytes.set(bytes, from);
    this.#ends = withRoom(this.#ends, this.#count + ends.length);
    for (let i = 0; i < ends.length; i++) this.#ends[this.#count++] = from + ends[i]!;
  }

  #makeRoom(from: number, more: number): void {
    if (from + more <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(from + more, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, from);
    this.#bytes = larger;
  }

  packed(): PackedStrings {
    const ends = this.#ends.subarray(0, this.#count);
    return { bytes: this.#bytes.subarray(0, ends.at(-1) ?? 0), ends };
  }
}

function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length);
  for (let i = 0; i < units.length; i++) units[i] = text.charCodeAt(i);
  return units;
}
