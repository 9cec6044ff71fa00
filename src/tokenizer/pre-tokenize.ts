/**
 * GPT-2's and GPT-NeoX's pre-tokenisation, over UTF-8 bytes: text is cut by the pattern
 * `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, and no merge ever crosses a cut.
 * Bytes and a table, because a regular expression over strings is ten times slower and its Unicode version that of Node.
 */
import { LETTERS, NUMBERS, SPACES } from './unicode-ranges.ts';

const OTHER = 0;
const LETTER = 1;
const NUMBER = 2;
const SPACE = 3;

/** The class of every code point. */
const CLASSES = new Uint8Array(0x110000).fill(OTHER);
for (const [ranges, value] of [
  [LETTERS, LETTER],
  [NUMBERS, NUMBER],
  [SPACES, SPACE],
] as const) {
  const numbers = ranges
    .trim()
    .split(' ')
    .map(word => Number.parseInt(word, 36));
  for (let i = 0, at = 0; i < numbers.length; i += 2) {
    at += numbers[i]!;
    CLASSES.fill(value, at, at + numbers[i + 1]!);
    at += numbers[i + 1]!;
  }
}

const APOSTROPHE = 0x27;
const BLANK = 0x20;

/** The end of the word that begins at `at`. `bytes` from `at` to `end` must be whole, valid UTF-8 and not empty. */
export function wordEnd(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  if (first === APOSTROPHE) {
    const length = contraction(bytes, at, end);
    if (length > 0) return at + length;
  }
  const start = first === BLANK && at + 1 < end ? at + 1 : at; // an optional blank belongs to the word after it
  const kind = classAt(bytes, start);
  return kind === SPACE ? spacesEnd(bytes, at, end) : runEnd(bytes, start, end, kind);
}

/** Length of `'s 't 'm 'd 're 've 'll` at an apostrophe, or 0. */
function contraction(bytes: Uint8Array, at: number, end: number): number {
  const [s, t, m, d, r, e, v, l] = [0x73, 0x74, 0x6d, 0x64, 0x72, 0x65, 0x76, 0x6c];
  const first = at + 1 < end ? bytes[at + 1] : 0;
  if (first === s || first === t || first === m || first === d) return 2;
  const second = at + 2 < end ? bytes[at + 2] : 0;
  const long = ((first === r || first === v) && second === e) || (first === l && second === l);
  return long ? 3 : 0;
}

/** `\s+(?!\S)|\s+`: a run of spaces leaves its last one to the word that follows, unless it is the only one. */
function spacesEnd(bytes: Uint8Array, at: number, end: number): number {
  const stop = runEnd(bytes, at, end, SPACE);
  if (stop === end) return stop;
  let last = stop - 1;
  while ((bytes[last]! & 0xc0) === 0x80) last--;
  return last > at ? last : stop;
}

function runEnd(bytes: Uint8Array, from: number, end: number, kind: number): number {
  let at = from;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte < 0x80) {
      if (CLASSES[byte] !== kind) return at;
      at++;
    } else {
      if (CLASSES[codePoint(bytes, at)] !== kind) return at;
      at += byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    }
  }
  return at;
}

function classAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]!;
  return CLASSES[byte < 0x80 ? byte : codePoint(bytes, at)]!;
}

/** The code point of the multi-byte sequence at `at`. */
function codePoint(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
  if (a < 0xe0) return ((a & 0x1f) << 6) | (b & 0x3f);
  if (a < 0xf0) return ((a & 0x0f) << 12) | ((b & 0x3f) << 6) | (c & 0x3f);
  return ((a & 0x07) << 18) | ((b & 0x3f) << 12) | ((c & 0x3f) << 6) | (d & 0x3f);
}
