/**
 * Words of a text as Lucene's StandardTokenizer finds them: Unicode word break rules (UAX #29, Unicode 12.1) written as one
 * regular grammar whose longest match from each position is a token; what begins no match is skipped. Like Lucene's, it keeps
 * runs of South-East Asian letters together, makes each ideograph and each hiragana a token, and keeps emoji sequences whole.
 * A token is at most 255 UTF-16 units: the match is the longest within that window, and the next begins where it ended.
 */

import { withRoom } from '../data/index.ts';
import {
  type Automaton,
  alt,
  compile,
  DEAD,
  type Language,
  oneOf,
  optional,
  plus,
  START,
  seq,
  star,
} from './automaton.ts';
import { CLASSES, RUNS } from './unicode.ts';

/** Longest token, in UTF-16 units: Lucene's default `maxTokenLength`. */
export const MAX_TOKEN_UNITS = 255;

/** The classes whose code points have any of these properties. */
function having(...properties: readonly string[]): number[] {
  const wanted = new Set(properties);
  return [...CLASSES.keys()].filter(i => CLASSES[i]!.split(' ').some(name => wanted.has(name)));
}

function except(classes: readonly number[], ...properties: readonly string[]): number[] {
  const unwanted = new Set(having(...properties));
  return classes.filter(c => !unwanted.has(c));
}

/** WB4: a character and the marks that follow it count as the character. */
function marked(...properties: readonly string[]): Language {
  return seq(oneOf(having(...properties)), star(oneOf(having('Format', 'Extend', 'ZWJ'))));
}

/** UAX #29 WB5 to WB13b: letters, numbers and katakana with what may stand between and around them. */
function wordGrammar(): Language {
  const connector = marked('ExtendNumLet');
  const numeric = marked('Numeric');
  const letter = marked('ALetter', 'HebrewLetter');
  const hebrew = marked('HebrewLetter');
  const katakana = marked('Katakana');
  const midLetter = marked('MidLetter', 'MidNumLet', 'SingleQuote');
  const midNumber = marked('MidNum', 'MidNumLet', 'SingleQuote');
  const joined = (part: Language, between: Language) => seq(part, star(seq(between, part)));
  const core = alt(
    joined(katakana, star(connector)),
    plus(
      alt(
        seq(hebrew, alt(marked('SingleQuote'), seq(marked('DoubleQuote'), hebrew))),
        joined(numeric, alt(star(connector), midNumber)),
        joined(letter, alt(star(connector), midLetter)),
      ),
    ),
  );
  return seq(star(connector), core, star(seq(plus(connector), core)), star(connector));
}

/** Emoji sequences (UTS #51): with modifiers, joined, tagged, keycaps, and flags of two regional indicators. */
function emojiGrammar(): Language {
  const marks = star(oneOf(except(having('Format', 'Extend', 'ZWJ'), 'TextSelector', 'EmojiSelector')));
  const joiner = oneOf(having('ZWJ'));
  const emoji = [
    ...having('ExtendedPictographic'),
    ...except(having('Emoji'), 'RegionalIndicator', 'KeycapBase', 'AccidentalEmoji', 'EmojiModifier'),
  ];
  const selector = optional(oneOf(having('EmojiSelector')));
  const plain = seq(star(joiner), oneOf(new Set(emoji)), marks, selector);
  const base = seq(star(joiner), oneOf(having('EmojiModifierBase')), marks);
  const modified = seq(optional(base), oneOf(having('EmojiModifier')), marks);
  const one = alt(plain, modified);
  const tags = seq(plus(oneOf(having('TagSpec'))), oneOf(having('TagTerm')));
  const keycap = seq(oneOf(having('KeycapBase')), marks, selector, oneOf(having('Keycap')), marks);
  const flag = seq(marked('RegionalIndicator'), marked('RegionalIndicator'));
  return alt(seq(one, alt(star(seq(joiner, one)), tags)), keycap, flag);
}

function tokenGrammar(): Language {
  return alt(
    emojiGrammar(),
    wordGrammar(),
    plus(marked('ComplexContext')),
    marked('Han'),
    marked('Hiragana'),
  );
}

/** The class of every code point: 1.1 MB, of which a text touches the pages of its own scripts. */
function expandClasses(): Uint8Array {
  const classes = new Uint8Array(0x110000);
  let at = 0;
  for (const run of RUNS.split(',')) {
    const length = run.length === 1 ? 1 : Number.parseInt(run.slice(1), 36);
    classes.fill(Number.parseInt(run[0]!, 36), at, at + length);
    at += length;
  }
  return classes;
}

/**
 * For each state and each of the first 128 code points the state that follows: one look-up where two would wait for each other, and small enough
 * for the nearest cache.
 */
function asciiSteps({ next, symbols }: Automaton, classes: Uint8Array): Uint8Array {
  const steps = new Uint8Array((next.length / symbols) * ASCII);
  for (let at = 0; at < steps.length; at++)
    steps[at] = next[Math.floor(at / ASCII) * symbols + classes[at % ASCII]!]!;
  return steps;
}

const ASCII = 128;

let shared:
  | { readonly automaton: Automaton; readonly classes: Uint8Array; readonly ascii: Uint8Array }
  | undefined;

/** Made at first use, so that a program that never analyzes text does not pay for it. */
function tables() {
  if (shared === undefined) {
    const [automaton, classes] = [compile(tokenGrammar(), CLASSES.length), expandClasses()];
    shared = { automaton, classes, ascii: asciiSteps(automaton, classes) };
  }
  return shared;
}

/** The tokens of a text: token i is `units` from `starts[i]` to `ends[i]`. Overwritten by the next scan. */
export interface Tokens {
  /** UTF-16. */
  readonly units: Uint16Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly count: number;
}

/** Finds the tokens of one text after another, in memory that it uses again. */
export class WordScanner {
  readonly #classes = tables().classes;
  readonly #next = tables().automaton.next;
  readonly #accepts = tables().automaton.accepts;
  readonly #ascii = tables().ascii;
  #units = new Uint16Array(4096);
  #starts = new Uint32Array(512);
  #ends = new Uint32Array(512);

  scan(text: string): Tokens {
    const units = this.#copy(text);
    let count = 0;
    for (let from = 0; from < text.length; ) {
      const end = this.#match(units, from, text.length);
      if (end === from) {
        from += isPair(units, from, text.length) ? 2 : 1;
        continue;
      }
      if (count === this.#starts.length) {
        this.#starts = withRoom(this.#starts, count + 1);
        this.#ends = withRoom(this.#ends, count + 1);
      }
      this.#starts[count] = from;
      this.#ends[count++] = end;
      from = end;
    }
    return { units, starts: this.#starts, ends: this.#ends, count };
  }

  /** The text as numbers: a loop reads these several times as fast as it reads a string. */
  #copy(text: string): Uint16Array {
    if (text.length > this.#units.length) this.#units = new Uint16Array(2 * text.length);
    const units = this.#units;
    Buffer.from(units.buffer, units.byteOffset, units.byteLength).write(text, 'utf16le');
    return units;
  }

  /** The end of the longest token that begins at `from`; `from` itself if none does. */
  #match(units: Uint16Array, from: number, length: number): number {
    const [classes, next, accepts, ascii] = [this.#classes, this.#next, this.#accepts, this.#ascii];
    const limit = windowEnd(units, from, length);
    let end = from;
    for (let at = from, state = START; at < limit; ) {
      const unit = units[at]!;
      if (unit < ASCII) {
        state = ascii[state * ASCII + unit]!;
        at++;
      } else {
        const pair = isPair(units, at, limit);
        const point = pair ? ((unit - 0xd800) << 10) + (units[at + 1]! - 0xdc00) + 0x10000 : unit;
        state = next[state * CLASSES.length + classes[point]!]!;
        at += pair ? 2 : 1;
      }
      if (state === DEAD) break;
      if (accepts[state] !== 0) end = at;
    }
    return end;
  }
}

function isPair(units: Uint16Array, at: number, limit: number): boolean {
  if ((units[at]! & 0xfc00) !== 0xd800 || at + 1 >= limit) return false;
  return (units[at + 1]! & 0xfc00) === 0xdc00;
}

/** Where the scanner's window over a text ends; it never splits a surrogate pair. */
function windowEnd(units: Uint16Array, from: number, length: number): number {
  const end = from + MAX_TOKEN_UNITS;
  if (end >= length) return length;
  return (units[end - 1]! & 0xfc00) === 0xd800 ? end - 1 : end;
}

/** The tokens of a text. */
export function words(text: string): string[] {
  const { starts, ends, count } = new WordScanner().scan(text);
  return Array.from({ length: count }, (_, i) => text.slice(starts[i], ends[i]));
}
