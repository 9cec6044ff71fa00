/** From items to scores of a task, with standard errors. */

export interface Measured {
  readonly value: number;
  /** Of the mean over items drawn at random from a much larger set. */
  readonly standardError: number;
}

/** One question, answered. */
export interface ItemResult {
  /** Line of the file. */
  readonly line: number;
  readonly category: string;
  readonly gold: number;
  /** Candidate with the highest mean log-probability a token; -1 where there is only one. */
  readonly chosen: number;
  readonly correct: boolean;
  /** Is it right by the other rules of the task's type? */
  readonly variants: Readonly<Record<string, boolean>>;
  /** Accuracy of guessing. */
  readonly chance: number;
  /** Of each candidate's answer, summed over its tokens, nats. */
  readonly logProbs: readonly number[];
  readonly answerTokens: readonly number[];
  /** Of the right answer. */
  readonly bits: number;
  readonly bytes: number;
  /** Was the context cut to fit? */
  readonly trimmed: boolean;
  /** What a generation task made. */
  readonly generated?: string;
}

export interface CategoryScore {
  readonly name: string;
  readonly items: number;
  readonly accuracy: number;
}

export interface TaskScore {
  readonly items: number;
  readonly chance: number;
  readonly accuracy: Measured;
  /** Accuracy by other rules: `summed` and `perCharacter` for multiple choice, `exactMatch` for generation. */
  readonly variants: Readonly<Record<string, Measured>>;
  /** Of the right answer, blanks before it included. */
  readonly bitsPerByte: Measured;
  /** In order of appearance; empty where the task has none. */
  readonly categories: readonly CategoryScore[];
  /** Items whose context was cut to fit. */
  readonly trimmed: number;
}

/** Scores of at least two items. */
export function scoreItems(items: readonly ItemResult[]): TaskScore {
  const names = Object.keys(items[0]!.variants);
  return {
    items: items.length,
    chance: items.reduce((sum, { chance }) => sum + chance, 0) / items.length,
    accuracy: share(items.map(({ correct }) => correct)),
    variants: Object.fromEntries(
      names.map(name => [name, share(items.map(({ variants }) => variants[name]!))]),
    ),
    bitsPerByte: ratio(items),
    categories: categoryScores(items),
    trimmed: items.filter(({ trimmed }) => trimmed).length,
  };
}

/** p and sqrt(p (1 - p) / (n - 1)), as lm-evaluation-harness has it. */
function share(right: readonly boolean[]): Measured {
  const n = right.length;
  const value = right.filter(Boolean).length / n;
  return { value, standardError: Math.sqrt((value * (1 - value)) / (n - 1)) };
}

/** All bits over all bytes; its standard error by linearisation (Cochran 1977, section 2.11): that of the mean of bits - R bytes, over the mean bytes. */
function ratio(items: readonly ItemResult[]): Measured {
  const n = items.length;
  const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
  const value = items.reduce((sum, item) => sum + item.bits, 0) / bytes;
  const squares = items.reduce((sum, item) => sum + (item.bits - value * item.bytes) ** 2, 0);
  return { value, standardError: Math.sqrt((squares * n) / (n - 1)) / bytes };
}

function categoryScores(items: readonly ItemResult[]): CategoryScore[] {
  const names = [...new Set(items.map(({ category }) => category))].filter(name => name !== '');
  return names.map(name => {
    const own = items.filter(({ category }) => category === name);
    return { name, items: own.length, accuracy: own.filter(({ correct }) => correct).length / own.length };
  });
}

/** The place of the largest value, the first of equals. */
export function argmax(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}
