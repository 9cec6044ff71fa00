/** Judging generated text. */
import type { IclTask } from './tasks.ts';

const PUNCTUATION = /[!-/:-@[-`{-~‘’´]/g;
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/** TriviaQA's normal form: lower case, punctuation as blanks, no articles, single blanks. */
export function normalizeAnswer(text: string): string {
  return text.toLowerCase().replace(PUNCTUATION, ' ').replace(ARTICLES, ' ').split(/\s+/).join(' ').trim();
}

export interface Judgement {
  /** Does it begin with an accepted answer? */
  readonly correct: boolean;
  /** Is it one? */
  readonly exact: boolean;
}

/**
 * Judges a generation: cut at the first stop string, only what follows the last chain-of-thought delimiter, in normal form where the task
 * asks for it. An accepted answer must end at the end of a word, and one that normalisation leaves nothing of (the film "It", no; "The The",
 * yes) is compared as it is. With `gauntlet` neither holds: `1` accepts `18`, and an empty answer accepts everything, as in llm-foundry.
 */
export function judge(
  text: string,
  accepted: readonly string[],
  task: Pick<IclTask, 'cotDelimiter' | 'stopStrings' | 'normalize'>,
  gauntlet: boolean,
): Judgement {
  const cut = task.stopStrings.reduce((rest, stop) => rest.split(stop)[0]!, text);
  const final = task.cotDelimiter === '' ? cut : cut.split(task.cotDelimiter).at(-1)!;
  const plain = (answer: string) => answer.trim();
  const normal = task.normalize ? normalizeAnswer : plain;
  const found = accepted.map(answer => {
    const form = normal(answer) === '' && !gauntlet ? plain : normal;
    const [label, given] = [form(answer), form(final)];
    return { exact: given === label, begins: begins(given, label, gauntlet) };
  });
  return { correct: found.some(({ begins }) => begins), exact: found.some(({ exact }) => exact) };
}

function begins(given: string, label: string, gauntlet: boolean): boolean {
  if (!given.startsWith(label)) return false;
  const inWord = /^[\p{L}\p{N}]/u.test(given.slice(label.length)) && /[\p{L}\p{N}]$/u.test(label);
  return gauntlet || !inWord;
}
