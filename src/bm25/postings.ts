/**
 * Postings: for each term the documents that hold it, ascending, each with its pair code. A long list packs 16 bits of the document's number and
 * the code into one word, beside a table of where each window of 65,536 documents begins; a short list keeps whole numbers. Lists are made by counting sort.
 */
import type { Bags } from './bags.ts';
import { type Codebook, CodeFinder, RARE } from './codes.ts';
import { shared } from './shared.ts';
import type { SpooledBags } from './spool.ts';

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

const ELSEWHERE = 0xffffffff;

/** Inverts bags into one part. `order[i]` is the bags' number of the index's term i; `df` is in the order of the index. */
export class PartMaker {
  readonly #part: Part;
  readonly #documents: number;
  readonly #codes: CodeFinder;
  readonly #longLists: readonly number[];
  /** For each of the bags' terms the posting that its next document gets; `ELSEWHERE` for terms of other parts. */
  readonly #next: Uint32Array;
  readonly #rare: { readonly posting: number; readonly tf: number }[] = [];

  constructor(plan: PartPlan, df: Uint32Array, order: Uint32Array, documents: number, codebook: Codebook) {
    this.#documents = documents;
    this.#codes = new CodeFinder(codebook);
    this.#next = new Uint32Array(order.length).fill(ELSEWHERE);
    this.#part = {
      shortDocuments: shared(Uint32Array, plan.shortPostings),
      shortCodes: shared(Uint16Array, plan.shortPostings),
      longPostings: shared(Uint32Array, plan.longPostings),
      windowStarts: shared(Uint32Array, plan.longLists * (windowCount(documents) + 1)),
      rareAt: new Uint32Array(),
      rareTfs: new Uint32Array(),
    };
    const longLists: number[] = [];
    let [short, long] = [0, plan.shortPostings];
    for (let term = plan.from; term < plan.to; term++) {
      const isLong = df[term]! >= longListFrom(documents);
      this.#next[order[term]!] = isLong ? long : short;
      if (isLong) {
        longLists.push(order[term]!);
        long += df[term]!;
      } else short += df[term]!;
    }
    this.#longLists = longLists;
  }

  /** Adds documents; they must come in order, and every one of them. */
  add({ first, bags }: SpooledBags): void {
    let at = 0;
    for (let i = 0; i < bags.counts.length; i++) {
      const document = first + i;
      if ((document & DOCUMENT_MASK) === 0) this.#beginWindow(document >>> WINDOW_BITS);
      const end = at + bags.counts[i]!;
      this.#addDocument(document, bags, at, end, bags.lengths[i]!);
      at = end;
    }
  }

  #addDocument(document: number, { terms, tfs }: Bags, from: number, to: number, length: number): void {
    const next = this.#next;
    const { shortDocuments, shortCodes, longPostings } = this.#part;
    const shortPostings = shortDocuments.length;
    for (let at = from; at < to; at++) {
      const term = terms[at]!;
      const posting = next[term]!;
      if (posting === ELSEWHERE) continue;
      next[term] = posting + 1;
      const code = this.#codes.of(tfs[at]!, length);
      if (code === RARE) this.#rare.push({ posting, tf: tfs[at]! });
      if (posting < shortPostings) {
        shortDocuments[posting] = document;
        shortCodes[posting] = code;
      } else longPostings[posting - shortPostings] = (code << CODE_SHIFT) | (document & DOCUMENT_MASK);
    }
  }

  /** The finished part. */
  finish(): Part {
    this.#beginWindow(windowCount(this.#documents));
    this.#rare.sort((a, b) => a.posting - b.posting);
    const rareAt = shared(Uint32Array, this.#rare.length);
    const rareTfs = shared(Uint32Array, this.#rare.length);
    this.#rare.forEach(({ posting, tf }, i) => {
      rareAt[i] = posting;
      rareTfs[i] = tf;
    });
    return { ...this.#part, rareAt, rareTfs };
  }

  /** Notes where a window begins in every long list. */
  #beginWindow(window: number): void {
    const { windowStarts, shortDocuments } = this.#part;
    const width = windowCount(this.#documents) + 1;
    const longLists = this.#longLists;
    for (let row = 0; row < longLists.length; row++)
      windowStarts[row * width + window] = this.#next[longLists[row]!]! - shortDocuments.length;
  }
}
