/** Documents as bags of terms: what analysis leaves of a text, and what an index is inverted from. */
import { withRoom } from '../base/index.ts';
import type { Analyzer } from './analyzer.ts';
import { StringTable } from './intern.ts';
import { shareCopy, shared, sharedRoom } from './shared.ts';
import type { Vocabulary } from './vocabulary.ts';
import { WordScanner } from './words.ts';

/** Consecutive documents, in memory that threads share. */
export interface Bags {
  /** The thread that numbered the terms. */
  readonly thread: number;
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
  readonly #analyzer: Analyzer;
  readonly #thread: number;
  readonly #scanner = new WordScanner();
  readonly #words = new StringTable();
  readonly #terms = new StringTable();
  /** For each word its term, or -1 where the analyzer drops it. */
  #termOfWord = new Int32Array(1024);
  /**
   * For each term the place of its latest posting, counted from 1 at the last `#forget`, and the documents that hold it: side by side, because
   * they are needed together.
   */
  #marks = shared(Int32Array, 2048);
  /** Postings taken since the last `#forget`, and not taken yet. */
  #taken = 0;
  #postings = 0;
  #documents = 0;
  #lengths = new Uint32Array(1024);
  #counts = new Uint32Array(1024);
  #postingTerms = new Uint32Array(1 << 16);
  #tfs = new Uint32Array(1 << 16);
  /** The first posting of the present document. */
  #begin = 0;

  /** `thread` is what the bags say of who numbered their terms. */
  constructor(analyzer: Analyzer, thread: number) {
    this.#analyzer = analyzer;
    this.#thread = thread;
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
      thread: this.#thread,
      lengths: shareCopy(Uint32Array, this.#lengths.subarray(0, this.#documents)),
      counts: shareCopy(Uint32Array, this.#counts.subarray(0, this.#documents)),
      terms: shareCopy(Uint32Array, this.#postingTerms.subarray(0, this.#postings)),
      tfs: compact(this.#tfs.subarray(0, this.#postings)),
    };
    this.#documents = 0;
    this.#taken += this.#postings;
    this.#postings = 0;
    if (this.#taken >= 2 ** 30) this.#forget();
    return bags;
  }

  /** All terms so far. */
  vocabulary(): Vocabulary {
    return { thread: this.#thread, ...this.#terms.all(), marks: this.#marks };
  }

  #forget(): void {
    for (let at = 0; at < this.#marks.length; at += 2) this.#marks[at] = 0;
    this.#taken = 0;
  }

  #learn(word: number, surface: string): void {
    const term = this.#analyzer.normalise(surface);
    this.#termOfWord = withRoom(this.#termOfWord, word + 1);
    this.#termOfWord[word] = term === undefined ? -1 : this.#terms.intern(term, 0, term.length);
    this.#marks = sharedRoom(Int32Array, this.#marks, 2 * this.#terms.size);
  }

  #count(term: number): void {
    const marks = this.#marks;
    const latest = marks[2 * term]! - 1 - this.#taken;
    if (latest >= this.#begin) {
      this.#tfs[latest]!++;
      return;
    }
    const posting = this.#postings++;
    if (posting >= this.#tfs.length) {
      this.#postingTerms = withRoom(this.#postingTerms, posting + 1);
      this.#tfs = withRoom(this.#tfs, posting + 1);
    }
    marks[2 * term] = this.#taken + posting + 1;
    marks[2 * term + 1]!++;
    this.#postingTerms[posting] = term;
    this.#tfs[posting] = 1;
  }
}

function compact(frequencies: Uint32Array): Uint8Array | Uint32Array {
  const bytes = shared(Uint8Array, frequencies.length);
  for (let i = 0; i < bytes.length; i++) {
    if (frequencies[i]! > 255) return shareCopy(Uint32Array, frequencies);
    bytes[i] = frequencies[i]!;
  }
  return bytes;
}

/** Consecutive documents of a collection; `texts` are whole, title included. */
export interface DocumentBatch {
  readonly ids: readonly string[];
  readonly texts: readonly string[];
}
