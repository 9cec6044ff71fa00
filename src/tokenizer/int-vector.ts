/** An array of 32-bit integers that grows. */
export class IntVector {
  #data: Int32Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 1 << 10) {
    this.#data = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#data[index]!;
  }

  /** The numbers so far: a view, valid until the vector grows. */
  get view(): Int32Array<ArrayBuffer> {
    return this.#data.subarray(0, this.#length);
  }

  push(value: number): void {
    if (this.#length === this.#data.length) this.#reserve(this.#length + 1);
    this.#data[this.#length++] = value;
  }

  /** Appends `other[from .. to)`. */
  append(other: IntVector, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#data.length) this.#reserve(length);
    const [source, target] = [other.#data, this.#data];
    for (let at = from, into = this.#length; at < to; at++, into++) target[into] = source[at]!;
    this.#length = length;
  }

  /** Appends `count` zeros. */
  extend(count: number): void {
    const length = this.#length + count;
    if (length > this.#data.length) this.#reserve(length);
    this.#data.fill(0, this.#length, length);
    this.#length = length;
  }

  /** Forgets all but the first `length`. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  clear(): void {
    this.#length = 0;
  }

  #reserve(length: number): void {
    const data = new Int32Array(Math.max(length, this.#data.length * 2));
    data.set(this.view);
    this.#data = data;
  }
}
