/** Reading safetensors files tensor by tensor: only the bytes that are asked for are read, so files may be far larger than memory. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { InputError, unreadable } from '../../base/index.ts';
import { elementCount, type Tensor, type TensorData, tensorArray } from '../../graph/index.ts';
import { bitsOf, DECODERS, type Decoder } from './element-types.ts';
import {
  headerLength,
  LENGTH_BYTES,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  type StoredTensor,
} from './safetensors-header.ts';
import { quoted } from './unique-json.ts';

export interface ReadOptions {
  /** Accept NaN and infinities (default false: a weight that is no number makes every result one). */
  readonly nonFinite?: boolean;
}

/** Elements converted at a time: 8 MiB of halves. */
const CONVERTED_AT_ONCE = 1 << 22;

/** The system reads at most 2^31 - 1 bytes a call. */
const READ_AT_ONCE = 1 << 30;

/** An open file whose header has been read and checked. */
export class SafetensorsFile {
  readonly path: string;
  readonly header: SafetensorsHeader;
  readonly #handle: FileHandle;

  private constructor(path: string, header: SafetensorsHeader, handle: FileHandle) {
    this.path = path;
    this.header = header;
    this.#handle = handle;
  }

  /** Opens a file and reads its header. Throws an `InputError` with everything that is wrong with it. */
  static async open(path: string): Promise<SafetensorsFile> {
    const handle = await openFile(path);
    try {
      return new SafetensorsFile(path, await readHeader(handle, path), handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Reads one tensor. Halves and bfloat16 become float32, small integers int32, all without loss. */
  async read(name: string, options: ReadOptions = {}): Promise<Tensor> {
    const stored = this.header.tensors.get(name);
    if (!stored) throw new InputError(this.path, `has no tensor ${quoted(name)}`);
    const where = `${this.path}: tensor ${quoted(name)}`;
    const decoder = DECODERS[stored.elementType];
    if (!decoder)
      throw new InputError(
        where,
        `is ${stored.elementType}, which isoflop cannot compute with: convert it to one of ${Object.keys(DECODERS).join(' ')}`,
      );
    const data = allocate(decoder, stored, where);
    await this.#fill(data, decoder, stored);
    if (stored.elementType === 'BOOL') requireBooleans(data as Uint8Array, where);
    if (!options.nonFinite) requireFinite(data, where);
    return { dtype: decoder.dtype, shape: stored.shape, data };
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #fill(data: TensorData, { convert }: Decoder, { elementType, begin }: StoredTensor): Promise<void> {
    const start = this.header.dataStart + begin;
    if (!convert) {
      await readFully(this.#handle, bytesOf(data), start, this.path);
      return;
    }
    const bytesEach = bitsOf(elementType) / 8;
    const raw = new ArrayBuffer(bytesEach * Math.min(data.length, CONVERTED_AT_ONCE));
    for (let from = 0; from < data.length; from += CONVERTED_AT_ONCE) {
      const part = data.subarray(from, from + CONVERTED_AT_ONCE);
      const bytes = new Uint8Array(raw, 0, bytesEach * part.length);
      await readFully(this.#handle, bytes, start + bytesEach * from, this.path);
      convert(raw, part);
    }
  }
}

export interface SafetensorsContents {
  readonly tensors: Map<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Reads a whole file, in the order of its bytes. */
export async function readSafetensors(path: string, options: ReadOptions = {}): Promise<SafetensorsContents> {
  const file = await SafetensorsFile.open(path);
  try {
    const tensors = new Map<string, Tensor>();
    for (const name of namesInOrder(file.header)) tensors.set(name, await file.read(name, options));
    return { tensors, metadata: file.header.metadata };
  } finally {
    await file.close();
  }
}

/** Reads the header alone. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  const file = await SafetensorsFile.open(path);
  await file.close();
  return file.header;
}

function namesInOrder({ tensors }: SafetensorsHeader): string[] {
  return [...tensors].sort(([, a], [, b]) => a.begin - b.begin).map(([name]) => name);
}

/** Opens a regular file: a pipe or a device would wait, or never end. */
async function openFile(path: string): Promise<FileHandle> {
  try {
    const status = await stat(path);
    if (!status.isFile() && !status.isDirectory()) throw new InputError(path, 'is no regular file');
    if (status.isDirectory()) throw new InputError(path, 'is a folder, expected a file');
    return await open(path, 'r');
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(path, error);
  }
}

async function readHeader(handle: FileHandle, path: string): Promise<SafetensorsHeader> {
  const { size } = await handle.stat();
  const prefix = new Uint8Array(Math.min(size, LENGTH_BYTES));
  await readFully(handle, prefix, 0, path);
  const json = new Uint8Array(headerLength(prefix, size, path));
  await readFully(handle, json, LENGTH_BYTES, path);
  return parseSafetensorsHeader(json, size - LENGTH_BYTES - json.byteLength, path);
}

async function readFully(
  handle: FileHandle,
  into: Uint8Array,
  position: number,
  path: string,
): Promise<void> {
  for (let done = 0; done < into.byteLength; ) {
    const { bytesRead } = await handle.read(
      into,
      done,
      Math.min(into.byteLength - done, READ_AT_ONCE),
      position + done,
    );
    if (bytesRead === 0)
      throw new InputError(path, `ends at byte ${position + done} while it is being read: fetch it again`);
    done += bytesRead;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: TensorData): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function allocate(decoder: Decoder, { shape }: StoredTensor, where: string): TensorData {
  const count = elementCount(shape);
  try {
    return tensorArray(decoder.dtype, count);
  } catch (error) {
    if (error instanceof RangeError)
      throw new InputError(where, `its ${count} elements are more than one array can hold here`);
    throw error;
  }
}

function requireBooleans(data: Uint8Array, where: string): void {
  const wrong = data.findIndex(byte => byte > 1);
  if (wrong >= 0)
    throw new InputError(where, `element ${wrong} is ${data[wrong]}, expected 0 or 1: the file is corrupt`);
}

function requireFinite(data: TensorData, where: string): void {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return;
  const wrong = firstNonFinite(data);
  if (wrong >= 0)
    throw new InputError(
      where,
      `element ${wrong} is ${data[wrong]}: the training that wrote it diverged or the file is corrupt; use an earlier checkpoint`,
    );
}

/** -1 where all numbers are finite. x - x is 0 for every finite x and NaN for every other: no branch an element. */
function firstNonFinite(data: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! - data[i]!;
  return sum === 0 ? -1 : data.findIndex(x => !Number.isFinite(x));
}
