/**
 * Prints src/bm25/unicode.ts: the classes of code points that the word grammar tells apart, run by run.
 * Its source is the npm package `unicode-12.1.0` (Unicode 12.1, the version of Lucene's StandardTokenizer), unpacked anywhere:
 *
 *     node build/bench/bm25Unicode.js FOLDER/unicode-12.1.0 > src/bm25/unicode.ts
 */
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/** Property name in the grammar -> where the package keeps its code points, or the code points themselves. */
const SOURCES: Readonly<Record<string, string | readonly number[]>> = {
  Format: 'Word_Break/Format',
  Extend: 'Word_Break/Extend',
  ZWJ: 'Word_Break/ZWJ',
  ALetter: 'Word_Break/ALetter',
  HebrewLetter: 'Word_Break/Hebrew_Letter',
  Numeric: 'Word_Break/Numeric',
  Katakana: 'Word_Break/Katakana',
  MidLetter: 'Word_Break/MidLetter',
  MidNum: 'Word_Break/MidNum',
  MidNumLet: 'Word_Break/MidNumLet',
  SingleQuote: 'Word_Break/Single_Quote',
  DoubleQuote: 'Word_Break/Double_Quote',
  ExtendNumLet: 'Word_Break/ExtendNumLet',
  RegionalIndicator: 'Word_Break/Regional_Indicator',
  Han: 'Script/Han',
  Hiragana: 'Script/Hiragana',
  ComplexContext: 'Line_Break/Complex_Context',
  Emoji: 'Binary_Property/Emoji',
  EmojiModifier: 'Binary_Property/Emoji_Modifier',
  EmojiModifierBase: 'Binary_Property/Emoji_Modifier_Base',
  ExtendedPictographic: 'Binary_Property/Extended_Pictographic',
  KeycapBase: [...'0123456789#*'].map(c => c.charCodeAt(0)),
  AccidentalEmoji: [0xa9, 0xae, 0x2122, 0x3030, 0x303d],
  TextSelector: [0xfe0e],
  EmojiSelector: [0xfe0f],
  Keycap: [0x20e3],
  TagSpec: Array.from({ length: 0x5f }, (_, i) => 0xe0020 + i),
  TagTerm: [0xe007f],
};

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: node build/bench/bm25Unicode.js FOLDER/unicode-12.1.0');
const require = createRequire(import.meta.url);
const properties = Object.keys(SOURCES);
const bits = new Uint32Array(0x110000);
properties.forEach((name, bit) => {
  const source = SOURCES[name]!;
  const points =
    typeof source === 'string'
      ? (require(join(resolve(folder), source, 'code-points.js')) as readonly number[])
      : source;
  for (const point of points) bits[point]! |= 1 << bit;
});

const signatures = [...new Set(bits)].sort((a, b) => (a >>> 0) - (b >>> 0));
const classOf = new Map(signatures.map((signature, index) => [signature, index]));
const runs: string[] = [];
for (let from = 0, at = 1; at <= bits.length; at++) {
  if (at < bits.length && bits[at] === bits[from]) continue;
  const number = classOf.get(bits[from]!)!;
  runs.push(`${number.toString(36)}${at - from === 1 ? '' : (at - from).toString(36)}`);
  from = at;
}
if (signatures.length > 36) throw new Error(`${signatures.length} classes do not fit one base-36 digit`);
const names = signatures.map(signature => properties.filter((_, bit) => (signature >>> bit) & 1).join(' '));
const text = runs.join(',');
const lines = text.match(/.{1,104}/g)!.map(line => `  '${line}',`);
process.stdout.write(`// Made by bench/bm25Unicode.ts from Unicode 12.1 data. Unicode data files: (c) Unicode, Inc., https://www.unicode.org/license.txt

/** The properties of each class of code points; class 0 has none that the word grammar looks at. */
export const CLASSES: readonly string[] = [
${names.map(name => `  '${name}',`).join('\n')}
];

/** Runs of code points from U+0000 up, comma-separated: the class in one base-36 digit, then the run's length in base 36 (none: 1). */
export const RUNS = [
${lines.join('\n')}
].join('');
`);
