/** Finetuning from files: a model directory and a file of pairs become an embedder directory. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultThreads, hashOf, InputError, type Progress, sha256File } from '../base/index.ts';
import { readPairs } from '../data/index.ts';
import {
  DEFAULT_EMBEDDER,
  type EmbedderSettings,
  readMptDirectory,
  requireLength,
  requireVocabulary,
} from '../models/index.ts';
import type { SessionOptions } from '../runtime/index.ts';
import { Tokenizer } from '../tokenizer/index.ts';
import { DEFAULT_FINETUNE, type FinetuneSettings, finetune } from './finetune.ts';
import { specialTokensOf } from './models.ts';
import type { StepEffects } from './resumable.ts';
import { initialState, weightsOf } from './state.ts';
import { TokenizedPairs } from './tokenized-pairs.ts';

export interface FinetuneFilesOptions extends Partial<FinetuneSettings> {
  readonly embedder?: Partial<EmbedderSettings>;
  /** Lengths in training; evaluation's are in `embedder`. */
  readonly trainQueryTokens?: number;
  readonly trainPassageTokens?: number;
  /** Collection that document ids of the pairs point into, where the pairs have no texts (Tevatron's form). */
  readonly corpus?: string;
  /** Forget the weights and begin with random ones, drawn by the seed: what pretraining is compared with. */
  readonly fromScratch?: boolean;
  readonly activationBytes?: number;
  readonly threads?: number;
  readonly provider?: SessionOptions['provider'];
}

/** DEVIATION: the paper does not give its lengths; these are RepLLaMA's for queries and about its for passages. */
const TRAIN_QUERY_TOKENS = 32;
const TRAIN_PASSAGE_TOKENS = 128;

/** Enough for most laptops to finetune small models without computing anything twice. */
const ACTIVATION_BYTES = 2e9;

/** Returns the path of the embedder. The same call continues what was interrupted. */
export async function finetuneFiles(
  modelFolder: string,
  pairsPath: string,
  options: FinetuneFilesOptions,
  effects: StepEffects & {
    readonly progress: Progress;
    readonly environment: Readonly<Record<string, string | undefined>>;
  },
): Promise<string> {
  const { config, weights: read, tokenizerPath } = await readMptDirectory(modelFolder);
  if (!tokenizerPath)
    throw new InputError(modelFolder, 'has no tokenizer.json, which texts are encoded with');
  const settings = { ...DEFAULT_FINETUNE, ...defined(options) };
  const weights = options.fromScratch ? weightsOf(config, initialState(config, settings.seed)) : read;
  const tokenizer = await Tokenizer.fromFile(tokenizerPath);
  const embedder = { ...DEFAULT_EMBEDDER, ...options.embedder };
  const { trainQueryTokens = TRAIN_QUERY_TOKENS, trainPassageTokens = TRAIN_PASSAGE_TOKENS } = options;
  const lengths = { maxQueryTokens: trainQueryTokens, maxPassageTokens: trainPassageTokens };
  requireVocabulary(config, tokenizer.vocabSize, modelFolder);
  for (const { maxQueryTokens, maxPassageTokens } of [lengths, embedder])
    requireLength(config, Math.max(maxQueryTokens, maxPassageTokens), 'lengths');
  const task = effects.progress.start('tokenise pairs', undefined, 'pairs');
  const { corpus } = options;
  const source = readPairs(pairsPath, { signal: effects.signal, corpus });
  const pairs = await TokenizedPairs.build(source, tokenizer, { ...embedder, ...lengths }, pairsPath, count =>
    task.update(count),
  );
  task.finish();
  const { fromScratch = false, activationBytes = ACTIVATION_BYTES, provider } = options;
  const texts = corpus === undefined ? [] : [pairs.sha256]; // the texts of a collection decide the results too
  const hashes = [await hashWeights(modelFolder), await sha256File(pairsPath), fromScratch, ...texts];
  const dataHash = hashOf(hashes);
  return finetune(
    {
      ...settings,
      model: config,
      weights,
      where: modelFolder,
      pairs,
      embedder,
      trainQueryTokens,
      trainPassageTokens,
      tokenizerPath,
      specialTokens: specialTokensOf(tokenizer),
      padId: tokenizer.padId,
      dataHash,
      activationBytes,
      threads: options.threads ?? defaultThreads(effects.environment),
      ...(provider && { provider }),
    },
    effects,
  );
}

/** Only the settings of finetuning proper, and only those that were given. */
function defined(options: FinetuneFilesOptions): Partial<FinetuneSettings> {
  const keys = Object.keys(DEFAULT_FINETUNE) as (keyof FinetuneSettings)[];
  return Object.fromEntries(keys.filter(key => options[key] !== undefined).map(key => [key, options[key]]));
}

/** Hash over the weight files of a model directory. */
export async function hashWeights(folder: string): Promise<string> {
  const files = (await readdir(folder))
    .filter(name => name.endsWith('.safetensors') || name === 'config.json')
    .sort();
  return hashOf(await Promise.all(files.map(async name => [name, await sha256File(join(folder, name))])));
}
