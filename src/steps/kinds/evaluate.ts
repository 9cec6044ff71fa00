/** A run scored against a collection's judgements. */
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { defineStep, one } from '../../study/index.ts';
import { searchParams } from '../params.ts';
import { ARTIFACTS } from '../types.ts';

/** What `scores.json` holds. */
export interface CollectionScores {
  /** Folder name of the collection. */
  readonly collection: string;
  readonly split: string;
  readonly documents: number;
  readonly queries: number;
  readonly measures: Readonly<Record<string, number>>;
  readonly intervals: Readonly<Record<string, readonly [number, number]>>;
  readonly level: number;
  readonly queryIds: readonly string[];
  /** By measure the value of every query, in the order of `queryIds`. */
  readonly perQuery: Readonly<Record<string, readonly number[]>>;
}

export const evaluateStep = defineStep({
  kind: 'evaluate',
  version: 1,
  schema: z.strictObject({
    split: searchParams.shape.split,
    measures: z.array(z.string()).min(1).default(['nDCG@10', 'R@100', 'RR@10']),
    resamples: z.number().int().positive().default(1000),
    level: z.number().gt(0).lt(1).default(0.95),
    seed: z.number().int().min(0).default(17),
  }),
  inputs: { run: one(ARTIFACTS.run), collection: one(ARTIFACTS.collection) },
  outputs: () => ({ 'scores.json': ARTIFACTS.scores }),
  estimate: () => ({ seconds: 1 }),
  async run({ params, inputs, output, metrics }) {
    const { prettyJson } = await import('../../base/index.ts');
    const { scoreRun } = await import('../score-run.ts');
    const scores = await scoreRun(inputs.run, inputs.collection, params);
    metrics(scores.measures);
    await writeFile(output('scores.json'), prettyJson(scores));
  },
});
