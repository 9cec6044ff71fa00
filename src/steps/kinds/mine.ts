/** Hard negatives from BM25 for pairs; the pairs' distinct positives are the collection. */
import { z } from 'zod';
import { parametersOf } from '../../bm25/index.ts';
import { checkSettings, DEFAULT_SETTINGS, SAMPLINGS, SHORT_POLICIES } from '../../mining/index.ts';
import { defineStep, one } from '../../study/index.ts';
import { bm25Params, reportingWith } from '../params.ts';
import { ARTIFACTS } from '../types.ts';

const count = z.number().int().positive();

export const mineParams = bm25Params.extend({
  negatives: count.default(DEFAULT_SETTINGS.negatives),
  ranks: z.strictObject({ from: count.default(1), to: count.default(100) }).default(DEFAULT_SETTINGS.ranks),
  sampling: z.enum(SAMPLINGS).default(DEFAULT_SETTINGS.sampling),
  short: z.enum(SHORT_POLICIES).default(DEFAULT_SETTINGS.short),
  seed: z.number().int().min(0).default(DEFAULT_SETTINGS.seed),
});

export const mineStep = defineStep({
  kind: 'mine',
  version: 1,
  schema: mineParams.superRefine(reportingWith(checkSettings)),
  inputs: { pairs: one(ARTIFACTS.pairs) },
  outputs: () => ({ 'pairs.jsonl': ARTIFACTS.pairs }),
  estimate: () => ({ seconds: 10 }),
  async run({ params, inputs, output, scratch, threads, signal, progress, log }) {
    const { mine, miningText } = await import('../../mining/index.ts');
    const { cp } = await import('node:fs/promises');
    const { join } = await import('node:path');
    const { analyzer, bm25, ...settings } = params;
    const mined = join(scratch, 'pairs.jsonl'); // its parts stand beside it and outlive an interruption
    const report = await mine(inputs.pairs, mined, {
      settings,
      split: 'train',
      analyzer,
      parameters: parametersOf(bm25),
      threads,
      signal,
      progress,
    });
    log(miningText(report, settings));
    await cp(mined, output('pairs.jsonl'));
  },
});
