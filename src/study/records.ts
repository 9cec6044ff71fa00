/** Records of lines: JSON Lines that one process appends to and others read while it does, whatever moment it is killed at. */
import { appendFileSync, closeSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from '../base/index.ts';

const NEWLINE = 10;

/** Appends one object a line, each with one write, so that readers see whole lines and a crash tears at most the last. */
export class LineWriter {
  readonly #file: number;

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(path, 'a+');
    if (endsInsideLine(this.#file)) appendFileSync(this.#file, '\n'); // a killed predecessor's torn line ends here
  }

  write(record: unknown): void {
    appendFileSync(this.#file, `${JSON.stringify(record)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function endsInsideLine(file: number): boolean {
  const { size } = fstatSync(file);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(file, last, 0, 1, size - 1);
  return last[0] !== NEWLINE;
}

/** Reads the whole lines that were added since the last call. Lines that are no JSON objects of the wanted form are passed over. */
export class LineReader<T> {
  readonly #path: string;
  readonly #parse: (value: unknown) => T | undefined;
  #offset: number;

  /** Starts at a byte offset, which must be the beginning of a line. */
  constructor(path: string, parse: (value: unknown) => T | undefined, offset = 0) {
    this.#path = path;
    this.#parse = parse;
    this.#offset = offset;
  }

  async read(): Promise<T[]> {
    const bytes = await readFrom(this.#path, this.#offset);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    this.#offset += end;
    if (end === 0) return [];
    const lines = bytes.toString('utf8', 0, end).split('\n');
    return lines.flatMap(line => {
      const record = line === '' ? undefined : this.#parse(parseLine(line));
      return record === undefined ? [] : [record];
    });
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** The bytes of a file from an offset to its present end; none where there is no such file. */
async function readFrom(path: string, offset: number): Promise<Buffer> {
  const file = await openIfThere(path);
  if (!file) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.max(0, size - offset));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export async function sizeOf(path: string): Promise<number> {
  const file = await openIfThere(path);
  if (!file) return 0;
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** The last lines of a text file, of what was written to it from an offset on. */
export async function tailOf(path: string, lines: number, from = 0): Promise<string[]> {
  const bytes = await readFrom(path, Math.max(from, (await sizeOf(path)) - (64 << 10)));
  const text = bytes.toString('utf8').trimEnd();
  return text === '' ? [] : text.split('\n').slice(-lines);
}
