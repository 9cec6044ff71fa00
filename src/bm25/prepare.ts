/**
 * What search needs besides the index for one choice of parameters: the part of each pair code, and the commonest terms'
 * codes spread out over all documents. Made once, and shared by all threads.
 */
import type { Bm25Index } from './build.ts';
import { RARE } from './codes.ts';
import { CODE_SHIFT, DOCUMENT_MASK, longListFrom, WINDOW_BITS, windowCount } from './postings.ts';
import { type Bm25Parameters, checkParameters, luceneLength, presentPart } from './scoring.ts';
import { shared } from './shared.ts';

export interface Prepared {
  readonly index: Bm25Index;
  readonly parameters: Bm25Parameters;
  /** For each code the part of its pair; 65,536 long, so that every code has a place, and 0 for `RARE`. */
  readonly parts: Float64Array;
  /** For each of the commonest terms the code + 1 of every document, 0 where the term is absent. A list with a rare pair is not spread. */
  readonly spread: ReadonlyMap<number, Uint16Array>;
  /** `spreadParts[code + 1]` is the part of a code, `spreadParts[0]` is 0. */
  readonly spreadParts: Float64Array;
}

/** Lists of at least one in this many documents are spread, the longest first, as far as the allowance goes: bytes a posting of the index. */
const SPREAD_SHARE = 32;
const SPREAD_BYTES_A_POSTING = 0.75;

/** Prepares an index for search. Throws an `InputError` if a parameter is out of range. */
export function prepare(index: Bm25Index, parameters: Bm25Parameters): Prepared {
  checkParameters(parameters);
  const { tfs, lengths } = index.codebook;
  const parts = shared(Float64Array, RARE + 1);
  for (let code = 0; code < tfs.length; code++)
    parts[code] = presentPart(parameters, tfs[code]!, relativeLength(index, parameters, lengths[code]!));
  const spreadParts = shared(Float64Array, RARE + 1);
  spreadParts.set(parts.subarray(0, RARE), 1);
  return { index, parameters, parts, spread: spreadLists(index), spreadParts };
}

/** A document's length, as the parameters see it, over the mean length. */
export function relativeLength(index: Bm25Index, parameters: Bm25Parameters, length: number): number {
  const seen = parameters.lengths === 'lucene' ? luceneLength(length) : length;
  return (seen * index.documents) / index.tokens;
}

function spreadLists(index: Bm25Index): Map<number, Uint16Array> {
  const { df, documents } = index;
  const least = Math.max(documents / SPREAD_SHARE, longListFrom(documents));
  const postings = df.reduce((sum, count) => sum + count, 0);
  const most = Math.floor((SPREAD_BYTES_A_POSTING * postings) / (2 * documents));
  const common: number[] = [];
  for (let term = 0; term < df.length; term++) if (df[term]! >= least) common.push(term);
  common.sort((a, b) => df[b]! - df[a]!);
  const spread = new Map<number, Uint16Array>();
  for (const term of common.slice(0, most)) {
    const codes = spreadList(index, term);
    if (codes !== undefined) spread.set(term, codes);
  }
  return spread;
}

function spreadList(index: Bm25Index, term: number): Uint16Array | undefined {
  const { longPostings, windowStarts } = index.parts[index.partEnds.findIndex(end => term < end)]!;
  const windows = windowCount(index.documents);
  const row = index.starts[term]! * (windows + 1);
  const codes = shared(Uint16Array, index.documents);
  for (let window = 0; window < windows; window++) {
    const first = window << WINDOW_BITS;
    for (let i = windowStarts[row + window]!; i < windowStarts[row + window + 1]!; i++) {
      const code = longPostings[i]! >>> CODE_SHIFT;
      if (code === RARE) return undefined;
      codes[first + (longPostings[i]! & DOCUMENT_MASK)] = code + 1;
    }
  }
  return codes;
}
