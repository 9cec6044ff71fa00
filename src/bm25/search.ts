/**
 * Exact top-k search with MaxScore pruning (Turtle & Flood 1995), one window of 65,536 documents at a time, so that accumulators stay in
 * the cache. In each window the lists whose bounds together cannot reach the threshold are inessential: documents found only there are never
 * looked at. The others are added up in full; inessential lists then only complete documents that can still reach the threshold.
 *
 * The result is exactly that of scoring every document: sums are exact in any order (scoring.ts), bounds are true bounds, and a document
 * whose bound equals the threshold is kept, because its id may win the tie.
 */
import { type Analyzer, analyzerNamed } from './analyzer.ts';
import { Collector } from './collector.ts';
import { addAll, addSpread, addWhereFound, takeOut } from './kernels.ts';
import { firstRare, Lists, nextRare, partIn, rarePart, type TermList } from './lists.ts';
import { DOCUMENT_MASK, WINDOW, WINDOW_BITS, windowCount } from './postings.ts';
import type { Prepared } from './prepare.ts';
import { absentPart, idf, toGrid } from './scoring.ts';
import { find } from './strings.ts';
import { words } from './words.ts';

/** The documents found, best first, as numbers of the index. */
export interface Found {
  readonly documents: Uint32Array;
  readonly scores: Float64Array;
  /** The scores of the documents asked for by `also`. */
  readonly also: Float64Array;
}

export interface SearchOptions {
  /** A document to leave out, as if it were not there; -1: none. */
  readonly without?: number | undefined;
  /** Documents to score whether they are found or not. */
  readonly also?: readonly number[] | undefined;
}

/** One distinct term of a query. */
interface Clause {
  readonly list: TermList;
  /** Inverse document frequency times occurrences in the query. */
  readonly weight: number;
  /** Its largest contribution anywhere. */
  readonly bound: number;
  /** Its largest contribution, and its postings, in the present window. */
  windowBound: number;
  windowPostings: number;
}

/** A list is probed rather than read through if it is this many times longer than the documents in question. */
const PROBE_RATIO = 16;

/** Sums are multiples of 2^-24: half of that stands between 0 and any other. No denormal number, because threads that run models flush those to 0. */
const LEAST_SUM = 2 ** -25;
/** Words of queries whose terms are remembered. */
const WORDS_KEPT = 1 << 18;

export class Searcher {
  readonly prepared: Prepared;
  readonly #analyzer: Analyzer;
  readonly #lists: Lists;
  /** The term of each word met in a query, -1 where there is none. */
  readonly #termOfWord = new Map<string, number>();
  readonly #windows: number;
  readonly #collector: Collector;
  /** The scores so far of the present window's documents; 0 everywhere between windows. */
  readonly #sums = new Float64Array(WINDOW);
  /** The documents still in question, and their scores so far; one place more than they need, for a branchless write past the end. */
  readonly #candidates = new Uint16Array(WINDOW + 1);
  readonly #candidateSums = new Float64Array(WINDOW + 1);

  constructor(prepared: Prepared) {
    this.prepared = prepared;
    this.#analyzer = analyzerNamed(prepared.index.analyzer);
    this.#lists = new Lists(prepared);
    this.#windows = windowCount(prepared.index.documents);
    this.#collector = new Collector(prepared.index.idRanks);
  }

  /** The distinct terms of a query that the index has, and how often each occurs. */
  #terms(query: string): Map<number, number> {
    const counts = new Map<number, number>();
    for (const word of words(query)) {
      let term = this.#termOfWord.get(word);
      if (term === undefined) {
        const normal = this.#analyzer.normalise(word);
        term = normal === undefined ? -1 : find(this.prepared.index.terms, normal);
        if (this.#termOfWord.size < WORDS_KEPT) this.#termOfWord.set(word, term);
      }
      if (term >= 0) counts.set(term, (counts.get(term) ?? 0) + 1);
    }
    return counts;
  }

  #weight(term: number): number {
    const { index, parameters } = this.prepared;
    return idf(parameters.variant, index.df[term]!, index.documents);
  }

  /** The clauses that can contribute, the smallest bound first. */
  #clauses(terms: ReadonlyMap<number, number>): Clause[] {
    this.#lists.recall();
    const clauses: Clause[] = [];
    for (const [term, times] of terms) {
      const list = this.#lists.of(term);
      const weight = times * this.#weight(term);
      const bound = toGrid(weight * list.bound);
      if (bound > 0) clauses.push({ list, weight, bound, windowBound: 0, windowPostings: 0 });
    }
    return clauses.sort((a, b) => a.bound - b.bound);
  }

  /** What a document without any of these terms scores: 0 but for BM25L and BM25+. */
  #floor(terms: ReadonlyMap<number, number>): number {
    const part = absentPart(this.prepared.parameters);
    let floor = 0;
    for (const [term, times] of terms) floor += toGrid(times * this.#weight(term) * part);
    return floor;
  }

  /**
   * The best `k` of the documents that score more than one without any of the query's terms, in ranking order
   * (score descending, then id descending by bytes).
   */
  search(query: string, k: number, options: SearchOptions = {}): Found {
    const { without = -1, also = [] } = options;
    const terms = this.#terms(query);
    const clauses = this.#clauses(terms);
    const highest = clauses.reduce((sum, clause) => sum + clause.bound, 0);
    const wanted = Math.min(without < 0 ? k : k + 1, this.prepared.index.documents); // room is taken for as many
    this.#collector.begin(wanted, highest, this.#leastOfBest(clauses, wanted));
    for (let window = 0; window < this.#windows; window++) this.#searchWindow(clauses, window);
    const { scores, documents } = this.#collector.finish();
    const floor = this.#floor(terms);
    if (floor > 0) for (let i = 0; i < scores.length; i++) scores[i]! += floor;
    const found = { documents, scores, also: Float64Array.from(also, d => floor + this.#sumOf(clauses, d)) };
    return without < 0 ? found : leaveOut(found, without, k);
  }

  /** A score that at least `k` documents reach by one of the terms alone. */
  #leastOfBest(clauses: readonly Clause[], k: number): number {
    const power = Math.ceil(Math.log2(k));
    return clauses.reduce(
      (least, { list, weight }) => Math.max(least, toGrid(weight * this.#lists.topOf(list, power))),
      0,
    );
  }

  /** What the clauses contribute to one document. */
  #sumOf(clauses: readonly Clause[], document: number): number {
    const [window, within] = [document >>> WINDOW_BITS, document & DOCUMENT_MASK];
    return clauses.reduce(
      (sum, { list, weight }) => sum + toGrid(weight * partIn(this.prepared, list, window, within)),
      0,
    );
  }

  #searchWindow(clauses: readonly Clause[], window: number): void {
    const threshold = this.#collector.threshold;
    let [essential, rest] = [0, 0];
    for (const clause of clauses) {
      const { list } = clause;
      const at = list.row + window;
      clause.windowPostings = list.starts[at + 1]! - list.starts[at]!;
      clause.windowBound = toGrid(clause.weight * list.bounds[window]!);
    }
    while (essential < clauses.length && rest + clauses[essential]!.windowBound < threshold)
      rest += clauses[essential++]!.windowBound;
    if (essential === clauses.length) return;
    let found = 0;
    for (let i = essential; i < clauses.length; i++) {
      this.#add(clauses[i]!, window, true);
      found += clauses[i]!.windowPostings;
    }
    if (found === 0) return;
    // Inessential lists that are about as long as what was found are read through now, while sums are at hand.
    const late: Clause[] = [];
    for (let i = essential - 1; i >= 0; i--) {
      const clause = clauses[i]!;
      if (clause.windowPostings === 0) continue;
      if (clause.list.spread.length > 0 || clause.windowPostings > PROBE_RATIO * found) late.push(clause);
      else this.#add(clause, window, false);
    }
    let open = late.reduce((sum, clause) => sum + clause.windowBound, 0);
    let count = this.#gather(clauses, essential, window, threshold - open);
    for (const clause of late) {
      open -= clause.windowBound;
      count = this.#probe(clause, window, count, threshold - open);
    }
    this.#offer(window, count);
  }

  /** Adds a list's contributions to the sums of the window: to all, or to those that are not 0. */
  #add({ list, weight }: Clause, window: number, all: boolean): void {
    const { postings, starts, row } = list;
    const [from, to] = [starts[row + window]!, starts[row + window + 1]!];
    const add = all ? addAll : addWhereFound;
    add(this.#sums, postings, from, to, this.prepared.parts, weight);
    for (let i = firstRare(list, from); i < to; i = nextRare(list, i)) {
      const document = postings[i]! & DOCUMENT_MASK;
      if (all || this.#sums[document] !== 0)
        this.#sums[document]! += toGrid(weight * rarePart(this.prepared, list, i, window));
    }
  }

  /** Takes the documents of the essential lists whose sums are at least `least` as candidates; zeroes all sums. */
  #gather(clauses: readonly Clause[], essential: number, window: number, least: number): number {
    const bar = Math.max(least, LEAST_SUM); // a sum of 0 has been taken already
    let count = 0;
    for (let k = essential; k < clauses.length; k++) {
      const { postings, starts, row } = clauses[k]!.list;
      const [from, to] = [starts[row + window]!, starts[row + window + 1]!];
      count = takeOut(this.#sums, postings, from, to, bar, this.#candidates, this.#candidateSums, count);
    }
    return count;
  }

  /** Completes the candidates by one list, and keeps those that reach `least`. */
  #probe({ list, weight }: Clause, window: number, count: number, least: number): number {
    const [candidates, sums] = [this.#candidates, this.#candidateSums];
    const { spread } = list;
    const { spreadParts } = this.prepared;
    if (spread.length > 0)
      return addSpread(candidates, sums, count, spread, window << WINDOW_BITS, spreadParts, weight, least);
    let kept = 0;
    for (let k = 0; k < count; k++) {
      const sum = sums[k]! + toGrid(weight * partIn(this.prepared, list, window, candidates[k]!));
      if (sum < least) continue;
      candidates[kept] = candidates[k]!;
      sums[kept++] = sum;
    }
    return kept;
  }

  #offer(window: number, count: number): void {
    const collector = this.#collector;
    const first = window << WINDOW_BITS;
    for (let k = 0; k < count; k++) {
      const sum = this.#candidateSums[k]!;
      if (sum >= collector.threshold) collector.push(sum, first + this.#candidates[k]!);
    }
  }
}

function leaveOut({ documents, scores, also }: Found, without: number, k: number): Found {
  const at = documents.indexOf(without);
  const kept = (_: number, i: number) => i !== at;
  return {
    documents: documents.filter(kept).subarray(0, k),
    scores: scores.filter(kept).subarray(0, k),
    also,
  };
}
