/**
 * The MPT decoder as a graph: pre-norm blocks, causal attention, exact GELU, a final norm, an output head tied to the token embedding.
 * Reference: llm-foundry, models/mpt/modeling_mpt.py. Activations are flat (N, D) with N = B*T.
 */
import { InternalError } from '../../base/index.ts';
import {
  add,
  cast,
  type Dim,
  type DType,
  expandLike,
  gather,
  gemm,
  input,
  reshape,
  type Value,
} from '../../graph/index.ts';
import {
  type AttentionShape,
  alibiSlopes,
  attentionBias,
  causalAttention,
  embedding,
  feedForward,
  type HeadOrder,
  headOrder,
  layerNorm,
  linear,
  normalize,
  paddedFeedForward,
  positionsOf,
  scaleInputs,
  scaleQueries,
} from '../../nn/index.ts';
import type { MptConfig } from './config.ts';
import { blockName, FINAL_NORM, mptParameters, POSITION_EMBEDDING, TOKEN_EMBEDDING } from './parameters.ts';

/** Parameters as graph values, by name, in the model's order. */
export type ParameterValues = ReadonlyMap<string, Value>;

/** Graph inputs for every parameter. */
export function parameterInputs(
  config: MptConfig,
  dtype: DType = 'float32',
  prefix = '',
): Map<string, Value> {
  return new Map(mptParameters(config).map(({ name, shape }) => [name, input(prefix + name, dtype, shape)]));
}

export interface ForwardOptions {
  /** Name or number of tokens B*T; needed as a name where B or T is one. */
  readonly tokens: Dim;
  /** Blocks of queries in attention; default by length. */
  readonly causalBlocks?: number;
  /** Zero columns in feed-forward layers where they make products faster (`paddedFeedForward`); default no, so that FLOPs are those of the model. */
  readonly padded?: boolean;
}

/** ids (B, T) int32 -> last hidden states after the final norm, (N, D). Right padding never changes the states of what stands before it. */
export function mptHidden(
  config: MptConfig,
  parameters: ParameterValues,
  ids: Value,
  options: ForwardOptions,
): Value {
  const [batch, length] = ids.type.shape as [Dim, Dim];
  const shape: AttentionShape = {
    batch,
    length,
    heads: config.heads,
    headSize: config.dModel / config.heads,
  };
  const table = get(parameters, TOKEN_EMBEDDING);
  const slopes = config.positions === 'alibi' ? alibiSlopes(config.heads, config.alibiBiasMax) : undefined;
  const bias = attentionBias(ids, table.type.dtype, slopes);
  let x = embedding(ids, table, options.tokens);
  if (config.positions === 'learned') x = addPositions(parameters, x, ids);
  const context = {
    config,
    parameters,
    ids,
    bias,
    shape,
    order: headOrder(shape, options.causalBlocks),
    padded: options.padded,
  };
  for (let layer = 0; layer < config.layers; layer++) x = block(context, blockName(layer), x);
  return norm(config, parameters, FINAL_NORM, x);
}

function addPositions(parameters: ParameterValues, x: Value, ids: Value): Value {
  const rows = expandLike(positionsOf(ids), cast(ids, 'int64')); // (B, T)
  return add(x, gather(get(parameters, POSITION_EMBEDDING), reshape(rows, [x.type.shape[0]!])));
}

interface BlockContext {
  readonly config: MptConfig;
  readonly parameters: ParameterValues;
  readonly ids: Value;
  readonly bias: Value;
  readonly shape: AttentionShape;
  readonly order: HeadOrder | undefined;
  readonly padded: boolean | undefined;
}

/** x + attention(norm_1(x)), then + feed-forward(norm_2(.)): (N, D) -> (N, D) */
function block(context: BlockContext, prefix: string, x: Value): Value {
  const { parameters, shape } = context;
  const weight = (name: string) => get(parameters, `${prefix}.${name}.weight`);
  const offset = (name: string) => parameters.get(`${prefix}.${name}.bias`);
  const [normed1, qkvWeight] = normedInput(context, `${prefix}.norm_1`, x, weight('attn.Wqkv'));
  const qkv = linear(normed1, scaleQueries(qkvWeight, shape), scaleQueries(offset('attn.Wqkv'), shape));
  const mixed = causalAttention(qkv, context.bias, context.ids, shape, context.order);
  const attended = add(x, linear(mixed, weight('attn.out_proj'), offset('attn.out_proj')));
  const feed = context.padded ? paddedFeedForward : feedForward;
  const [normed2, upWeight] = normedInput(context, `${prefix}.norm_2`, attended, weight('ffn.up_proj'));
  return add(
    attended,
    feed(normed2, upWeight, weight('ffn.down_proj'), offset('ffn.up_proj'), offset('ffn.down_proj')),
  );
}

/** What a linear layer after a norm reads, and its weight: without biases the norm's scale moves into the weight. */
function normedInput(
  { config, parameters }: BlockContext,
  prefix: string,
  x: Value,
  weight: Value,
): readonly [Value, Value] {
  const offset = parameters.get(`${prefix}.bias`);
  const scale = get(parameters, `${prefix}.weight`);
  if (offset) return [layerNorm(x, scale, offset, config.layerNormEpsilon), weight];
  return [normalize(x, config.layerNormEpsilon), scaleInputs(weight, scale)];
}

function norm(config: MptConfig, parameters: ParameterValues, prefix: string, x: Value): Value {
  return layerNorm(
    x,
    get(parameters, `${prefix}.weight`),
    parameters.get(`${prefix}.bias`),
    config.layerNormEpsilon,
  );
}

function get(parameters: ParameterValues, name: string): Value {
  const value = parameters.get(name);
  if (!value) throw new InternalError(`the model has no parameter ${name}`);
  return value;
}

/** Logits (N, V) of the tied output head. */
export function mptLogits(parameters: ParameterValues, hidden: Value): Value {
  return gemm(hidden, get(parameters, TOKEN_EMBEDDING), { transB: 1 });
}
