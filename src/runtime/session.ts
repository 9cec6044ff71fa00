/** Sessions of ONNX Runtime: a graph, compiled once, run many times. The only place that touches `onnxruntime-node`. */
import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { defaultThreads, InputError, messageOf, ShapeError } from '../base/index.ts';
import {
  type DType,
  elementCount,
  formatType,
  type Graph,
  identity,
  input,
  makeGraph,
  orderScatters,
  recomputeProbabilities,
  type Tensor,
  type TensorType,
  transposeNarrowFactors,
} from '../graph/index.ts';
import { outputName, toOnnx } from './onnx.ts';

/** Where a graph runs. `cpu` is always there; the others need their hardware and, for CUDA, its libraries. */
export type Provider = 'cpu' | 'webgpu' | 'cuda';

export const PROVIDERS: readonly Provider[] = ['cpu', 'webgpu', 'cuda'];

export interface SessionOptions {
  /** Threads inside one operator. Default: `OMP_NUM_THREADS`, else the number of cores. Results are equal byte for byte only at an equal number. */
  readonly threads?: number;
  readonly provider?: Provider;
  /** Graph inputs to store in the session: the engine packs them once for its matrix products (5-15% faster than feeding them). */
  readonly constants?: ReadonlyMap<string, Tensor>;
  /** Constants of more bytes than this altogether are fed with every run instead (default 1 GiB: one model message ends at 2 GiB). */
  readonly maxStoredBytes?: number;
  /** Busy waiting between operators: right when the cores are ours, wrong when they are shared. Default: only if all cores are asked for. */
  readonly spin?: boolean;
  /** Results that stay on the device instead of being copied into JavaScript after every run (WebGPU only). */
  readonly resident?: readonly string[];
  /** Writes a profile (Chrome trace JSON) with this file name's beginning. */
  readonly profile?: string;
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** A tensor in the memory of a GPU. It can be fed to sessions of the same provider; `Session.download` makes numbers of it. */
export class DeviceTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** @internal */
  readonly handle: ort.Tensor;

  constructor(handle: ort.Tensor) {
    this.dtype = handle.type as DType;
    this.shape = handle.dims;
    this.handle = handle;
  }

  /** Frees the memory. */
  dispose(): void {
    this.handle.dispose();
  }
}

/** Results of a run, by where they lie. */
export interface RunResults {
  readonly host: Record<string, Tensor>;
  readonly device: Record<string, DeviceTensor>;
}

export type Feeds = Readonly<Record<string, Tensor | DeviceTensor>>;

/** The version of ONNX Runtime. */
export function engineVersion(): string {
  return ort.env.versions.node ?? ort.env.versions.common;
}

const MAX_STORED_BYTES = 1 << 30;

export class Session {
  readonly graph: Graph;
  readonly #session: ort.InferenceSession;
  readonly #inputs: ReadonlyMap<string, TensorType>;
  /** Constants that were too large to store, fed with every run. */
  readonly #fed: Readonly<Record<string, ort.Tensor>>;

  private constructor(
    graph: Graph,
    session: ort.InferenceSession,
    inputs: ReadonlyMap<string, TensorType>,
    fed: Record<string, ort.Tensor>,
  ) {
    this.graph = graph;
    this.#session = session;
    this.#inputs = inputs;
    this.#fed = fed;
  }

  /** Compiles a graph. Throws an `InputError` where the provider is not to be had on this machine. */
  static async create(graph: Graph, options: SessionOptions = {}): Promise<Session> {
    const { constants = new Map<string, Tensor>(), maxStoredBytes = MAX_STORED_BYTES } = options;
    const types = new Map(graph.inputs.map(input => [input.name!, input.type]));
    checkTensors('constants', new Map([...types].filter(([name]) => constants.has(name))), constants);
    const bytes = [...constants.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    const stored = bytes <= maxStoredBytes ? constants : new Map<string, Tensor>();
    const fed = Object.fromEntries(
      [...constants].filter(([name]) => !stored.has(name)).map(([name, value]) => [name, toOrt(value)]),
    );
    const inputs = new Map([...types].filter(([name]) => !constants.has(name)));
    return new Session(
      graph,
      await openSession(toOnnx(spelledFor(options.provider, graph), stored), options),
      inputs,
      fed,
    );
  }

  /**
   * Runs the graph once. Feeds are read in place. Results are new tensors, except where `into` offers a tensor to be overwritten: it may be the
   * very tensor that was fed, as long as every result depends on everything it overwrites. Blocks the thread it is called on.
   */
  async run(feeds: Feeds, into: Tensors = {}): Promise<Record<string, Tensor>> {
    const results = await this.#run(feeds, into);
    return Object.fromEntries(
      this.graph.outputs.map(({ name }) => [name, into[name] ?? fromOrt(results[outputName(name)]!)]),
    );
  }

  /** The same for a session with `resident` results: those are returned apart, as they lie on the device. */
  async runResident(feeds: Feeds): Promise<RunResults> {
    const results = await this.#run(feeds, {});
    const host: Record<string, Tensor> = {};
    const device: Record<string, DeviceTensor> = {};
    for (const { name } of this.graph.outputs) {
      const value = results[outputName(name)]!;
      if (value.location === 'gpu-buffer') device[name] = new DeviceTensor(value);
      else host[name] = fromOrt(value);
    }
    return { host, device };
  }

  async #run(feeds: Feeds, into: Tensors): Promise<ort.InferenceSession.ReturnType> {
    checkTensors('run', this.#inputs, new Map(Object.entries(feeds)));
    const given: Record<string, ort.Tensor> = { ...this.#fed };
    for (const name of this.#inputs.keys()) given[name] = toOrt(feeds[name]!);
    const fetches: Record<string, ort.Tensor | null> = {};
    for (const { name } of this.graph.outputs) {
      fetches[outputName(name)] = into[name] ? toOrt(into[name]) : null;
    }
    return this.#session.run(given, fetches);
  }

  /**
   * Copies device tensors into JavaScript. Goes through a tiny session that does nothing: reading a WebGPU buffer directly ends the
   * process in onnxruntime-node 1.30.
   */
  static async download(
    tensors: Readonly<Record<string, DeviceTensor>>,
    options: SessionOptions,
  ): Promise<Record<string, Tensor>> {
    const inputs = Object.entries(tensors).map(([name, { dtype, shape }]) => input(name, dtype, shape));
    const outputs = Object.fromEntries(inputs.map(value => [value.name!, identity(value)]));
    const { resident: _resident, ...rest } = options;
    const session = await Session.create(makeGraph(inputs, outputs), rest);
    const results = await session.run(tensors);
    await session.release();
    return results;
  }

  /** Frees the session. The engine keeps some memory of every session it ever had: make few, keep them. */
  async release(): Promise<void> {
    await this.#session.release();
  }

  /** Ends profiling and writes the profile. */
  endProfiling(): void {
    this.#session.endProfiling();
  }
}

/** What the CPU's kernels and caches ask for: one of them loses sums at repeated indices, others wait for memory. */
const spelledFor = (provider: Provider = 'cpu', graph: Graph): Graph =>
  provider === 'cpu' ? transposeNarrowFactors(recomputeProbabilities(orderScatters(graph))) : graph;

/** Fusions of the engine that undo what a graph says: this one makes a product of a transposed factor read it down its columns after all. */
const UNWANTED_FUSIONS = 'GemmTransposeFusion';

async function openSession(model: Uint8Array, options: SessionOptions): Promise<ort.InferenceSession> {
  const { provider = 'cpu', threads = defaultThreads(process.env) } = options;
  const spin = options.spin ?? threads >= availableParallelism();
  try {
    return await ort.InferenceSession.create(model, {
      executionProviders: provider === 'cpu' ? ['cpu'] : [provider, 'cpu'],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      enableMemPattern: false, // pre-planned memory keeps every activation's place reserved: 70% more memory for no time
      logSeverityLevel: 3,
      ...(options.resident && {
        preferredOutputLocation: Object.fromEntries(
          options.resident.map(name => [outputName(name), 'gpu-buffer' as const]),
        ),
      }),
      ...(options.profile !== undefined && { enableProfiling: true, profileFilePrefix: options.profile }),
      extra: {
        session: { set_denormal_as_zero: '1', intra_op: { allow_spinning: spin ? '1' : '0' } },
        optimization: { disable_specified_optimizers: UNWANTED_FUSIONS },
      },
    });
  } catch (error) {
    if (provider === 'cpu') throw error;
    throw new InputError(
      `provider ${provider}`,
      `is not to be had here: ${messageOf(error).replaceAll(/\s+/g, ' ').trim()} ${REMEDIES[provider]}`,
    );
  }
}

const REMEDIES: Readonly<Record<Exclude<Provider, 'cpu'>, string>> = {
  webgpu: '(it needs a graphics adapter with a Vulkan, Metal or Direct3D 12 driver; use cpu otherwise)',
  cuda: '(it needs an NVIDIA GPU on Linux x64 and the CUDA library of onnxruntime-node, which its install script fetches with ONNXRUNTIME_NODE_INSTALL=cuda12; use cpu or webgpu otherwise)',
};

function toOrt(value: Tensor | DeviceTensor): ort.Tensor {
  return value instanceof DeviceTensor
    ? value.handle
    : new ort.Tensor(value.dtype, value.data as never, value.shape);
}

function fromOrt(value: ort.Tensor): Tensor {
  return { dtype: value.type as DType, shape: value.dims, data: value.data as Tensor['data'] };
}

/** Names everything that is wrong with the tensors for some inputs at once, and gives each named size one value. */
function checkTensors(
  what: string,
  inputs: ReadonlyMap<string, TensorType>,
  tensors: ReadonlyMap<string, Tensor | DeviceTensor>,
): void {
  const wrong: string[] = [];
  const sizes = new Map<string, number>();
  for (const [name, type] of inputs) {
    const feed = tensors.get(name);
    if (!feed) wrong.push(`${name} is missing (${formatType(type)})`);
    else if (!fits(feed, type, sizes))
      wrong.push(`${name} is ${formatType(feed)}, expected ${formatType(type)}`);
    else if (!(feed instanceof DeviceTensor) && feed.data.length !== elementCount(feed.shape))
      wrong.push(`${name} holds ${feed.data.length} numbers for ${formatType(feed)}`);
  }
  for (const name of tensors.keys()) if (!inputs.has(name)) wrong.push(`${name} is not an input`);
  if (wrong.length > 0) throw new ShapeError(what, [], wrong.join('; '));
}

function fits(
  feed: TensorType & { readonly shape: readonly number[] },
  type: TensorType,
  sizes: Map<string, number>,
): boolean {
  if (feed.dtype !== type.dtype || feed.shape.length !== type.shape.length) return false;
  return type.shape.every((dim, i) => {
    const size = feed.shape[i]!;
    if (typeof dim === 'number') return dim === size;
    if (!sizes.has(dim)) sizes.set(dim, size);
    return sizes.get(dim) === size;
  });
}
