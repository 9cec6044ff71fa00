/** The compiled pretraining step and the state it works on. */
import { countFlops, isGraph, type Tensor } from '../graph/index.ts';
import { type MptConfig, mptParameters } from '../models/index.ts';
import { type DeviceTensor, type Feeds, Session, type SessionOptions } from '../runtime/index.ts';
import type { TrainingState } from './state.ts';
import { STATE_PREFIXES } from './state-graph.ts';
import { pretrainGraph, type StepGraphOptions } from './step-graph.ts';

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

/** Owns the state of a run between `load` and `read`: in JavaScript's arrays on the CPU, in the GPU's memory on WebGPU. */
export class PretrainEngine {
  readonly config: MptConfig;
  readonly options: StepGraphOptions;
  /** Operations of the matrix products of one step, as executed. */
  readonly productFlopsPerStep: number;
  readonly #session: Session;
  readonly #sessionOptions: SessionOptions;
  #host: TrainingState = {};
  #device: Readonly<Record<string, DeviceTensor>> | undefined;

  private constructor(
    config: MptConfig,
    options: StepGraphOptions,
    session: Session,
    sessionOptions: SessionOptions,
  ) {
    this.config = config;
    this.options = options;
    this.#session = session;
    this.#sessionOptions = sessionOptions;
    this.productFlopsPerStep = stepProducts(session);
  }

  static async create(
    config: MptConfig,
    options: StepGraphOptions,
    sessionOptions: SessionOptions,
  ): Promise<PretrainEngine> {
    const resident = sessionOptions.provider === 'webgpu' ? { resident: stateNames(config) } : {};
    const session = await Session.create(pretrainGraph(config, options), { ...sessionOptions, ...resident });
    return new PretrainEngine(config, options, session, sessionOptions);
  }

  get tokensPerStep(): number {
    const { accumulation, batch, length } = this.options;
    return accumulation * batch * length;
  }

  /** Takes over a state: its arrays are overwritten by training. */
  load(state: TrainingState): void {
    this.#disposeDevice();
    this.#host = state;
  }

  /** The state as it is now. Its arrays stay the engine's: write them out or copy them before the next step. */
  async read(): Promise<TrainingState> {
    if (this.#device) {
      const current = await Session.download(this.#device, this.#sessionOptions);
      for (const [name, tensor] of Object.entries(current))
        (this.#host[name]!.data as Float32Array).set(tensor.data as Float32Array);
    }
    return this.#host;
  }

  /**
   * Takes K steps, K being the number of learning rates, on `ids` (K, A, B, T+1). The same bytes come out however the steps are divided
   * among calls.
   */
  async takeSteps(ids: Int32Array, plan: StepPlan): Promise<StepResults> {
    const feeds = { ...(this.#device ?? this.#host), ...this.#stepFeeds(ids, plan) };
    const results =
      this.#sessionOptions.provider === 'webgpu'
        ? await this.#runOnDevice(feeds)
        : await this.#session.run(feeds, this.#host);
    return { losses: floats(results['losses']!), gradNorms: floats(results['gradNorms']!) };
  }

  async #runOnDevice(feeds: Feeds): Promise<Record<string, Tensor>> {
    const { host, device } = await this.#session.runResident(feeds);
    this.#disposeDevice();
    this.#device = device;
    return host;
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

  #disposeDevice(): void {
    for (const tensor of Object.values(this.#device ?? {})) tensor.dispose();
    this.#device = undefined;
  }

  async release(): Promise<void> {
    this.#disposeDevice();
    await this.#session.release();
  }
}

function stateNames(config: MptConfig): string[] {
  return mptParameters(config).flatMap(({ name }) =>
    Object.values(STATE_PREFIXES).map(prefix => prefix + name),
  );
}

const floats = (tensor: Tensor): number[] => Array.from(tensor.data as Float32Array);

/** Products in the body of the loop over steps; loops inside it know their own counts. */
function stepProducts(session: Session): number {
  const body = session.graph.nodes.find(node => node.op === 'Loop')?.attributes['body'];
  return body !== undefined && isGraph(body) ? countFlops(body).products : 0;
}
