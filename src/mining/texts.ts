/**
 * The texts of a collection, in a temporary file, so that millions of passages need a few bytes of memory each; with a key a text by which
 * duplicates are known.
 */

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { InternalError, temporaryName, withRoom } from '../base/index.ts';
import { EMPTY_TEXT } from './select.ts';

export class TextStore {
  readonly #path: string;
  readonly #file: number;
  #keys = new Float64Array(1024);
  #ends = new Float64Array(1024);
  #count = 0;
  #bytes = 0;

  /** Makes the file beside `path`; its folder must exist. */
  constructor(path: string) {
    this.#path = temporaryName(path);
    this.#file = openSync(this.#path, 'wx+');
  }

  get count(): number {
    return this.#count;
  }

  add(texts: readonly string[]): void {
    this.#keys = withRoom(this.#keys, this.#count + texts.length);
    this.#ends = withRoom(this.#ends, this.#count + texts.length);
    const chunks = texts.map(text => Buffer.from(text, 'utf8'));
    for (const [i, text] of texts.entries()) {
      this.#bytes += chunks[i]!.length;
      this.#keys[this.#count] = textKey(text);
      this.#ends[this.#count++] = this.#bytes;
    }
    const block = Buffer.concat(chunks);
    for (let done = 0; done < block.length; ) done += writeSync(this.#file, block, done);
  }

  text(document: number): string {
    const from = document === 0 ? 0 : this.#ends[document - 1]!;
    const bytes = Buffer.allocUnsafe(this.#ends[document]! - from);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(this.#file, bytes, done, bytes.length - done, from + done);
      if (read === 0) throw new InternalError(`the temporary file ${this.#path} was shortened`);
      done += read;
    }
    return bytes.toString('utf8');
  }

  textKey(document: number): number {
    return this.#keys[document]!;
  }

  /** Removes the file. */
  close(): void {
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }
}

/**
 * A number for a text without regard to case, white space and compatibility forms (NFKC): the first 53 bits of a SHA-256.
 * Two different ones among ten million texts share it with probability below 0.01, and then cost one candidate.
 */
export function textKey(text: string): number {
  const normal = text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
  if (normal === '') return EMPTY_TEXT;
  const digest = createHash('sha256').update(normal).digest();
  return digest.readUInt32LE(0) * 2 ** 21 + (digest.readUInt32LE(4) >>> 11);
}
