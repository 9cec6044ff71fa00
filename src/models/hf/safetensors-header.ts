/**
 * The header of a safetensors file (huggingface.co/docs/safetensors): 8 bytes with its length, then JSON that gives each tensor's element type,
 * shape and byte range, then the tensors one after the other. Everything is checked before a byte of a tensor is read, because files come
 * from anywhere: ranges must cover the data exactly, without holes or overlaps, and agree with the shapes.
 */
import { InputError, Problems } from '../../base/index.ts';
import { bitsOf, ELEMENT_TYPES, type ElementType, isElementType } from './element-types.ts';
import { isJsonObject, parseJsonObject, quoted } from './unique-json.ts';

/** Where one tensor lies: bytes `begin` to `end` (exclusive), counted from the first byte after the header. */
export interface StoredTensor {
  readonly elementType: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Byte of the file at which the tensors begin. */
  readonly dataStart: number;
}

/** Bytes before the JSON: its length as an unsigned 64-bit number. */
export const LENGTH_BYTES = 8;

/** The reference implementation's limit on the JSON. */
export const MAX_HEADER_BYTES = 100_000_000;

const METADATA = '__metadata__';
const OPENING_BRACE = 0x7b;
const REFETCH = 'the file is truncated or no safetensors file; fetch it again';

/** The length of the JSON, from the file's first bytes. `fileBytes` is the size of the whole file. */
export function headerLength(prefix: Uint8Array, fileBytes: number, where: string): number {
  if (fileBytes < LENGTH_BYTES || prefix.byteLength < LENGTH_BYTES)
    throw new InputError(where, `${fileBytes} bytes are too few for a safetensors header: ${REFETCH}`);
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES))
    throw new InputError(
      where,
      `its header claims ${length} bytes, more than the ${MAX_HEADER_BYTES} the format allows: ${REFETCH}`,
    );
  if (Number(length) > fileBytes - LENGTH_BYTES)
    throw new InputError(
      where,
      `its header claims ${length} bytes, the file has ${fileBytes} altogether: ${REFETCH}`,
    );
  return Number(length);
}

/** Reads the JSON of a header and checks it against the number of bytes that follow it. Reports every problem of every tensor. */
export function parseSafetensorsHeader(
  json: Uint8Array,
  dataBytes: number,
  where: string,
): SafetensorsHeader {
  if (json[0] !== OPENING_BRACE) throw new InputError(where, `its header is no JSON object: ${REFETCH}`);
  const header = parseJsonObject(json, where);
  const problems = new Problems();
  const report = (name: string, message: string) => problems.add(where, `tensor ${quoted(name)}: ${message}`);
  const metadata = parseMetadata(header[METADATA], message => problems.add(where, message));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) continue;
    const tensor = parseEntry(entry, dataBytes, message => report(name, message));
    if (/\p{Surrogate}/u.test(name)) report(name, 'the name is not valid Unicode');
    if (tensor) tensors.set(name, tensor);
  }
  problems.throwIfAny(); // ranges are compared only where each is sound
  checkCoverage(tensors, dataBytes, message => problems.add(where, message));
  problems.throwIfAny();
  return { tensors, metadata, dataStart: LENGTH_BYTES + json.byteLength };
}

type Report = (message: string) => void;

function parseMetadata(value: unknown, report: Report): Map<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined || value === null) return metadata;
  if (!isJsonObject(value)) {
    report(`${METADATA} must be an object of strings`);
    return metadata;
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === 'string') metadata.set(key, text);
    else report(`${METADATA}.${key} must be a string`);
  }
  return metadata;
}

function parseEntry(entry: unknown, dataBytes: number, report: Report): StoredTensor | undefined {
  if (!isJsonObject(entry)) return refuse(report, 'expected an object with dtype, shape and data_offsets');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !isElementType(dtype))
    return refuse(
      report,
      `unknown dtype ${quoted(String(dtype))}, expected one of ${ELEMENT_TYPES.join(' ')}`,
    );
  if (!isCountList(shape)) return refuse(report, 'its shape must be a list of whole numbers');
  if (!isCountList(offsets) || offsets.length !== 2)
    return refuse(report, 'its data_offsets must be two whole numbers');
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes)
    return refuse(
      report,
      `its bytes ${begin} to ${end} do not lie within the ${dataBytes} bytes of data: ${REFETCH}`,
    );
  const bytes = byteCount(shape, dtype);
  if (bytes === undefined || bytes !== end - begin)
    return refuse(
      report,
      `${dtype} of shape [${shape.slice(0, 16)}] takes ${bytes ?? 'no whole and possible number of'} bytes, its data_offsets give ${end - begin}`,
    );
  return { elementType: dtype, shape, begin, end };
}

function refuse(report: Report, message: string): undefined {
  report(message);
}

/** A list of numbers that can be sizes or positions: whole, not negative (nor -0), exact. */
function isCountList(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(n => Number.isSafeInteger(n) && n >= 0 && !Object.is(n, -0));
}

/** Bytes of a tensor; undefined where the product of the sizes is no exact number or the bits fill no whole byte. */
function byteCount(shape: readonly number[], type: ElementType): number | undefined {
  let bits = bitsOf(type);
  for (const size of shape) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) return undefined;
  }
  return bits % 8 === 0 ? bits / 8 : undefined;
}

/** Sorted by place, each tensor must begin where the one before it ends, and the last must end where the file does. */
function checkCoverage(tensors: ReadonlyMap<string, StoredTensor>, dataBytes: number, report: Report): void {
  const sorted = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const [name, { begin, end }] of sorted) {
    if (begin < covered) report(`tensor ${quoted(name)}: overlaps the tensor before it`);
    if (begin > covered) report(`tensor ${quoted(name)}: ${begin - covered} unused bytes before it`);
    covered = Math.max(covered, end);
  }
  if (covered < dataBytes) report(`${dataBytes - covered} bytes after the last tensor belong to none`);
}

/** The first bytes of a file: the length and the JSON, padded with spaces to a multiple of 8. `entries` are in the order of their bytes. */
export function encodeSafetensorsHeader(
  entries: Iterable<readonly [string, StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const parts: string[] = [];
  if (Object.keys(metadata).length > 0) parts.push(`${JSON.stringify(METADATA)}:${JSON.stringify(metadata)}`);
  for (const [name, { elementType, shape, begin, end }] of entries) {
    const entry = { dtype: elementType, shape, data_offsets: [begin, end] };
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`); // as text, so that no name can collide with an object's own keys
  }
  const json = Buffer.from(`{${parts.join(',')}}`, 'utf8');
  const padded = Math.ceil(json.byteLength / LENGTH_BYTES) * LENGTH_BYTES;
  const bytes = Buffer.alloc(LENGTH_BYTES + padded, ' ');
  bytes.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(bytes, LENGTH_BYTES);
  return bytes;
}
