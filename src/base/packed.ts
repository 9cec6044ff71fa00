/** Many strings, or growing many numbers, in a few flat arrays instead of an object each. */

/** Strings end to end as UTF-8: string `i` is bytes `ends[i - 1]` (0 for the first) to `ends[i]`. */
export interface PackedStrings {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** Where string `i` begins, given where all end. */
export function startOf(ends: Uint32Array, i: number): number {
  return i === 0 ? 0 : ends[i - 1]!;
}

type Growable =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

const LONGEST = 2 ** 32 - 1;

/** The same array if it holds `length` elements, else a copy of twice the size (as long as such arrays exist): amortised growth. */
export function withRoom<T extends Growable>(array: T, length: number): T {
  if (length <= array.length) return array;
  const larger = new (array.constructor as new (length: number) => T)(
    Math.max(length, Math.min(2 * array.length, LONGEST)),
  );
  larger.set(array);
  return larger;
}
