/**
 * Sorting by a 32-bit number, digit by digit, with another to decide between equals: for the thousand best documents of a query it takes a third of the
 * time of the engine's own sort of 64-bit keys, and only documents that tie have their ranks looked up.
 */

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const DIGIT_MASK = DIGITS - 1;
/** Runs of equals up to this length are sorted by insertion. */
const SHORT_RUN = 24;

/** Keys with an item each, and room to sort them. */
export class ItemSorter {
  #keys = new Uint32Array();
  #items = new Uint32Array();
  #keysTo = new Uint32Array();
  #itemsTo = new Uint32Array();
  readonly #ends = new Uint32Array(DIGITS);

  /** Makes room for `size` items; what the columns hold is lost. */
  reserve(size: number): void {
    if (size <= this.#keys.length) return;
    this.#keys = new Uint32Array(2 * size);
    this.#items = new Uint32Array(2 * size);
    this.#keysTo = new Uint32Array(2 * size);
    this.#itemsTo = new Uint32Array(2 * size);
  }

  /** The columns: to be filled before sorting, and asked for again after it, since sorting may put others in their place. */
  get keys(): Uint32Array {
    return this.#keys;
  }

  get items(): Uint32Array {
    return this.#items;
  }

  /**
   * Sorts the first `size` items, ascending by key, then by `rankOf[item]`: by key one stable pass a digit, least significant first
   * (Knuth, vol. 3, 5.2.5), then each run of equal keys by itself.
   */
  sort(size: number, rankOf: Uint32Array): void {
    const bits = bitsOf(this.#keys, size);
    for (let shift = 0; shift < bits; shift += DIGIT_BITS) this.#pass(size, shift);
    const [keys, items] = [this.#keys, this.#items];
    for (let from = 0; from < size; ) {
      let to = from + 1;
      while (to < size && keys[to] === keys[from]) to++;
      if (to - from > 1) sortRun(items, from, to, rankOf);
      from = to;
    }
  }

  #pass(size: number, shift: number): void {
    const ends = this.#ends.fill(0);
    const [keys, items, keysTo, itemsTo] = [this.#keys, this.#items, this.#keysTo, this.#itemsTo];
    for (let i = 0; i < size; i++) ends[(keys[i]! >>> shift) & DIGIT_MASK]!++;
    let end = 0;
    for (let digit = 0; digit < DIGITS; digit++) {
      end += ends[digit]!;
      ends[digit] = end;
    }
    for (let i = size - 1; i >= 0; i--) {
      const place = --ends[(keys[i]! >>> shift) & DIGIT_MASK]!;
      keysTo[place] = keys[i]!;
      itemsTo[place] = items[i]!;
    }
    [this.#keys, this.#keysTo] = [keysTo, keys];
    [this.#items, this.#itemsTo] = [itemsTo, items];
  }
}

/** Bits that the largest of the first `size` values takes. */
function bitsOf(values: Uint32Array, size: number): number {
  let all = 0;
  for (let i = 0; i < size; i++) all |= values[i]!;
  return 32 - Math.clz32(all);
}

function sortRun(items: Uint32Array, from: number, to: number, rankOf: Uint32Array): void {
  if (to - from > SHORT_RUN) {
    items.subarray(from, to).sort((a, b) => rankOf[a]! - rankOf[b]!);
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const held = items[i]!;
    const rank = rankOf[held]!;
    let at = i;
    for (; at > from && rankOf[items[at - 1]!]! > rank; at--) items[at] = items[at - 1]!;
    items[at] = held;
  }
}
