/**
 * Postings: for each term the documents that hold it, ascending, each with its pair code. A long list packs 16 bits of the document's number and
 * the code into one word, beside a table of where each window of 65,536 documents begins; a short list keeps whole numbers.
 */
import { shared } from './shared.ts';

/** Documents are searched, and long lists divided, in windows of this many. */
export const WINDOW_BITS = 16;
export const WINDOW = 1 << WINDOW_BITS;
/** The document of a packed posting; the code is `posting >>> CODE_SHIFT`. */
export const DOCUMENT_MASK = WINDOW - 1;
export const CODE_SHIFT = WINDOW_BITS;

/** A list is long from this many postings a window on: then its table of windows is small beside it. */
const LONG_POSTINGS_A_WINDOW = 4;

const SHORT_BYTES = 6;
const LONG_BYTES = 4;

export function windowCount(documents: number): number {
  return Math.ceil(documents / WINDOW);
}

/** The least number of postings of a long list. */
export function longListFrom(documents: number): number {
  return LONG_POSTINGS_A_WINDOW * windowCount(documents);
}

/** The lists of a range of terms. Postings are numbered from 0: first those of the short lists, then those of the long ones. */
export interface Part {
  /** Documents and codes of the short lists. */
  readonly shortDocuments: Uint32Array;
  readonly shortCodes: Uint16Array;
  /** The long lists: document modulo the window, and code << 16. */
  readonly longPostings: Uint32Array;
  /** For each long list `windows + 1` places in `longPostings`: where each window begins, and the end. */
  readonly windowStarts: Uint32Array;
  /** The postings whose code is `RARE`, ascending, and their term frequencies. */
  readonly rareAt: Uint32Array;
  readonly rareTfs: Uint32Array;
}

/** Where the lists of a range of terms go in a part. */
export interface PartPlan {
  /** First term, in the order of the index, and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly shortPostings: number;
  readonly longPostings: number;
  readonly longLists: number;
}

/** The plan of the part that holds the lists of these terms. */
export function planPart(df: Uint32Array, documents: number, from: number, to: number): PartPlan {
  const long = longListFrom(documents);
  const plan = { from, to, shortPostings: 0, longPostings: 0, longLists: 0 };
  for (let term = from; term < to; term++) {
    if (df[term]! >= long) {
      plan.longPostings += df[term]!;
      plan.longLists++;
    } else plan.shortPostings += df[term]!;
  }
  return plan;
}

/** Cuts the terms into ranges whose parts take about `partBytes` at most (a single longer list is a part of its own). */
export function planParts(df: Uint32Array, documents: number, partBytes: number): PartPlan[] {
  const long = longListFrom(documents);
  const tableBytes = 4 * (windowCount(documents) + 1);
  const plans: PartPlan[] = [];
  let [from, bytes] = [0, 0];
  for (let term = 0; term < df.length; term++) {
    const more = df[term]! >= long ? LONG_BYTES * df[term]! + tableBytes : SHORT_BYTES * df[term]!;
    if (bytes > 0 && bytes + more > partBytes) {
      plans.push(planPart(df, documents, from, term));
      [from, bytes] = [term, 0];
    }
    bytes += more;
  }
  return [...plans, planPart(df, documents, from, df.length)];
}

/** Where each term's list begins in its part: a short one's first posting, a long one's row of `windowStarts`. */
export function listStarts(df: Uint32Array, documents: number, plans: readonly PartPlan[]): Uint32Array {
  const long = longListFrom(documents);
  const starts = shared(Uint32Array, df.length);
  for (const { from, to } of plans) {
    let [posting, row] = [0, 0];
    for (let term = from; term < to; term++) {
      if (df[term]! >= long) starts[term] = row++;
      else {
        starts[term] = posting;
        posting += df[term]!;
      }
    }
  }
  return starts;
}

/** An empty part of that plan, in memory that threads share. */
export function emptyPart(plan: PartPlan, documents: number): Part {
  return {
    shortDocuments: shared(Uint32Array, plan.shortPostings),
    shortCodes: shared(Uint16Array, plan.shortPostings),
    longPostings: shared(Uint32Array, plan.longPostings),
    windowStarts: shared(Uint32Array, plan.longLists * (windowCount(documents) + 1)),
    rareAt: new Uint32Array(),
    rareTfs: new Uint32Array(),
  };
}
