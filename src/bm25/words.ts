/**
 * Words of a text as Lucene's StandardTokenizer finds them: Unicode word break rules (UAX #29, Unicode 12.1) written as one
 * regular grammar whose longest match from each position is a token; what begins no match is skipped. Like Lucene's, it keeps
 * runs of South-East Asian letters together, makes each ideograph and each hiragana a token, and keeps emoji sequences whole.
 * A token is at most 255 UTF-16 units: the match is the longest within that window, and the next begins where it ended.
 */
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

let shared: { readonly automaton: Automaton; readonly classes: Uint8Array } | undefined;

/** Made at first use, so that a program that never analyzes text does not pay for it. */
function tables() {
  shared ??= { automaton: compile(tokenGrammar(), CLASSES.length), classes: expandClasses() };
  return shared;
}

/**
 * Walks the tokens of one text after another: `reset(text)`, then while `next()` is true the token is `text.slice(start, end)`.
 * Offsets are UTF-16 units.
 */
export class WordScanner {
  start = 0;
  end = 0;
  #text = '';
  readonly #classes = tables().classes;
  readonly #next = tables().automaton.next;
  readonly #accepts = tables().automaton.accepts;

  reset(text: string): void {
    this.#text = text;
    this.start = 0;
    this.end = 0;
  }

  next(): boolean {
    const text = this.#text;
    const units = text.length;
    for (let from = this.end; from < units; ) {
      const end = this.#match(text, from);
      if (end > from) {
        this.start = from;
        this.end = end;
        return true;
      }
      from += text.codePointAt(from)! > 0xffff ? 2 : 1;
    }
    this.end = units;
    return false;
  }

  /** The end of the longest token that begins at `from`; `from` itself if none does. */
  #match(text: string, from: number): number {
    const classes = this.#classes;
    const next = this.#next;
    const accepts = this.#accepts;
    const symbols = CLASSES.length;
    const limit = windowEnd(text, from);
    let end = from;
    for (let at = from, state = START; at < limit; ) {
      let point = text.charCodeAt(at++);
      if (point >= 0xd800 && point < 0xdc00 && at < limit) {
        const low = text.charCodeAt(at);
        if (low >= 0xdc00 && low < 0xe000) {
          point = ((point - 0xd800) << 10) + (low - 0xdc00) + 0x10000;
          at++;
        }
      }
      state = next[state * symbols + classes[point]!]!;
      if (state === DEAD) break;
      if (accepts[state] !== 0) end = at;
    }
    return end;
  }
}

/** Where the scanner's window over a text ends; it never splits a surrogate pair. */
function windowEnd(text: string, from: number): number {
  const end = from + MAX_TOKEN_UNITS;
  if (end >= text.length) return text.length;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last < 0xdc00 ? end - 1 : end;
}

/** The tokens of a text. */
export function words(text: string): string[] {
  const scanner = new WordScanner();
  const found: string[] = [];
  scanner.reset(text);
  while (scanner.next()) found.push(text.slice(scanner.start, scanner.end));
  return found;
}
