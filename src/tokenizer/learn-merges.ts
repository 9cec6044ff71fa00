/**
 * Byte-pair encoding (Gage 1994; Sennrich et al. 2016): again and again the most frequent pair of neighbouring tokens becomes one token.
 * Works on distinct words with their counts. Pair counts are kept up to date merge by merge, and a lazy heap offers the best pair, so
 * that a merge costs only the words it changes.
 *
 * Ties: the pair with the smaller left id, then the smaller right id. That is the rule of the `tokenizers` package's trainer, and with
 * its order of first ids (special tokens, then bytes) the merges are the same ones.
 */
import { Heap } from './heap.ts';
import { IntVector } from './int-vector.ts';
import { PairTable } from './pair-table.ts';
import type { WordCounts } from './word-counts.ts';

export interface MergeLimits {
  /** Stop at this many tokens in all. */
  readonly vocabSize: number;
  /** Merge no pair that is rarer than this (at least 1). */
  readonly minFrequency: number;
}

export interface Merge {
  readonly left: number;
  readonly right: number;
  /** The token made: a new id, or that of a token which is already spelled so. */
  readonly token: number;
}

/** The tokens so far, spelled; `byteIds[b]` is the id of byte `b`. New tokens are appended to `spellings`. */
export interface Vocabulary {
  readonly spellings: string[];
  readonly byteIds: Int32Array;
}

/** Learns merges, in order, and appends their tokens to the vocabulary. */
export function learnMerges(words: WordCounts, vocabulary: Vocabulary, limits: MergeLimits): Merge[] {
  const corpus = new Corpus(words, vocabulary.byteIds);
  const ids = new Map(vocabulary.spellings.map((spelling, id) => [spelling, id]));
  const merges: Merge[] = [];
  while (ids.size < limits.vocabSize) {
    const best = corpus.mostFrequent(limits.minFrequency);
    if (best === undefined) break;
    const [left, right] = [corpus.left(best), corpus.right(best)];
    const spelling = vocabulary.spellings[left]! + vocabulary.spellings[right]!;
    const token = ids.get(spelling) ?? vocabulary.spellings.length;
    if (token === vocabulary.spellings.length) {
      vocabulary.spellings.push(spelling);
      ids.set(spelling, token);
    }
    merges.push({ left, right, token });
    corpus.merge(best, token);
  }
  return merges;
}

/** A pair waiting in the heap with the words that contain it: `lists[from .. to)`. */
interface Candidate {
  readonly pair: number;
  readonly from: number;
  readonly to: number;
  /** The pair's count when the heap last looked; the true one can only have sunk since. */
  count: number;
}

/** The distinct words as token ids, the count of every pair, and for every pair the words where it occurs. */
class Corpus {
  readonly #counts: Float64Array;
  /** Word `w` is `tokens[starts[w] .. starts[w] + lengths[w])`. */
  readonly #tokens: Int32Array;
  readonly #starts: Uint32Array;
  readonly #lengths: Int32Array;
  readonly #pairs = new PairTable(1 << 16);
  readonly #pairCounts: number[] = [];
  readonly #heap: Heap<Candidate>;
  /** The words of all candidates. A merge adds at most two entries a token that it takes away, so this ends at three times the tokens. */
  readonly #lists = new IntVector();
  readonly #found = new Occurrences();

  constructor(words: WordCounts, byteIds: Int32Array) {
    const { arena, starts, counts } = words.contents();
    this.#counts = counts;
    this.#starts = starts;
    this.#tokens = Int32Array.from(arena, byte => byteIds[byte]!);
    this.#lengths = Int32Array.from(counts, (_, word) => starts[word + 1]! - starts[word]!);
    this.#heap = new Heap((a, b) => this.#isBetter(a, b));
    for (let word = 0; word < counts.length; word++) {
      for (let at = starts[word]! + 1; at < starts[word + 1]!; at++) {
        this.#change(this.#tokens[at - 1]!, this.#tokens[at]!, counts[word]!, word);
      }
    }
    this.#offer();
  }

  /** Takes the best pair out of the heap; undefined if none occurs `least` times. */
  mostFrequent(least: number): Candidate | undefined {
    for (let top = this.#heap.pop(); top !== undefined; top = this.#heap.pop()) {
      const count = this.#pairCounts[top.pair]!;
      if (top.count === count) return count >= Math.max(1, least) ? top : undefined;
      top.count = count;
      this.#heap.push(top);
    }
    return undefined;
  }

  left(candidate: Candidate): number {
    return this.#pairs.left(candidate.pair);
  }

  right(candidate: Candidate): number {
    return this.#pairs.right(candidate.pair);
  }

  /** Makes the candidate's pair one token wherever it occurs. */
  merge(candidate: Candidate, token: number): void {
    const [left, right] = [this.left(candidate), this.right(candidate)];
    const words = this.#lists.view;
    for (let at = candidate.from; at < candidate.to; at++) this.#mergeWord(words[at]!, left, right, token);
    this.#offer();
  }

  /** From left to right; the neighbours of a merged pair lose a pair each and gain one. */
  #mergeWord(word: number, left: number, right: number, token: number): void {
    const tokens = this.#tokens;
    const start = this.#starts[word]!;
    const end = start + this.#lengths[word]!;
    const count = this.#counts[word]!;
    let to = start;
    for (let from = start; from < end; from++) {
      if (tokens[from] !== left || from + 1 === end || tokens[from + 1] !== right) {
        tokens[to++] = tokens[from]!;
        continue;
      }
      if (to > start) {
        this.#change(tokens[to - 1]!, left, -count, word);
        this.#change(tokens[to - 1]!, token, count, word);
      }
      tokens[to++] = token;
      from++;
      if (from + 1 < end) {
        this.#change(right, tokens[from + 1]!, -count, word);
        this.#change(token, tokens[from + 1]!, count, word);
      }
    }
    this.#lengths[word] = to - start;
  }

  #change(left: number, right: number, by: number, word: number): void {
    const pair = this.#pairs.intern(left, right);
    if (pair === this.#pairCounts.length) this.#pairCounts.push(0);
    this.#pairCounts[pair]! += by;
    if (by > 0) this.#found.add(pair, word);
  }

  /** Turns what was found since the last time into candidates. */
  #offer(): void {
    const lists = this.#lists;
    this.#found.drain(lists, (pair, from, to) => {
      const count = this.#pairCounts[pair]!;
      if (count > 0) this.#heap.push({ pair, from, to, count });
    });
  }

  /** The reference's order: more frequent first, then the smaller ids. */
  #isBetter(a: Candidate, b: Candidate): boolean {
    if (a.count !== b.count) return a.count > b.count;
    const order = this.left(a) - this.left(b);
    return order !== 0 ? order < 0 : this.right(a) < this.right(b);
  }
}

/** Pairs seen in words, gathered word by word, to be grouped by pair. */
class Occurrences {
  readonly #pairs = new IntVector();
  readonly #words = new IntVector();
  /** The distinct pairs among them. */
  readonly #touched = new IntVector();
  /** By pair: in how many words it was seen, later where its next word goes; 0 between drains. */
  readonly #cursors: number[] = [];
  readonly #lastWord: number[] = [];

  add(pair: number, word: number): void {
    const seen = this.#cursors[pair] ?? 0;
    if (seen > 0 && this.#lastWord[pair] === word) return;
    if (seen === 0) this.#touched.push(pair);
    this.#cursors[pair] = seen + 1;
    this.#lastWord[pair] = word;
    this.#pairs.push(pair);
    this.#words.push(word);
  }

  /** Appends the words of each pair to `lists`, reports where they are, and forgets everything. */
  drain(lists: IntVector, report: (pair: number, from: number, to: number) => void): void {
    let end = lists.length;
    lists.extend(this.#words.length);
    for (const pair of this.#touched.view) {
      const from = end;
      end += this.#cursors[pair]!;
      this.#cursors[pair] = from;
      report(pair, from, end);
    }
    const [pairs, words, into] = [this.#pairs.view, this.#words.view, lists.view];
    for (let i = 0; i < pairs.length; i++) into[this.#cursors[pairs[i]!]!++] = words[i]!;
    for (const pair of this.#touched.view) this.#cursors[pair] = 0;
    for (const list of [this.#pairs, this.#words, this.#touched]) list.clear();
  }
}
