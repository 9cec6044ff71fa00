/**
 * The five BM25 variants as Kamphuis et al. 2020 (ECIR, "Which BM25 do you mean?") and bm25s write them.
 *
 * A document's score is the sum, over the distinct terms of the query, of a weight (the term's idf times its occurrences in the query) times a
 * part that depends on the term's frequency in the document and on the document's length. Two rules make scores exact things rather than accidents of summation:
 *
 * - each contribution is rounded to a multiple of 2^-24 (as fine as a float32 of 1 to 2, which is what Lucene keeps), so that sums in
 *   float64 have no rounding at all, and any order of adding gives the same score;
 * - a part is composed of operations that IEEE 754 rounds monotonically, each in one variable, so that a bound computed from
 *   the largest part of a list is never exceeded, not even in the last bit.
 */
import { InputError } from '../base/index.ts';

export type Variant = 'lucene' | 'robertson' | 'atire' | 'bm25l' | 'bm25+';

export const VARIANTS: readonly Variant[] = ['lucene', 'robertson', 'atire', 'bm25l', 'bm25+'];

export interface Bm25Parameters {
  readonly variant: Variant;
  /** Saturation of term frequency, >= 0. */
  readonly k1: number;
  /** Share of length normalisation, 0 to 1. */
  readonly b: number;
  /** Of BM25L and BM25+ only, >= 0. */
  readonly delta: number;
  /** `exact`: lengths as they are. `lucene`: as Lucene's one-byte norms keep them. */
  readonly lengths: 'exact' | 'lucene';
}

/** k1 and b are Anserini's for passages and BEIR; delta is bm25s'. */
export const DEFAULT_PARAMETERS: Bm25Parameters = {
  variant: 'lucene',
  k1: 0.9,
  b: 0.4,
  delta: 0.5,
  lengths: 'lucene',
};

/** Defaults for what is not said. Only Lucene's variant takes lengths as Lucene keeps them. */
export function parametersOf(said: Partial<Bm25Parameters> = {}): Bm25Parameters {
  const { variant = DEFAULT_PARAMETERS.variant } = said;
  const lengths = said.lengths ?? (variant === 'lucene' ? 'lucene' : 'exact');
  const { k1 = DEFAULT_PARAMETERS.k1, b = DEFAULT_PARAMETERS.b, delta = DEFAULT_PARAMETERS.delta } = said;
  return { variant, k1, b, delta, lengths };
}

/** Throws an `InputError` that lists every value out of range. */
export function checkParameters({ k1, b, delta }: Bm25Parameters): void {
  const problems = [];
  if (!(k1 >= 0 && k1 <= 1e6)) problems.push({ where: 'k1', message: `${k1} is not between 0 and 1e6` });
  if (!(b >= 0 && b <= 1)) problems.push({ where: 'b', message: `${b} is not between 0 and 1` });
  if (!(delta >= 0 && delta <= 1e6))
    problems.push({ where: 'delta', message: `${delta} is not between 0 and 1e6` });
  if (problems.length > 0) throw new InputError(problems);
}

/** Parameters as they stand in the name of a result: `lucene,k1=0.9,b=0.4`. The way of lengths is named where it is not the variant's own. */
export function describeParameters(parameters: Bm25Parameters): string {
  const { variant, k1, b, delta, lengths } = parameters;
  const parts = [variant, `k1=${k1}`, `b=${b}`];
  if (variant === 'bm25l' || variant === 'bm25+') parts.push(`delta=${delta}`);
  if (lengths !== parametersOf({ variant }).lengths) parts.push(`lengths=${lengths}`);
  return parts.join();
}

/** 1.5 * 2^28: adding and subtracting it rounds a float64 below 2^27 to a multiple of 2^-24. */
export const GRID = 402653184;

/** Rounds to a multiple of 2^-24. Monotone. */
export function toGrid(x: number): number {
  return x + GRID - GRID;
}

/** Inverse document frequency: how much a term that `df` of `documents` documents hold weighs; never negative. */
export function idf(variant: Variant, df: number, documents: number): number {
  switch (variant) {
    case 'lucene':
      return Math.log(1 + (documents - df + 0.5) / (df + 0.5));
    case 'robertson':
      return Math.log(Math.max(1, (documents - df + 0.5) / (df + 0.5)));
    case 'atire':
      return Math.log(documents / df);
    case 'bm25l':
      return Math.log((documents + 1) / (df + 0.5));
    case 'bm25+':
      return Math.log((documents + 1) / df);
  }
}

/** The part of an absent term: BM25L and BM25+ give one to every document, in proportion to delta. */
export function absentPart({ variant, k1, delta }: Bm25Parameters): number {
  if (variant === 'bm25+') return delta;
  if (variant === 'bm25l') return delta === 0 ? 0 : (k1 + 1) / (1 + k1 / delta);
  return 0;
}

/**
 * How much a term's part grows when it occurs `tf` >= 1 times in a document of `relativeLength` (length over mean length), over its
 * part when absent. Rises with tf and falls with length, weakly, in floating point too.
 */
export function presentPart(parameters: Bm25Parameters, tf: number, relativeLength: number): number {
  const { variant, k1, b, delta } = parameters;
  const normalised = 1 - b + b * relativeLength;
  if (variant === 'bm25l') return (k1 + 1) / (1 + k1 / (tf / normalised + delta)) - absentPart(parameters);
  const saturated = 1 / (1 + (k1 * normalised) / tf);
  return variant === 'lucene' || variant === 'robertson' ? saturated : (k1 + 1) * saturated;
}

/** The length that Lucene keeps for a document (`SmallFloat.intToByte4`, then back): exact up to 40, then four significant bits. */
export function luceneLength(length: number): number {
  const FREE = 24; // values below this are kept as they are; the rest are coded from here on
  if (length < FREE) return length;
  const rest = length - FREE;
  const bits = 32 - Math.clz32(rest);
  if (bits < 4) return length;
  const shift = bits - 4;
  return FREE + ((rest >>> shift) << shift);
}
