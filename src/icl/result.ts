/** Results of in-context tasks: per item, per task, and how the one becomes the other. */
import { mean, variance } from '../stats/index.ts';
import type { TaskType } from './records.ts';

/** One option of an item: a choice, or the single continuation. */
export interface OptionScore {
  /** log p, nats, summed over the tokens. */
  readonly logLikelihood: number;
  readonly tokens: number;
  readonly bytes: number;
}

export interface IclItem {
  /** Place of the record in its file, from 0. */
  readonly index: number;
  readonly category?: string;
  readonly options: readonly OptionScore[];
  /** Index of the right option. */
  readonly gold: number;
  /** As `IclTaskResult.accuracy` counts it. */
  readonly correct: boolean;
  /** Choices: is the right option the most likely one a token, and a byte? */
  readonly correctPerToken?: boolean;
  readonly correctPerByte?: boolean;
  /** Generation: what was written, and whether it is one of the answers. */
  readonly output?: string;
  readonly exactMatch?: boolean;
  /** Was the prompt cut at the left to fit? */
  readonly trimmed: boolean;
  /** Was an option cut at the right because it alone does not fit? */
  readonly cut: boolean;
}

/** A mean and its standard error, which one item alone does not have. */
export interface Estimate {
  readonly value: number;
  readonly standardError: number | null;
}

export interface IclScores {
  readonly items: number;
  /**
   * Choices: the right option has the highest summed log-likelihood (lm-eval's `acc`). Language modelling: every token is the most likely one.
   * Generation: the normalised output begins with a right answer (the Gauntlet's rule).
   */
  readonly accuracy: Estimate;
  /** Choices: the highest mean log-likelihood a token: what the Gauntlet calls accuracy. */
  readonly normalizedAccuracy?: Estimate;
  /** Choices: the highest log-likelihood a byte (lm-eval's `acc_norm`). */
  readonly byteNormalizedAccuracy?: Estimate;
  /** Generation: the normalised output is a right answer. */
  readonly exactMatch?: Estimate;
  /** Bits of the right answer over its bytes, both summed over the items: smaller is better. */
  readonly bitsPerByte: Estimate;
  /** Expected accuracy of guessing. */
  readonly chance: number;
}

export interface IclTaskResult extends IclScores {
  readonly label: string;
  readonly type: TaskType;
  readonly shots: number;
  /** Records the task has; `items` of them were evaluated. */
  readonly records: number;
  /** Items whose prompt, and whose answer, did not fit into the model whole. */
  readonly trimmedItems: number;
  readonly cutItems: number;
  /** Sub-tasks; the scores above are then means over these, each counting the same. */
  readonly categories?: readonly (IclScores & { readonly name: string })[];
}

/** The accuracy that llm-foundry reports and its gauntlet files average. */
export function gauntletAccuracy(scores: IclScores): Estimate {
  return scores.normalizedAccuracy ?? scores.accuracy;
}

/** Sample mean of numbers, with its standard error. */
function meanEstimate(values: readonly number[]): Estimate {
  const n = values.length;
  return { value: mean(values), standardError: n < 2 ? null : Math.sqrt(variance(values) / n) };
}

/** Scores over some items, of which there is at least one. */
export function scoresOf(items: readonly IclItem[]): IclScores {
  const share = (flag: (item: IclItem) => boolean) => meanEstimate(items.map(item => (flag(item) ? 1 : 0)));
  const first = items[0]!;
  const choosing = first.correctPerToken !== undefined;
  return {
    items: items.length,
    accuracy: share(item => item.correct),
    ...(choosing && {
      normalizedAccuracy: share(item => item.correctPerToken!),
      byteNormalizedAccuracy: share(item => item.correctPerByte!),
    }),
    ...(first.exactMatch !== undefined && { exactMatch: share(item => item.exactMatch!) }),
    bitsPerByte: bitsPerByte(items.map(({ options, gold }) => options[gold]!)),
    chance: choosing ? mean(items.map(({ options }) => 1 / options.length)) : 0,
  };
}

/** A ratio of sums, with the standard error of a ratio estimator (Cochran, Sampling Techniques, section 6.4). */
export function bitsPerByte(answers: readonly OptionScore[]): Estimate {
  const bits = answers.map(({ logLikelihood }) => -logLikelihood / Math.LN2);
  const bytes = answers.map(answer => answer.bytes);
  const n = answers.length;
  const value = mean(bits) / mean(bytes);
  if (n < 2) return { value, standardError: null };
  const squares = bits.reduce((sum, b, i) => sum + (b - value * bytes[i]!) ** 2, 0);
  return { value, standardError: Math.sqrt(squares / (n - 1) / n) / mean(bytes) };
}

/** The unweighted mean of independent estimates. */
export function meanOfEstimates(estimates: readonly Estimate[]): Estimate {
  return weightedMean(estimates.map(estimate => ({ estimate, weight: 1 })));
}

/** A weighted mean of independent estimates; without a standard error where one of them has none. */
export function weightedMean(
  parts: readonly { readonly estimate: Estimate; readonly weight: number }[],
): Estimate {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  let [value, squares]: [number, number | null] = [0, 0];
  for (const { estimate, weight } of parts) {
    value += (estimate.value * weight) / total;
    const { standardError } = estimate;
    squares =
      standardError === null || squares === null ? null : squares + ((standardError * weight) / total) ** 2;
  }
  return { value, standardError: squares === null ? null : Math.sqrt(squares) };
}

/** Scores of a task with categories: every one is the unweighted mean over the categories, as in llm-foundry. */
export function overCategories(categories: readonly IclScores[]): IclScores {
  const over = (pick: (scores: IclScores) => Estimate) => meanOfEstimates(categories.map(pick));
  const first = categories[0]!;
  return {
    items: categories.reduce((sum, { items }) => sum + items, 0),
    accuracy: over(scores => scores.accuracy),
    ...(first.normalizedAccuracy && { normalizedAccuracy: over(scores => scores.normalizedAccuracy!) }),
    ...(first.byteNormalizedAccuracy && {
      byteNormalizedAccuracy: over(scores => scores.byteNormalizedAccuracy!),
    }),
    ...(first.exactMatch && { exactMatch: over(scores => scores.exactMatch!) }),
    bitsPerByte: over(scores => scores.bitsPerByte),
    chance: mean(categories.map(({ chance }) => chance)),
  };
}
