/** Sets and lists of strings under construction, kept in a few flat arrays instead of one object each. */
import { type PackedStrings, startOf, withRoom } from '../base/index.ts';
import { shared, sharedRoom } from './shared.ts';

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Units of a string that a slot holds itself. */
const INLINE_UNITS = 8;
/** Numbers a slot. */
const SLOT = 4;

/**
 * Gives every distinct string a number, counted from 0 in order of arrival. Strings are looked up as ranges of a longer text,
 * so that a word of a document costs no object. FNV-1a over UTF-16 units, open addressing, at most half full.
 *
 * A look-up in a table of a million words waits for memory and for little else. So a slot holds all of a string of up to 8 ASCII
 * letters, which most words are: one line of the cache is fetched, where the hash, the place and the letters would be three. The short and
 * the long look-up are written out each by itself: in one, with a branch in the middle, they take a fourth longer.
 */
export class StringTable {
  #size = 0;
  /**
   * A slot: the hash, the number + 1 (0: free), the first four units and the last four, a byte each. Of a string that does not fit the number
   * is negative, and instead of units come the place in `#units` and the length.
   */
  #slots = new Int32Array(SLOT * 1024);
  #units = shared(Uint16Array, 8 * 1024);
  #ends = shared(Uint32Array, 1024);

  get size(): number {
    return this.#size;
  }

  /** The number of `text.slice(start, end)`, which is added if it is new: then the number is the `size` of before. */
  intern(text: string, start: number, end: number): number {
    return end - start <= INLINE_UNITS
      ? this.#internShort(text, start, end)
      : this.#internLong(text, start, end);
  }

  #internShort(text: string, start: number, end: number): number {
    let [hash, first, second, fits] = [FNV_BASIS, 0, 0, true];
    for (let i = start, shift = 0; i < end; i++, shift += 8) {
      const unit = text.charCodeAt(i);
      hash = Math.imul(hash ^ unit, FNV_PRIME);
      if (unit === 0 || unit > 127) fits = false;
      if (shift < 32) first |= unit << shift;
      else second |= unit << shift; // shifts count modulo 32
    }
    if (!fits) return this.#internLong(text, start, end);
    hash ^= hash >>> 15;
    const slots = this.#slots;
    const mask = slots.length / SLOT - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = SLOT * slot;
      const number = slots[at + 1]!;
      if (number === 0) {
        const added = this.#add(text, start, end);
        this.#fill(at, hash, added + 1, first, second);
        return added;
      }
      if (number > 0 && slots[at + 2] === first && slots[at + 3] === second) return number - 1;
    }
  }

  #internLong(text: string, start: number, end: number): number {
    let hash = FNV_BASIS;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
    hash ^= hash >>> 15;
    const slots = this.#slots;
    const mask = slots.length / SLOT - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = SLOT * slot;
      const number = slots[at + 1]!;
      if (number === 0) {
        const added = this.#add(text, start, end);
        this.#fill(at, hash, -added - 1, this.#ends[added]! - (end - start), end - start);
        return added;
      }
      if (
        number < 0 &&
        slots[at] === hash &&
        this.#equals(slots[at + 2]! >>> 0, slots[at + 3]!, text, start, end)
      )
        return -number - 1;
    }
  }

  /** The string with that number. */
  at(number: number): string {
    const from = startOf(this.#ends, number);
    return String.fromCharCode(...this.#units.subarray(from, this.#ends[number]!));
  }

  /** All strings, in memory that threads share: string i ends at `ends[i]`; `size` of them are there. */
  all(): { readonly units: Uint16Array; readonly ends: Uint32Array; readonly size: number } {
    return { units: this.#units, ends: this.#ends, size: this.#size };
  }

  #equals(from: number, length: number, text: string, start: number, end: number): boolean {
    if (length !== end - start) return false;
    const units = this.#units;
    for (let i = start, at = from; i < end; i++, at++) if (units[at] !== text.charCodeAt(i)) return false;
    return true;
  }

  /** Keeps a new string. */
  #add(text: string, start: number, end: number): number {
    const number = this.#size++;
    let at = startOf(this.#ends, number);
    this.#units = sharedRoom(Uint16Array, this.#units, at + end - start);
    this.#ends = sharedRoom(Uint32Array, this.#ends, number + 1);
    for (let i = start; i < end; i++) this.#units[at++] = text.charCodeAt(i);
    this.#ends[number] = at;
    return number;
  }

  #fill(at: number, hash: number, signed: number, third: number, fourth: number): void {
    const slots = this.#slots;
    slots[at] = hash;
    slots[at + 1] = signed;
    slots[at + 2] = third;
    slots[at + 3] = fourth;
    if (2 * SLOT * this.#size > slots.length) this.#rehash();
  }

  #rehash(): void {
    const old = this.#slots;
    const slots = new Int32Array(2 * old.length);
    const mask = slots.length / SLOT - 1;
    for (let i = 0; i < old.length; i += SLOT) {
      if (old[i + 1] === 0) continue;
      let slot = old[i]! & mask;
      while (slots[SLOT * slot + 1] !== 0) slot = (slot + 1) & mask;
      for (let k = 0; k < SLOT; k++) slots[SLOT * slot + k] = old[i + k]!;
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

  /** Where the next string begins. */
  get #end(): number {
    return startOf(this.#ends, this.#count);
  }

  push(text: string): void {
    const from = this.#end;
    this.#makeRoom(from, 3 * text.length); // UTF-8 takes at most three bytes a UTF-16 unit
    this.#endAt(from + this.#bytes.write(text, from, 'utf8'));
  }

  /** Adds the string of these UTF-16 units. */
  pushUnits(units: Uint16Array, start: number, end: number): void {
    const from = this.#end;
    this.#makeRoom(from, end - start);
    const bytes = this.#bytes;
    let all = 0;
    for (let i = start, at = from; i < end; i++) all |= bytes[at++] = units[i]!;
    if (all > 127) this.push(String.fromCharCode(...units.subarray(start, end)));
    else this.#endAt(from + end - start);
  }

  /** Adds string `i` of others. */
  pushFrom({ bytes, ends }: PackedStrings, i: number): void {
    const from = this.#end;
    const [start, end] = [startOf(ends, i), ends[i]!];
    this.#makeRoom(from, end - start);
    const own = this.#bytes;
    for (let k = start, at = from; k < end; k++) own[at++] = bytes[k]!;
    this.#endAt(from + end - start);
  }

  /** The strings of another packer, in their order. */
  pushAll({ bytes, ends }: PackedStrings): void {
    const from = this.#end;
    this.#makeRoom(from, bytes.length);
    this.#bytes.set(bytes, from);
    for (let i = 0; i < ends.length; i++) this.#endAt(from + ends[i]!);
  }

  #endAt(end: number): void {
    this.#ends = withRoom(this.#ends, this.#count + 1);
    this.#ends[this.#count++] = end;
  }

  #makeRoom(from: number, more: number): void {
    if (from + more <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(from + more, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, from);
    this.#bytes = larger;
  }

  packed(): PackedStrings {
    const ends = this.#ends.subarray(0, this.#count);
    return { bytes: this.#bytes.subarray(0, this.#end), ends };
  }
}
