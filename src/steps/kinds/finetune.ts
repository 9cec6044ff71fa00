/** A decoder to an embedder: contrastive finetuning on mined pairs. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DEFAULT_EMBEDDER } from '../../models/index.ts';
import { defineStep, one } from '../../study/index.ts';
import { DEFAULT_FINETUNE, EMBEDDER_NAME, RunFolder } from '../../train/index.ts';
import { copyLog, trainEffects } from '../training.ts';
import { ARTIFACTS } from '../types.ts';

const count = z.number().int().positive();
const LOG = 'log.jsonl';

/** Prefixes and lengths; see `EmbedderSettings`. */
export const embedderParams = z.strictObject({
  queryPrefix: z.string().default(DEFAULT_EMBEDDER.queryPrefix),
  passagePrefix: z.string().default(DEFAULT_EMBEDDER.passagePrefix),
  maxQueryTokens: count.default(DEFAULT_EMBEDDER.maxQueryTokens),
  maxPassageTokens: count.default(DEFAULT_EMBEDDER.maxPassageTokens),
  appendEos: z.boolean().default(DEFAULT_EMBEDDER.appendEos),
});

export const finetuneParams = z.strictObject({
  temperature: z.number().positive().default(DEFAULT_FINETUNE.temperature),
  negatives: z.number().int().min(0).default(DEFAULT_FINETUNE.negatives),
  inBatchNegatives: z.boolean().default(DEFAULT_FINETUNE.inBatchNegatives),
  batchPairs: count.default(DEFAULT_FINETUNE.batchPairs),
  epochs: count.default(DEFAULT_FINETUNE.epochs),
  learningRate: z.number().positive().default(DEFAULT_FINETUNE.learningRate),
  warmupShare: z.number().min(0).max(1).default(DEFAULT_FINETUNE.warmupShare),
  weightDecay: z.number().min(0).default(DEFAULT_FINETUNE.weightDecay),
  maxGradNorm: z.number().positive().default(DEFAULT_FINETUNE.maxGradNorm),
  trainQueryTokens: count.default(32),
  trainPassageTokens: count.default(128),
  seed: z.number().int().min(0).default(DEFAULT_FINETUNE.seed),
  threads: count.default(1),
});

export const finetuneStep = defineStep({
  kind: 'finetune',
  version: 2,
  schema: finetuneParams.extend({ embedder: embedderParams.prefault({}) }),
  inputs: { model: one(ARTIFACTS.model), pairs: one(ARTIFACTS.pairs) },
  outputs: () => ({ embedder: ARTIFACTS.model, [LOG]: ARTIFACTS.trainingLog }),
  resources: ({ threads }) => ({ threads }),
  estimate: () => ({ seconds: 20 }),
  async run(context) {
    const { finetuneFiles } = await import('../../train/index.ts');
    const { params, inputs, output, scratch } = context;
    const folder = join(scratch, 'run');
    const effects = { ...trainEffects(context), environment: {}, folder: new RunFolder(folder) };
    await finetuneFiles(inputs.model, inputs.pairs, params, effects);
    await cp(join(folder, 'models', EMBEDDER_NAME), output('embedder'), { recursive: true });
    await copyLog(join(folder, 'metrics.jsonl'), output(LOG));
  },
});
