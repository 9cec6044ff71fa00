/**
 * The k best of a stream of non-negative scores, for hot loops. Ranking order: score descending, then rank descending.
 *
 * Unlike a heap it costs a few additions a document: scores are counted in buckets, and as soon as the buckets above the lowest one in
 * use hold k documents that one is closed, which raises the threshold. Documents are kept in a buffer that is thinned out
 * when it is full, and sorted once at the end.
 */
import { ItemSorter } from './radix.ts';

/** Documents, best first. */
export interface Best {
  readonly scores: Float64Array;
  readonly documents: Uint32Array;
}

const BUCKETS = 4096;
/** The bucket of a score and the score of a bucket are rounded differently; this keeps the threshold on the safe side. */
const SAFETY = 1 - 1e-12;
/** Scores are multiples of 2^-24 (scoring.ts). */
const GRID_STEPS = 2 ** 24;

export class Collector {
  /** No document with a lower score can be among the k best; one with this very score may be. */
  threshold = 0;
  readonly #rankOf: Uint32Array;
  #k = 0;
  #scores = new Float64Array();
  #documents = new Uint32Array();
  #size = 0;
  readonly #sorter = new ItemSorter();
  readonly #counts = new Uint32Array(BUCKETS);
  #bucketsPerPoint = 0;
  /** The lowest bucket in use, and how many documents seen lie in it or above. */
  #lowest = 0;
  #seen = 0;
  /** After a cut: the worst that was kept. A document must beat it. */
  #worstScore = -1;
  #worstRank = 0;

  /** `rankOf` gives each document the distinct number that decides ties: the larger ranks first. */
  constructor(rankOf: Uint32Array) {
    this.#rankOf = rankOf;
  }

  /** Begins a new ranking of at most `k` documents with scores from 0 to `highest`, of which k are known to score at least `least`. */
  begin(k: number, highest: number, least = 0): void {
    if (k !== this.#k) {
      this.#k = k;
      this.#scores = new Float64Array(4 * k + 1024);
      this.#documents = new Uint32Array(4 * k + 1024);
    }
    this.threshold = least;
    this.#size = 0;
    this.#counts.fill(0);
    this.#bucketsPerPoint = highest > 0 ? (BUCKETS - 1) / highest : 0;
    this.#lowest = Math.trunc(least * this.#bucketsPerPoint);
    this.#seen = 0;
    this.#worstScore = -1;
    this.#worstRank = 0;
  }

  /** Offers a document, each at most once. The score must not be below `threshold`. */
  push(score: number, document: number): void {
    if (score === this.#worstScore && this.#rankOf[document]! < this.#worstRank) return;
    const at = this.#size++;
    this.#scores[at] = score;
    this.#documents[at] = document;
    const bucket = Math.trunc(score * this.#bucketsPerPoint);
    this.#counts[bucket]!++;
    if (bucket >= this.#lowest && ++this.#seen - this.#counts[this.#lowest]! >= this.#k) this.#raise();
    if (at + 1 === this.#scores.length) this.#shrink();
  }

  /** The best documents, best first. */
  finish(): Best {
    this.#drop();
    if (this.#size > 2 * this.#k) this.#cut();
    const size = this.#size;
    const scores = this.#scores;
    let [lowest, highest] = [Number.POSITIVE_INFINITY, 0];
    for (let i = 0; i < size; i++) {
      if (scores[i]! < lowest) lowest = scores[i]!;
      if (scores[i]! > highest) highest = scores[i]!;
    }
    const best = Math.min(size, this.#k);
    return (highest - lowest) * GRID_STEPS <= 0xffffffff
      ? this.#sortBySteps(size, best, lowest)
      : this.#sortByComparison(size, best);
  }

  /** Sorts by the score's steps above the lowest. */
  #sortBySteps(size: number, best: number, lowest: number): Best {
    const [scores, documents, sorter] = [this.#scores, this.#documents, this.#sorter];
    sorter.reserve(size);
    const steps = sorter.keys;
    for (let i = 0; i < size; i++) steps[i] = (scores[i]! - lowest) * GRID_STEPS;
    sorter.items.set(documents.subarray(0, size));
    sorter.sort(size, this.#rankOf);
    const { keys, items } = sorter;
    const sorted = { scores: new Float64Array(best), documents: new Uint32Array(best) };
    for (let i = 0, at = size - 1; i < best; i++, at--) {
      sorted.documents[i] = items[at]!;
      sorted.scores[i] = lowest + keys[at]! / GRID_STEPS;
    }
    return sorted;
  }

  #sortByComparison(size: number, best: number): Best {
    const [scores, documents, rankOf] = [this.#scores, this.#documents, this.#rankOf];
    const places = Uint32Array.from({ length: size }, (_, i) => i).sort(
      (a, b) => scores[b]! - scores[a]! || rankOf[documents[b]!]! - rankOf[documents[a]!]!,
    );
    const first = places.subarray(0, best);
    return {
      scores: Float64Array.from(first, i => scores[i]!),
      documents: Uint32Array.from(first, i => documents[i]!),
    };
  }

  /** Makes room: drops what is below the threshold, and if that is little, all but the k best. */
  #shrink(): void {
    this.#drop();
    if (2 * this.#size > this.#k + this.#scores.length) this.#cut();
  }

  #drop(): void {
    const { threshold } = this;
    const [scores, documents] = [this.#scores, this.#documents];
    let kept = 0;
    for (let i = 0; i < this.#size; i++) {
      const score = scores[i]!;
      if (score < threshold) continue;
      scores[kept] = score;
      documents[kept++] = documents[i]!;
    }
    this.#size = kept;
  }

  #raise(): void {
    const counts = this.#counts;
    while (this.#seen - counts[this.#lowest]! >= this.#k) this.#seen -= counts[this.#lowest++]!;
    const threshold = (this.#lowest / this.#bucketsPerPoint) * SAFETY;
    if (threshold > this.threshold) this.threshold = threshold;
  }

  /** Keeps the k best alone: quickselect (Hoare). */
  #cut(): void {
    const k = this.#k;
    if (this.#size <= k) return;
    const [scores, documents, rankOf] = [this.#scores, this.#documents, this.#rankOf];
    for (let low = 0, high = this.#size - 1; low < high; ) {
      const middle = (low + high) >>> 1;
      const [score, rank] = [scores[middle]!, rankOf[documents[middle]!]!];
      let [i, j] = [low, high];
      while (i <= j) {
        while (scores[i]! > score || (scores[i] === score && rankOf[documents[i]!]! > rank)) i++;
        while (scores[j]! < score || (scores[j] === score && rankOf[documents[j]!]! < rank)) j--;
        if (i > j) break;
        swap(scores, i, j);
        swap(documents, i++, j--);
      }
      if (k - 1 <= j) high = j;
      else if (k - 1 >= i) low = i;
      else break;
    }
    this.#size = k;
    this.#worstScore = scores[k - 1]!;
    this.#worstRank = rankOf[documents[k - 1]!]!;
    if (this.#worstScore > this.threshold) this.threshold = this.#worstScore;
  }
}

function swap(array: Float64Array | Uint32Array, i: number, j: number): void {
  const held = array[i]!;
  array[i] = array[j]!;
  array[j] = held;
}
