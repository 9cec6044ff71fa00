/**
 * Byte-level BPE encoding of UTF-8: words are cut and looked up in a table of words already encoded; only a word not in it is merged.
 * Text repeats its words so much that this is many times faster than encoding each anew.
 */
import type { ByteLevelPlan } from './byte-level-plan.ts';
import { Heap } from './heap.ts';
import { IntVector } from './int-vector.ts';
import { PairTable } from './pair-table.ts';
import { wordEnd } from './pre-tokenize.ts';
import { WordTable } from './word-table.ts';

/** The table is emptied when it holds this many words or bytes (a few tens of MB): deterministic, and bounded for any text. */
const CACHED_WORDS = 1 << 19;
const CACHED_BYTES = 1 << 24;
/** Longer words (base64, text without blanks) are neither cached nor merged by scanning, which is quadratic. */
const LONG_WORD = 96;

const NO_RANK = 0x7fff_ffff;
const POSITIONS = 2 ** 31;
/** Stands where a token was merged into the one before it. */
const GONE = -2;

export class ByteLevelEncoder {
  readonly #cachedWords: number;
  readonly #byteIds: Int32Array;
  /** A pair's number is its rank. */
  readonly #ranks: PairTable;
  readonly #merged: Int32Array;
  #words = new WordTable(1 << 12);
  /** Word `i` of the table is `cached[cachedEnds[i - 1] .. cachedEnds[i])`. */
  readonly #cached = new IntVector();
  readonly #cachedEnds = new IntVector();
  readonly #tokens = new Int32Array(LONG_WORD);
  readonly #tokenRanks = new Int32Array(LONG_WORD);

  constructor(plan: ByteLevelPlan, cachedWords = CACHED_WORDS) {
    this.#cachedWords = cachedWords;
    this.#byteIds = plan.byteIds;
    this.#ranks = new PairTable(plan.merges.length);
    this.#merged = Int32Array.from(plan.merges, merge => merge.token);
    for (const { left, right } of plan.merges) this.#ranks.intern(left, right);
  }

  /** Appends the ids of `bytes[from .. to)` (valid UTF-8) to `ids`: at most `limit` of them. */
  encode(
    bytes: Uint8Array,
    from: number,
    to: number,
    ids: IntVector,
    limit = Number.POSITIVE_INFINITY,
  ): void {
    const most = ids.length + limit;
    for (let at = from; at < to && ids.length < most; ) {
      const end = wordEnd(bytes, at, to);
      if (end - at <= LONG_WORD) this.#encodeCached(bytes, at, end, ids);
      else mergeLongWord(this.#bytesAsTokens(bytes, at, end), this.#ranks, this.#merged, ids);
      at = end;
    }
    if (ids.length > most) ids.truncate(most);
  }

  #encodeCached(bytes: Uint8Array, from: number, to: number, ids: IntVector): void {
    const words = this.#words;
    const known = words.size;
    const word = words.intern(bytes, from, to);
    if (word === known) {
      this.#mergeShortWord(bytes, from, to);
      this.#cachedEnds.push(this.#cached.length);
    }
    ids.append(this.#cached, word === 0 ? 0 : this.#cachedEnds.at(word - 1), this.#cachedEnds.at(word));
    if (words.size >= this.#cachedWords || words.bytes >= CACHED_BYTES) this.#forget();
  }

  #bytesAsTokens(bytes: Uint8Array, from: number, to: number): Int32Array {
    const tokens = new Int32Array(to - from);
    for (let i = 0; i < tokens.length; i++) tokens[i] = this.#byteIds[bytes[from + i]!]!;
    return tokens;
  }

  #forget(): void {
    this.#words.clear();
    this.#cached.clear();
    this.#cachedEnds.clear();
  }

  /** Merges the pair of least rank, the leftmost of them, until none is left; appends the tokens to the cache. */
  #mergeShortWord(bytes: Uint8Array, from: number, to: number): void {
    const [tokens, ranks] = [this.#tokens, this.#tokenRanks];
    let length = to - from;
    for (let i = 0; i < length; i++) tokens[i] = this.#byteIds[bytes[from + i]!]!;
    for (let i = 0; i + 1 < length; i++) ranks[i] = this.#rank(tokens[i]!, tokens[i + 1]!);
    for (;;) {
      let best = 0;
      for (let i = 1; i + 1 < length; i++) if (ranks[i]! < ranks[best]!) best = i;
      if (length < 2 || ranks[best] === NO_RANK) break;
      tokens[best] = this.#merged[ranks[best]!]!;
      length--;
      tokens.copyWithin(best + 1, best + 2, length + 1);
      ranks.copyWithin(best + 1, best + 2, length);
      if (best > 0) ranks[best - 1] = this.#rank(tokens[best - 1]!, tokens[best]!);
      if (best + 1 < length) ranks[best] = this.#rank(tokens[best]!, tokens[best + 1]!);
    }
    for (let i = 0; i < length; i++) this.#cached.push(tokens[i]!);
  }

  #rank(left: number, right: number): number {
    const rank = this.#ranks.find(left, right);
    return rank < 0 ? NO_RANK : rank;
  }
}

/**
 * The same in O(n log n), for words of any length: a linked list of tokens, and a heap of possible merges. A merge is one number,
 * rank times 2^31 plus position, so that a smaller number comes first; it is stale if the pair there has another rank by now.
 */
function mergeLongWord(tokens: Int32Array, ranks: PairTable, merged: Int32Array, ids: IntVector): void {
  const length = tokens.length;
  const next = new Int32Array(length).map((_, i) => i + 1);
  const previous = new Int32Array(length).map((_, i) => i - 1);
  const rankAt = (at: number) => (next[at]! < length ? ranks.find(tokens[at]!, tokens[next[at]!]!) : -1);
  const heap = new Heap<number>((a, b) => a < b);
  const offer = (at: number) => {
    const rank = rankAt(at);
    if (rank >= 0) heap.push(rank * POSITIONS + at);
  };
  for (let at = 0; at < length; at++) offer(at);
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    const at = top % POSITIONS;
    const rank = (top - at) / POSITIONS;
    if (tokens[at] === GONE || rankAt(at) !== rank) continue;
    tokens[at] = merged[rank]!;
    tokens[next[at]!] = GONE;
    next[at] = next[next[at]!]!;
    if (next[at]! < length) previous[next[at]!] = at;
    offer(at);
    if (previous[at]! >= 0) offer(previous[at]!);
  }
  for (let at = 0; at < length; at = next[at]!) ids.push(tokens[at]!);
}
