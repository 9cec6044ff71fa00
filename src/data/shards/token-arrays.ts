/** Token arrays, and the bytes of a file they are stored as: little-endian, as nearly every machine is. */
import { endianness } from 'node:os';

export type TokenArray = Uint16Array | Uint32Array;

const SWAPPED = endianness() === 'BE';

/** The bytes of a token array: a view where the machine is little-endian. */
export function littleEndian(tokens: TokenArray): Uint8Array {
  const bytes = new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength);
  return SWAPPED ? swapped(bytes, tokens.BYTES_PER_ELEMENT) : bytes;
}

/** A token array from bytes that `littleEndian` made; a partial token at the end is dropped. */
export function tokensOf(bytes: Uint8Array, width: number): TokenArray {
  const copy = SWAPPED ? swapped(bytes, width) : new Uint8Array(bytes); // starts where an array of any width may start
  const length = Math.floor(copy.length / width);
  return width === 2 ? new Uint16Array(copy.buffer, 0, length) : new Uint32Array(copy.buffer, 0, length);
}

/** The largest id, 0 if there is none. */
export function largestOf(tokens: TokenArray): number {
  let most = 0;
  for (const id of tokens) if (id > most) most = id;
  return most;
}

function swapped(bytes: Uint8Array, width: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  for (let at = 0; at + width <= copy.length; at += width) copy.subarray(at, at + width).reverse();
  return copy;
}
