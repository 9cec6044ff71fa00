/** One rung pretrained to several token budgets: a trunk at a constant rate with a short decay for each, or a cosine each. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StepError } from '../../base/index.ts';
import { defineStep, one } from '../../study/index.ts';
import { type PretrainSettings, pretrainSettings, segmentName } from '../../train/index.ts';
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

/** A modest laptop core on small matrices: only the order of magnitude matters, recorded durations replace it. */
const FLOPS_A_SECOND = 3e10;

export const pretrainStep = defineStep({
  kind: 'pretrain',
  version: 1,
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
  estimate: params => ({ seconds: estimatedFlops(params) / FLOPS_A_SECOND, flops: estimatedFlops(params) }),
});

/** 6ND with N from the shape that the name stands for; the vocabulary is not known here. */
function estimatedFlops({ model, tokens, schedule }: Params): number {
  const params = typeof model === 'string' ? sizeInName(model) : 12 * model.layers * model.dModel ** 2;
  const most = Math.max(...tokens);
  const all = tokens.reduce((sum, budget) => sum + budget, 0);
  const run = schedule.kind === 'cosine' ? all : most + schedule.decayShare * (all - most);
  return 6 * params * run;
}

function sizeInName(name: string): number {
  const [, number, unit] = /([\d.]+)([kmb])$/i.exec(name) ?? [];
  return number === undefined ? 0 : Number(number) * { k: 1e3, m: 1e6, b: 1e9 }[unit!.toLowerCase()]!;
}
