/** Reading a study's results back: everything that the report uses is checked, what it does not know passes. */
import { z } from 'zod';
import { InputError } from '../base/index.ts';
import type { StudyResults } from './results.ts';

const count = z.number().nonnegative();
const text = z.string();
const nullableNumber = z.number().nullable();

const estimate = z.object({ value: z.number(), low: z.number(), high: z.number() });
const openInterval = z.looseObject({ value: z.number(), low: nullableNumber, high: nullableNumber });

const retrieval = z.object({ collections: z.record(text, estimate), mean: estimate });

const taskScore = z.object({ accuracy: estimate, bitsPerByte: estimate.nullable() });

const steps = z.array(text);

const checkpoint = z.looseObject({
  name: text,
  rung: text,
  params: z.number().positive(),
  paramsNonEmbedding: count,
  tokens: count,
  epochs: count,
  flops: z.record(text, count),
  heldOut: z.object({ lossNats: z.number(), bitsPerByte: z.number() }).nullable(),
  finetuned: retrieval.nullable(),
  zeroShot: retrieval.nullable(),
  icl: z.record(text, taskScore),
  iclMean: z.object({ accuracy: estimate, bitsPerByte: estimate }).nullable(),
  sources: z
    .object({
      pretraining: steps.optional(),
      finetuned: steps.optional(),
      zeroShot: steps.optional(),
      icl: steps.optional(),
    })
    .optional(),
});

const losses = z.array(z.object({ tokens: count, lossNats: z.number() }));

const holdoutRow = z.looseObject({
  model: text,
  compute: z.number(),
  actual: z.number(),
  predicted: z.number(),
  low: nullableNumber,
  high: nullableNumber,
  naive: z.object({ last: z.number(), logLinear: nullableNumber }),
});

/** The fields that are printed; what the curves need is checked where a fit is read back. */
const fitReport = z.looseObject({
  kind: z.literal('isoflop-fit'),
  version: z.literal(1),
  form: text,
  formula: text,
  coefficients: z.record(text, openInterval).nullable(),
  n: count,
  noise: z.number(),
  warnings: z.array(text),
  points: z.looseObject({ compute: z.array(z.number()), axes: z.record(text, z.array(z.number())) }),
  holdout: holdoutRow.extend({ fittedOn: count, rows: z.array(holdoutRow) }).nullable(),
});

const correlation = openInterval.nullable();
const three = { n: count, pearson: correlation, spearman: correlation, kendall: correlation };

const schema = z.looseObject({
  kind: z.literal('isoflop-results'),
  version: z.literal(1),
  study: text,
  title: text,
  description: text,
  level: z.number().gt(0).lt(1),
  scaling: z.object({ form: text, resamples: count, seed: count }).optional(),
  conventions: z.array(text),
  collections: z.array(
    z.looseObject({
      name: text,
      title: text,
      split: text,
      documents: count,
      queries: count,
      inMean: z.boolean(),
    }),
  ),
  tasks: z.array(z.looseObject({ name: text, type: text, shots: count, items: count, chance: z.number() })),
  checkpoints: z.array(checkpoint),
  references: z.array(z.looseObject({ name: text, scores: retrieval, sources: steps.optional() })),
  curves: z.array(
    z.looseObject({
      rung: text,
      params: z.number().positive(),
      lines: z.array(z.looseObject({ branch: text, train: losses, heldOut: losses })),
    }),
  ),
  trends: z.array(z.looseObject({ convention: text, n: count, spearman: estimate })),
  fits: z.array(
    z.looseObject({
      target: text,
      convention: text,
      report: fitReport.nullable(),
      reason: text.nullable(),
    }),
  ),
  correlations: z.array(
    z.looseObject({
      x: text,
      y: text,
      ...three,
      partial: z.looseObject({ given: text, ...three }).nullable(),
    }),
  ),
  overlap: z
    .looseObject({
      words: count,
      share: count,
      sampled: count,
      sets: z.array(
        z.looseObject({
          ...{ name: text, texts: count, judged: count, touched: count, standing: count },
          examples: z.array(text),
        }),
      ),
    })
    .nullish(),
  caveats: z.array(text),
  deviations: z.array(text),
});

/** The results in the parsed JSON of a file. Throws an `InputError` with all that is wrong; `name` stands for the file. */
export function parseResults(value: unknown, name: string): StudyResults {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as unknown as StudyResults; // fits are checked as far as they are printed
  throw new InputError(
    parsed.error.issues.map(({ path, message }) => ({
      where: `${name}: ${path.join('.') || 'the file'}`,
      message,
    })),
  );
}
