/** Strings packed end to end: compared, found and put in order by their bytes. */
import { type PackedStrings, startOf } from '../base/index.ts';

/** String `i`. */
export function unpack(strings: PackedStrings, i: number): string {
  const { bytes, ends } = strings;
  const from = startOf(ends, i);
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, ends[i]! - from).toString('utf8');
}

/** Negative, 0 or positive as string `i` stands before, at or after string `j` of others in byte order. */
export function comparePacked(strings: PackedStrings, i: number, others: PackedStrings, j: number): number {
  const [a, b] = [strings.bytes, others.bytes];
  let at = startOf(strings.ends, i);
  let other = startOf(others.ends, j);
  const [end, otherEnd] = [strings.ends[i]!, others.ends[j]!];
  for (; at < end && other < otherEnd; at++, other++) {
    if (a[at] !== b[other]) return a[at]! - b[other]!;
  }
  return end - at - (otherEnd - other);
}

/** The number of a string among strings in byte order, or -1. */
export function find(sorted: PackedStrings, text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  const wanted = { bytes, ends: Uint32Array.of(bytes.length) };
  let [low, high] = [0, sorted.ends.length - 1];
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = comparePacked(sorted, middle, wanted, 0);
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
    const at = startOf(ends, i) + depth;
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
