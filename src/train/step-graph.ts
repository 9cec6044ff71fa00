/**
 * A pretraining step as one graph: forward, backward, clipping and AdamW, with K steps a run through an ONNX Loop, so that parameters
 * and optimizer state stay inside the engine from step to step, and micro-steps through a second Loop that adds gradients up.
 */
import {
  add,
  backward,
  type Graph,
  gather,
  input,
  makeGraph,
  mul,
  optimize,
  repeat,
  reshape,
  scalar,
  slice,
  type Value,
  zerosLike,
} from '../graph/index.ts';
import {
  type MptConfig,
  mptHidden,
  type ParameterValues,
  parameterInputs,
  TOKEN_EMBEDDING,
} from '../models/index.ts';
import { type AdamWOptions, crossEntropyWithGradients } from '../nn/index.ts';
import { flattenState, parametersOf, stateInputs, unflattenState, updateState } from './state-graph.ts';

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

/**
 * Inputs: `p:NAME`, `m:NAME`, `v:NAME` for every parameter; `ids` int32 (K, A, B, T+1); `learningRates`, `decayScales`, `bias1`, `bias2` (K);
 * `steps`, the number K. Outputs: the same state after K steps; `losses` (K), mean nats a token over the step; `gradNorms` (K), before clipping.
 */
export function pretrainGraph(config: MptConfig, options: StepGraphOptions): Graph {
  const { accumulation, batch, length } = options;
  const initial = flattenState(stateInputs(config));
  const ids = input('ids', 'int32', ['K', accumulation, batch, length + 1]);
  const scalars = ['learningRates', 'decayScales', 'bias1', 'bias2'].map(name =>
    input(name, 'float32', ['K']),
  );
  const count = input('steps', 'int64', []);
  const perToken = scalar('float32', 1 / (accumulation * batch * length));
  const captured = [ids, ...scalars];
  const results = repeat({ count, carried: initial, captured, stackedAxis: 'K' }, (step, carried) => {
    const state = unflattenState(carried);
    const { lossSum, gradients } = gradientsOfStep(
      config,
      options,
      parametersOf(config, state),
      gather(ids, step),
    );
    const [learningRate, decayScale, bias1, bias2] = scalars.map(values => gather(values, step));
    const numbers = { learningRate: learningRate!, decayScale: decayScale!, bias1: bias1!, bias2: bias2! };
    const next = updateState(state, gradients, perToken, numbers, options);
    return { carried: flattenState(next.state), stacked: [mul(lossSum, perToken), next.gradNorm] };
  });
  const after = Object.fromEntries(initial.map((value, i) => [value.name!, results.carried[i]!]));
  const [losses, gradNorms] = results.stacked;
  const outputs = { ...after, losses: losses!, gradNorms: gradNorms! };
  return optimize(makeGraph([...initial, ids, ...scalars, count], outputs));
}

interface StepGradients {
  readonly lossSum: Value;
  readonly gradients: readonly Value[];
}

/** stepIds (A, B, T+1) -> the summed loss of a step and its gradients, over one or several micro-steps */
function gradientsOfStep(
  config: MptConfig,
  { accumulation, batch, length }: StepGraphOptions,
  parameters: ParameterValues,
  stepIds: Value,
): StepGradients {
  if (accumulation === 1)
    return gradientsOfMicroStep(config, parameters, reshape(stepIds, [batch, length + 1]));
  const weights = [...parameters.values()];
  const carried = [scalar('float32', 0), ...weights.map(zerosLike)];
  const count = scalar('int64', accumulation);
  const sums = repeat({ count, carried, captured: [...weights, stepIds] }, (i, sofar) => {
    const micro = gradientsOfMicroStep(config, parameters, gather(stepIds, i));
    return { carried: [micro.lossSum, ...micro.gradients].map((value, k) => add(sofar[k]!, value)) };
  });
  const [lossSum, ...gradients] = sums.carried;
  return { lossSum: lossSum!, gradients };
}

/** ids (B, T+1) int32 -> the summed loss of predicting each next token, and its gradients in the order of the parameters. */
function gradientsOfMicroStep(config: MptConfig, parameters: ParameterValues, ids: Value): StepGradients {
  const [batch, width] = ids.type.shape as readonly [number, number];
  const [tokens, length] = [batch * (width - 1), width - 1];
  const context = slice(ids, 1, 0, length); // (B, T)
  const targets = reshape(slice(ids, 1, 1, width), [tokens]); // (N)
  const hidden = mptHidden(config, parameters, context, { tokens, padded: true });
  const table = parameters.get(TOKEN_EMBEDDING)!;
  const head = crossEntropyWithGradients(hidden, table, targets, lossPieces(tokens, config.vocabSize));
  const wrt = [...parameters.values()];
  const gradients = backward([hidden, table], [head.hiddenGradient, head.tableGradient], wrt);
  return { lossSum: head.lossSum, gradients };
}

/**
 * The gradients of one micro-step alone, for checks. Inputs: the parameters by their names; `ids` int32 (B, T+1). Outputs: `loss`, summed over
 * the B*T tokens, and `d:NAME` for every parameter.
 */
export function gradientGraph(
  config: MptConfig,
  { batch, length }: Pick<StepGraphOptions, 'batch' | 'length'>,
): Graph {
  const parameters = parameterInputs(config);
  const ids = input('ids', 'int32', [batch, length + 1]);
  const { lossSum, gradients } = gradientsOfMicroStep(config, parameters, ids);
  const outputs = Object.fromEntries([...parameters.keys()].map((name, i) => [`d:${name}`, gradients[i]!]));
  return optimize(makeGraph([...parameters.values(), ids], { loss: lossSum, ...outputs }));
}

/** Logits are made in pieces of at most this many bytes: one piece for 2,048 tokens of a vocabulary of 4,096. Larger pieces are no faster. */
const PIECE_BYTES = 32 << 20;

/** The smallest divisor of the number of tokens that keeps a piece of the logits (tokens / pieces, V) within bounds. */
export function lossPieces(tokens: number, vocabSize: number): number {
  let pieces = Math.min(tokens, Math.ceil((tokens * vocabSize * 4) / PIECE_BYTES));
  while (tokens % pieces !== 0) pieces++;
  return pieces;
}
