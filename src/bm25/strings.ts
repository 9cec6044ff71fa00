/** Many strings in two flat arrays. */

/** Strings end to end as UTF-8: string `i` is bytes `ends[i - 1]` (0 for the first) to `ends[i]`. */
export interface PackedStrings {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
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
