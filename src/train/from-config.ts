/** From a configuration to models: tokenizer, token shards, pretraining, each continued where an earlier run of the same stopped. */
import { join } from 'node:path';
import {
  canonicalJson,
  defaultThreads,
  exists,
  hashOf,
  InputError,
  type Json,
  type Progress,
  prettyJson,
  readInputJson,
  writeFileAtomic,
} from '../base/index.ts';
import {
  buildShards,
  identifySources,
  openTexts,
  readDocuments,
  ShardReader,
  startReading,
  type TextSource,
  textsOf,
} from '../data/index.ts';
import { countParameters, type MptConfig } from '../models/index.ts';
import { LADDER_ADAMW } from '../nn/index.ts';
import { measureGemmPeak } from '../runtime/index.ts';
import { Tokenizer, trainTokenizer } from '../tokenizer/index.ts';
import {
  autoLearningRate,
  budgetsOf,
  microBatch,
  modelOf,
  type PretrainConfig,
  type PretrainSettings,
} from './config.ts';
import type { TrainEvent } from './events.ts';
import { specialTokensOf } from './models.ts';
import { planSegments } from './plan.ts';
import { type PretrainedModel, type PretrainOptions, pretrain } from './pretrain.ts';
import { RunFolder } from './run-folder.ts';

export interface ConfigEffects {
  readonly progress: Progress;
  readonly emit: (event: TrainEvent) => void;
  readonly signal: AbortSignal;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly checkpointEveryMs?: number;
  /** Measure the machine's matrix products first, to report shares of their peak (default). */
  readonly measurePeak?: boolean;
}

export interface PretrainOutcome {
  readonly model: MptConfig;
  readonly params: number;
  readonly paramsNonEmbedding: number;
  readonly trainTokens: number;
  readonly models: readonly PretrainedModel[];
}

/** Runs a configuration in `folder`; the same call continues what was interrupted. */
export async function pretrainFromConfig(
  config: PretrainConfig,
  folder: string,
  effects: ConfigEffects,
): Promise<PretrainOutcome> {
  await checkConfig(config);
  const { tokenizerPath, shards } = await prepareData(config, folder, effects);
  return pretrainOnShards(config, tokenizerPath, shards, folder, effects);
}

/**
 * Wrong models and numbers are told before any work is done. A tokenizer that is still to be trained is taken to get the tokens it was asked to
 * have; it may get fewer.
 */
async function checkConfig(config: PretrainConfig): Promise<void> {
  const { tokenizer } = config;
  const tokens =
    typeof tokenizer === 'string' ? (await Tokenizer.fromFile(tokenizer)).vocabSize : tokenizer.vocabSize;
  const { total } = countParameters(modelOf(config, Math.min(tokens, config.vocabSize ?? tokens)));
  const budgets = budgetsOf(config, total);
  planSegments({
    ...{ budgets, schedule: config.schedule, warmupTokens: warmupOf(config, budgets) },
    tokensPerStep: config.accumulation * microBatch(config) * config.sequenceLength,
  });
}

/** Pretrains on token shards that are there already, in `folder`; the same call continues what was interrupted. */
export async function pretrainOnShards(
  config: PretrainSettings,
  tokenizerPath: string,
  shards: string,
  folder: string,
  effects: ConfigEffects,
): Promise<PretrainOutcome> {
  const data = await openData(config, tokenizerPath, shards);
  try {
    const model = modelOf(config, data.tokenizer.vocabSize);
    const { total, nonEmbedding } = countParameters(model);
    const options = pretrainOptions(config, data, model, total, effects);
    const { threads, provider } = options;
    const { emit, signal, now, checkpointEveryMs = 60_000, measurePeak = true } = effects;
    const gemmPeak = measurePeak && provider === 'cpu' ? await measureGemmPeak({ threads, now }) : undefined;
    const models = await pretrain(options, {
      folder: new RunFolder(folder),
      emit,
      signal,
      now,
      gemmPeak,
      checkpointEveryMs,
    });
    return {
      model,
      params: total,
      paramsNonEmbedding: nonEmbedding,
      trainTokens: data.text.manifest.train.tokens,
      models,
    };
  } finally {
    data.text.close();
    data.heldOut.close();
  }
}

interface PreparedData {
  readonly tokenizer: Tokenizer;
  readonly tokenizerPath: string;
  readonly text: ShardReader;
  readonly heldOut: ShardReader;
}

async function prepareData(
  config: PretrainConfig,
  folder: string,
  effects: ConfigEffects,
): Promise<{ readonly tokenizerPath: string; readonly shards: string }> {
  const { text, textField, paragraphs } = config;
  const sources = await openTexts([text].flat(), { field: textField, paragraphs });
  const tokenizerPath = await prepareTokenizer(config, sources, folder, effects);
  const tokenizer = await Tokenizer.fromFile(tokenizerPath);
  const shards = join(folder, 'shards');
  await prepareShards(config, sources, tokenizer, shards, effects);
  return { tokenizerPath, shards };
}

async function openData(
  { sequenceLength }: PretrainSettings,
  tokenizerPath: string,
  shards: string,
): Promise<PreparedData> {
  const tokenizer = await Tokenizer.fromFile(tokenizerPath);
  const reading = { length: sequenceLength, verify: false }; // whoever made them has verified them
  const text = await ShardReader.open(shards, { ...reading, split: 'train' });
  const heldOut = await ShardReader.open(shards, { ...reading, split: 'heldOut' });
  return { tokenizer, tokenizerPath, text, heldOut };
}

function pretrainOptions(
  config: PretrainSettings,
  data: PreparedData,
  model: MptConfig,
  params: number,
  effects: ConfigEffects,
): PretrainOptions {
  const budgets = budgetsOf(config, params);
  const { schedule, accumulation, maxGradNorm, seed, heldOutTokens, checkpointTokens, provider } = config;
  const sometimes = Math.max(config.batchTokens, Math.round(Math.max(...budgets) / 20));
  return {
    model,
    text: data.text,
    heldOut: data.heldOut,
    tokenizer: { path: data.tokenizerPath, specialTokens: specialTokensOf(data.tokenizer) },
    dataHash: hashOf(data.text.manifest),
    budgets,
    schedule,
    warmupTokens: warmupOf(config, budgets),
    peakLearningRate: config.learningRate === 'auto' ? autoLearningRate(model.dModel) : config.learningRate,
    batch: microBatch(config),
    accumulation,
    maxGradNorm,
    adamW: { ...LADDER_ADAMW, weightDecay: config.weightDecay },
    seed,
    convention: config.flopsConvention,
    evaluateEveryTokens: config.evaluateEveryTokens ?? sometimes,
    heldOutTokens,
    checkpointTokens,
    threads: config.threads ?? defaultThreads(effects.environment),
    provider,
  };
}

function warmupOf({ warmupTokens }: PretrainSettings, budgets: readonly number[]): number {
  return warmupTokens ?? Math.round(0.05 * Math.min(...budgets));
}

/** The tokenizer of the configuration: a file, or one that is trained on the text and kept with what it was made from. */
async function prepareTokenizer(
  config: PretrainConfig,
  sources: readonly TextSource[],
  folder: string,
  effects: ConfigEffects,
): Promise<string> {
  if (typeof config.tokenizer === 'string') return config.tokenizer;
  const path = join(folder, 'tokenizer.json');
  const origin = join(folder, 'tokenizer.origin.json');
  const { vocabSize } = config.tokenizer;
  const wanted = { vocabSize, sources: await identifySources(sources) }; // everything that decides it
  if (await exists(origin)) {
    if (canonicalJson((await readInputJson(origin)) as Json) !== canonicalJson(wanted as unknown as Json))
      throw new InputError(
        path,
        'was made from other text or with another vocabSize: use the old settings, or another output folder',
      );
    if (await exists(path)) return path;
  } else if ((await exists(path)) && (await exists(join(folder, 'shards')))) return path; // of a run before origins were kept; shards have their own
  const task = startReading(effects.progress, 'tokenizer', sources);
  const documents = readDocuments(sources, { signal: effects.signal, onRead: bytes => task.update(bytes) });
  const trained = await trainTokenizer(textsOf(documents), {
    vocabSize,
    signal: effects.signal,
  });
  task.finish(`${trained.vocabSize} tokens`);
  await writeFileAtomic(path, trained.json);
  await writeFileAtomic(origin, prettyJson(wanted)); // last: a tokenizer without it is made again
  return path;
}

async function prepareShards(
  config: PretrainConfig,
  sources: readonly TextSource[],
  tokenizer: Tokenizer,
  folder: string,
  effects: ConfigEffects,
): Promise<void> {
  const task = startReading(effects.progress, 'shards', sources);
  const manifest = await buildShards(sources, tokenizer, folder, {
    heldOut: config.heldOutShare,
    seed: config.seed,
    signal: effects.signal,
    onProgress: (bytes, tokens) => task.update(bytes, `${tokens} tokens`),
  });
  task.finish(`${manifest.train.tokens} tokens`);
}
