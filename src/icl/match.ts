/** Is a generated text the right answer? llm-foundry's rule (eval/metrics/nlp.py), and plain equality. */
import { squeeze } from './blanks.ts';
import type { PromptStyle } from './settings.ts';

export interface MatchSettings {
  readonly style: PromptStyle;
  readonly stops: readonly string[];
  readonly cotDelimiter: string;
  readonly normalize: boolean;
}

export interface Match {
  /** The answer begins with a right answer: the Gauntlet's accuracy. */
  readonly prefix: boolean;
  /** It is one. */
  readonly exact: boolean;
}

/** Compares a generated text with the right answers, of which there is at least one. */
export function matchAnswer(output: string, answers: readonly string[], settings: MatchSettings): Match {
  const comparable = settings.normalize ? normalizeAnswer : (text: string) => text;
  const found = comparable(finalAnswer(output, settings));
  const right = answers.map(comparable);
  // An answer of articles and punctuation alone ("The", "!") is empty when normalised, and every text begins with nothing.
  if (settings.style === 'llm-foundry')
    return { prefix: right.some(answer => found.startsWith(answer)), exact: right.includes(found) };
  const told = right.filter(answer => answer !== '');
  return { prefix: told.some(answer => beginsWith(found, answer)), exact: told.includes(found) };
}

/** Does a text begin with an answer that ends where a word does? `18` does not begin with the answer 1, though its text does. */
function beginsWith(found: string, answer: string): boolean {
  const goesOn = /[\p{L}\p{N}]$/u.test(answer) && /^[\p{L}\p{N}]/u.test(found.slice(answer.length));
  return found.startsWith(answer) && !goesOn;
}

/** The text up to the first stop, and of that what follows the last delimiter of a worked solution. */
export function finalAnswer(
  output: string,
  { stops, cotDelimiter }: Pick<MatchSettings, 'stops' | 'cotDelimiter'>,
): string {
  const ends = stops.map(stop => output.indexOf(stop)).filter(at => at >= 0);
  const kept = output.slice(0, Math.min(output.length, ...ends));
  return cotDelimiter === '' ? kept : kept.split(cotDelimiter).at(-1)!;
}

const PUNCTUATION = /[!-/:-@[-`{-~\u2018\u2019\u00b4]/g;
/** `\b` knows ASCII words only, Python's knows all. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** TriviaQA's normal form: lower case, punctuation to blanks, articles dropped, blanks squeezed. */
export function normalizeAnswer(text: string): string {
  return squeeze(text.toLowerCase().replaceAll(PUNCTUATION, ' ').replaceAll(ARTICLES, ' '));
}
