/** The configuration file of `isoflop pretrain`: what a user writes, checked and filled in. */
import { z } from 'zod';
import { InputError } from '../base/index.ts';
import { CONVENTIONS, checkMptConfig, type MptConfig, mptConfig, requireNamedMpt } from '../models/index.ts';

const count = z.number().int().positive();
const share = z.number().min(0).max(1);

const architecture = z.strictObject({
  dModel: count,
  heads: count,
  layers: count,
  positions: z.enum(['alibi', 'learned']).default('alibi'),
  bias: z.boolean().default(false),
});

/** A named size (`mpt-1m`) or a shape of one's own. */
export const mptShape = z.union([z.string(), architecture]);

/** Field by field what the file may say; `docs/pretraining.md` explains each. */
export const pretrainSchema = z.strictObject({
  model: mptShape,
  /** Rows of the token embedding, where there are to be more than the tokenizer has tokens. */
  vocabSize: count.optional(),
  /** `wordnet`, files, folders or patterns. */
  text: z.union([z.string(), z.array(z.string()).min(1)]).default('wordnet'),
  /** Field of JSONL and parquet files that holds the text. */
  textField: z.string().default('text'),
  /** In .txt files, do blank lines separate documents? Otherwise a file is one. */
  paragraphs: z.boolean().default(false),
  /** A tokenizer.json, or the vocabulary size of one to be trained on the text. */
  tokenizer: z.union([z.string(), z.strictObject({ vocabSize: count })]).default({ vocabSize: 4096 }),
  /** Share of the documents that training never sees. */
  heldOutShare: share.default(0.01),
  sequenceLength: count.default(256),
  /** Token budget, or several: one model each. `20x` means 20 tokens a parameter. */
  tokens: z.union([budget(), z.array(budget()).min(1)]),
  batchTokens: count.default(2048),
  /** Micro-steps whose gradients are added up before the optimizer steps. */
  accumulation: count.default(1),
  learningRate: z.union([z.literal('auto'), z.number().positive()]).default('auto'),
  /** Tokens of warm-up; default: 5% of the smallest budget. */
  warmupTokens: z.number().int().min(0).optional(),
  schedule: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('cosine'), finalFactor: share.default(0.1) }),
      z.strictObject({
        kind: z.literal('wsd'),
        decayShare: share.default(0.2),
        finalFactor: share.default(0),
      }),
    ])
    .default({ kind: 'cosine', finalFactor: 0.1 }),
  weightDecay: z.number().min(0).default(0),
  maxGradNorm: z.number().positive().default(1),
  evaluateEveryTokens: count.optional(),
  heldOutTokens: count.default(65_536),
  checkpointTokens: z.array(count).default([]),
  flopsConvention: z.enum(CONVENTIONS).default('6nd'),
  seed: z.number().int().min(0).default(17),
  threads: count.optional(),
  provider: z.enum(['cpu', 'webgpu', 'cuda']).default('cpu'),
});

export type PretrainConfig = z.infer<typeof pretrainSchema>;

/** The part that concerns training itself, for text that is in shards already. */
export const pretrainSettings = pretrainSchema.omit({
  text: true,
  textField: true,
  paragraphs: true,
  tokenizer: true,
  heldOutShare: true,
});

export type PretrainSettings = z.infer<typeof pretrainSettings>;

function budget() {
  return z.union([
    count,
    z.string().regex(/^\d+(\.\d+)?x$/, 'expected a number of tokens, or tokens a parameter such as 20x'),
  ]);
}

/** The model a configuration describes, for a tokenizer of so many tokens. */
export function modelOf(
  config: Pick<PretrainSettings, 'model' | 'sequenceLength' | 'vocabSize'>,
  tokens: number,
): MptConfig {
  const { vocabSize = tokens } = config;
  if (vocabSize < tokens)
    throw new InputError('vocabSize', `${vocabSize} is less than the ${tokens} tokens of the tokenizer`);
  const sizes = { vocabSize, maxLength: config.sequenceLength };
  const model =
    typeof config.model === 'string'
      ? requireNamedMpt(config.model, sizes)
      : mptConfig({ ...config.model, ...sizes });
  return checkMptConfig(model, 'model');
}

/** Token budgets in tokens. */
export function budgetsOf(config: Pick<PretrainSettings, 'tokens'>, params: number): number[] {
  const list = Array.isArray(config.tokens) ? config.tokens : [config.tokens];
  return list.map(tokens =>
    typeof tokens === 'number' ? tokens : Math.round(Number.parseFloat(tokens) * params),
  );
}

/** Sequences of a micro-step. */
export function microBatch(
  config: Pick<PretrainSettings, 'batchTokens' | 'sequenceLength' | 'accumulation'>,
): number {
  const rows = config.batchTokens / config.sequenceLength / config.accumulation;
  if (Number.isInteger(rows) && rows >= 1) return rows;
  const wanted = `sequenceLength (${config.sequenceLength}) times accumulation (${config.accumulation})`;
  throw new InputError('batchTokens', `${config.batchTokens} is not a multiple of ${wanted}`);
}

/**
 * Peak learning rate for a width: inversely proportional to it, as maximal-update parametrisation has it for hidden weights, and at most 3e-3.
 * DEVIATION: the paper does not give its rates; llm-foundry's fall from 6e-4 (width 768) to 1.2e-4 (width 4,096).
 */
export function autoLearningRate(dModel: number): number {
  return Math.min(3e-3, 0.2 / dModel);
}
