/**
 * Python's `random.Random(seed)` and the order of its sets of small integers, as far as llm-foundry's choice of few-shot examples needs them:
 * only so can its prompts be made again, token by token. MT19937 is Matsumoto and Nishimura's (1998); `sample`, `choice` and the table of a set
 * behave as in CPython 3.11 (bench/peers/icl_fewshot.py makes the golden file that the test compares with).
 */

const N = 624;
const M = 397;

/** `random.Random(seed)` for a whole number 0 <= seed < 2^32. */
export class PythonRandom {
  readonly #state = new Uint32Array(N);
  #next = N;

  constructor(seed: number) {
    this.#seedByArray([seed >>> 0]);
  }

  #seedByArray(key: readonly number[]): void {
    const s = this.#state;
    this.#seedByWord(19650218);
    let [i, j] = [1, 0];
    const stir = (mixed: number) => {
      s[i] = mixed;
      if (++i >= N) {
        s[0] = s[N - 1]!;
        i = 1;
      }
    };
    const before = () => (s[i - 1]! ^ (s[i - 1]! >>> 30)) >>> 0;
    for (let k = Math.max(N, key.length); k > 0; k--) {
      stir((s[i]! ^ Math.imul(before(), 1664525)) + key[j]! + j);
      j = (j + 1) % key.length;
    }
    for (let k = N - 1; k > 0; k--) stir((s[i]! ^ Math.imul(before(), 1566083941)) - i);
    s[0] = 0x80000000;
  }

  #seedByWord(word: number): void {
    const s = this.#state;
    s[0] = word;
    for (let i = 1; i < N; i++) s[i] = Math.imul(1812433253, s[i - 1]! ^ (s[i - 1]! >>> 30)) + i;
  }

  #generate(): void {
    const s = this.#state;
    for (let i = 0; i < N; i++) {
      const y = (s[i]! & 0x80000000) | (s[(i + 1) % N]! & 0x7fffffff);
      s[i] = s[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }

  /** Uniform integer in 0 .. 2^32-1. */
  uint32(): number {
    if (this.#next >= N) this.#generate();
    let y = this.#state[this.#next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Uniform integer in 0 .. n-1, for 1 <= n < 2^32: `_randbelow`. */
  below(n: number): number {
    const bits = 32 - Math.clz32(n);
    let draw = this.uint32() >>> (32 - bits);
    while (draw >= n) draw = this.uint32() >>> (32 - bits);
    return draw;
  }

  /** `sample(range(n), k)`: k different numbers below n. */
  sample(n: number, k: number): number[] {
    let poolLimit = 21;
    if (k > 5) poolLimit += 4 ** Math.ceil(Math.log(k * 3) / Math.log(4));
    return n <= poolLimit ? this.#sampleFromPool(n, k) : this.#sampleByRejection(n, k);
  }

  #sampleFromPool(n: number, k: number): number[] {
    const pool = Array.from({ length: n }, (_, i) => i);
    return Array.from({ length: k }, (_, i) => {
      const j = this.below(n - i);
      const drawn = pool[j]!;
      pool[j] = pool[n - i - 1]!;
      return drawn;
    });
  }

  #sampleByRejection(n: number, k: number): number[] {
    const drawn = new Set<number>();
    while (drawn.size < k) {
      let j = this.below(n);
      while (drawn.has(j)) j = this.below(n);
      drawn.add(j);
    }
    return [...drawn];
  }
}

const PROBES = 9;

/** A `set` of whole numbers 0 <= x < 2^31 that iterates in CPython's order: by place in an open-addressed table. */
export class PythonIntSet {
  #table: (number | 'empty' | 'dummy')[] = new Array<'empty'>(8).fill('empty');
  #fill = 0;
  #used = 0;

  constructor(items: Iterable<number> = []) {
    for (const item of items) this.add(item);
  }

  get size(): number {
    return this.#used;
  }

  add(item: number): void {
    const { at, dummy } = this.#find(item);
    if (this.#table[at] === item) return;
    this.#table[dummy ?? at] = item;
    this.#used++;
    if (dummy !== undefined) return; // the fill stays what it was
    this.#fill++;
    if (this.#fill * 5 >= (this.#table.length - 1) * 3) this.#resize();
  }

  has(item: number): boolean {
    return this.#table[this.#find(item).at] === item;
  }

  /** Leaves a mark at its place, which a later item may take. */
  delete(item: number): void {
    const { at } = this.#find(item);
    if (this.#table[at] !== item) return;
    this.#table[at] = 'dummy';
    this.#used--;
  }

  *[Symbol.iterator](): Generator<number> {
    for (const slot of this.#table) if (typeof slot === 'number') yield slot;
  }

  /** The place of an item, or the empty place where its search ends: a short linear probe, then a jump that takes in higher bits. */
  #find(item: number): { readonly at: number; readonly dummy: number | undefined } {
    const mask = this.#table.length - 1;
    let dummy: number | undefined;
    let place = item & mask;
    for (let perturb = item; ; ) {
      const last = place + PROBES <= mask ? place + PROBES : place;
      for (let at = place; at <= last; at++) {
        if (this.#table[at] === 'empty' || this.#table[at] === item) return { at, dummy };
        if (this.#table[at] === 'dummy') dummy = at;
      }
      perturb = Math.floor(perturb / 32);
      place = (place * 5 + 1 + perturb) & mask;
    }
  }

  #resize(): void {
    const least = this.#used > 50_000 ? this.#used * 2 : this.#used * 4;
    let size = 8;
    while (size <= least) size *= 2;
    const items = [...this];
    this.#table = new Array<'empty'>(size).fill('empty');
    this.#fill = items.length;
    for (const item of items) this.#table[this.#find(item).at] = item;
  }
}
