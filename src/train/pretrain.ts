/** Pretraining: what one step of it does, and what is due between steps. */
import { type Json, StepError } from '../base/index.ts';
import {
  countParameters,
  type FlopsConvention,
  flopsPerToken,
  type MptConfig,
  type TokenizerFiles,
} from '../models/index.ts';
import { type AdamWOptions, LADDER_ADAMW } from '../nn/index.ts';
import type { SessionOptions } from '../runtime/index.ts';
import { PretrainEngine } from './engine.ts';
import type { TrainEvent } from './events.ts';
import { HeldOutEvaluator, type HeldOutLoss, type HeldOutText } from './heldout.ts';
import { type ModelFacts, publishModel } from './models.ts';
import { type BudgetOptions, learningRateAt, planSegments, type Segment } from './plan.ts';
import { runSegments, type StepEffects, type StepJob, totalSteps } from './resumable.ts';
import { initialState, stateShapes, type TrainingState, weightsOf } from './state.ts';

/** Training sequences: a pure function of the step, so that a run resumes with nothing but its step. */
export interface TrainingText {
  /** `rows` sequences of T+1 tokens for one step, and which pass over the text they begin in */
  batch(step: number, rows: number, seed: number): { readonly tokens: Int32Array; readonly epoch: number };
  /** Sequences of one pass. */
  readonly sequences: number;
}

export interface PretrainOptions {
  readonly model: MptConfig;
  readonly text: TrainingText;
  readonly heldOut: HeldOutText;
  /** Goes into each model's directory. */
  readonly tokenizer: TokenizerFiles;
  /** Hash of the data and tokenizer: part of the run's identity. */
  readonly dataHash: string;
  /** Tokens of each model to be made. */
  readonly budgets: readonly number[];
  readonly schedule: BudgetOptions['schedule'];
  readonly warmupTokens: number;
  readonly peakLearningRate: number;
  /** Sequences a micro-step (B) and micro-steps a step (A). */
  readonly batch: number;
  readonly accumulation: number;
  readonly maxGradNorm: number;
  readonly adamW?: AdamWOptions;
  readonly seed: number;
  readonly convention: FlopsConvention;
  /** Evaluate on held-out text every so many tokens, and always at a segment's end; at most `heldOutTokens` of it. */
  readonly evaluateEveryTokens: number;
  readonly heldOutTokens: number;
  /** Keep a checkpoint at these token counts for good, beside the newest. */
  readonly checkpointTokens: readonly number[];
  readonly threads: number;
  readonly provider?: SessionOptions['provider'];
}

export interface PretrainEffects extends StepEffects {
  /** FLOP/s of the machine's matrix products, to report shares of; undefined: no shares. */
  readonly gemmPeak: number | undefined;
}

/** A model that the run made. */
export interface PretrainedModel {
  readonly segment: string;
  readonly tokens: number;
  /** Hugging Face directory; `isoflop.json` in it holds the `ModelFacts`. */
  readonly path: string;
}

/** How long one run of the engine should take: long enough to make its fixed cost small, short enough to stop quickly. */
const RUN_SECONDS = 2;
const MAX_STEPS_A_RUN = 64;

/** After every run the engine copies parameters and optimizer state out; larger models, whose copies cost most, take a few steps for one copy too. */
const FEW_STEPS = 4;
const LONGEST_RUN_SECONDS = 4;

function stepsARun(secondsAStep: number): number {
  const few = Math.min(FEW_STEPS, Math.floor(LONGEST_RUN_SECONDS / secondsAStep));
  return Math.max(1, Math.min(MAX_STEPS_A_RUN, Math.max(few, Math.round(RUN_SECONDS / secondsAStep))));
}

/** Runs to the end, or continues a run that was cut off. The same bytes come out either way. */
export async function pretrain(
  options: PretrainOptions,
  effects: PretrainEffects,
): Promise<readonly PretrainedModel[]> {
  const { model, batch, accumulation, maxGradNorm, threads, provider, adamW = LADDER_ADAMW } = options;
  const length = model.maxLength;
  const segments = planSegments({ ...options, tokensPerStep: accumulation * batch * length });
  await effects.folder.open(identityOf(options));
  const session = { threads, ...(provider && { provider }) };
  const engine = await PretrainEngine.create(
    model,
    { batch, length, accumulation, maxGradNorm, adamW },
    session,
  );
  const evaluator = await HeldOutEvaluator.create(
    model,
    options.heldOut,
    batch,
    options.heldOutTokens,
    session,
  );
  try {
    await runSegments(new PretrainJob(options, effects, segments, engine, evaluator), effects);
  } finally {
    await engine.release();
    await evaluator.release();
  }
  return segments.flatMap(({ name, budget }) =>
    budget === undefined ? [] : [{ segment: name, tokens: budget, path: effects.folder.modelPath(name) }],
  );
}

/** What one step of the engine reported. */
interface StepReport {
  readonly step: number;
  readonly lossNats: number;
  readonly gradNorm: number;
  readonly learningRate: number;
  readonly epoch: number;
  readonly seconds: number;
}

class PretrainJob implements StepJob<Segment> {
  readonly segments: readonly Segment[];
  readonly tokensPerStep: number;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly keptSteps: readonly number[];
  readonly #options: PretrainOptions;
  readonly #effects: PretrainEffects;
  readonly #engine: PretrainEngine;
  readonly #evaluator: HeldOutEvaluator;
  readonly #evaluateEvery: number;
  #stepsARun = 1;

  constructor(
    options: PretrainOptions,
    effects: PretrainEffects,
    segments: readonly Segment[],
    engine: PretrainEngine,
    evaluator: HeldOutEvaluator,
  ) {
    this.#options = options;
    this.#effects = effects;
    this.#engine = engine;
    this.#evaluator = evaluator;
    this.segments = segments;
    this.tokensPerStep = engine.tokensPerStep;
    this.shapes = stateShapes(options.model);
    const steps = (tokens: number) => Math.round(tokens / engine.tokensPerStep);
    this.keptSteps = options.checkpointTokens.map(steps);
    this.#evaluateEvery = Math.max(1, steps(options.evaluateEveryTokens));
  }

  initialState = (): TrainingState => initialState(this.#options.model, this.#options.seed);

  load = (state: TrainingState): void => this.#engine.load(state);

  read = (): Promise<TrainingState> => this.#engine.read();

  nextStop = (step: number): number => {
    const evaluation = (Math.floor(step / this.#evaluateEvery) + 1) * this.#evaluateEvery;
    return Math.min(evaluation, ...this.keptSteps.filter(kept => kept > step));
  };

  atStop = async (segment: Segment, step: number): Promise<void> => {
    if (step % this.#evaluateEvery === 0) await this.#evaluate(segment, step);
  };

  takeSteps = async (segment: Segment, step: number, most: number): Promise<number> => {
    const count = Math.min(this.#stepsARun, most);
    const { text, batch, accumulation, seed, peakLearningRate } = this.#options;
    const steps = Array.from({ length: count }, (_, i) => step + i);
    const batches = steps.map(at => text.batch(at, accumulation * batch, seed));
    const learningRates = steps.map(at => learningRateAt(segment, peakLearningRate, at));
    const ids = concatenate(batches.map(({ tokens }) => tokens));
    const began = this.#effects.now();
    const results = await this.#engine.takeSteps(ids, { firstStep: step, learningRates, peakLearningRate });
    const seconds = (this.#effects.now() - began) / 1000 / count;
    steps.forEach((at, i) => {
      const [lossNats, gradNorm] = [results.losses[i]!, results.gradNorms[i]!];
      const { epoch } = batches[i]!;
      this.#report(segment, {
        step: at + 1,
        lossNats,
        gradNorm,
        learningRate: learningRates[i]!,
        epoch,
        seconds,
      });
    });
    this.#progress(segment, step + count, results.losses.at(-1)!);
    this.#stepsARun = stepsARun(seconds);
    return count;
  };

  #report(segment: Segment, { seconds, ...report }: StepReport): void {
    const { step, lossNats, gradNorm } = report;
    const tokens = step * this.tokensPerStep;
    if (!Number.isFinite(lossNats) || !Number.isFinite(gradNorm))
      throw divergence(step, tokens, lossNats, gradNorm);
    const { gemmPeak } = this.#effects;
    this.#publish({
      type: 'step',
      segment: segment.name,
      tokens,
      flops: this.#flopsAt(tokens),
      ...report,
      tokensPerSecond: this.tokensPerStep / seconds,
      peakShare: gemmPeak && this.#engine.productFlopsPerStep / seconds / gemmPeak,
    });
  }

  /** To the metrics file and to whoever listens. */
  #publish(event: TrainEvent): void {
    this.#effects.folder.writeMetrics(event as unknown as Json);
    this.#effects.emit(event);
  }

  #progress(segment: Segment, step: number, lossNats: number): void {
    const before = totalSteps(this.segments.slice(0, this.segments.indexOf(segment)));
    const done = (before + step - segment.from) * this.tokensPerStep;
    const total = totalSteps(this.segments) * this.tokensPerStep;
    this.#effects.emit({
      type: 'progress',
      done,
      total,
      note: `${segment.name}  loss ${lossNats.toFixed(3)}`,
    });
  }

  async #evaluate(segment: Segment, step: number): Promise<HeldOutLoss> {
    const loss = await this.#evaluator.evaluate(weightsOf(this.#options.model, await this.#engine.read()));
    const { lossNats, bitsPerByte } = loss;
    const tokens = step * this.tokensPerStep;
    this.#publish({ type: 'heldOut', segment: segment.name, step, tokens, lossNats, bitsPerByte });
    return loss;
  }

  finish = async (segment: Segment): Promise<void> => {
    const loss = await this.#evaluate(segment, segment.to);
    if (segment.budget === undefined) return;
    const { model, tokenizer } = this.#options;
    const path = this.#effects.folder.modelPath(segment.name);
    const weights = weightsOf(model, await this.#engine.read());
    await publishModel(path, { model, tokenizer, weights, facts: this.#factsOf(segment.budget, loss) });
    this.#effects.emit({ type: 'model', segment: segment.name, path });
  };

  #factsOf(tokens: number, loss: HeldOutLoss): ModelFacts {
    const { model, convention, seed, dataHash, text } = this.#options;
    const { total, nonEmbedding } = countParameters(model);
    return {
      tokens,
      flops: this.#flopsAt(tokens),
      flopsConvention: convention,
      params: total,
      paramsNonEmbedding: nonEmbedding,
      heldOutLossNats: loss.lossNats,
      heldOutBitsPerByte: loss.bitsPerByte,
      epochs: tokens / model.maxLength / text.sequences,
      seed,
      dataHash,
    };
  }

  #flopsAt(tokens: number): number {
    return flopsPerToken(this.#options.model, this.#options.convention) * tokens;
  }
}

function divergence(step: number, tokens: number, lossNats: number, gradNorm: number): StepError {
  const what = Number.isFinite(lossNats) ? `the gradient norm is ${gradNorm}` : `the loss is ${lossNats}`;
  const remedy = 'lower the learning rate or lengthen the warm-up; the last checkpoint is kept';
  return new StepError('pretrain', `${what} at step ${step} (${tokens} tokens): ${remedy}`);
}

function concatenate(arrays: readonly Int32Array[]): Int32Array {
  const result = new Int32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    result.set(array, at);
    at += array.length;
  }
  return result;
}

/** Everything that decides the results, and nothing else. */
function identityOf(options: PretrainOptions): Json {
  const { text: _text, heldOut: _heldOut, tokenizer: _tokenizer, checkpointTokens: _kept, ...rest } = options;
  return { ...rest, adamW: options.adamW ?? LADDER_ADAMW } as unknown as Json;
}
