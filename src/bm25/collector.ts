export class Collector {
  readonly k: number;
  readonly #scores: Float64Array;
  readonly #ranks: Uint32Array;
  #size = 0;
  threshold = Number.NEGATIVE_INFINITY;

  constructor(k: number) {
    this.k = k;
    const room = k + Math.max(k, 256);
    this.#scores = new Float64Array(room);
    this.#ranks = new Uint32Array(room);
  }

  push(score: number, rank: number): void {
    if (score < this.threshold) return;
    const at = this.#size++;
    this.#scores[at] = score;
    this.#ranks[at] = rank;
    if (at + 1 === this.#scores.length) this.#compact();
  }

  #compact(): void {
    const { k } = this;
    const scores = this.#scores;
    const ranks = this.#ranks;
    // quickselect: the k best to the front
    let low = 0;
    let high = this.#size - 1;
    while (low < high) {
      const mid = (low + high) >>> 1;
      const ps = scores[mid]!;
      const pr = ranks[mid]!;
      let i = low;
      let j = high;
      while (i <= j) {
        while (scores[i]! > ps || (scores[i] === ps && ranks[i]! > pr)) i++;
        while (scores[j]! < ps || (scores[j] === ps && ranks[j]! < pr)) j--;
        if (i <= j) {
          const s = scores[i]!;
          const r = ranks[i]!;
          scores[i] = scores[j]!;
          ranks[i] = ranks[j]!;
          scores[j] = s;
          ranks[j] = r;
          i++;
          j--;
        }
      }
      if (k - 1 <= j) high = j;
      else if (k - 1 >= i) low = i;
      else break;
    }
    this.#size = k;
    this.threshold = scores[k - 1]!;
  }

  drain(): { scores: Float64Array; ranks: Uint32Array } {
    if (this.#size > this.k) this.#compact();
    const n = this.#size;
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    const scores = this.#scores;
    const ranks = this.#ranks;
    order.sort((a, b) => scores[b]! - scores[a]! || ranks[b]! - ranks[a]!);
    const out = { scores: new Float64Array(n), ranks: new Uint32Array(n) };
    for (let i = 0; i < n; i++) {
      out.scores[i] = scores[order[i]!]!;
      out.ranks[i] = ranks[order[i]!]!;
    }
    this.#size = 0;
    this.threshold = Number.NEGATIVE_INFINITY;
    return out;
  }
}
