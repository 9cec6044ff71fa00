/** The compiled pretraining step and the state it works on. */
import type { Tensor } from '../graph/index.ts';
import { executedFlopsPerToken, type MptConfig } from '../models/index.ts';
import type { SessionOptions } from '../runtime/index.ts';
import type { TrainingState } from './state.ts';
import { StatefulSession } from './stateful-session.ts';
import { pretrainGraph, type StepGraphOptions } from './step-graph.ts';
import { requireTokenIds } from './token-ids.ts';

/** What the optimizer needs to know of each of K consecutive steps. */
export interface StepPlan {
  /** Number of the first step, counted from 0. */
  readonly firstStep: number;
  /** Learning rate of each step. */
  readonly learningRates: readonly number[];
  readonly peakLearningRate: number;
}

export interface StepResults {
  /** Mean nats a token, one a step. */
  readonly losses: readonly number[];
  /** Global gradient norm before clipping, one a step. */
  readonly gradNorms: readonly number[];
}

export class PretrainEngine {
  readonly options: StepGraphOptions;
  /** Operations of the matrix products of one step, as executed, without the zeros that feed-forward layers are padded with. */
  readonly productFlopsPerStep: number;
  readonly #vocabSize: number;
  readonly #session: StatefulSession;

  private constructor(config: MptConfig, options: StepGraphOptions, session: StatefulSession) {
    this.options = options;
    this.#vocabSize = config.vocabSize;
    this.#session = session;
    const { accumulation, batch, length } = options;
    this.productFlopsPerStep =
      accumulation * batch * length * executedFlopsPerToken({ ...config, maxLength: length });
  }

  static async create(
    config: MptConfig,
    options: StepGraphOptions,
    session: SessionOptions,
  ): Promise<PretrainEngine> {
    return new PretrainEngine(
      config,
      options,
      await StatefulSession.create(config, pretrainGraph(config, options), session),
    );
  }

  get tokensPerStep(): number {
    const { accumulation, batch, length } = this.options;
    return accumulation * batch * length;
  }

  /** Takes over a state: its arrays are overwritten by training. */
  load(state: TrainingState): void {
    this.#session.load(state);
  }

  /** The state as it is now. Its arrays stay the engine's: write them out or copy them before the next step. */
  read(): Promise<TrainingState> {
    return this.#session.read();
  }

  /**
   * Takes K steps, K being the number of learning rates, on `ids` (K, A, B, T+1). The same bytes come out however the steps are divided
   * among calls. Throws an `InputError`, before anything changes, if an id is outside the vocabulary.
   */
  async takeSteps(ids: Int32Array, plan: StepPlan): Promise<StepResults> {
    requireTokenIds(ids, this.#vocabSize, 'training text');
    const results = await this.#session.run(this.#stepFeeds(ids, plan));
    return { losses: floats(results['losses']!), gradNorms: floats(results['gradNorms']!) };
  }

  #stepFeeds(ids: Int32Array, plan: StepPlan): Record<string, Tensor> {
    const { accumulation, batch, length, adamW } = this.options;
    const count = plan.learningRates.length;
    const perStep = (value: (step: number, i: number) => number): Tensor => ({
      dtype: 'float32',
      shape: [count],
      data: Float32Array.from({ length: count }, (_, i) => value(plan.firstStep + i, i)),
    });
    return {
      ids: { dtype: 'int32', shape: [count, accumulation, batch, length + 1], data: ids },
      learningRates: perStep((_, i) => plan.learningRates[i]!),
      decayScales: perStep((_, i) => plan.learningRates[i]! / plan.peakLearningRate),
      bias1: perStep(step => 1 - adamW.beta1 ** (step + 1)),
      bias2: perStep(step => 1 - adamW.beta2 ** (step + 1)),
      steps: { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(count)) },
    };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

const floats = (tensor: Tensor): number[] => Array.from(tensor.data as Float32Array);
