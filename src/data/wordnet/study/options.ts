/** What the data of the default study are made with, and how much of each there is. */
import { InputError, type Problem } from '../../../base/index.ts';

export interface WordnetStudyOptions {
  /** Chooses the split and every selection. */
  readonly seed: number;
  /** Share of the definitions that pretraining and training never see. */
  readonly testShare: number;
  /** Test queries of each collection. */
  readonly queries: number;
  /** Validation queries of each collection, for choosing learning rates and the like. */
  readonly devQueries: number;
  /** Documents of each collection, all relevant ones among them. */
  readonly documents: number;
  /** Training pairs, half of them of each task. */
  readonly pairs: number;
  /** Items of each in-context task: a multiple of 4, for options come in closed groups (see `choices.ts`). */
  readonly iclItems: number;
}

export const WORDNET_STUDY_DEFAULTS: WordnetStudyOptions = {
  seed: 17,
  testShare: 0.1,
  queries: 600,
  devQueries: 150,
  documents: 5000,
  pairs: 7000,
  iclItems: 300,
};

/** Options with defaults filled in. Throws `InputError` with all that are out of range. */
export function studyOptions(given: Partial<WordnetStudyOptions>): WordnetStudyOptions {
  const stated = Object.entries(given).filter(([, value]) => value !== undefined);
  const options = { ...WORDNET_STUDY_DEFAULTS, ...Object.fromEntries(stated) };
  const faults: Problem[] = [
    ...atLeast(options, 'seed', 0),
    ...(['queries', 'devQueries', 'documents'] as const).flatMap(key => atLeast(options, key, 1)),
    ...multipleOf(options, 'pairs', 2),
    ...multipleOf(options, 'iclItems', 4),
  ];
  if (!(options.testShare > 0 && options.testShare < 1))
    faults.push({
      where: 'testShare',
      message: `expected a number between 0 and 1, found ${options.testShare}`,
    });
  if (faults.length > 0) throw new InputError(faults);
  return options;
}

type CountKey = Exclude<keyof WordnetStudyOptions, 'testShare'>;

function atLeast(options: WordnetStudyOptions, key: CountKey, least: number): Problem[] {
  const value = options[key];
  if (Number.isSafeInteger(value) && value >= least) return [];
  return [{ where: key, message: `expected a whole number of at least ${least}, found ${value}` }];
}

function multipleOf(options: WordnetStudyOptions, key: CountKey, unit: number): Problem[] {
  const value = options[key];
  if (Number.isSafeInteger(value) && value >= unit && value % unit === 0) return [];
  return [{ where: key, message: `expected a multiple of ${unit}, at least ${unit}, found ${value}` }];
}
