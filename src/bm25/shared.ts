/** Typed arrays over memory that threads can share. */
import type { PackedStrings } from '../base/index.ts';

interface ArrayType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: SharedArrayBuffer): T;
}

/** A new array of zeros. */
export function shared<T>(type: ArrayType<T>, length: number): T {
  return new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT));
}

/** A copy. */
export function shareCopy<T extends { readonly length: number; set(values: ArrayLike<number>): void }>(
  type: ArrayType<T>,
  values: ArrayLike<number>,
): T {
  const copy = shared(type, values.length);
  copy.set(values);
  return copy;
}

export function shareStrings({ bytes, ends }: PackedStrings): PackedStrings {
  return { bytes: shareCopy(Uint8Array, bytes), ends: shareCopy(Uint32Array, ends) };
}

/** The same array if it holds `length` elements, else a copy of at least twice the size. */
export function sharedRoom<T extends { readonly length: number; set(values: ArrayLike<number>): void }>(
  type: ArrayType<T>,
  array: T & ArrayLike<number>,
  length: number,
): T & ArrayLike<number> {
  if (length <= array.length) return array;
  const larger = shared(type, Math.max(length, 2 * array.length)) as T & ArrayLike<number>;
  larger.set(array);
  return larger;
}
