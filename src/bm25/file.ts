/**
 * The index file. Its sections are the arrays of the index, byte for byte, so that reading is copying into memory and nothing is parsed:
 *
 *     header   64 bytes: magic, version (u32), zeros
 *     sections raw little-endian arrays, each begun at a multiple of 64 bytes
 *     catalog  JSON: what the index is, and name, type, offset, length and CRC-32 of each section
 *     trailer  16 bytes: the catalog's length and CRC-32 (u32 each), magic
 *
 * The trailer comes last, so that a file cut short is seen at once. Everything is checked on opening: a damaged file never yields a number.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { type AtomicFile, InputError, StepError, unreadable, writeAtomically } from '../base/index.ts';
import type { Documents } from './analysis.ts';
import { type Bm25Index, type BuildOptions, buildInto, type IndexHead } from './build.ts';
import { type Catalog, parseCatalog, type SectionEntry, TYPES, type TypeName } from './catalog.ts';
import { checkIndex } from './check.ts';
import type { Part } from './postings.ts';
import { shared } from './shared.ts';

const HEADER_BYTES = 64;
const TRAILER_BYTES = 16;
const MAGIC = Buffer.from('\x93isoBM25', 'latin1');
const VERSION = 1;
const READ_BYTES = 1 << 26;

type Array = Uint8Array | Uint16Array | Uint32Array;

/** Builds the index of a collection and writes it, in bounded memory. The file appears whole or not at all. */
export async function writeIndex(path: string, source: Documents, options: BuildOptions): Promise<IndexHead> {
  return writeSections(path, writer =>
    buildInto(
      {
        head: head => writer.head(head),
        part: part => writer.part(part),
      },
      path,
      source,
      options,
    ),
  );
}

/** Writes an index that is in memory. */
export async function saveIndex(path: string, index: Bm25Index): Promise<void> {
  await writeSections(path, async writer => {
    await writer.head(index);
    for (const part of index.parts) await writer.part(part);
    return index;
  });
}

async function writeSections(
  path: string,
  fill: (writer: SectionWriter) => Promise<IndexHead>,
): Promise<IndexHead> {
  refuseBigEndian();
  return writeAtomically(path, async file => {
    const header = Buffer.alloc(HEADER_BYTES);
    MAGIC.copy(header);
    header.writeUInt32LE(VERSION, MAGIC.length);
    await file.write(header);
    const writer = new SectionWriter(file);
    const head = await fill(writer);
    await writer.finish(head);
    return head;
  });
}

class SectionWriter {
  readonly #file: AtomicFile;
  readonly #sections: SectionEntry[] = [];
  #parts = 0;

  constructor(file: AtomicFile) {
    this.#file = file;
  }

  async head(head: IndexHead): Promise<void> {
    await this.#section('ids.bytes', head.ids.bytes);
    await this.#section('ids.ends', head.ids.ends);
    await this.#section('ids.ranks', head.idRanks);
    await this.#section('lengths', head.lengths);
    await this.#section('terms.bytes', head.terms.bytes);
    await this.#section('terms.ends', head.terms.ends);
    await this.#section('terms.df', head.df);
    await this.#section('terms.starts', head.starts);
    await this.#section('codes.tfs', head.codebook.tfs);
    await this.#section('codes.lengths', head.codebook.lengths);
  }

  async part(part: Part): Promise<void> {
    const number = this.#parts++;
    for (const name of PART_ARRAYS) await this.#section(`parts.${number}.${name}`, part[name]);
  }

  async finish(head: IndexHead): Promise<void> {
    const { analyzer, documents, tokens, partEnds } = head;
    const catalog: Catalog = {
      analyzer,
      documents,
      tokens,
      partEnds: [...partEnds],
      sections: this.#sections,
    };
    const json = Buffer.from(JSON.stringify(catalog), 'utf8');
    const trailer = Buffer.alloc(TRAILER_BYTES);
    trailer.writeUInt32LE(json.length, 0);
    trailer.writeUInt32LE(crc32(json), 4);
    MAGIC.copy(trailer, 8);
    await this.#file.write(json);
    await this.#file.write(trailer);
  }

  async #section(name: string, array: Array): Promise<void> {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const type = typeOf(array);
    const offset = this.#file.bytes;
    const writing = this.#file.write(bytes); // another thread's work, while this one computes the checksum
    this.#sections.push({ name, type, offset, length: array.length, crc32: crc32(bytes) });
    await writing;
    const padding = -bytes.length & (HEADER_BYTES - 1);
    if (padding > 0) await this.#file.write(new Uint8Array(padding));
  }
}

const PART_ARRAYS = [
  'shortDocuments',
  'shortCodes',
  'longPostings',
  'windowStarts',
  'rareAt',
  'rareTfs',
] as const;

function typeOf(array: Array): TypeName {
  if (array instanceof Uint8Array) return 'u8';
  return array instanceof Uint16Array ? 'u16' : 'u32';
}

/**
 * Reads an index into memory that threads can share. Throws an `InputError` that says so if the file is no index, of another version,
 * cut short, or damaged anywhere.
 */
export async function openIndex(path: string): Promise<Bm25Index> {
  refuseBigEndian();
  const handle = await open(path, 'r').catch(error => {
    throw unreadable(path, error);
  });
  try {
    const reader = new SectionReader(path, handle, await readCatalog(path, handle));
    const index = await reader.index();
    checkIndex(path, index);
    return index;
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw unreadable(path, error);
  } finally {
    await handle.close();
  }
}

async function readCatalog(path: string, handle: FileHandle): Promise<Catalog> {
  const { size } = await handle.stat();
  if (size < HEADER_BYTES + TRAILER_BYTES) throw new InputError(path, 'is not an isoflop BM25 index');
  const header = await readAt(path, handle, new Uint8Array(HEADER_BYTES), 0);
  if (!MAGIC.equals(Buffer.from(header).subarray(0, MAGIC.length)))
    throw new InputError(path, 'is not an isoflop BM25 index');
  const version = Buffer.from(header).readUInt32LE(MAGIC.length);
  if (version !== VERSION)
    throw new InputError(
      path,
      `is an index of format version ${version}, expected ${VERSION}: build it again with isoflop bm25 index`,
    );
  const trailer = Buffer.from(
    await readAt(path, handle, new Uint8Array(TRAILER_BYTES), size - TRAILER_BYTES),
  );
  const jsonBytes = trailer.readUInt32LE(0);
  if (!MAGIC.equals(trailer.subarray(8)) || jsonBytes > size - HEADER_BYTES - TRAILER_BYTES)
    throw new InputError(path, 'has no end: the file is cut short or its end is damaged, build it again');
  const end = size - TRAILER_BYTES - jsonBytes;
  const json = Buffer.from(await readAt(path, handle, new Uint8Array(jsonBytes), end));
  if (crc32(json) !== trailer.readUInt32LE(4)) throw damaged(path, 'the catalog');
  return parseCatalog(path, json.toString('utf8'), { from: HEADER_BYTES, to: end });
}

class SectionReader {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #catalog: Catalog;

  constructor(path: string, handle: FileHandle, catalog: Catalog) {
    this.#path = path;
    this.#handle = handle;
    this.#catalog = catalog;
  }

  async index(): Promise<Bm25Index> {
    const { analyzer, documents, tokens, partEnds } = this.#catalog;
    const parts: Part[] = [];
    const head = {
      ids: { bytes: await this.#read('ids.bytes', 'u8'), ends: await this.#read('ids.ends', 'u32') },
      idRanks: await this.#read('ids.ranks', 'u32'),
      lengths: await this.#read('lengths', 'u32'),
      terms: { bytes: await this.#read('terms.bytes', 'u8'), ends: await this.#read('terms.ends', 'u32') },
      df: await this.#read('terms.df', 'u32'),
      starts: await this.#read('terms.starts', 'u32'),
      codebook: {
        tfs: await this.#read('codes.tfs', 'u32'),
        lengths: await this.#read('codes.lengths', 'u32'),
      },
    };
    for (let number = 0; number < partEnds.length; number++) {
      parts.push({
        shortDocuments: await this.#read(`parts.${number}.shortDocuments`, 'u32'),
        shortCodes: await this.#read(`parts.${number}.shortCodes`, 'u16'),
        longPostings: await this.#read(`parts.${number}.longPostings`, 'u32'),
        windowStarts: await this.#read(`parts.${number}.windowStarts`, 'u32'),
        rareAt: await this.#read(`parts.${number}.rareAt`, 'u32'),
        rareTfs: await this.#read(`parts.${number}.rareTfs`, 'u32'),
      });
    }
    return { analyzer, documents, tokens, partEnds, ...head, parts };
  }

  async #read<T extends TypeName>(name: string, type: T): Promise<InstanceType<(typeof TYPES)[T]>> {
    const section = this.#catalog.sections.find(candidate => candidate.name === name);
    if (section === undefined || section.type !== type)
      throw new InputError(this.#path, `has no section ${name} of type ${type}: build the index again`);
    const array = shared<InstanceType<(typeof TYPES)[T]>>(TYPES[type] as never, section.length);
    const bytes = new Uint8Array(array.buffer);
    await readAt(this.#path, this.#handle, bytes, section.offset);
    if (crc32(bytes) !== section.crc32) throw damaged(this.#path, `section ${name}`);
    return array;
  }
}

function damaged(path: string, what: string): InputError {
  return new InputError(path, `${what} is damaged (its checksum differs): build the index again`);
}

async function readAt(
  path: string,
  handle: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<Uint8Array> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(READ_BYTES, bytes.length - done);
    const { bytesRead } = await handle.read(bytes, done, length, position + done);
    if (bytesRead === 0) throw new InputError(path, 'ends too early: the file is cut short, build it again');
    done += bytesRead;
  }
  return bytes;
}

function refuseBigEndian(): void {
  if (endianness() !== 'LE') throw new StepError('bm25', 'index files need a little-endian machine');
}
