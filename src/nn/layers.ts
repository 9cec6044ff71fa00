/** The pieces of a transformer as functions of graph values. Activations are flat: N = B*T tokens by features. */
import {
  add,
  concat,
  constant,
  erf,
  gather,
  gemm,
  layerNorm,
  mul,
  reshape,
  scalarLike,
  tensor,
  type Value,
  zeros,
} from '../graph/index.ts';

/** x (N, in) and weight (out, in), bias (out) -> (N, out), times `scale` */
export function linear(x: Value, weight: Value, bias?: Value, scale = 1): Value {
  // beta = scale keeps alpha (x W') + beta b = scale (x W' + b)
  return gemm(x, weight, { transB: 1, alpha: scale, beta: scale }, bias);
}

/** ids (B, T) and table (V, D) -> (N, D) */
export function embedding(ids: Value, table: Value, tokens: Value['type']['shape'][number]): Value {
  return gather(table, reshape(ids, [tokens]));
}

/** (x - mean) / std over the last axis, without a scale of its own: (N, D) -> (N, D) */
export function normalize(x: Value, epsilon: number): Value {
  const width = x.type.shape.at(-1) as number;
  return layerNorm(
    x,
    constant(tensor(x.type.dtype, [width], new Array<number>(width).fill(1))),
    undefined,
    epsilon,
  );
}

/**
 * weight (out, in) * scale (in): a norm's scale, moved into the linear layer that reads it. The same function of the same parameters, but the
 * norm's scale and its gradient cost a pass over the weights instead of five over the activations.
 */
export function scaleInputs(weight: Value, scale: Value): Value {
  return mul(weight, scale);
}

export { layerNorm };

/**
 * The exact GELU's middle: with s = z / sqrt(2), returns s (1 + erf s) = sqrt(2) gelu(z). The two constant factors belong to
 * the matrix products before and after (`GELU_SCALE_IN`, `GELU_SCALE_OUT`), where they cost nothing.
 */
export function scaledGelu(s: Value): Value {
  return mul(s, add(erf(s), scalarLike(s, 1)));
}

export const GELU_SCALE_IN = Math.SQRT1_2;
export const GELU_SCALE_OUT = Math.SQRT1_2;

/** x (N, D) -> (N, D): W_down gelu(W_up x), with the exact (erf) GELU */
export function feedForward(x: Value, up: Value, down: Value, upBias?: Value, downBias?: Value): Value {
  const hidden = scaledGelu(linear(x, up, upBias, GELU_SCALE_IN));
  return gemm(hidden, down, { transB: 1, alpha: GELU_SCALE_OUT }, downBias);
}

/**
 * The same, with 16 columns of zeros more where the hidden width is a multiple of 1,024. A matrix product reads 12 rows of its left factor at once;
 * rows that are a multiple of 4 KiB apart share 8 places in the processor's first cache, and the product takes a quarter longer.
 */
export function paddedFeedForward(x: Value, up: Value, down: Value, upBias?: Value, downBias?: Value): Value {
  const width = up.type.shape[0]!;
  if (typeof width !== 'number' || width % ALIASED_WIDTH !== 0)
    return feedForward(x, up, down, upBias, downBias);
  return feedForward(x, withZeros(up, 0), withZeros(down, 1), upBias && withZeros(upBias, 0), downBias);
}

/** Floats in 4 KiB, which is what one way of a first-level data cache holds. */
const ALIASED_WIDTH = 1024;
/** A cache line of floats. */
const PADDING = 16;

function withZeros(weight: Value, axis: number): Value {
  const shape = weight.type.shape.with(axis, PADDING) as number[];
  return concat([weight, zeros(weight.type.dtype, shape)], axis);
}
