/** A session that takes training steps, and the state it changes: in JavaScript's arrays on the CPU, in the GPU's memory on WebGPU. */
import type { Graph, Tensor } from '../graph/index.ts';
import { type MptConfig, mptParameters } from '../models/index.ts';
import { type DeviceTensor, Session, type SessionOptions, type Tensors } from '../runtime/index.ts';
import type { TrainingState } from './state.ts';
import { STATE_PREFIXES } from './state-graph.ts';

export class StatefulSession {
  readonly graph: Graph;
  readonly #session: Session;
  readonly #options: SessionOptions;
  #host: TrainingState = {};
  #device: Readonly<Record<string, DeviceTensor>> | undefined;

  private constructor(graph: Graph, session: Session, options: SessionOptions) {
    this.graph = graph;
    this.#session = session;
    this.#options = options;
  }

  /** Compiles a graph whose inputs and outputs hold the state of `config` under the names of `STATE_PREFIXES`. */
  static async create(config: MptConfig, graph: Graph, options: SessionOptions): Promise<StatefulSession> {
    const resident = options.provider === 'webgpu' ? { resident: stateNames(config) } : {};
    return new StatefulSession(graph, await Session.create(graph, { ...options, ...resident }), options);
  }

  /** Takes over a state: its arrays are overwritten by `run`. */
  load(state: TrainingState): void {
    this.#disposeDevice();
    this.#host = state;
  }

  /** The state as it is now. Its arrays stay this session's: write them out or copy them before the next run. */
  async read(): Promise<TrainingState> {
    if (this.#device) {
      const current = await Session.download(this.#device, this.#options);
      for (const [name, { data }] of Object.entries(current)) {
        (this.#host[name]!.data as Float32Array).set(data as Float32Array);
      }
    }
    return this.#host;
  }

  /** Runs the graph on the state and these feeds; returns its other results. */
  async run(feeds: Tensors): Promise<Readonly<Record<string, Tensor>>> {
    const all = { ...(this.#device ?? this.#host), ...feeds };
    if (this.#options.provider !== 'webgpu') return this.#session.run(all, this.#host);
    const { host, device } = await this.#session.runResident(all);
    this.#disposeDevice();
    this.#device = device;
    return host;
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
