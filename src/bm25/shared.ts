/** Typed arrays over memory that threads can share. */

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
