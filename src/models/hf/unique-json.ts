/** JSON whose objects name each key once. `JSON.parse` keeps the last of several equal keys in silence, which hides a tensor or a setting. */
import { decodeUtf8, InputError, messageOf, Problems, readInput } from '../../base/index.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses the bytes of a JSON object. Throws an `InputError` for anything else, for invalid UTF-8 and for keys given twice. */
export function parseJsonObject(bytes: Uint8Array, where: string): JsonObject {
  const text = decodeUtf8(bytes, where);
  const value = parse(text, where);
  const problems = new Problems();
  for (const key of repeatedKeys(text)) problems.add(where, `names ${quoted(key)} twice`);
  problems.throwIfAny();
  if (!isJsonObject(value)) throw new InputError(where, 'expected a JSON object');
  return value;
}

/** The same for a file that the user named. */
export async function readJsonObject(path: string, maxBytes: number): Promise<JsonObject> {
  return parseJsonObject(await readInput(path, maxBytes), path);
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(where, `not valid JSON (${messageOf(error)}): fetch the file again`);
  }
}

/** A name from a file, fit for a message: quoted, control characters escaped, cut if absurdly long. */
export function quoted(name: string): string {
  return JSON.stringify(cut(name));
}

/** A JSON value from a file, fit for a message. */
export function show(value: unknown): string {
  return cut(JSON.stringify(value));
}

function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Keys that stand twice in one object of a valid JSON text. A string that a colon follows is a key. */
function repeatedKeys(text: string): string[] {
  const repeated: string[] = [];
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; ) {
    const symbol = text[i];
    if (symbol === '{' || symbol === '[') open.push(new Set());
    else if (symbol === '}' || symbol === ']') open.pop();
    if (symbol !== '"') {
      i++;
      continue;
    }
    const end = stringEnd(text, i);
    if (isBeforeColon(text, end)) {
      const key = JSON.parse(text.slice(i, end)) as string;
      if (open.at(-1)!.has(key)) repeated.push(key);
      open.at(-1)!.add(key);
    }
    i = end;
  }
  return repeated;
}

/** The place after the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let i = start + 1;
  while (text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return i + 1;
}

function isBeforeColon(text: string, from: number): boolean {
  let i = from;
  while (' \n\r\t'.includes(text[i] ?? ':')) i++;
  return text[i] === ':';
}
