/** Bags of a whole collection, written once and read several times in order: in memory while they are few, then in a temporary file. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { InternalError, temporaryName } from '../base/index.ts';
import { type Bags, bagsBytes } from './bags.ts';

/** Bags of the documents from `first` on: in memory, or where they lie in the file. */
export type Piece = { readonly first: number; readonly documents: number; readonly postings: number } & (
  | { readonly bags: Bags }
  | { readonly thread: number; readonly offset: number; readonly tfBytes: number }
);

/** Consecutive documents. Threads can pass it to each other. */
export interface PieceRange {
  readonly pieces: readonly Piece[];
  /** The temporary file, if there is one. */
  readonly path: string | undefined;
}

export interface SpoolOptions {
  /** Bytes kept in memory before the rest goes to the file. */
  readonly memoryBytes: number;
  /** Beside which path the temporary file goes; undefined: everything stays in memory. */
  readonly beside?: string | undefined;
}

export class BagSpool {
  readonly #options: SpoolOptions;
  #pieces: Piece[] = [];
  #held = 0;
  #file: { readonly path: string; readonly handle: FileHandle } | undefined;
  #fileBytes = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Adds the bags of the documents from `first` on, after those of all documents before. */
  async append(first: number, bags: Bags): Promise<void> {
    const fits = this.#held + bagsBytes(bags) <= this.#options.memoryBytes;
    const piece = { first, documents: bags.counts.length, postings: bags.terms.length };
    if (fits || this.#options.beside === undefined) {
      this.#held += bagsBytes(bags);
      this.#pieces.push({ ...piece, bags });
    } else {
      const offset = await this.#write(bags, this.#options.beside);
      this.#pieces.push({ ...piece, thread: bags.thread, offset, tfBytes: bags.tfs.byteLength });
    }
  }

  /** Everything, in at most `count` ranges of about as many postings each. */
  ranges(count: number): PieceRange[] {
    const all = this.#pieces.reduce((sum, { postings }) => sum + postings, 0);
    const ranges: Piece[][] = [[]];
    let before = 0;
    for (const piece of this.#pieces) {
      if (before > 0 && before >= (ranges.length * all) / count) ranges.push([]);
      ranges.at(-1)!.push(piece);
      before += piece.postings;
    }
    return ranges.map(pieces => ({ pieces, path: this.#file?.path }));
  }

  /** Forgets everything and removes the file. */
  async close(): Promise<void> {
    this.#pieces = [];
    if (this.#file === undefined) return;
    await this.#file.handle.close();
    await rm(this.#file.path, { force: true });
    this.#file = undefined;
  }

  /** Returns the place in the file. */
  async #write(bags: Bags, beside: string): Promise<number> {
    if (this.#file === undefined) {
      const path = temporaryName(beside);
      this.#file = { path, handle: await open(path, 'wx') };
    }
    const offset = this.#fileBytes;
    for (const array of [bags.lengths, bags.counts, bags.terms, bags.tfs]) {
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
    return offset;
  }
}

/** The bags of a range in order, with the number of their first document. */
export async function* replay({ pieces, path }: PieceRange): AsyncGenerator<{ first: number; bags: Bags }> {
  const handle = path === undefined ? undefined : await open(path, 'r');
  try {
    for (const piece of pieces)
      yield { first: piece.first, bags: 'bags' in piece ? piece.bags : await readBags(handle!, piece) };
  } finally {
    await handle?.close();
  }
}

async function readBags(handle: FileHandle, piece: Exclude<Piece, { bags: Bags }>): Promise<Bags> {
  const { thread, documents, postings, tfBytes } = piece;
  let at = piece.offset;
  const next = async <T extends Uint8Array | Uint32Array>(array: T): Promise<T> => {
    await fill(handle, new Uint8Array(array.buffer), at);
    at += array.byteLength;
    return array;
  };
  return {
    thread,
    lengths: await next(new Uint32Array(documents)),
    counts: await next(new Uint32Array(documents)),
    terms: await next(new Uint32Array(postings)),
    tfs: await next(tfBytes === postings ? new Uint8Array(postings) : new Uint32Array(postings)),
  };
}

async function fill(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) throw new InternalError('the temporary file of an index was shortened');
    done += bytesRead;
  }
}
