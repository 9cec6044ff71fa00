/** Causal self-attention, in blocks of queries so that the masked upper half is mostly never computed. */
import { InternalError } from '../base/index.ts';
import {
  add,
  cast,
  concat,
  constant,
  type Dim,
  type DType,
  gather,
  greater,
  int64s,
  matmul,
  mul,
  range,
  reshape,
  reshapeTo,
  scalar,
  shapeOf,
  slice,
  softmax,
  split,
  sub,
  tensor,
  transpose,
  transposeLast,
  type Value,
  where,
} from '../graph/index.ts';

/** Finite, so that a row which sees nothing cannot make NaN, and so large that exp gives exactly 0 and no denormals. */
const MASKED = -1e30;

export interface AttentionShape {
  readonly batch: Dim;
  readonly length: Dim;
  readonly heads: number;
  readonly headSize: number;
}

/**
 * ALiBi slopes of llm-foundry (layers/attention.py, gen_slopes): 2^-(i * biasMax / n) for i = 1..n, n the power of two at or above the
 * number of heads; otherwise every second slope first, then the rest, cut to the number of heads.
 */
export function alibiSlopes(heads: number, biasMax: number): number[] {
  const n = 2 ** Math.ceil(Math.log2(heads));
  const slopes = Array.from({ length: n }, (_, i) => 2 ** ((-(i + 1) * biasMax) / n));
  if (n === heads) return slopes;
  return [...slopes.filter((_, i) => i % 2 === 1), ...slopes.filter((_, i) => i % 2 === 0)].slice(0, heads);
}

/** 0 .. T-1 as int64 (T). `ids` (B, T) says how long the sequence is where T has no number. */
export function positionsOf(ids: Value): Value {
  const length = ids.type.shape[1]!;
  if (typeof length === 'number')
    return constant(
      tensor(
        'int64',
        [length],
        Array.from({ length }, (_, i) => i),
      ),
    );
  return range(reshape(slice(shapeOf(ids), 0, 1, 2), []), length);
}

/**
 * What is added to the attention scores: (1 or H, T, T), the causal mask and, with `slopes`, ALiBi's slope * (key position - query position).
 * llm-foundry uses the distance to the last position in every row; that differs by a constant a row, which the softmax does not see.
 */
export function attentionBias(ids: Value, dtype: DType, slopes?: readonly number[]): Value {
  const positions = positionsOf(ids);
  const length = positions.type.shape[0]!;
  const queries = reshape(positions, [1, length, 1]);
  const keys = reshape(positions, [1, 1, length]);
  const future = greater(keys, queries);
  const masked = scalar(dtype, MASKED);
  if (!slopes) return where(future, masked, scalar(dtype, 0));
  const distances = cast(sub(keys, queries), dtype);
  return where(future, masked, mul(constant(tensor(dtype, [slopes.length, 1, 1], slopes)), distances));
}

/** How many blocks of queries a sequence is cut into; 1 where the length has no number or is short. */
export function causalBlocks(length: Dim): number {
  if (typeof length !== 'number') return 1;
  const wish = length >= 512 ? 4 : length >= 128 ? 2 : 1;
  return length % wish === 0 ? wish : 1;
}

/**
 * The factor 1 / sqrt(head size) of the scores, put into the rows of Wqkv (3D, D) or its bias (3D) that make the queries: there it costs
 * a pass over a weight instead of one over all scores.
 */
export function scaleQueries<V extends Value | undefined>(weight: V, { heads, headSize }: AttentionShape): V {
  if (!weight) return weight;
  const width = heads * headSize;
  const factors = Array.from({ length: 3 * width }, (_, row) => (row < width ? 1 / Math.sqrt(headSize) : 1));
  const shape = weight.type.shape.length === 2 ? [3 * width, 1] : [3 * width];
  return mul(weight, constant(tensor(weight.type.dtype, shape, factors))) as V;
}

/**
 * qkv (N, 3D), with the queries scaled already, bias (1 or H, T, T) -> (N, D). Queries attend to keys at their own and earlier positions.
 * `order` of the same shape may serve many layers; without one, or where sizes are known only at run time, whole squares are computed.
 */
export function causalAttention(
  qkv: Value,
  bias: Value,
  ids: Value,
  shape: AttentionShape,
  order: HeadOrder | undefined,
): Value {
  return order ? attendInBlocks(qkv, bias, order) : attendAtOnce(qkv, bias, ids, shape);
}

/** Attention of sequences whose number or length is known only when the graph runs: the whole square. */
function attendAtOnce(qkv: Value, bias: Value, ids: Value, shape: AttentionShape): Value {
  const { batch, length, heads, headSize } = shape;
  const apart: Dim[] = [batch, length, 3, heads, headSize];
  const sizes = concat([shapeOf(ids), int64s(3, heads, headSize)], 0);
  const stacked = transpose(reshapeTo(qkv, sizes, apart), [2, 0, 3, 1, 4]); // (3, B, H, T, hd)
  const [q, k, v] = split(stacked, 0, [1, 1, 1]).map(part => dropFirstAxis(part, ids, shape)); // (B, H, T, hd)
  const rows = transpose(attend(q!, k!, v!, bias), [0, 2, 1, 3]); // (B, T, H, hd)
  return reshapeTo(rows, int64s(-1, heads * headSize), [qkv.type.shape[0]!, heads * headSize]); // (N, D)
}

function dropFirstAxis(part: Value, ids: Value, { batch, length, heads, headSize }: AttentionShape): Value {
  const b = slice(shapeOf(ids), 0, 0, 1);
  const t = slice(shapeOf(ids), 0, 1, 2);
  const sizes = concat([b, int64s(heads), t, int64s(headSize)], 0);
  return reshapeTo(part, sizes, [batch, heads, length, headSize]);
}

/** (B, H, s, hd) x (B, H, t, hd) -> (B, H, s, hd) */
function attend(q: Value, k: Value, v: Value, bias: Value): Value {
  const scores = add(matmul(q, transposeLast(k)), bias); // (B, H, s, t)
  return matmul(softmax(scores), v);
}

/** How the vectors of all heads are put in the order of the blocks, and back. */
export interface HeadOrder {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
  readonly headSize: number;
  /** n, the blocks of queries a sequence is cut into */
  readonly blocks: number;
  /**
   * (3n, B, H, T / n) int32: which of the vectors (B, T, 3, H) stands there: block by block its queries, keys and values. The engine does the
   * backward pass in the order of their gradients from the last to the first, so that it is done with a block before it begins the next.
   */
  readonly apart: Value;
  /** (B, T, H) int32: which of the vectors (n, B, H, T / n) stands there */
  readonly together: Value;
}

/** Undefined where the number or the length of sequences is known only when the graph runs. */
export function headOrder(
  { batch, length, heads, headSize }: AttentionShape,
  blocks = causalBlocks(length),
): HeadOrder | undefined {
  if (typeof batch !== 'number' || typeof length !== 'number') return undefined;
  if (length % blocks !== 0) throw new InternalError(`${length} tokens in ${blocks} blocks`);
  const size = length / blocks;
  const apart: number[] = [];
  const together = new Array<number>(batch * length * heads);
  let queries = 0;
  for (let block = 0; block < blocks; block++)
    for (let kind = 0; kind < 3; kind++)
      for (let b = 0; b < batch; b++)
        for (let head = 0; head < heads; head++)
          for (let i = 0; i < size; i++) {
            const token = b * length + block * size + i;
            if (kind === 0) together[token * heads + head] = queries++;
            apart.push((token * 3 + kind) * heads + head);
          }
  return {
    ...{ batch, length, heads, headSize, blocks },
    apart: constant(tensor('int32', [3 * blocks, batch, heads, size], apart)),
    together: constant(tensor('int32', [batch, length, heads], together)),
  };
}

/**
 * Block i of the queries sees the keys up to its own end: (n + 1) / 2n of the work of the full square. The vectors of all heads are put
 * in the order of the blocks by one Gather of rows and back by another: the engine's Transpose runs on one thread, and reads and writes at
 * strides that are powers of two, up to 5 times as slow.
 */
function attendInBlocks(qkv: Value, bias: Value, order: HeadOrder): Value {
  const { batch, length, heads, headSize, blocks } = order;
  const size = length / blocks;
  const vectors = reshape(qkv, [batch * length * 3 * heads, headSize]);
  const sorted = gather(vectors, order.apart); // (3n, B, H, s, hd)
  const parts = split(sorted, 0, new Array<number>(3 * blocks).fill(1)).map(part =>
    reshape(part, [batch, heads, size, headSize]),
  );
  const [q, k, v] = [0, 1, 2].map(i => parts.filter((_, at) => at % 3 === i)) as [Value[], Value[], Value[]];
  const mixed = q.map((queries, i) => {
    const end = (i + 1) * size;
    const seen = slice(slice(bias, 1, i * size, end), 2, 0, end);
    return attend(queries, concat(k.slice(0, i + 1), 2), concat(v.slice(0, i + 1), 2), seen); // (B, H, s, hd)
  });
  const rows = reshape(concat(mixed, 0), [batch * length * heads, headSize]);
  return reshape(gather(rows, order.together), [batch * length, heads * headSize]);
}
