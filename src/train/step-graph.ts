/**
 * A pretraining step as one graph: forward, backward, clipping and AdamW, with K steps a run through an ONNX Loop, so that parameters
 * and optimizer state stay inside the engine from step to step, and micro-steps through a second Loop that adds gradients up.
 */
import {
  add,
  backward,
  type Graph,
  gather,
  identity,
  input,
  loop,
  makeGraph,
  mul,
  optimize,
  reshape,
  scalar,
  slice,
  type Value,
  zerosLike,
} from '../graph/index.ts';
import {
  type MptConfig,
  mptHidden,
  mptParameters,
  type ParameterValues,
  parameterInputs,
  TOKEN_EMBEDDING,
} from '../models/index.ts';
import {
  type AdamWOptions,
  adamWStep,
  clipFactor,
  crossEntropyWithGradients,
  globalNorm,
  type StepScalars,
} from '../nn/index.ts';

export interface StepGraphOptions {
  /** Sequences a micro-step, B. */
  readonly batch: number;
  /** Tokens a sequence, T. */
  readonly length: number;
  /** Micro-steps whose gradients are added up before the optimizer steps, A. */
  readonly accumulation: number;
  readonly maxGradNorm: number;
  readonly adamW: AdamWOptions;
}

/** Prefixes of the three tensors the optimizer keeps of each parameter. */
export const STATE_PREFIXES = { parameter: 'p:', firstMoment: 'm:', secondMoment: 'v:' } as const;

/** One parameter's three tensors, and all parameters in the model's order. */
type State = readonly {
  readonly parameter: Value;
  readonly firstMoment: Value;
  readonly secondMoment: Value;
}[];

/**
 * Inputs: `p:NAME`, `m:NAME`, `v:NAME` for every parameter; `ids` int32 (K, A, B, T+1); `learningRates`, `decayScales`, `bias1`, `bias2` (K).
 * Outputs: the same state after K steps; `losses` (K), mean nats a token over the step; `gradNorms` (K), before clipping.
 */
export function pretrainGraph(config: MptConfig, options: StepGraphOptions): Graph {
  const names = mptParameters(config).map(({ name }) => name);
  const state = stateInputs(config);
  const { accumulation, batch, length } = options;
  const ids = input('ids', 'int32', ['K', accumulation, batch, length + 1]);
  const scalars = (['learningRates', 'decayScales', 'bias1', 'bias2'] as const).map(name =>
    input(name, 'float32', ['K']),
  );
  const count = input('steps', 'int64', []);
  const body = stepBody(config, options, names, state, ids, scalars);
  const carried = state.flatMap(s => [s.parameter, s.firstMoment, s.secondMoment]);
  const results = loop(count, carried, body, 'K');
  const outputs: Record<string, Value> = {};
  carried.forEach((value, i) => {
    outputs[value.name!] = results[i]!;
  });
  outputs['losses'] = results[carried.length]!;
  outputs['gradNorms'] = results[carried.length + 1]!;
  return optimize(makeGraph([...carried, ids, ...scalars, count], outputs));
}

function stateInputs(config: MptConfig, suffix = ''): State {
  const [p, m, v] = Object.values(STATE_PREFIXES).map(prefix => [
    ...parameterInputs(config, 'float32', prefix + suffix).values(),
  ]);
  return p!.map((parameter, i) => ({ parameter, firstMoment: m![i]!, secondMoment: v![i]! }));
}

/** One optimizer step: state in, state out, and the step's loss and gradient norm to be stacked. */
function stepBody(
  config: MptConfig,
  options: StepGraphOptions,
  names: readonly string[],
  outer: State,
  ids: Value,
  scalars: readonly Value[],
): Graph {
  const iteration = input('iteration', 'int64', []);
  const proceed = input('proceed', 'bool', []);
  const state = outer.map(s => ({
    parameter: input(`${s.parameter.name}'`, 'float32', s.parameter.type.shape),
    firstMoment: input(`${s.firstMoment.name}'`, 'float32', s.firstMoment.type.shape),
    secondMoment: input(`${s.secondMoment.name}'`, 'float32', s.secondMoment.type.shape),
  }));
  const parameters = new Map(names.map((name, i) => [name, state[i]!.parameter]));
  const stepIds = gather(ids, iteration); // (A, B, T+1)
  const { lossSum, gradients } = gradientsOfStep(config, options, parameters, stepIds);
  // Gradients so far are of the sum over tokens; the mean's factor joins the clipping factor instead of costing a pass.
  const perToken = scalar('float32', 1 / (options.accumulation * options.batch * options.length));
  const norm = mul(globalNorm(gradients), perToken);
  const factor = mul(clipFactor(norm, options.maxGradNorm), perToken);
  const [learningRate, decayScale, bias1, bias2] = scalars.map(values => gather(values, iteration));
  const step: StepScalars = {
    learningRate: learningRate!,
    decayScale: decayScale!,
    bias1: bias1!,
    bias2: bias2!,
  };
  const next = state.map((s, i) => adamWStep(s, gradients[i]!, factor, step, options.adamW));
  const outputs: Record<string, Value> = { proceed: identity(proceed) };
  next.forEach((s, i) => {
    outputs[`p${i}`] = s.parameter;
    outputs[`m${i}`] = s.firstMoment;
    outputs[`v${i}`] = s.secondMoment;
  });
  const inputs = [iteration, proceed, ...state.flatMap(s => [s.parameter, s.firstMoment, s.secondMoment])];
  return makeGraph(inputs, { ...outputs, loss: mul(lossSum, perToken), norm }, [ids, ...scalars]);
}

interface StepGradients {
  readonly lossSum: Value;
  readonly gradients: readonly Value[];
}

function gradientsOfStep(
  config: MptConfig,
  options: StepGraphOptions,
  parameters: ParameterValues,
  stepIds: Value,
): StepGradients {
  const { accumulation, batch, length } = options;
  if (accumulation === 1)
    return gradientsOfMicroStep(config, parameters, reshape(stepIds, [batch, length + 1]));
  const weights = [...parameters.values()];
  const iteration = input('micro', 'int64', []);
  const proceed = input('proceedMicro', 'bool', []);
  const sums = [scalar('float32', 0), ...weights.map(zerosLike)];
  const inner = sums.map((sum, i) => input(`sum${i}`, 'float32', sum.type.shape));
  const micro = gradientsOfMicroStep(config, parameters, gather(stepIds, iteration));
  const added = [micro.lossSum, ...micro.gradients].map((value, i) => add(inner[i]!, value));
  const outputs = Object.fromEntries(added.map((value, i) => [`sum${i}`, value]));
  const body = makeGraph([iteration, proceed, ...inner], { proceed: identity(proceed), ...outputs }, [
    ...weights,
    stepIds,
  ]);
  const [lossSum, ...gradients] = loop(scalar('int64', accumulation), sums, body, accumulation);
  return { lossSum: lossSum!, gradients };
}

/** ids (B, T+1) int32 -> the summed loss of predicting each next token, and its gradients in the order of the parameters. */
function gradientsOfMicroStep(config: MptConfig, parameters: ParameterValues, ids: Value): StepGradients {
  const [batch, width] = ids.type.shape as readonly [number, number];
  const [tokens, length] = [batch * (width - 1), width - 1];
  const context = slice(ids, 1, 0, length); // (B, T)
  const targets = reshape(slice(ids, 1, 1, width), [tokens]); // (N)
  const hidden = mptHidden(config, parameters, context, { tokens });
  const table = parameters.get(TOKEN_EMBEDDING)!;
  const head = crossEntropyWithGradients(hidden, table, targets, lossPieces(tokens, config.vocabSize));
  const wrt = [...parameters.values()];
  const gradients = backward([hidden, table], [head.hiddenGradient, head.tableGradient], wrt);
  return { lossSum: head.lossSum, gradients };
}

/** Logits are made in pieces of at most this many bytes; larger pieces are no faster and take more memory. */
const PIECE_BYTES = 16 << 20;

/** The smallest divisor of the number of tokens that keeps a piece of the logits (tokens / pieces, V) within bounds. */
export function lossPieces(tokens: number, vocabSize: number): number {
  let pieces = Math.min(tokens, Math.ceil((tokens * vocabSize * 4) / PIECE_BYTES));
  while (tokens % pieces !== 0) pieces++;
  return pieces;
}
