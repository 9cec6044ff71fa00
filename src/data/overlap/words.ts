/** Words as overlap counts them: runs of letters, marks and digits in lower case, whatever stands between them. */

/** By UTF-16 unit: is it part of a word? Halves of surrogate pairs are. */
const IS_WORD = Uint8Array.from({ length: 1 << 16 }, (_, unit) =>
  (unit >= 0xd800 && unit <= 0xdfff) || /[\p{L}\p{N}\p{M}]/u.test(String.fromCharCode(unit)) ? 1 : 0,
);

/** Two hashes of 32 bits for every word of a text, in order (FNV-1a with different primes); together they tell words apart. */
export class WordHashes {
  first = new Uint32Array(1 << 12);
  second = new Uint32Array(1 << 12);
  length = 0;

  /** Reads a text in place of what was there before. */
  read(text: string): void {
    const lower = text.toLowerCase();
    this.length = 0;
    for (let i = 0; i < lower.length; i++) {
      let unit = lower.charCodeAt(i);
      if (IS_WORD[unit] === 0) continue;
      let [first, second] = [0x811c9dc5, 0x9747b28c];
      do {
        first = Math.imul(first ^ unit, 0x01000193);
        second = Math.imul(second ^ unit, 0x5bd1e995);
        unit = ++i < lower.length ? lower.charCodeAt(i) : 0;
      } while (IS_WORD[unit] === 1);
      this.#push(first, second);
    }
  }

  #push(first: number, second: number): void {
    if (this.length === this.first.length) {
      this.first = grown(this.first);
      this.second = grown(this.second);
    }
    this.first[this.length] = first;
    this.second[this.length++] = second;
  }
}

function grown(values: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(values.length * 2);
  larger.set(values);
  return larger;
}
