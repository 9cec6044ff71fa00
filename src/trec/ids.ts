/**
 * A table of distinct ids, numbered in the order they were added: exact, and an order of magnitude smaller than a `Map` of strings
 * (about 20 bytes an id besides its text), so that the duplicates of a corpus of ten million documents can be found while it streams by.
 */
import { InputError, startOf, withRoom } from '../base/index.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const LARGEST_TEXT = 2 ** 32 - 1;

/** Ids as bytes one after the other, id i being `ends[i-1] .. ends[i]` of `text`, with their `hashBytes`. */
export interface HashedIds {
  readonly text: Uint8Array;
  readonly ends: Uint32Array;
  readonly hashes: Uint32Array;
}

export class IdTable {
  #slots = new Int32Array(64); // open addressing: 0 is free, else the id's number + 1
  #hashes = new Uint32Array(32);
  #ends = new Uint32Array(32); // id i is bytes ends[i-1] .. ends[i]
  #text = new Uint8Array(256);
  #scratch = new Uint8Array(256);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The number of this id: its earlier one, or the next free one if it is new (then `size` has grown). */
  add(id: string): number {
    const length = this.#encode(id);
    return this.addBytes(this.#scratch, 0, length);
  }

  /** The same for an id that is spelled by the bytes `from .. to`. */
  addBytes(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashBytes(bytes, from, to);
    const slot = this.#slotOf(bytes, from, to, hash);
    const found = this.#slots[slot]!;
    return found > 0 ? found - 1 : this.#insert(bytes, from, to, hash, slot);
  }

  /** The number of this id, or -1 if it was never added. */
  find(id: string): number {
    const length = this.#encode(id);
    return this.findBytes(this.#scratch, 0, length, hashBytes(this.#scratch, 0, length));
  }

  has(id: string): boolean {
    return this.find(id) >= 0;
  }

  /** The number of the id that the bytes `from .. to` spell, or -1; `hash` is their `hashBytes`. */
  findBytes(bytes: Uint8Array, from: number, to: number, hash: number): number {
    return this.#slots[this.#slotOf(bytes, from, to, hash)]! - 1;
  }

  /** `findBytes` for many rows at once: `found[i]` becomes the number of the id of `rows[i]`, or -1. Most ids asked for are not in the table. */
  findRows(ids: HashedIds, rows: Uint32Array, found: Int32Array): void {
    const { hashes, text, ends } = ids;
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      const hash = hashes[row]!;
      if (slots[hash & mask] === 0) found[i] = -1;
      else found[i] = this.findBytes(text, startOf(ends, row), ends[row]!, hash);
    }
  }

  /** The id with this number. */
  at(index: number): string {
    return decoder.decode(this.#text.subarray(startOf(this.#ends, index), this.#ends[index]!));
  }

  #encode(id: string): number {
    if (this.#scratch.length < 3 * id.length) this.#scratch = new Uint8Array(6 * id.length);
    const scratch = this.#scratch;
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i);
      if (unit > 127) return encoder.encodeInto(id, scratch).written;
      scratch[i] = unit;
    }
    return id.length;
  }

  #slotOf(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]! - 1;
      if (index < 0) return slot;
      if (this.#hashes[index] === hash && this.#equals(index, bytes, from, to)) return slot;
    }
  }

  #equals(index: number, bytes: Uint8Array, from: number, to: number): boolean {
    return equalBytes(this.#text, startOf(this.#ends, index), this.#ends[index]!, bytes, from, to);
  }

  #insert(bytes: Uint8Array, from: number, to: number, hash: number, slot: number): number {
    const index = this.#size;
    const start = startOf(this.#ends, index);
    const length = to - from;
    if (start + length > LARGEST_TEXT) throw new InputError('', 'the ids take more than 4 GiB of text');
    this.#text = withRoom(this.#text, start + length);
    this.#ends = withRoom(this.#ends, index + 1);
    this.#hashes = withRoom(this.#hashes, index + 1);
    for (let i = 0; i < length; i++) this.#text[start + i] = bytes[from + i]!;
    this.#ends[index] = start + length;
    this.#hashes[index] = hash;
    this.#slots[slot] = index + 1;
    this.#size++;
    if (2 * this.#size > this.#slots.length) this.#growSlots();
    return index;
  }

  #growSlots(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#size; index++) {
      let slot = this.#hashes[index]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a over bytes, with a final mix because tables use the low bits. */
export function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = FNV_OFFSET;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
  return mixed(hash);
}

/** The same hash, while the bytes are copied to `target` from `at` on. */
export function copyAndHash(
  bytes: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): number {
  let hash = FNV_OFFSET;
  for (let i = from, j = at; i < to; i++, j++) {
    const byte = bytes[i]!;
    target[j] = byte;
    hash = Math.imul(hash ^ byte, FNV_PRIME);
  }
  return mixed(hash);
}

function mixed(hash: number): number {
  const folded = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (folded ^ (folded >>> 13)) >>> 0;
}

export function equalBytes(
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number,
): boolean {
  if (aTo - aFrom !== bTo - bFrom) return false;
  for (let i = aFrom, j = bFrom; i < aTo; i++, j++) if (a[i] !== b[j]) return false;
  return true;
}
