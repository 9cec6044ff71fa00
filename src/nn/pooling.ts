/** From token states to one vector a text. */
import {
  add,
  cast,
  concat,
  type Dim,
  div,
  int64s,
  less,
  matmul,
  reduceSumSquare,
  reshape,
  reshapeTo,
  scalarLike,
  shapeOf,
  slice,
  sqrt,
  type Value,
} from '../graph/index.ts';
import { positionsOf } from './attention.ts';

/**
 * Masked mean: hidden (N, D), ids (B, T), lengths (B) int32 -> (B, D). The first `lengths` positions of each row count, an appended
 * end-of-text token among them; padding has no weight, so it cannot change a vector.
 */
export function meanPool(hidden: Value, ids: Value, lengths: Value): Value {
  const [batch, length] = ids.type.shape as [Dim, Dim];
  const width = hidden.type.shape[1]!;
  const counts = reshape(cast(lengths, 'int64'), [batch, 1]);
  const inside = cast(less(positionsOf(ids), counts), hidden.type.dtype); // (B, T)
  const weights = div(inside, cast(counts, hidden.type.dtype));
  const sizes = (...last: number[]) => concat([shapeOf(ids), int64s(...last)], 0);
  const states = reshapeTo(hidden, sizes(width as number), [batch, length, width]); // (B, T, D)
  const b = slice(shapeOf(ids), 0, 0, 1);
  const t = slice(shapeOf(ids), 0, 1, 2);
  const rows = reshapeTo(weights, concat([b, int64s(1), t], 0), [batch, 1, length]); // (B, 1, T)
  return reshapeTo(matmul(rows, states), concat([b, int64s(width as number)], 0), [batch, width]); // (B, D)
}

/** Rows scaled to unit length: (B, D) -> (B, D). The tiny constant keeps the zero vector finite. */
export function l2Normalize(x: Value): Value {
  const squares = reduceSumSquare(x, [-1], true);
  return div(x, sqrt(add(squares, scalarLike(squares, 1e-24))));
}
