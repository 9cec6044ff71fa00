/** Bags of a whole collection, written once and read several times in order: in memory while they are few, then in a temporary file. */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { InternalError, temporaryName, withRoom } from '../base/index.ts';
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
    return divide({ pieces: this.#pieces, path: this.#file?.path }, count);
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

/** A range in at most `count` of about as many postings each. */
export function divide({ pieces, path }: PieceRange, count: number): PieceRange[] {
  const all = pieces.reduce((sum, { postings }) => sum + postings, 0);
  const ranges: Piece[][] = [[]];
  let before = 0;
  for (const piece of pieces) {
    if (before > 0 && before >= (ranges.length * all) / count) ranges.push([]);
    ranges.at(-1)!.push(piece);
    before += piece.postings;
  }
  return ranges.map(pieces => ({ pieces, path }));
}

/** The bags of a range in order, with the number of their first document. Bags are good until the next are asked for: their memory is used again. */
export async function* replay({ pieces, path }: PieceRange): AsyncGenerator<{ first: number; bags: Bags }> {
  const handle = path === undefined ? undefined : await open(path, 'r');
  let room = new Uint8Array();
  try {
    for (const piece of pieces) {
      if ('bags' in piece) yield piece;
      else {
        room = withRoom(room, pieceBytes(piece));
        yield { first: piece.first, bags: await readBags(handle!, piece, room) };
      }
    }
  } finally {
    await handle?.close();
  }
}

type PieceInFile = Exclude<Piece, { bags: Bags }>;

function pieceBytes({ documents, postings, tfBytes }: PieceInFile): number {
  return 8 * documents + 4 * postings + tfBytes;
}

/** Reads bags into the beginning of `room`. */
async function readBags(handle: FileHandle, piece: PieceInFile, room: Uint8Array): Promise<Bags> {
  const { thread, documents, postings, tfBytes, offset } = piece;
  await fill(handle, room.subarray(0, pieceBytes(piece)), offset);
  let at = 0;
  const numbers = (length: number): Uint32Array => {
    const array = new Uint32Array(room.buffer, at, length);
    at += array.byteLength;
    return array;
  };
  return {
    thread,
    lengths: numbers(documents),
    counts: numbers(documents),
    terms: numbers(postings),
    tfs: tfBytes === postings ? new Uint8Array(room.buffer, at, postings) : numbers(postings),
  };
}

async function fill(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) throw new InternalError('the temporary file of an index was shortened');
    done += bytesRead;
  }
}
