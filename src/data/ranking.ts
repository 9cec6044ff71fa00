/**
 * The one ranking order of the whole program: score descending, then document id descending by UTF-8 bytes.
 * It is trec_eval's (`strcmp` on the ids of equal scores, form_res_rels.c), so that a ranking we cut is the ranking others score.
 * Hot loops compare numbers only: `byteOrder` turns ids into integers once, and equal scores are then decided by the larger integer.
 */

/** One retrieved document. */
export interface Hit {
  readonly id: string;
  readonly score: number;
}

/**
 * Compares two ids as `strcmp` compares their UTF-8 bytes. JavaScript compares UTF-16 code units, which is the same order
 * but for characters beyond U+FFFF: their surrogates (D800-DFFF) sort below E000-FFFF, and must sort above.
 */
export function compareIds(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointOrder(x) - codePointOrder(y);
  }
  return a.length - b.length;
}

function codePointOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** The ranking order as a comparator: negative when `a` ranks before `b`. */
export function compareHits(a: Hit, b: Hit): number {
  return b.score - a.score || compareIds(b.id, a.id);
}

export interface ByteOrder {
  /** `rankOf[i]` is the place of id i in ascending byte order: of two documents with equal scores, the larger ranks first. */
  readonly rankOf: Uint32Array;
  /** The inverse: `indexAt[r]` is the id at place r. */
  readonly indexAt: Uint32Array;
}

/** Places of distinct ids in byte order, so that ties can be decided by comparing integers. */
export function byteOrder(ids: readonly string[]): ByteOrder {
  const indexAt = Uint32Array.from({ length: ids.length }, (_, i) => i);
  const plain = ids.every(isBelowSurrogates);
  // The engine's own comparison is several times faster, and equal to ours unless a character at or above U+D800 occurs.
  if (plain) indexAt.sort((a, b) => (ids[a]! < ids[b]! ? -1 : 1));
  else indexAt.sort((a, b) => compareIds(ids[a]!, ids[b]!));
  const rankOf = new Uint32Array(ids.length);
  for (let rank = 0; rank < indexAt.length; rank++) rankOf[indexAt[rank]!] = rank;
  return { rankOf, indexAt };
}

function isBelowSurrogates(id: string): boolean {
  for (let i = 0; i < id.length; i++) if (id.charCodeAt(i) >= 0xd800) return false;
  return true;
}

/**
 * Sorts `rows` in place into ranking order by `scores[row]`; `compareTied(a, b)` is negative when row a's document ranks before row b's.
 * Rows that are in order already, as in most run files, cost one pass; otherwise a bottom-up merge sort, which is stable.
 */
export function sortRanking(
  rows: Uint32Array,
  scores: Float64Array,
  compareTied: (a: number, b: number) => number,
): void {
  if (isRanked(rows, scores, compareTied)) return;
  let [from, to]: [Uint32Array, Uint32Array] = [rows, new Uint32Array(rows.length)];
  for (let width = 1; width < rows.length; width *= 2) {
    for (let start = 0; start < rows.length; start += 2 * width) {
      mergeRuns(from, to, start, start + width, start + 2 * width, scores, compareTied);
    }
    [from, to] = [to, from];
  }
  if (from !== rows) rows.set(from);
}

function isRanked(
  rows: Uint32Array,
  scores: Float64Array,
  compareTied: (a: number, b: number) => number,
): boolean {
  for (let i = 1; i < rows.length; i++) {
    if (!isBefore(rows[i - 1]!, rows[i]!, scores, compareTied)) return false;
  }
  return true;
}

function mergeRuns(
  from: Uint32Array,
  to: Uint32Array,
  start: number,
  middle: number,
  end: number,
  scores: Float64Array,
  compareTied: (a: number, b: number) => number,
): void {
  const leftEnd = Math.min(middle, from.length);
  const rightEnd = Math.min(end, from.length);
  let left = start;
  let right = leftEnd;
  for (let out = start; out < rightEnd; out++) {
    const takeLeft =
      right >= rightEnd || (left < leftEnd && isBefore(from[left]!, from[right]!, scores, compareTied));
    to[out] = takeLeft ? from[left++]! : from[right++]!;
  }
}

function isBefore(
  a: number,
  b: number,
  scores: Float64Array,
  compareTied: (a: number, b: number) => number,
): boolean {
  return scores[a]! > scores[b]! || (scores[a] === scores[b] && compareTied(a, b) <= 0);
}
