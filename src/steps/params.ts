/** Parameters that several step kinds share. */
import { z } from 'zod';
import { InputError } from '../base/index.ts';
import { ANALYZER_NAMES, type AnalyzerName, DEFAULT_PARAMETERS, VARIANTS } from '../bm25/index.ts';

/** How BM25 sees text and scores it. */
export const bm25Params = z.strictObject({
  analyzer: z.enum(ANALYZER_NAMES as readonly [AnalyzerName]).default('english'),
  bm25: z
    .strictObject({
      variant: z.enum(VARIANTS).default(DEFAULT_PARAMETERS.variant),
      k1: z.number().min(0).default(DEFAULT_PARAMETERS.k1),
      b: z.number().min(0).max(1).default(DEFAULT_PARAMETERS.b),
      delta: z.number().min(0).default(DEFAULT_PARAMETERS.delta),
    })
    .prefault({}),
});

/** The split whose judged queries are searched for; how many documents of each are kept. */
export const searchParams = z.strictObject({
  split: z.string().default('test'),
  k: z.number().int().positive().default(100),
  /** A document whose id is the query's is left out. */
  removeSelf: z.boolean().default(false),
});

/**
 * For `superRefine`: what a check throws as an `InputError` becomes faults of the parameters it names, so that it is told before anything runs.
 */
export function reportingWith<T>(check: (value: T) => unknown): (value: T, context: z.RefinementCtx) => void {
  return (value, context) => {
    try {
      check(value);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      for (const { where, message } of error.problems)
        context.addIssue({ code: 'custom', path: [where], message });
    }
  };
}
