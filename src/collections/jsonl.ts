/** JSON lines from outside: objects in blocks, with what is wrong collected by line, and checks of single fields. */
import { type LineBlock, messageOf, type OnRead, type Problems, readLineBlocks } from '../base/index.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Consecutive objects and the lines they stand on; lines that are no object are left out and reported. */
export interface JsonBlock {
  readonly values: readonly JsonObject[];
  readonly lines: readonly number[];
}

/** The objects of a JSONL file (plain or gzip). Blank lines are skipped; a line that is no JSON object becomes a problem. */
export async function* readJsonBlocks(
  path: string,
  problems: Problems,
  signal?: AbortSignal,
  onRead?: OnRead,
): AsyncGenerator<JsonBlock> {
  for await (const block of readLineBlocks(path, { signal, onRead })) yield jsonBlock(block, path, problems);
}

/** The objects among lines of a file. */
export function jsonBlock({ first, lines: texts }: LineBlock, path: string, problems: Problems): JsonBlock {
  const values: JsonObject[] = [];
  const lines: number[] = [];
  for (let i = 0; i < texts.length; i++) {
    const value = parseObject(texts[i]!, path, first + i, problems);
    if (value === undefined) continue;
    values.push(value);
    lines.push(first + i);
  }
  return { values, lines };
}

function parseObject(text: string, path: string, line: number, problems: Problems): JsonObject | undefined {
  if (text === '' || text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
    problems.add(`${path}:${line}`, `expected a JSON object, found ${describe(value)}`);
  } catch (error) {
    problems.add(`${path}:${line}`, `not valid JSON: ${messageOf(error)}`);
  }
  return undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A few words for a value that is not what it should be. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string')
    return value === '' ? 'an empty text' : `the text ${JSON.stringify(value.slice(0, 40))}`;
  return `the ${typeof value} ${value}`;
}

const UNFIT_FOR_IDS = /[\t\n\r\0]|\p{Surrogate}/u;

/**
 * An id from a file: text, or a whole number (which some exporters write), or undefined after reporting why not.
 * Tabs and line ends are refused because no run or qrels file could hold them.
 */
export function idOf(
  value: unknown,
  key: string,
  path: string,
  line: number,
  problems: Problems,
): string | undefined {
  if (typeof value === 'string' && value !== '') {
    if (!UNFIT_FOR_IDS.test(value)) return value;
    problems.add(`${path}:${line}`, `'${key}' holds a tab, a line end, a NUL or half a surrogate pair`);
  } else if (Number.isSafeInteger(value)) return String(value);
  else
    problems.add(
      `${path}:${line}`,
      `expected '${key}' to be a text that is not empty, found ${describe(value)}`,
    );
  return undefined;
}

/** Text from a file, or undefined after reporting why not. */
export function textOf(
  value: unknown,
  key: string,
  path: string,
  line: number,
  problems: Problems,
): string | undefined {
  if (typeof value === 'string') return wellFormed(value);
  problems.add(`${path}:${line}`, `expected '${key}' to be a text, found ${describe(value)}`);
  return undefined;
}

const LONE_SURROGATE = /\p{Surrogate}/gu;

/** Text as UTF-8 would carry it: half a surrogate pair (JSON can spell one, `\ud83d`) becomes U+FFFD, as every encoder would write it. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\ufffd');
}
