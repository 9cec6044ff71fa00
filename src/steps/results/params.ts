/** Parameters of the step that makes a study's results: which artifact is what, and how laws are fitted. */
import { z } from 'zod';
import { CONVENTIONS } from '../../models/index.ts';

export const scalingParams = z.strictObject({
  /** FLOPs conventions, that of the main axis first. */
  conventions: z.array(z.enum(CONVENTIONS)).min(1).default(['6nd', '6nd-nonembedding']),
  /** Law of nDCG@10 against compute. */
  form: z.enum(['power', 'log-linear', 'sigmoid']).default('power'),
  level: z.number().gt(0).lt(1).default(0.95),
  resamples: z.number().int().positive().default(1000),
  seed: z.number().int().min(0).default(17),
});

export const collectionParams = z.strictObject({
  name: z.string(),
  title: z.string(),
  inMean: z.boolean(),
});

const steps = z.array(z.string());

/** Names of steps by group of numbers; see `Sources` of report/. */
const sourceSteps = z.strictObject({
  pretraining: steps,
  finetuned: steps,
  zeroShot: steps,
  icl: steps,
});

export const resultsParams = z.strictObject({
  study: z.string(),
  title: z.string(),
  description: z.string(),
  scaling: scalingParams.prefault({}),
  collections: z.array(collectionParams).min(1),
  /** In the order of the models given, with the names of the steps that made their numbers. */
  checkpoints: z
    .array(z.strictObject({ name: z.string(), rung: z.string(), sources: sourceSteps.optional() }))
    .min(1),
  /** Steps that made the scores of each reference system. */
  referenceSources: z.record(z.string(), z.array(z.string())).default({}),
  /** In the order of the scores given; `of` is a checkpoint's or a reference system's name. */
  scores: z.array(
    z.strictObject({
      role: z.enum(['finetuned', 'zeroShot', 'reference']),
      of: z.string(),
      collection: z.string(),
    }),
  ),
  /** Checkpoints of the in-context scores given; rungs of the training logs given. */
  icl: z.array(z.string()),
  logs: z.array(z.string()),
  caveats: z.array(z.string()).default([]),
  deviations: z.array(z.string()).default([]),
});

export type ResultsParams = z.infer<typeof resultsParams>;
