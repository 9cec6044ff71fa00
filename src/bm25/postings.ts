/**
 * Postings: for each term the documents that hold it, ascending, and how often. A long list keeps 16 bits a document beside a table of where
 * each window of 65,536 documents begins in it; a short list keeps whole document numbers. Lists are made by counting sort.
 */
import { LARGE_TF } from './bags.ts';
import type { SpooledBags } from './spool.ts';

/** Documents are searched, and long lists divided, in windows of this many. */
export const WINDOW_BITS = 16;
export const WINDOW = 1 << WINDOW_BITS;

/** A list is long from this many postings a window on: then its table of windows is small beside what 16-bit documents save. */
const LONG_POSTINGS_A_WINDOW = 4;

export function windowCount(documents: number): number {
  return Math.ceil(documents / WINDOW);
}

/** The least number of postings of a long list. */
export function longListFrom(documents: number): number {
  return LONG_POSTINGS_A_WINDOW * windowCount(documents);
}

/**
 * The lists of a range of terms. Postings are numbered from 0: first those of the short lists, then those of the long ones.
 */
export interface Part {
  /** Documents of the short lists. */
  readonly shortDocs: Uint32Array;
  /** Documents of the long lists, modulo the window. */
  readonly longDocs: Uint16Array;
  /** Term frequencies up to 255, of all postings. */
  readonly tfs: Uint8Array;
  /** For each long list `windows + 1` places in `longDocs`: where each window begins, and the end. */
  readonly windowStarts: Uint32Array;
  /** The postings whose term frequency is 255 or more, ascending, and those frequencies. */
  readonly largeAt: Uint32Array;
  readonly largeTfs: Uint32Array;
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

/** Cuts the terms into ranges whose parts take about `partBytes` at most (a single longer list is a part of its own). */
export function planParts(df: Uint32Array, documents: number, partBytes: number): PartPlan[] {
  const long = longListFrom(documents);
  const tableBytes = 4 * (windowCount(documents) + 1);
  const plans: PartPlan[] = [];
  let plan = { from: 0, to: 0, shortPostings: 0, longPostings: 0, longLists: 0 };
  let bytes = 0;
  for (let term = 0; term < df.length; term++) {
    const isLong = df[term]! >= long;
    const more = isLong ? 3 * df[term]! + tableBytes : 5 * df[term]!;
    if (bytes > 0 && bytes + more > partBytes) {
      plans.push(plan);
      plan = { from: term, to: term, shortPostings: 0, longPostings: 0, longLists: 0 };
      bytes = 0;
    }
    bytes += more;
    plan.to = term + 1;
    if (isLong) {
      plan.longPostings += df[term]!;
      plan.longLists++;
    } else plan.shortPostings += df[term]!;
  }
  plans.push(plan);
  return plans;
}

/** Where each term's list begins in its part: a short one's first posting, a long one's row of `windowStarts`. */
export function listStarts(df: Uint32Array, documents: number, plans: readonly PartPlan[]): Uint32Array {
  const long = longListFrom(documents);
  const starts = new Uint32Array(df.length);
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
  readonly part: Part;
  readonly #documents: number;
  readonly #longLists: readonly number[];
  /** For each of the bags' terms the posting that its next document gets; `ELSEWHERE` for terms of other parts. */
  readonly #next: Uint32Array;
  readonly #large: { readonly posting: number; readonly tf: number }[] = [];

  constructor(plan: PartPlan, df: Uint32Array, order: Uint32Array, documents: number) {
    const postings = plan.shortPostings + plan.longPostings;
    this.#documents = documents;
    this.#next = new Uint32Array(order.length).fill(ELSEWHERE);
    this.part = {
      shortDocs: shared(Uint32Array, plan.shortPostings),
      longDocs: shared(Uint16Array, plan.longPostings),
      tfs: shared(Uint8Array, postings),
      windowStarts: shared(Uint32Array, plan.longLists * (windowCount(documents) + 1)),
      largeAt: new Uint32Array(),
      largeTfs: new Uint32Array(),
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
    const { counts, terms, tfs, large } = bags;
    const next = this.#next;
    const { shortDocs, longDocs, tfs: partTfs } = this.part;
    const shortPostings = shortDocs.length;
    let [at, largeAt] = [0, 0];
    for (let i = 0; i < counts.length; i++) {
      const document = first + i;
      if ((document & (WINDOW - 1)) === 0) this.#beginWindow(document >>> WINDOW_BITS);
      for (const end = at + counts[i]!; at < end; at++) {
        const term = terms[at]!;
        const tf = tfs[at]!;
        const posting = next[term]!;
        const largeTf = tf === LARGE_TF ? large[largeAt++]! : tf;
        if (posting === ELSEWHERE) continue;
        next[term] = posting + 1;
        partTfs[posting] = tf;
        if (posting < shortPostings) shortDocs[posting] = document;
        else longDocs[posting - shortPostings] = document & (WINDOW - 1);
        if (tf === LARGE_TF) this.#large.push({ posting, tf: largeTf });
      }
    }
  }

  /** The finished part. */
  finish(): Part {
    this.#beginWindow(windowCount(this.#documents));
    this.#large.sort((a, b) => a.posting - b.posting);
    const largeAt = shared(Uint32Array, this.#large.length);
    const largeTfs = shared(Uint32Array, this.#large.length);
    this.#large.forEach(({ posting, tf }, i) => {
      largeAt[i] = posting;
      largeTfs[i] = tf;
    });
    return { ...this.part, largeAt, largeTfs };
  }

  /** Notes where a window begins in every long list. */
  #beginWindow(window: number): void {
    const { windowStarts, shortDocs } = this.part;
    const width = windowCount(this.#documents) + 1;
    this.#longLists.forEach((term, row) => {
      windowStarts[row * width + window] = this.#next[term]! - shortDocs.length;
    });
  }
}

interface SharedArrayConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: SharedArrayBuffer): T;
}

/** A typed array over memory that threads can share. */
export function shared<T>(type: SharedArrayConstructor<T>, length: number): T {
  return new type(new SharedArrayBuffer(length * type.BYTES_PER_ELEMENT));
}
