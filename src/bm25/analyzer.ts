/**
 * From text to index terms. An analyzer is the words of Lucene's StandardTokenizer, each normalised by itself:
 *
 * - `english`: Lucene's EnglishAnalyzer. A final possessive 's is dropped, letters are lowered, 33 stopwords are dropped, Porter stems.
 * - `plain`: Lucene's StandardAnalyzer without stopwords. Letters are lowered.
 */
import { InputError } from '../base/index.ts';
import { porterStem } from './porter.ts';
import { words } from './words.ts';

export type AnalyzerName = 'english' | 'plain';

export interface Analyzer {
  readonly name: AnalyzerName;
  /** The term a word becomes; undefined where the word is dropped. A pure function of the word. */
  readonly normalise: (word: string) => string | undefined;
}

/** `EnglishAnalyzer.ENGLISH_STOP_WORDS_SET`. */
export const STOPWORDS: ReadonlySet<string> = new Set(
  (
    'a an and are as at be but by for if in into is it no not of on or such that the their then there these they ' +
    'this to was will with'
  ).split(' '),
);

const ANALYZERS: Readonly<Record<AnalyzerName, Analyzer>> = {
  english: {
    name: 'english',
    normalise: word => {
      const lowered = lowerCase(dropPossessive(word));
      return STOPWORDS.has(lowered) ? undefined : porterStem(lowered);
    },
  },
  plain: { name: 'plain', normalise: lowerCase },
};

export const ANALYZER_NAMES = Object.keys(ANALYZERS) as readonly AnalyzerName[];

/** The analyzer of that name. Throws an `InputError` that lists the names there are. */
export function analyzerNamed(name: string): Analyzer {
  const found = ANALYZER_NAMES.find(known => known === name);
  if (found === undefined)
    throw new InputError('analyzer', `'${name}' is none of ${ANALYZER_NAMES.join(', ')}`);
  return ANALYZERS[found];
}

/** The terms of a text, in order, with repetitions. */
export function analyze(analyzer: Analyzer, text: string): string[] {
  return words(text).flatMap(word => analyzer.normalise(word) ?? []);
}

/** Lucene's EnglishPossessiveFilter: apostrophe U+0027, U+2019 or U+FF07, then s or S. */
function dropPossessive(word: string): string {
  return /['\u2019\uff07][sS]$/.test(word) ? word.slice(0, -2) : word;
}

/**
 * Lower case one code point at a time, as Java's `Character.toLowerCase` does: no final sigma, and the dotted capital I
 * becomes a plain i. Only ASCII words, that is nearly all, take the short way.
 */
function lowerCase(word: string): string {
  if (/^[\0-\x7f]*$/.test(word)) return word.toLowerCase();
  let lowered = '';
  for (const point of word) lowered += point === '\u0130' ? 'i' : point.toLowerCase();
  return lowered;
}
