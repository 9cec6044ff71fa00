/**
 * The inner loops of search. Each is a function of numbers and typed arrays alone, without a call inside, because that is what the engine's compiler
 * makes tight machine code of. Postings are packed (document of the window, code << 16); a code without a part of its own has the part 0.
 */
import { CODE_SHIFT, DOCUMENT_MASK } from './postings.ts';
import { GRID } from './scoring.ts';

/** Adds the contributions of postings `from` to `to`, `weight` times the part of their code, to the sums of their documents. */
type Add = (
  sums: Float64Array,
  postings: Uint32Array,
  from: number,
  to: number,
  parts: Float64Array,
  weight: number,
) => void;

export const addAll: Add = (sums, postings, from, to, parts, weight) => {
  for (let i = from; i < to; i++) {
    const posting = postings[i]!;
    sums[posting & DOCUMENT_MASK]! += weight * parts[posting >>> CODE_SHIFT]! + GRID - GRID;
  }
};

/** For documents whose sums are not 0 only. */
export const addWhereFound: Add = (sums, postings, from, to, parts, weight) => {
  for (let i = from; i < to; i++) {
    const posting = postings[i]!;
    const sum = sums[posting & DOCUMENT_MASK]!;
    if (sum !== 0)
      sums[posting & DOCUMENT_MASK] = sum + (weight * parts[posting >>> CODE_SHIFT]! + GRID - GRID);
  }
};

/** Documents that may still reach the best, with their sums so far; a place more than there are documents, for a write past the end. */
export interface Candidates {
  readonly documents: Uint16Array;
  readonly sums: Float64Array;
}

/**
 * Zeroes the sums of the postings' documents, and appends those that are at least `least` > 0 to the candidates, of which there are `count`.
 * Returns how many there are then. Appending without a branch costs less than one that is hard to foresee.
 */
export function takeOut(
  sums: Float64Array,
  postings: Uint32Array,
  from: number,
  to: number,
  least: number,
  documents: Uint16Array,
  candidateSums: Float64Array,
  count: number,
): number {
  let end = count;
  for (let i = from; i < to; i++) {
    const document = postings[i]! & DOCUMENT_MASK;
    const sum = sums[document]!;
    sums[document] = 0;
    documents[end] = document;
    candidateSums[end] = sum;
    end += sum >= least ? 1 : 0;
  }
  return end;
}

/** Adds contributions to candidates by the spread codes of a term, and keeps those that reach `least`. Returns how many. */
export function addSpread(
  documents: Uint16Array,
  candidateSums: Float64Array,
  count: number,
  spread: Uint16Array,
  first: number,
  spreadParts: Float64Array,
  weight: number,
  least: number,
): number {
  let kept = 0;
  for (let k = 0; k < count; k++) {
    const document = documents[k]!;
    const sum = candidateSums[k]! + (weight * spreadParts[spread[first + document]!]! + GRID - GRID);
    documents[kept] = document;
    candidateSums[kept] = sum;
    kept += sum >= least ? 1 : 0;
  }
  return kept;
}
