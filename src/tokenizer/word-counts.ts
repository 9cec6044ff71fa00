/** How often each word of a text occurs: all that learning merges needs to know of a corpus. */
import { wordEnd } from './pre-tokenize.ts';
import { WordTable } from './word-table.ts';

/** The same as plain arrays, so that a thread can hand it to another: word `i` is `arena[starts[i] .. starts[i + 1])`. */
export interface WordCountArrays {
  readonly arena: Uint8Array;
  readonly starts: Uint32Array;
  readonly counts: Float64Array;
}

export class WordCounts {
  #table = new WordTable();
  #counts = new Float64Array(this.#table.capacity);

  /** Number of distinct words. */
  get size(): number {
    return this.#table.size;
  }

  /** Views, valid until the next change. */
  contents(): WordCountArrays {
    return { ...this.#table.contents(), counts: this.#counts.subarray(0, this.size) };
  }

  /** A copy, for another thread. */
  snapshot(): WordCountArrays {
    const { arena, starts, counts } = this.contents();
    return { arena: arena.slice(), starts: starts.slice(), counts: counts.slice() };
  }

  /** Cuts a document (whole, valid UTF-8) into words and counts them. */
  addText(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const end = wordEnd(bytes, at, to);
      this.#add(bytes, at, end, 1);
      at = end;
    }
  }

  /** Adds counts made elsewhere. */
  addCounts({ arena, starts, counts }: WordCountArrays): void {
    for (let word = 0; word < counts.length; word++) {
      this.#add(arena, starts[word]!, starts[word + 1]!, counts[word]!);
    }
  }

  /**
   * Keeps at most `limit` words by forgetting all that occur no oftener than some count, the least one that does.
   * Returns how many words went.
   */
  prune(limit: number): number {
    if (this.size <= limit) return 0;
    const { arena, starts, counts } = this.contents();
    const least = counts.slice().sort()[this.size - limit - 1]!; // the most frequent word that has to go
    const kept = new WordCounts();
    for (let word = 0; word < counts.length; word++) {
      if (counts[word]! > least) kept.#add(arena, starts[word]!, starts[word + 1]!, counts[word]!);
    }
    const gone = this.size - kept.size;
    this.#table = kept.#table;
    this.#counts = kept.#counts;
    return gone;
  }

  #add(bytes: Uint8Array, from: number, to: number, count: number): void {
    const word = this.#table.intern(bytes, from, to);
    if (word >= this.#counts.length) this.#grow();
    this.#counts[word]! += count;
  }

  #grow(): void {
    const counts = new Float64Array(this.#table.capacity);
    counts.set(this.#counts);
    this.#counts = counts;
  }
}
