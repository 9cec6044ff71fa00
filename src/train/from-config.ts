/** From a configuration to models: tokenizer, token shards, pretraining, each continued where an earlier run of the same stopped. */
import { join } from 'node:path';
import { exists, hashOf, type Progress, writeFileAtomic } from '../base/index.ts';
import { buildShards, openTexts, readDocuments, ShardReader, type TextSource, textsOf } from '../data/index.ts';
import { countParameters, type MptConfig } from '../models/index.ts';
import { LADDER_ADAMW } from '../nn/index.ts';
import { defaultThreads, measureGemmPeak } from '../runtime/index.ts';
import { Tokenizer, trainTokenizer } from '../tokenizer/index.ts';
import { autoLearningRate, budgetsOf, microBatch, modelOf, type PretrainConfig } from './config.ts';
import type { TrainEvent } from './events.ts';
import { type PretrainedModel, pretrain } from './pretrain.ts';
import { RunFolder } from './run-folder.ts';

export interface ConfigEffects {
  readonly progress: Progress;
  readonly emit: (event: TrainEvent) => void;
  readonly signal: AbortSignal;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly checkpointEveryMs?: number;
}

export interface PretrainOutcome {
  readonly model: MptConfig;
  readonly params: number;
  readonly paramsNonEmbedding: number;
  readonly trainTokens: number;
  readonly models: readonly PretrainedModel[];
}

/** Runs a configuration in `folder`; the same call continues what was interrupted. */
export async function pretrainFromConfig(config: PretrainConfig, folder: string, effects: ConfigEffects): Promise<PretrainOutcome> {
  const batch = microBatch(config);
  const sources = await openTexts([config.text].flat(), { field: config.textField });
  const tokenizerPath = await prepareTokenizer(config, sources, folder, effects);
  const tokenizer = await Tokenizer.fromFile(tokenizerPath);
  const model = modelOf(config, tokenizer.vocabSize);
  const manifest = await prepareShards(config, sources, tokenizer, join(folder, 'shards'), effects);
  const reading = { length: config.sequenceLength, verify: false };
  const text = await ShardReader.open(join(folder, 'shards'), { ...reading, split: 'train' });
  const heldOut = await ShardReader.open(join(folder, 'shards'), { ...reading, split: 'heldOut' });
  const { total, nonEmbedding } = countParameters(model);
  const budgets = budgetsOf(config, total);
  const threads = config.threads ?? defaultThreads(effects.environment);
  const gemmPeak = config.provider === 'cpu' ? await measureGemmPeak({ threads, now: effects.now }) : undefined;
  const smallest = Math.min(...budgets);
  const models = await pretrain(
    {
      model,
      text,
      heldOut,
      tokenizerPath,
      dataHash: manifest,
      budgets,
      schedule: config.schedule,
      warmupTokens: config.warmupTokens ?? Math.round(0.05 * smallest),
      peakLearningRate: config.learningRate === 'auto' ? autoLearningRate(model.dModel) : config.learningRate,
      batch,
      accumulation: config.accumulation,
      maxGradNorm: config.maxGradNorm,
      adamW: { ...LADDER_ADAMW, weightDecay: config.weightDecay },
      seed: config.seed,
      convention: config.flopsConvention,
      evaluateEveryTokens: config.evaluateEveryTokens ?? Math.max(config.batchTokens, Math.round(Math.max(...budgets) / 20)),
      heldOutTokens: config.heldOutTokens,
      checkpointTokens: config.checkpointTokens,
      threads,
      provider: config.provider,
    },
    {
      folder: new RunFolder(folder),
      emit: effects.emit,
      signal: effects.signal,
      now: effects.now,
      gemmPeak,
      checkpointEveryMs: effects.checkpointEveryMs ?? 60_000,
    },
  );
  text.close();
  heldOut.close();
  return { model, params: total, paramsNonEmbedding: nonEmbedding, trainTokens: text.manifest.train.tokens, models };
}

async function prepareTokenizer(config: PretrainConfig, sources: readonly TextSource[], folder: string, effects: ConfigEffects): Promise<string> {
  if (typeof config.tokenizer === 'string') return config.tokenizer;
  const path = join(folder, 'tokenizer.json');
  if (await exists(path)) return path;
  const task = effects.progress.start('tokenizer', totalBytes(sources), 'bytes');
  const documents = readDocuments(sources, { signal: effects.signal, onRead: bytes => task.update(bytes) });
  const trained = await trainTokenizer(textsOf(documents), { vocabSize: config.tokenizer.vocabSize, signal: effects.signal });
  task.finish(`${trained.vocabSize} tokens`);
  await writeFileAtomic(path, trained.json);
  return path;
}

/** Returns the hash of what was tokenised, how. */
async function prepareShards(config: PretrainConfig, sources: readonly TextSource[], tokenizer: Tokenizer, folder: string, effects: ConfigEffects): Promise<string> {
  const task = effects.progress.start('shards', totalBytes(sources), 'bytes');
  const manifest = await buildShards(sources, tokenizer, folder, {
    heldOut: config.heldOutShare,
    seed: config.seed,
    signal: effects.signal,
    onProgress: (bytes, tokens) => task.update(bytes, `${tokens} tokens`),
  });
  task.finish(`${manifest.train.tokens} tokens`);
  return hashOf(manifest);
}

const totalBytes = (sources: readonly TextSource[]): number => sources.reduce((sum, { bytes }) => sum + bytes, 0);
