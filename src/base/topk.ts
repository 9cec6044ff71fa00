/**
 * The k best of a stream of scored documents, in a bounded heap of numbers. A document is an integer rank that also decides ties: of equal
 * scores the larger rank is better (`data/byteOrder` numbers documents so that this is trec_eval's order). The result depends only on the
 * set that was offered, never on its order, so blocks and threads may be merged freely.
 */

export interface Best {
  /** Best first. */
  readonly scores: Float64Array;
  readonly ranks: Uint32Array;
}

export class TopK {
  readonly k: number;
  /** A binary heap with the worst of the kept documents at the root. */
  readonly #scores: Float64Array;
  readonly #ranks: Uint32Array;
  #size = 0;

  constructor(k: number) {
    this.k = k;
    this.#scores = new Float64Array(k);
    this.#ranks = new Uint32Array(k);
  }

  get size(): number {
    return this.#size;
  }

  /** No document with a lower score can enter any more: -Infinity until k are kept. One with this very score enters if its rank is larger. */
  get threshold(): number {
    return this.#size < this.k
      ? Number.NEGATIVE_INFINITY
      : this.k === 0
        ? Number.POSITIVE_INFINITY
        : this.#scores[0]!;
  }

  /** Offers a document; each rank at most once. Returns whether it is among the k best so far. The score must not be NaN. */
  push(score: number, rank: number): boolean {
    if (this.#size < this.k) {
      this.#siftUp(this.#size++, score, rank);
      return true;
    }
    if (this.k === 0 || score < this.#scores[0]!) return false;
    if (score === this.#scores[0]! && rank < this.#ranks[0]!) return false;
    this.#siftDown(0, this.#size, score, rank);
    return true;
  }

  /** Offers everything that another heap kept. */
  merge(other: TopK): void {
    for (let i = 0; i < other.#size; i++) this.push(other.#scores[i]!, other.#ranks[i]!);
  }

  /** The kept documents, best first; the heap is empty afterwards and can be used again. */
  drain(): Best {
    const size = this.#size;
    const scores = new Float64Array(size);
    const ranks = new Uint32Array(size);
    for (let last = size - 1; last >= 0; last--) {
      scores[last] = this.#scores[0]!;
      ranks[last] = this.#ranks[0]!;
      if (last > 0) this.#siftDown(0, last, this.#scores[last]!, this.#ranks[last]!);
    }
    this.#size = 0;
    return { scores, ranks };
  }

  #siftUp(at: number, score: number, rank: number): void {
    const [scores, ranks] = [this.#scores, this.#ranks];
    let hole = at;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!isWorse(score, rank, scores[parent]!, ranks[parent]!)) break;
      scores[hole] = scores[parent]!;
      ranks[hole] = ranks[parent]!;
      hole = parent;
    }
    scores[hole] = score;
    ranks[hole] = rank;
  }

  #siftDown(at: number, size: number, score: number, rank: number): void {
    const [scores, ranks] = [this.#scores, this.#ranks];
    let hole = at;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && isWorse(scores[right]!, ranks[right]!, scores[child]!, ranks[child]!))
        child = right;
      if (!isWorse(scores[child]!, ranks[child]!, score, rank)) break;
      scores[hole] = scores[child]!;
      ranks[hole] = ranks[child]!;
      hole = child;
    }
    scores[hole] = score;
    ranks[hole] = rank;
  }
}

function isWorse(score: number, rank: number, otherScore: number, otherRank: number): boolean {
  return score < otherScore || (score === otherScore && rank < otherRank);
}
