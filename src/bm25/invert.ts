/**
 * From bags to lists, by counting sort in several threads: each takes a range of documents, and knows from the counts of the ranges before it
 * where in every list its own postings begin.
 */
import { setImmediate } from 'node:timers/promises';
import type { Bags } from './bags.ts';
import { type Codebook, CodeFinder, RARE } from './codes.ts';
import type { Gauge } from './gauge.ts';
import {
  CODE_SHIFT,
  DOCUMENT_MASK,
  longListFrom,
  type Part,
  type PartPlan,
  WINDOW_BITS,
  windowCount,
} from './postings.ts';
import { shared } from './shared.ts';
import { type PieceRange, replay } from './spool.ts';
import type { TermNumbers } from './vocabulary.ts';

export interface CountTask {
  readonly range: PieceRange;
  readonly numbers: TermNumbers;
  readonly terms: number;
}

/** For each term of the index the documents of the range that hold it. */
export async function countPostings(
  { range, numbers, terms }: CountTask,
  gauge: Gauge,
): Promise<Uint32Array> {
  const df = shared(Uint32Array, terms);
  for await (const { bags } of steps(range, gauge)) {
    const numberOf = numbers.get(bags.thread)!;
    for (let i = 0; i < bags.terms.length; i++) df[numberOf[bags.terms[i]!]!]!++;
  }
  return df;
}

export interface FillTask {
  readonly range: PieceRange;
  readonly numbers: TermNumbers;
  readonly plan: PartPlan;
  /** Written to, except `rareAt` and `rareTfs`. */
  readonly part: Part;
  /** Documents that hold each term: all, and those of each range before this one. */
  readonly df: Uint32Array;
  readonly before: readonly Uint32Array[];
  /** Documents of the collection. */
  readonly documents: number;
  readonly codebook: Codebook;
}

/** The postings whose code is `RARE`, in no order. */
export type RarePostings = readonly { readonly posting: number; readonly tf: number }[];

/** Fills in the postings of a range of documents. */
export async function fillPart(task: FillTask, gauge: Gauge): Promise<RarePostings> {
  const filler = new PartFiller(task);
  for await (const { first, bags } of steps(task.range, gauge)) filler.add(first, bags);
  return filler.rare;
}

/** The bags of a range, until the work is to stop; whatever else this thread has to do gets its turn between them. */
async function* steps(range: PieceRange, gauge: Gauge): ReturnType<typeof replay> {
  for await (const step of replay(range)) {
    if (gauge.stopped) return;
    yield step;
    gauge.add(step.bags.counts.length);
    await setImmediate();
  }
}

const ELSEWHERE = 0xffffffff;

class PartFiller {
  readonly rare: { readonly posting: number; readonly tf: number }[] = [];
  readonly #task: FillTask;
  readonly #codes: CodeFinder;
  /** For each term the posting that its next document gets; `ELSEWHERE` for terms of other parts. Postings of long lists follow those of short ones. */
  readonly #next: Uint32Array;
  readonly #longTerms: readonly number[];

  constructor(task: FillTask) {
    const { plan, df, before, documents, codebook } = task;
    this.#task = task;
    this.#codes = new CodeFinder(codebook);
    this.#next = new Uint32Array(df.length).fill(ELSEWHERE);
    const longTerms: number[] = [];
    let [short, long] = [0, plan.shortPostings];
    for (let term = plan.from; term < plan.to; term++) {
      const isLong = df[term]! >= longListFrom(documents);
      let next = isLong ? long : short;
      for (const earlier of before) next += earlier[term]!;
      this.#next[term] = next;
      if (isLong) {
        longTerms.push(term);
        long += df[term]!;
      } else short += df[term]!;
    }
    this.#longTerms = longTerms;
  }

  /** Adds the documents from `first` on; those of the range must come in order, and every one of them. */
  add(first: number, bags: Bags): void {
    const numberOf = this.#task.numbers.get(bags.thread)!;
    let at = 0;
    for (let i = 0; i < bags.counts.length; i++) {
      const document = first + i;
      if ((document & DOCUMENT_MASK) === 0) this.#beginWindow(document >>> WINDOW_BITS);
      const end = at + bags.counts[i]!;
      this.#addDocument(document, bags, numberOf, at, end, bags.lengths[i]!);
      at = end;
    }
    const { documents } = this.#task;
    if (first + bags.counts.length === documents && bags.counts.length > 0)
      this.#beginWindow(windowCount(documents));
  }

  #addDocument(
    document: number,
    { terms, tfs }: Bags,
    numberOf: Uint32Array,
    from: number,
    to: number,
    length: number,
  ): void {
    const next = this.#next;
    const { shortDocuments, shortCodes, longPostings } = this.#task.part;
    const shortPostings = shortDocuments.length;
    for (let at = from; at < to; at++) {
      const term = numberOf[terms[at]!]!;
      const posting = next[term]!;
      if (posting === ELSEWHERE) continue;
      next[term] = posting + 1;
      const code = this.#codes.of(tfs[at]!, length);
      if (code === RARE) this.rare.push({ posting, tf: tfs[at]! });
      if (posting < shortPostings) {
        shortDocuments[posting] = document;
        shortCodes[posting] = code;
      } else longPostings[posting - shortPostings] = (code << CODE_SHIFT) | (document & DOCUMENT_MASK);
    }
  }

  /** Notes where a window begins in every long list. */
  #beginWindow(window: number): void {
    const { part, documents } = this.#task;
    const { windowStarts, shortDocuments } = part;
    const width = windowCount(documents) + 1;
    const longTerms = this.#longTerms;
    for (let row = 0; row < longTerms.length; row++)
      windowStarts[row * width + window] = this.#next[longTerms[row]!]! - shortDocuments.length;
  }
}
