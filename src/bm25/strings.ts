/** Strings packed end to end: compared, found and put in order by their bytes. */
import { type PackedStrings, startOf } from '../base/index.ts';
import { ItemSorter } from './radix.ts';

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

/** Bytes of a string that a sorting key holds. */
const KEY_BYTES = 3;
/** Ranges up to this length are sorted by insertion. */
const SHORT_RANGE = 32;

/**
 * The order of strings by their bytes, which for UTF-8 is the order of code points: `order[0]` is the number of the first.
 * Three bytes at a time, from the first: strings that share a prefix have it compared once, and a key beside each string's number
 * is what is sorted, since fetching a byte of a string waits for memory.
 */
export function packedOrder(strings: PackedStrings): Uint32Array {
  const count = strings.ends.length;
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  const sorter = new ItemSorter();
  const short = new Uint32Array(SHORT_RANGE);
  /** Ranges of strings that are the same up to a depth: first, end, depth, in turn. */
  const alike: number[] = [0, count, 0];
  while (alike.length > 0) {
    const depth = alike.pop()!;
    const end = alike.pop()!;
    const begin = alike.pop()!;
    const size = end - begin;
    const keys =
      size > SHORT_RANGE
        ? sortLong(strings, order, begin, end, depth, sorter)
        : sortShort(strings, order, begin, end, depth, short);
    for (let from = 0, to: number; from < size; from = to) {
      const key = keys[from]!;
      for (to = from + 1; to < size && keys[to] === key; ) to++;
      if (to - from > 1 && (key & 0xff) > KEY_BYTES) alike.push(begin + from, begin + to, depth + KEY_BYTES);
    }
  }
  return order;
}

/** Three bytes of a string from `depth` on, and below them how many there are: up to 3, or 4 where more follow. As numbers they stand in byte order. */
function sortingKey({ bytes, ends }: PackedStrings, i: number, depth: number): number {
  const at = startOf(ends, i) + depth;
  const left = ends[i]! - at;
  if (left > KEY_BYTES)
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | (KEY_BYTES + 1)) >>> 0;
  let key = left;
  for (let k = 0; k < left; k++) key |= bytes[at + k]! << (24 - 8 * k);
  return key >>> 0;
}

/** Sorts a range by its keys at a depth, which it returns. */
function sortLong(
  strings: PackedStrings,
  order: Uint32Array,
  begin: number,
  end: number,
  depth: number,
  sorter: ItemSorter,
): Uint32Array {
  sorter.reserve(end - begin);
  const { keys, items } = sorter;
  for (let i = begin; i < end; i++) {
    items[i - begin] = order[i]!;
    keys[i - begin] = sortingKey(strings, order[i]!, depth);
  }
  sorter.sortByKey(end - begin);
  order.set(sorter.items.subarray(0, end - begin), begin);
  return sorter.keys;
}

/** The same by insertion, with the keys in `keys`. */
function sortShort(
  strings: PackedStrings,
  order: Uint32Array,
  begin: number,
  end: number,
  depth: number,
  keys: Uint32Array,
): Uint32Array {
  for (let i = begin; i < end; i++) {
    const held = order[i]!;
    const key = sortingKey(strings, held, depth);
    let at = i;
    for (; at > begin && keys[at - 1 - begin]! > key; at--) {
      keys[at - begin] = keys[at - 1 - begin]!;
      order[at] = order[at - 1]!;
    }
    keys[at - begin] = key;
    order[at] = held;
  }
  return keys;
}
