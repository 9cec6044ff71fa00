/** Bags of a whole collection, written once and read several times in order: in memory while they are few, then in a temporary file. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { InternalError, temporaryName } from '../base/index.ts';
import { type Bags, bagsBytes } from './bags.ts';

/** Bags with the number of their first document. */
export interface SpooledBags {
  readonly first: number;
  readonly bags: Bags;
}

/** Bags in the file. */
interface Extent {
  readonly offset: number;
  readonly documents: number;
  readonly postings: number;
  readonly tfBytes: number;
}

type Entry = { readonly first: number } & ({ readonly bags: Bags } | Extent);

export interface SpoolOptions {
  /** Bytes kept in memory before the rest goes to the file. */
  readonly memoryBytes: number;
  /** Beside which path the temporary file goes; undefined: everything stays in memory. */
  readonly beside?: string | undefined;
}

export class BagSpool {
  readonly #options: SpoolOptions;
  #entries: Entry[] = [];
  #held = 0;
  #file: { readonly path: string; readonly handle: FileHandle } | undefined;
  #fileBytes = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Adds the bags of the documents from `first` on. Any order will do; `replay` sorts. */
  async append(first: number, bags: Bags): Promise<void> {
    const fits = this.#held + bagsBytes(bags) <= this.#options.memoryBytes;
    if (fits || this.#options.beside === undefined) {
      this.#held += bagsBytes(bags);
      this.#entries.push({ first, bags });
      return;
    }
    this.#entries.push(await this.#write(first, bags, this.#options.beside));
  }

  /** All bags in the order of their documents. */
  async *replay(): AsyncGenerator<SpooledBags> {
    this.#entries.sort((a, b) => a.first - b.first);
    for (const entry of this.#entries)
      yield { first: entry.first, bags: 'bags' in entry ? entry.bags : await this.#read(entry) };
  }

  /** Forgets everything and removes the file. */
  async close(): Promise<void> {
    this.#entries = [];
    if (this.#file === undefined) return;
    await this.#file.handle.close();
    await rm(this.#file.path, { force: true });
    this.#file = undefined;
  }

  async #write(first: number, bags: Bags, beside: string): Promise<{ readonly first: number } & Extent> {
    if (this.#file === undefined) {
      const path = temporaryName(beside);
      this.#file = { path, handle: await open(path, 'wx+') };
    }
    const arrays = [bags.lengths, bags.counts, bags.terms, bags.tfs];
    const offset = this.#fileBytes;
    for (const array of arrays) {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.handle.write(
          bytes,
          done,
          bytes.length - done,
          this.#fileBytes + done,
        );
        done += bytesWritten;
      }
      this.#fileBytes += bytes.length;
    }
    return {
      first,
      offset,
      documents: bags.counts.length,
      postings: bags.terms.length,
      tfBytes: bags.tfs.byteLength,
    };
  }

  async #read({ offset, documents, postings, tfBytes }: Extent): Promise<Bags> {
    let at = offset;
    const next = async <T extends Uint8Array | Uint32Array>(array: T): Promise<T> => {
      await this.#fill(new Uint8Array(array.buffer), at);
      at += array.byteLength;
      return array;
    };
    return {
      lengths: await next(new Uint32Array(documents)),
      counts: await next(new Uint32Array(documents)),
      terms: await next(new Uint32Array(postings)),
      tfs: await next(tfBytes === postings ? new Uint8Array(postings) : new Uint32Array(postings)),
    };
  }

  async #fill(bytes: Uint8Array, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await this.#file!.handle.read(bytes, done, bytes.length - done, offset + done);
      if (bytesRead === 0) throw new InternalError(`the temporary file ${this.#file!.path} was shortened`);
      done += bytesRead;
    }
  }
}
