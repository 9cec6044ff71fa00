/** Texts of similar length together, so that next to nothing is computed on padding. */

export interface Bucket {
  /** Numbers of the texts. */
  readonly rows: readonly number[];
  /** Padded length T: that of the longest, rounded up. */
  readonly length: number;
  /** Tokens without padding. */
  readonly tokens: number;
}

/** The engine's kernels run a little better on round sizes; short texts would pay more for it in padding. */
const ROUND_TO = 4;

/**
 * Buckets of at most `batchTokens` positions (a longer text has one of its own), ascending in length. `offsets` (n + 1) are the places
 * where texts begin in one long array of tokens. An empty text has the length 1 of its padding. No bucket is longer than `longest`, if no text is.
 */
export function bucketsOf(
  offsets: ArrayLike<number>,
  batchTokens: number,
  longest = Number.POSITIVE_INFINITY,
): Bucket[] {
  const padded = (length: number) =>
    Math.min(longest, Math.max(ROUND_TO, Math.ceil(length / ROUND_TO) * ROUND_TO));
  const count = offsets.length - 1;
  const lengthOf = (i: number) => offsets[i + 1]! - offsets[i]!;
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  const buckets: Bucket[] = [];
  for (let first = 0; first < count; ) {
    let end = first + 1;
    while (end < count && (end + 1 - first) * padded(lengthOf(order[end]!)) <= batchTokens) end++;
    const rows = order.slice(first, end);
    buckets.push({
      rows,
      length: padded(lengthOf(rows.at(-1)!)),
      tokens: rows.reduce((sum, i) => sum + lengthOf(i), 0),
    });
    first = end;
  }
  return buckets;
}

/** Where texts of these lengths begin in one long array: (n) -> (n + 1), from 0. */
export function offsetsOf(lengths: readonly number[]): Uint32Array {
  const offsets = new Uint32Array(lengths.length + 1);
  for (const [i, length] of lengths.entries()) offsets[i + 1] = offsets[i]! + length;
  return offsets;
}
