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

/** Analyzes texts into bags. Every distinct word is normalised once and remembered. */
export class BagMaker {
  readonly terms = new StringTable();
  readonly #analyzer: Analyzer;
  readonly #scanner = new WordScanner();
  readonly #words = new StringTable();
  /** For each word its term, or -1 where the analyzer drops it. */
  #termOfWord = new Int32Array(1024);
  /** For each term the place of its latest posting; of the present document if that is at least `#begin`. */
  #latest = new Int32Array(1024).fill(-1);
  #begin = 0;
  #documents = 0;
  #postings = 0;
  #lengths = new Uint32Array(1024);
  #counts = new Uint32Array(1024);
  #postingTerms = new Uint32Array(1 << 16);
  #tfs = new Uint32Array(1 << 16);

  constructor(analyzer: Analyzer) {
    this.#analyzer = analyzer;
  }

  /** Postings added since the last `take`. */
  get postings(): number {
    return this.#postings;
  }

  add(text: string): void {
    const scanner = this.#scanner;
    this.#begin = this.#postings;
    let length = 0;
    scanner.reset(text);
    while (scanner.next()) {
      const known = this.#words.size;
      const word = this.#words.intern(text, scanner.start, scanner.end);
      if (word === known) this.#learn(word, text.slice(scanner.start, scanner.end));
      const term = this.#termOfWord[word]!;
      if (term < 0) continue;
      length++;
      this.#count(term);
    }
    this.#lengths = withRoom(this.#lengths, this.#documents + 1);
    this.#counts = withRoom(this.#counts, this.#documents + 1);
    this.#lengths[this.#documents] = length;
    this.#counts[this.#documents++] = this.#postings - this.#begin;
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
    this.#postings = 0;
    this.#latest.fill(-1);
    return bags;
  }

  #learn(word: number, surface: string): void {
    const term = this.#analyzer.normalise(surface);
    this.#termOfWord = withRoom(this.#termOfWord, word + 1);
    this.#termOfWord[word] = term === undefined ? -1 : this.terms.intern(term, 0, term.length);
    const known = this.#latest.length;
    this.#latest = withRoom(this.#latest, this.terms.size);
    this.#latest.fill(-1, known);
  }

  #count(term: number): void {
    const at = this.#latest[term]!;
    if (at >= this.#begin) {
      this.#tfs[at]!++;
      return;
    }
    const posting = this.#postings++;
    if (posting >= this.#tfs.length) {
      this.#postingTerms = withRoom(this.#postingTerms, posting + 1);
      this.#tfs = withRoom(this.#tfs, posting + 1);
    }
    this.#latest[term] = posting;
    this.#postingTerms[posting] = term;
    this.#tfs[posting] = 1;
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
