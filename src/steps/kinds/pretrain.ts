/** One rung pretrained to several token budgets: a trunk at a constant rate with a short decay for each, or a cosine each. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError, StepError } from '../../base/index.ts';
import { flopsPerToken } from '../../models/index.ts';
import { defineStep, one } from '../../study/index.ts';
import { modelOf, type PretrainSettings, pretrainSettings, segmentName } from '../../train/index.ts';
import { costOf } from '../cost.ts';
import { copyLog, trainEffects } from '../training.ts';
import { ARTIFACTS } from '../types.ts';

const schema = pretrainSettings.omit({ provider: true, checkpointTokens: true, threads: true }).extend({
  tokens: z.array(z.number().int().positive()).min(1),
  threads: z.number().int().positive().default(1),
});

type Params = z.infer<typeof schema>;

/** The budgets in whole steps, by the name of the output that each ends in. */
export function budgetOutputs({
  tokens,
  batchTokens,
}: Pick<Params, 'tokens' | 'batchTokens'>): ReadonlyMap<string, number> {
  const whole = tokens.map(wanted => Math.max(1, Math.round(wanted / batchTokens)) * batchTokens);
  return new Map(whole.sort((a, b) => a - b).map(budget => [segmentName(budget), budget]));
}

const LOG = 'log.jsonl';

export const pretrainStep = defineStep({
  kind: 'pretrain',
  version: 4,
  schema,
  inputs: { shards: one(ARTIFACTS.shards), tokenizer: one(ARTIFACTS.tokenizer) },
  outputs: params => ({
    ...Object.fromEntries([...budgetOutputs(params).keys()].map(name => [name, ARTIFACTS.model])),
    [LOG]: ARTIFACTS.trainingLog,
  }),
  resources: ({ threads }) => ({ threads }),
  async run(context) {
    const { pretrainOnShards } = await import('../../train/index.ts');
    const { params, inputs, output, scratch } = context;
    const folder = join(scratch, 'run');
    const settings: PretrainSettings = { ...params, provider: 'cpu', checkpointTokens: [] };
    const effects = { ...trainEffects(context), environment: {}, measurePeak: false };
    const { models } = await pretrainOnShards(settings, inputs.tokenizer, inputs.shards, folder, effects);
    for (const { segment, path } of models) await cp(path, output(segment), { recursive: true });
    if (models.length !== budgetOutputs(params).size)
      throw new StepError('pretrain', 'made another number of models');
    await copyLog(join(folder, 'metrics.jsonl'), output(LOG));
  },
  estimate(params) {
    try {
      return costOf(estimatedFlops(params), params.threads);
    } catch (error) {
      if (error instanceof InputError) return {}; // a model that there is not: told when the step runs
      throw error;
    }
  },
});

/** By the convention of the step, over the trunk and all decays; where the vocabulary is not stated, without one. */
function estimatedFlops({
  model,
  tokens,
  schedule,
  sequenceLength,
  vocabSize,
  flopsConvention,
}: Params): number {
  const most = Math.max(...tokens);
  const all = tokens.reduce((sum, budget) => sum + budget, 0);
  const run = schedule.kind === 'cosine' ? all : most + schedule.decayShare * (all - most);
  const config = modelOf({ model, sequenceLength, vocabSize: vocabSize ?? 1 }, 1);
  return flopsPerToken(config, flopsConvention) * run;
}
