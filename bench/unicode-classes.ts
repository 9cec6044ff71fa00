/**
 * Writes src/tokenizer/unicode-ranges.ts: the letters, numbers and spaces of the Unicode version that the `tokenizers` package was
 * built with. It asks the package's own pre-tokenizer about every code point, so that both sides always cut text alike.
 * Run after an update of that package: `node build/bench/unicode-classes.js > src/tokenizer/unicode-ranges.ts`.
 */
import { byteLevelPreTokenizer } from 'tokenizers';

const preTokenizer = byteLevelPreTokenizer(false, true);
const joins = (text: string) => preTokenizer.preTokenizeString(text).length === 1;

/** 1 letter, 2 number, 0 other, 3 space: whichever a letter, a digit or a mark before it forms one piece with. */
function classOf(code: number): number {
  const character = String.fromCodePoint(code);
  if (joins(`a${character}`)) return 1;
  if (joins(`1${character}`)) return 2;
  return joins(`!${character}`) ? 0 : 3;
}

function rangesOf(wanted: number, classes: Uint8Array): string[] {
  const words: string[] = [];
  let end = 0;
  for (let at = 0; at < classes.length; at++) {
    if (classes[at] !== wanted) continue;
    let stop = at;
    while (classes[stop] === wanted) stop++;
    words.push(`${(at - end).toString(36)} ${(stop - at).toString(36)}`);
    end = at = stop;
  }
  return words;
}

function literal(name: string, words: readonly string[]): string {
  const lines = [''];
  for (const word of words.join(' ').split(' ')) {
    const last = lines.length - 1;
    if (lines[last]!.length + word.length < 100) lines[last] += `${word} `;
    else lines.push(`${word} `);
  }
  return `export const ${name} =\n${lines.map(line => `  '${line}'`).join(' +\n')};\n`;
}

const classes = new Uint8Array(0x110000);
for (let code = 0; code < classes.length; code++) {
  const surrogate = code >= 0xd800 && code < 0xe000;
  if (!surrogate) classes[code] = classOf(code);
}
process.stdout.write(`/**
 * Made by bench/unicode-classes.ts, not by hand: what the \`tokenizers\` package takes for \\p{L}, \\p{N} and \\s, which is not what every
 * version of Node does. Pairs of base-36 numbers: code points to skip, code points in the range.
 */
${literal('LETTERS', rangesOf(1, classes))}
${literal('NUMBERS', rangesOf(2, classes))}
${literal('SPACES', rangesOf(3, classes))}`);
