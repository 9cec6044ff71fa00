/** From the terms that threads have numbered by themselves to the terms of the index, in byte order. */
import type { PackedStrings } from '../base/index.ts';
import { StringPacker } from './intern.ts';
import { shareCopy, shared, shareStrings } from './shared.ts';
import { comparePacked, packedOrder } from './strings.ts';

/** The terms that one thread has met, in order of arrival. The arrays are longer than that, and lie in memory that threads share. */
export interface Vocabulary {
  readonly thread: number;
  readonly size: number;
  /** Term i as UTF-16: from `ends[i - 1]` (0 for the first) to `ends[i]`. */
  readonly units: Uint16Array;
  readonly ends: Uint32Array;
  /** For each term two numbers, the second being the thread's documents that hold it. */
  readonly marks: Int32Array;
}

export interface SortedTerms {
  readonly vocabulary: Vocabulary;
  /** In byte order. */
  readonly strings: PackedStrings;
  /** `order[i]`: the thread's number of term i. */
  readonly order: Uint32Array;
}

export function sortTerms(vocabulary: Vocabulary): SortedTerms {
  const unsorted = packedTerms(vocabulary);
  const order = packedOrder(unsorted);
  const sorted = new StringPacker();
  for (const term of order) sorted.pushFrom(unsorted, term);
  return { vocabulary, strings: shareStrings(sorted.packed()), order: shareCopy(Uint32Array, order) };
}

function packedTerms({ size, units, ends }: Vocabulary): PackedStrings {
  const packer = new StringPacker();
  for (let i = 0, from = 0; i < size; from = ends[i++]!) packer.pushUnits(units, from, ends[i]!);
  return packer.packed();
}

/** For each thread the index's number of each of its terms. */
export type TermNumbers = ReadonlyMap<number, Uint32Array>;

export interface Terms {
  readonly terms: PackedStrings;
  /** Documents that hold each term. */
  readonly df: Uint32Array;
  readonly numbers: TermNumbers;
}

/** Merges the vocabularies of all threads. */
export function mergeTerms(vocabularies: readonly SortedTerms[]): Terms {
  const most = vocabularies.reduce((sum, { order }) => sum + order.length, 0);
  const df = new Uint32Array(most);
  const merged = new StringPacker();
  const numbers = vocabularies.map(({ order }) => shared(Uint32Array, order.length));
  const heads = vocabularies.map(() => 0);
  for (;;) {
    const firsts = leastHeads(vocabularies, heads);
    if (firsts.length === 0) break;
    const term = merged.count;
    merged.pushFrom(vocabularies[firsts[0]!]!.strings, heads[firsts[0]!]!);
    for (const v of firsts) {
      const { order, vocabulary } = vocabularies[v]!;
      const own = order[heads[v]!++]!;
      numbers[v]![own] = term;
      df[term]! += vocabulary.marks[2 * own + 1]!;
    }
  }
  return {
    terms: shareStrings(merged.packed()),
    df: shareCopy(Uint32Array, df.subarray(0, merged.count)),
    numbers: new Map(vocabularies.map(({ vocabulary }, v) => [vocabulary.thread, numbers[v]!])),
  };
}

/** The lists whose head is the least of all; none when all are at their end. */
function leastHeads(lists: readonly SortedTerms[], heads: readonly number[]): readonly number[] {
  const least: number[] = [];
  for (let i = 0; i < lists.length; i++) {
    const { order, strings } = lists[i]!;
    if (heads[i] === order.length) continue;
    const first = least[0];
    const sign =
      first === undefined ? 0 : comparePacked(strings, heads[i]!, lists[first]!.strings, heads[first]!);
    if (sign > 0) continue;
    if (sign < 0) least.length = 0;
    least.push(i);
  }
  return least;
}

export interface RankedIds {
  /** Place of each document's id in ascending byte order. */
  readonly ranks: Uint32Array;
  /** Documents whose id an earlier one has, each after the first that has it: pairs, by the later document. */
  readonly repeats: readonly (readonly [first: number, again: number])[];
}

export function rankIds(ids: PackedStrings): RankedIds {
  const order = packedOrder(ids);
  const ranks = shared(Uint32Array, order.length);
  const repeats: [number, number][] = [];
  for (let from = 0, to = 1; from < order.length; from = to++) {
    while (to < order.length && comparePacked(ids, order[from]!, ids, order[to]!) === 0) to++;
    for (let rank = from; rank < to; rank++) ranks[order[rank]!] = rank;
    if (to === from + 1) continue;
    const [first, ...later] = [...order.subarray(from, to)].sort((a, b) => a - b);
    for (const again of later) repeats.push([first!, again]);
  }
  return { ranks, repeats: repeats.sort((a, b) => a[1] - b[1]) };
}
