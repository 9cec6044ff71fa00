/** Contrastive finetuning of a decoder into an embedder. */
import { type Json, Rng, StepError } from '../base/index.ts';
import type { Tensor } from '../graph/index.ts';
import {
  type EmbedderSettings,
  longestSequence,
  type MptConfig,
  type SpecialTokens,
} from '../models/index.ts';
import { type AdamWOptions, LADDER_ADAMW, type Schedule, scheduleFactor } from '../nn/index.ts';
import type { SessionOptions } from '../runtime/index.ts';
import { type ContrastiveBatch, collate, textFeeds } from './contrastive-batch.ts';
import { contrastiveGraph } from './contrastive-graph.ts';
import type { FinetuneStepEvent } from './events.ts';
import { publishEmbedder } from './models.ts';
import { runSegments, type StepEffects, type StepJob, type StepRange } from './resumable.ts';
import { stateFromWeights, stateShapes, type TrainingState, weightsOf } from './state.ts';
import { StatefulSession } from './stateful-session.ts';
import type { TokenizedPairs } from './tokenized-pairs.ts';

/**
 * DEVIATION: the paper names the loss, the negatives and one epoch, and fixed hyperparameters without their values. Ours: temperature 0.02,
 * 32 pairs a batch, AdamW with 3% warm-up and linear decay, one rate for the whole ladder.
 */
export interface FinetuneSettings {
  readonly temperature: number;
  /** Hard negatives of each query; fewer where a pair has fewer. */
  readonly negatives: number;
  /** Do all passages of the batch compete, as in the reference code? */
  readonly inBatchNegatives: boolean;
  readonly batchPairs: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly warmupShare: number;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
  readonly seed: number;
}

export const DEFAULT_FINETUNE: FinetuneSettings = {
  temperature: 0.02,
  negatives: 15,
  inBatchNegatives: true,
  batchPairs: 32,
  epochs: 1,
  learningRate: 1e-3,
  warmupShare: 0.03,
  weightDecay: 0,
  maxGradNorm: 1,
  seed: 17,
};

export interface FinetuneOptions extends FinetuneSettings {
  readonly model: MptConfig;
  /** Weights to begin with; `where` names them in errors. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly where: string;
  readonly pairs: TokenizedPairs;
  readonly embedder: EmbedderSettings;
  /** Lengths in training; `embedder` has those of evaluation. */
  readonly trainQueryTokens: number;
  readonly trainPassageTokens: number;
  readonly tokenizerPath: string;
  readonly specialTokens: SpecialTokens;
  readonly padId: number;
  /** Hashes of weights and pairs: part of the run's identity. */
  readonly dataHash: string;
  /** Memory that the activations of a batch may take before gradients are computed chunk by chunk (bytes). */
  readonly activationBytes: number;
  readonly threads: number;
  readonly provider?: SessionOptions['provider'];
}

/** Folder name of the finished embedder under `models/`. */
export const EMBEDDER_NAME = 'embedder';

/** Finetunes to the end, or continues a run that was cut off; returns the path of the embedder. */
export async function finetune(options: FinetuneOptions, effects: StepEffects): Promise<string> {
  await effects.folder.open(identityOf(options));
  const job = await FinetuneJob.create(options, effects);
  try {
    await runSegments(job, effects);
  } finally {
    await job.release();
  }
  return effects.folder.modelPath(EMBEDDER_NAME);
}

/** Chunks of the direct way: a copy of the model each, so few; six keep padding at a few per cent. */
const DIRECT_CHUNKS = 6;

/** Tokens of a chunk in the cached way. */
const CHUNK_TOKENS = 4096;

/** What the activations of a token take, roughly: about 40 numbers a width in each layer, and its rows of the attention scores. */
function activationBytesPerToken({ dModel, heads, layers }: MptConfig, length: number): number {
  return 4 * layers * (40 * dModel + 4 * heads * length);
}

/** Does the largest possible batch fit, with all its activations? */
export function fitsDirectly(options: FinetuneOptions): boolean {
  const { model, batchPairs, negatives, pairs, trainQueryTokens, trainPassageTokens, activationBytes } =
    options;
  const passages = 1 + Math.min(negatives, pairs.mostNegatives);
  const tokens = batchPairs * (trainQueryTokens + passages * trainPassageTokens);
  return tokens * activationBytesPerToken(model, trainPassageTokens) <= activationBytes;
}

class FinetuneJob implements StepJob<StepRange> {
  readonly segments: readonly StepRange[];
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly keptSteps: readonly number[] = [];
  readonly #options: FinetuneOptions;
  readonly #effects: StepEffects;
  readonly #session: StatefulSession;
  readonly #direct: boolean;
  readonly #stepsAnEpoch: number;
  readonly #schedule: Schedule;
  readonly #adamW: AdamWOptions;
  #order: { readonly epoch: number; readonly pairs: Uint32Array } | undefined;

  private constructor(options: FinetuneOptions, effects: StepEffects, session: StatefulSession) {
    this.#options = options;
    this.#effects = effects;
    this.#session = session;
    this.#direct = fitsDirectly(options);
    this.#stepsAnEpoch = Math.ceil(options.pairs.count / options.batchPairs);
    const totalSteps = options.epochs * this.#stepsAnEpoch;
    const warmupSteps = Math.ceil(options.warmupShare * totalSteps);
    this.#schedule = { kind: 'linear', warmupSteps, totalSteps, finalFactor: 0 };
    this.#adamW = adamWOf(options);
    this.segments = [{ name: EMBEDDER_NAME, after: undefined, from: 0, to: totalSteps, isTrunk: false }];
    this.shapes = stateShapes(options.model);
  }

  static async create(options: FinetuneOptions, effects: StepEffects): Promise<FinetuneJob> {
    const { model, temperature, maxGradNorm, threads, provider } = options;
    const directChunks = fitsDirectly(options) ? DIRECT_CHUNKS : 0;
    const graph = contrastiveGraph(model, {
      temperature,
      maxGradNorm,
      adamW: adamWOf(options),
      directChunks,
    });
    const session = await StatefulSession.create(model, graph, { threads, ...(provider && { provider }) });
    return new FinetuneJob(options, effects, session);
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  initialState = (): TrainingState => {
    const { model, weights, where } = this.#options;
    const copies = new Map(
      [...weights].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]),
    );
    return stateFromWeights(model, copies, where);
  };

  load = (state: TrainingState): void => this.#session.load(state);

  read = (): Promise<TrainingState> => this.#session.read();

  nextStop = (step: number): number => step + 1;

  atStop = async (): Promise<void> => {};

  takeSteps = async (_segment: StepRange, step: number): Promise<number> => {
    const { learningRate: peak, pairs, batchPairs } = this.#options;
    const groups = this.#groups(step);
    const batch = this.#collate(groups);
    const factor = scheduleFactor(this.#schedule, step);
    const began = this.#effects.now();
    const results = await this.#session.run({
      ...batch.feeds,
      ...textFeeds(batch, this.#direct),
      ...this.#scalars(step, peak * factor, factor),
    });
    const seconds = (this.#effects.now() - began) / 1000;
    const done = Math.min((step + 1) * batchPairs, this.#options.epochs * pairs.count);
    this.#report({
      type: 'finetuneStep',
      step: step + 1,
      pairs: done,
      texts: batch.texts,
      tokens: batch.tokens,
      paddingShare: 1 - batch.tokens / batch.paddedTokens,
      lossNats: Number(results['loss']!.data[0]),
      learningRate: peak * factor,
      gradNorm: Number(results['gradNorm']!.data[0]),
      textsPerSecond: batch.texts / seconds,
    });
    return 1;
  };

  /** The pairs of a step: an order of all pairs for each epoch, cut into batches. */
  #groups(step: number) {
    const { pairs, batchPairs, negatives, seed } = this.#options;
    const epoch = Math.floor(step / this.#stepsAnEpoch);
    const first = (step % this.#stepsAnEpoch) * batchPairs;
    if (this.#order?.epoch !== epoch)
      this.#order = { epoch, pairs: Rng.from(seed, 'pairs', epoch).permutation(pairs.count) };
    return Array.from(this.#order.pairs.subarray(first, first + batchPairs), i =>
      pairs.group(i, negatives, seed, epoch),
    );
  }

  #collate(groups: Parameters<typeof collate>[0]): ContrastiveBatch {
    const { inBatchNegatives, padId } = this.#options;
    const chunks = this.#direct ? { chunks: DIRECT_CHUNKS } : {};
    const longest = longestSequence(this.#options.model);
    return collate(groups, { inBatchNegatives, padId, longest, chunkTokens: CHUNK_TOKENS, ...chunks });
  }

  #scalars(step: number, learningRate: number, decayScale: number): Record<string, Tensor> {
    const { beta1, beta2 } = this.#adamW;
    const number = (value: number): Tensor => ({ dtype: 'float32', shape: [], data: Float32Array.of(value) });
    return {
      learningRate: number(learningRate),
      decayScale: number(decayScale),
      bias1: number(1 - beta1 ** (step + 1)),
      bias2: number(1 - beta2 ** (step + 1)),
    };
  }

  #report(event: FinetuneStepEvent): void {
    const { step, lossNats, gradNorm } = event;
    if (!Number.isFinite(lossNats) || !Number.isFinite(gradNorm)) {
      const what = Number.isFinite(lossNats) ? `the gradient norm is ${gradNorm}` : `the loss is ${lossNats}`;
      throw new StepError(
        'finetune',
        `${what} at step ${step}: lower the learning rate; the last checkpoint is kept`,
      );
    }
    this.#effects.folder.writeMetrics(event as unknown as Json);
    this.#effects.emit(event);
    const total = this.#options.epochs * this.#options.pairs.count;
    this.#effects.emit({ type: 'progress', done: event.pairs, total, note: `loss ${lossNats.toFixed(3)}` });
  }

  finish = async (): Promise<void> => {
    const { model, tokenizerPath, specialTokens, embedder } = this.#options;
    const path = this.#effects.folder.modelPath(EMBEDDER_NAME);
    const weights = weightsOf(model, await this.#session.read());
    await publishEmbedder(path, {
      config: model,
      weights,
      tokenizerPath,
      specialTokens,
      settings: embedder,
      card: cardOf(this.#options),
    });
    this.#effects.emit({ type: 'model', segment: EMBEDDER_NAME, path });
  };
}

function adamWOf({ weightDecay }: FinetuneSettings): AdamWOptions {
  return { ...LADDER_ADAMW, weightDecay };
}

/** Everything that decides the results, and nothing else. */
function identityOf(options: FinetuneOptions): Json {
  const {
    pairs: _pairs,
    weights: _weights,
    where: _where,
    tokenizerPath: _path,
    specialTokens: _tokens,
    ...rest
  } = options;
  return rest as unknown as Json;
}

function cardOf(options: FinetuneOptions): string {
  const { temperature, negatives, batchPairs, epochs, learningRate, pairs } = options;
  return `## Training

InfoNCE on cosine similarity, temperature ${temperature}, ${negatives} hard negatives a query${options.inBatchNegatives ? ' and all other passages of the batch' : ''};
${pairs.count} pairs, ${epochs} epoch${epochs === 1 ? '' : 's'}, ${batchPairs} pairs a batch, AdamW at ${learningRate}. Made with isoflop.`;
}
