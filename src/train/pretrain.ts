/** Pretraining: the loop over segments and steps, readable from top to bottom. */
import { type Json, StepError } from '../base/index.ts';
import { countParameters, type FlopsConvention, flopsPerToken, type MptConfig } from '../models/index.ts';
import { type AdamWOptions, LADDER_ADAMW } from '../nn/index.ts';
import type { SessionOptions } from '../runtime/index.ts';
import { PretrainEngine } from './engine.ts';
import type { TrainEvent } from './events.ts';
import { HeldOutEvaluator, type HeldOutText } from './heldout.ts';
import { type ModelFacts, publishModel } from './models.ts';
import { type BudgetOptions, learningRateAt, planSegments, type Segment, totalSteps } from './plan.ts';
import type { Position, RunFolder } from './run-folder.ts';
import { initialState, stateShapes, weightsOf } from './state.ts';

/** Training sequences: a pure function of the step, so that a run resumes with nothing but its step. */
export interface TrainingText {
  /** rows sequences of T+1 tokens for one step, and which pass over the text they begin in */
  batch(step: number, rows: number, seed: number): { readonly tokens: Int32Array; readonly epoch: number };
}

export interface PretrainOptions {
  readonly model: MptConfig;
  readonly text: TrainingText;
  readonly heldOut: HeldOutText;
  /** Goes into each model's directory. */
  readonly tokenizerPath: string;
  /** Hash of the data and tokenizer: part of the run's identity. */
  readonly dataHash: string;
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

/** The outside world of a run. */
export interface PretrainEffects {
  readonly folder: RunFolder;
  readonly emit: (event: TrainEvent) => void;
  readonly signal: AbortSignal;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
  /** FLOP/s of the machine's matrix products, to report shares of; undefined: no shares. */
  readonly gemmPeak: number | undefined;
  /** Save a checkpoint to resume from when this much time has passed since the last. */
  readonly checkpointEveryMs: number;
}

/** A model that the run made. */
export interface PretrainedModel {
  readonly segment: string;
  readonly tokens: number;
  /** Hugging Face directory; `isoflop.json` in it holds the `ModelFacts`. */
  readonly path: string;
}

/** How long one run of the engine should take: long enough to make its fixed cost small, short enough to stop quickly. */
const RUN_MS = 700;
const MAX_STEPS_A_RUN = 64;

/** Runs to the end, or continues a run that was cut off. The same bytes come out either way. */
export async function pretrain(
  options: PretrainOptions,
  effects: PretrainEffects,
): Promise<readonly PretrainedModel[]> {
  const run = await PretrainRun.open(options, effects);
  try {
    return await run.all();
  } finally {
    await run.close();
  }
}

class PretrainRun {
  readonly #options: PretrainOptions;
  readonly #effects: PretrainEffects;
  readonly #segments: readonly Segment[];
  readonly #engine: PretrainEngine;
  readonly #evaluator: HeldOutEvaluator;
  readonly #stepsTotal: number;
  #stepsDone = 0;
  #stepsARun = 1;
  #savedAt: number;

  private constructor(
    options: PretrainOptions,
    effects: PretrainEffects,
    segments: readonly Segment[],
    engine: PretrainEngine,
    evaluator: HeldOutEvaluator,
  ) {
    this.#options = options;
    this.#effects = effects;
    this.#segments = segments;
    this.#engine = engine;
    this.#evaluator = evaluator;
    this.#stepsTotal = totalSteps(segments);
    this.#savedAt = effects.now();
  }

  static async open(options: PretrainOptions, effects: PretrainEffects): Promise<PretrainRun> {
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
    return new PretrainRun(options, effects, segments, engine, evaluator);
  }

  async close(): Promise<void> {
    this.#effects.folder.close();
    await this.#engine.release();
    await this.#evaluator.release();
  }

  async all(): Promise<readonly PretrainedModel[]> {
    const { folder } = this.#effects;
    const { finished, metricsBytes } = await folder.progress();
    const left = this.#segments.filter(({ name }) => !finished.includes(name));
    this.#stepsDone = this.#stepsTotal - totalSteps(left);
    for (const [i, segment] of left.entries()) {
      const start = await this.#begin(segment, i === 0 ? metricsBytes : undefined);
      await this.#train(segment, start);
      await this.#finish(segment);
    }
    return this.#segments.flatMap(({ name, budget }) =>
      budget === undefined ? [] : [{ segment: name, tokens: budget, path: folder.modelPath(name) }],
    );
  }

  /**
   * Puts the state in place that the segment goes on from; returns the steps already done. `metricsBytes` is given for the first segment of
   * this process: where the metrics of finished segments end.
   */
  async #begin(segment: Segment, metricsBytes: number | undefined): Promise<number> {
    const { folder, emit } = this.#effects;
    const resumable = (await folder.checkpoints(segment.name))
      .filter(step => step > segment.from && step < segment.to)
      .at(-1);
    const parent = this.#segments.find(({ name }) => name === segment.after);
    if (resumable !== undefined) {
      const position = await this.#load(segment.name, resumable);
      await folder.openMetrics(position.metricsBytes);
      emit({ type: 'resumed', segment: segment.name, step: resumable, tokens: this.#tokensAt(resumable) });
      this.#stepsDone += resumable - segment.from;
      return resumable;
    }
    if (metricsBytes !== undefined) await folder.openMetrics(metricsBytes);
    if (parent) await this.#load(parent.name, parent.to);
    else this.#engine.load(initialState(this.#options.model, this.#options.seed));
    return segment.from;
  }

  async #load(segment: string, step: number): Promise<Position> {
    const { state, position } = await this.#effects.folder.loadCheckpoint(
      { segment, step },
      stateShapes(this.#options.model),
    );
    this.#engine.load(state);
    return position;
  }

  async #train(segment: Segment, start: number): Promise<void> {
    for (let step = start; step < segment.to; ) {
      if (this.#effects.signal.aborted) await this.#stop(segment, step);
      const stop = this.#nextStop(segment, step);
      const count = Math.min(this.#stepsARun, stop - step);
      await this.#takeSteps(segment, step, count);
      step += count;
      this.#stepsDone += count;
      if (step < segment.to && this.#isEvaluation(step)) await this.#evaluate(segment, step);
      await this.#maybeSave(segment, step);
    }
  }

  /** Runs of the engine end where something is due: an evaluation, a checkpoint, the end. */
  #nextStop(segment: Segment, step: number): number {
    const { evaluateEveryTokens, checkpointTokens } = this.#options;
    const every = Math.max(1, Math.round(evaluateEveryTokens / this.#engine.tokensPerStep));
    const marks = checkpointTokens
      .map(tokens => Math.round(tokens / this.#engine.tokensPerStep))
      .filter(mark => mark > step);
    return Math.min(segment.to, (Math.floor(step / every) + 1) * every, ...marks);
  }

  #isEvaluation(step: number): boolean {
    return (
      step % Math.max(1, Math.round(this.#options.evaluateEveryTokens / this.#engine.tokensPerStep)) === 0
    );
  }

  async #takeSteps(segment: Segment, step: number, count: number): Promise<void> {
    const { text, batch, accumulation, seed, peakLearningRate, model } = this.#options;
    const rows = accumulation * batch;
    const ids = new Int32Array(count * rows * (model.maxLength + 1));
    const epochs: number[] = [];
    for (let i = 0; i < count; i++) {
      const { tokens, epoch } = text.batch(step + i, rows, seed);
      ids.set(tokens, i * tokens.length);
      epochs.push(epoch);
    }
    const learningRates = Array.from({ length: count }, (_, i) =>
      learningRateAt(segment, peakLearningRate, step + i),
    );
    const began = this.#effects.now();
    const { losses, gradNorms } = await this.#engine.takeSteps(ids, {
      firstStep: step,
      learningRates,
      peakLearningRate,
    });
    const seconds = (this.#effects.now() - began) / 1000;
    losses.forEach((lossNats, i) => {
      this.#report(segment, step + i, {
        lossNats,
        gradNorm: gradNorms[i]!,
        learningRate: learningRates[i]!,
        epoch: epochs[i]!,
        secondsAStep: seconds / count,
      });
    });
    this.#stepsARun = Math.max(1, Math.min(MAX_STEPS_A_RUN, Math.round((RUN_MS / 1000 / seconds) * count)));
  }

  #report(
    segment: Segment,
    step: number,
    result: { lossNats: number; gradNorm: number; learningRate: number; epoch: number; secondsAStep: number },
  ): void {
    const { lossNats, gradNorm, learningRate, epoch, secondsAStep } = result;
    const tokens = this.#tokensAt(step + 1);
    if (!Number.isFinite(lossNats) || !Number.isFinite(gradNorm)) {
      const what = Number.isFinite(lossNats) ? `the gradient norm is ${gradNorm}` : `the loss is ${lossNats}`;
      throw new StepError(
        'pretrain',
        `${what} at step ${step + 1} (${tokens} tokens): lower the learning rate or lengthen the warm-up; the last checkpoint is kept`,
      );
    }
    const peakShare =
      this.#effects.gemmPeak && this.#engine.productFlopsPerStep / secondsAStep / this.#effects.gemmPeak;
    const tokensPerSecond = this.#engine.tokensPerStep / secondsAStep;
    const event: TrainEvent = {
      type: 'step',
      segment: segment.name,
      step: step + 1,
      tokens,
      flops: this.#flopsAt(tokens),
      lossNats,
      learningRate,
      gradNorm,
      epoch,
      tokensPerSecond,
      peakShare,
    };
    this.#publish(event);
    const { tokensPerStep } = this.#engine;
    const done = this.#stepsDone + 1;
    const note = `${segment.name}  loss ${lossNats.toFixed(3)}`;
    this.#effects.emit({
      type: 'progress',
      stepsDone: done,
      stepsTotal: this.#stepsTotal,
      tokensDone: done * tokensPerStep,
      tokensTotal: this.#stepsTotal * tokensPerStep,
      note,
    });
  }

  /** To the metrics file and to whoever listens. */
  #publish(event: TrainEvent): void {
    this.#effects.folder.writeMetrics(event as unknown as Json);
    this.#effects.emit(event);
  }

  async #evaluate(segment: Segment, step: number) {
    const loss = await this.#evaluator.evaluate(weightsOf(this.#options.model, await this.#engine.read()));
    const { lossNats, bitsPerByte } = loss;
    this.#publish({
      type: 'heldOut',
      segment: segment.name,
      step,
      tokens: this.#tokensAt(step),
      lossNats,
      bitsPerByte,
    });
    return loss;
  }

  async #maybeSave(segment: Segment, step: number): Promise<void> {
    const wanted = this.#options.checkpointTokens.some(
      tokens => Math.round(tokens / this.#engine.tokensPerStep) === step,
    );
    const due = this.#effects.now() - this.#savedAt >= this.#effects.checkpointEveryMs;
    if (step < segment.to && (wanted || due)) await this.#save(segment, step);
  }

  async #save(segment: Segment, step: number): Promise<void> {
    const { folder } = this.#effects;
    const path = await folder.saveCheckpoint({ segment: segment.name, step }, await this.#engine.read());
    this.#savedAt = this.#effects.now();
    this.#effects.emit({
      type: 'checkpoint',
      segment: segment.name,
      step,
      tokens: this.#tokensAt(step),
      path,
    });
    await this.#removeOlder(segment, step);
  }

  /** Only now that a newer checkpoint is whole may the older ones go, except those asked for. */
  async #removeOlder(segment: Segment, step: number): Promise<void> {
    const kept = this.#options.checkpointTokens.map(tokens =>
      Math.round(tokens / this.#engine.tokensPerStep),
    );
    for (const older of await this.#effects.folder.checkpoints(segment.name)) {
      if (older < step && !kept.includes(older))
        await this.#effects.folder.removeCheckpoint({ segment: segment.name, step: older });
    }
  }

  /** Leaves a checkpoint to continue from and throws what the signal carries. */
  async #stop(segment: Segment, step: number): Promise<void> {
    if (step > segment.from) await this.#save(segment, step);
    this.#effects.signal.throwIfAborted();
  }

  /** The segment's result: a model, or the end of a trunk piece for others to branch from. */
  async #finish(segment: Segment): Promise<void> {
    const { folder, emit } = this.#effects;
    const loss = await this.#evaluate(segment, segment.to);
    if (segment.budget === undefined) await this.#save(segment, segment.to);
    else {
      const path = folder.modelPath(segment.name);
      const { model, tokenizerPath } = this.#options;
      await publishModel(path, {
        model,
        tokenizerPath,
        weights: weightsOf(model, await this.#engine.read()),
        facts: this.#factsOf(segment.budget, loss),
      });
      emit({ type: 'model', segment: segment.name, tokens: segment.budget, path });
    }
    await folder.markFinished(segment.name);
    await this.#removeUnneeded(segment);
  }

  /** Resume points inside a finished segment, and trunk ends that nobody will branch from any more. */
  async #removeUnneeded(done: Segment): Promise<void> {
    const { folder } = this.#effects;
    if (done.budget !== undefined) await this.#removeOlder(done, Number.POSITIVE_INFINITY);
    const later = this.#segments.slice(this.#segments.indexOf(done) + 1);
    for (const trunk of this.#segments) {
      if (trunk.budget === undefined && trunk !== done && !later.some(({ after }) => after === trunk.name)) {
        await folder.removeCheckpoint({ segment: trunk.name, step: trunk.to });
      }
    }
  }

  #factsOf(tokens: number, loss: { readonly lossNats: number; readonly bitsPerByte: number }): ModelFacts {
    const { model, convention, seed, dataHash, text, batch, accumulation } = this.#options;
    const { total, nonEmbedding } = countParameters(model);
    const lastStep = tokens / this.#engine.tokensPerStep - 1;
    return {
      tokens,
      flops: this.#flopsAt(tokens),
      flopsConvention: convention,
      params: total,
      paramsNonEmbedding: nonEmbedding,
      heldOutLossNats: loss.lossNats,
      heldOutBitsPerByte: loss.bitsPerByte,
      epochs: text.batch(lastStep, accumulation * batch, seed).epoch + 1,
      seed,
      dataHash,
    };
  }

  #tokensAt(step: number): number {
    return step * this.#engine.tokensPerStep;
  }

  #flopsAt(tokens: number): number {
    return flopsPerToken(this.#options.model, this.#options.convention) * tokens;
  }
}

/** Everything that decides the results, and nothing else. */
function identityOf(options: PretrainOptions): Json {
  const {
    text: _text,
    heldOut: _heldOut,
    tokenizerPath: _path,
    checkpointTokens: _kept,
    adamW = LADDER_ADAMW,
    ...rest
  } = options;
  return { ...rest, adamW } as unknown as Json;
}
