/** Documents as bags of terms: what analysis leaves of a text, and what an index is inverted from. */
import { withRoom } from '../data/index.ts';
import type { Analyzer } from './analyzer.ts';
import { StringTable } from './intern.ts';
import { WordScanner } from './words.ts';

/** Consecutive documents. Terms are numbers given by a `StringTable`. */
export interface Bags {
  /** Tokens of each document: its length in BM25. */
  readonly lengths: Uint32Array;
  /** Distinct terms of each document. */
  readonly counts: Uint32Array;
  /** The distinct terms, document after document. */
  readonly terms: Uint32Array;
  /** How often each occurs: bytes where all fit. */
  readonly tfs: Uint8Array | Uint32Array;
}

export function bagsBytes(bags: Bags): number {
  const { lengths, counts, terms, tfs } = bags;
  return lengths.byteLength + counts.byteLength + terms.byteLength + tfs.byteLength;
}

/** The term of a word that the analyzer drops. */
const DROPPED = 0xffffffff;

/** Analyzes texts into bags. Every distinct word is normalised once and remembered. */
export class BagMaker {
  readonly terms = new StringTable();
  readonly #analyzer: Analyzer;
  readonly #scanner = new WordScanner();
  readonly #words = new StringTable();
  /** For each word its term, or `DROPPED`. */
  #termOfWord = new Uint32Array(1024);
  /** For each term the place of its latest posting, counted from the first of all; counted from the first of all. */
  #latest = new Int32Array(1024).fill(-1);
  /** Postings taken already. */
  #taken = 0;
  #documents = 0;
  #postings = 0;
  #lengths = new Uint32Array(1024);
  #counts = new Uint32Array(1024);
  #postingTerms = new Uint32Array(1 << 16);
  #tfs = new Uint32Array(1 << 16);
  /** The words of the present document, later its terms. */
  #found = new Uint32Array(256);

  /** Keeps the compiler from leaving out the reads that only fetch. */
  protected touched = 0;

  constructor(analyzer: Analyzer) {
    this.#analyzer = analyzer;
  }

  /** Postings added since the last `take`. */
  get postings(): number {
    return this.#postings;
  }

  /** Each loop over the tokens does one thing, so that what they wait for from memory comes together and not one after the other. */
  add(text: string): void {
    const tokens = this.#scanner.scan(text);
    let known = this.#words.size;
    this.#found = withRoom(this.#found, tokens.count);
    this.#words.internAll(tokens, this.#found);
    for (let i = 0; known < this.#words.size; i++) {
      if (this.#found[i] === known) this.#learn(known++, text.slice(tokens.starts[i], tokens.ends[i]));
    }
    this.#lengths = withRoom(this.#lengths, this.#documents + 1);
    this.#counts = withRoom(this.#counts, this.#documents + 1);
    const length = this.#toTerms(tokens.count);
    this.#lengths[this.#documents] = length;
    this.#counts[this.#documents++] = this.#countTerms(length);
  }

  /** Everything added since the last `take`. */
  take(): Bags {
    const bags = {
      lengths: this.#lengths.slice(0, this.#documents),
      counts: this.#counts.slice(0, this.#documents),
      terms: this.#postingTerms.slice(0, this.#postings),
      tfs: compact(this.#tfs.subarray(0, this.#postings)),
    };
    this.#documents = 0;
    this.#taken += this.#postings;
    this.#postings = 0;
    if (this.#taken >= 2 ** 30) {
      this.#latest.fill(-1);
      this.#taken = 0;
    }
    return bags;
  }

  #learn(word: number, surface: string): void {
    const term = this.#analyzer.normalise(surface);
    this.#termOfWord = withRoom(this.#termOfWord, word + 1);
    this.#termOfWord[word] = term === undefined ? DROPPED : this.terms.internText(term);
    const known = this.#latest.length;
    this.#latest = withRoom(this.#latest, this.terms.size);
    this.#latest.fill(-1, known);
  }

  /** Replaces words by terms; returns how many were not dropped. */
  #toTerms(count: number): number {
    const [found, termOfWord] = [this.#found, this.#termOfWord];
    for (let i = 0; i < count; i++) found[i] = termOfWord[found[i]!]!;
    let kept = 0;
    for (let i = 0; i < count; i++) if (found[i] !== DROPPED) found[kept++] = found[i]!;
    return kept;
  }

  /** Adds a document's postings; returns how many. */
  #countTerms(length: number): number {
    const [found, latest, begin, taken] = [
      this.#found,
      this.#latest,
      this.#taken + this.#postings,
      this.#taken,
    ];
    this.#postingTerms = withRoom(this.#postingTerms, this.#postings + length);
    this.#tfs = withRoom(this.#tfs, this.#postings + length);
    const [postingTerms, tfs] = [this.#postingTerms, this.#tfs];
    let touched = 0;
    for (let i = 0; i < length; i++) touched ^= latest[found[i]!]!;
    this.touched = touched;
    let posting = this.#postings;
    for (let i = 0; i < length; i++) {
      const term = found[i]!;
      const at = latest[term]!;
      if (at >= begin) {
        tfs[at - taken]!++;
        continue;
      }
      latest[term] = taken + posting;
      postingTerms[posting] = term;
      tfs[posting++] = 1;
    }
    const added = posting - this.#postings;
    this.#postings = posting;
    return added;
  }
}

function compact(frequencies: Uint32Array): Uint8Array | Uint32Array {
  const bytes = new Uint8Array(frequencies.length);
  for (let i = 0; i < bytes.length; i++) {
    if (frequencies[i]! > 255) return frequencies.slice();
    bytes[i] = frequencies[i]!;
  }
  return bytes;
}

/** Consecutive documents of a collection; `texts` are whole, title included. */
export interface DocumentBatch {
  readonly ids: readonly string[];
  readonly texts: readonly string[];
}
