/** Losses. Sums, not means: the caller divides by the number of tokens it counts, once, where gradients of several pieces have been added up. */
import {
  add,
  type Dim,
  gather,
  gemm,
  grad,
  identity,
  input,
  loop,
  makeGraph,
  mul,
  neg,
  reduceLogSumExp,
  reduceSum,
  reshape,
  scalar,
  scatterAdd,
  sub,
  type Value,
  zerosLike,
} from '../graph/index.ts';

/**
 * Next-token cross-entropy in nats of each token, with an output head tied to the token embedding: hidden (N, D), table (V, D), targets (N) -> (N).
 * The target's logit is the product of two gathered rows, so no one-hot matrix and no pass over the logits (N, V) is needed for it.
 */
export function crossEntropy(hidden: Value, table: Value, targets: Value): Value {
  return sub(logPartition(hidden, table), targetLogits(hidden, table, targets));
}

/** log of the sum over the vocabulary of exp(logit): (N) */
function logPartition(hidden: Value, table: Value): Value {
  return reduceLogSumExp(gemm(hidden, table, { transB: 1 }), [1], false);
}

function targetLogits(hidden: Value, table: Value, targets: Value): Value {
  return reduceSum(mul(hidden, gather(table, targets)), [1], false);
}

export interface HeadGradients {
  /** () nats, summed over tokens */
  readonly lossSum: Value;
  /** (N, D) */
  readonly hiddenGradient: Value;
  /** (V, D) */
  readonly tableGradient: Value;
}

/**
 * The same summed, with its gradients, computed in `pieces` of N / pieces rows: each piece's logits are made, used for the loss and both
 * gradients, and forgotten while they are still in the cache. The logits are by far the largest activation of a small model.
 */
export function crossEntropyWithGradients(
  hidden: Value,
  table: Value,
  targets: Value,
  pieces: number,
): HeadGradients {
  const [tokens, width] = hidden.type.shape as [number, Dim];
  const partition =
    pieces === 1 ? partitionOf(hidden, table, zerosLike(table)) : partitionInPieces(hidden, table, pieces);
  const rows = gather(table, targets); // (N, D): the gradient of -sum of target logits is -rows, and -hidden at the targets
  return {
    lossSum: sub(partition.lossSum, reduceSum(targetLogits(hidden, table, targets), [0], false)),
    hiddenGradient: reshape(sub(partition.hiddenGradient, rows), [tokens, width]),
    tableGradient: scatterAdd(partition.tableGradient, targets, neg(hidden)),
  };
}

/** Sum of the log partition of some rows; its gradient for the table is added to `sum`. */
function partitionOf(hidden: Value, table: Value, sum: Value): HeadGradients {
  const lossSum = reduceSum(logPartition(hidden, table), [0], false);
  const [hiddenGradient, tableGradient] = grad(lossSum, [hidden, table]);
  return { lossSum, hiddenGradient: hiddenGradient!, tableGradient: add(sum, tableGradient!) };
}

function partitionInPieces(hidden: Value, table: Value, pieces: number): HeadGradients {
  const [tokens, width] = hidden.type.shape as [number, number];
  const stacked = reshape(hidden, [pieces, tokens / pieces, width]);
  const iteration = input('piece', 'int64', []);
  const proceed = input('proceedPiece', 'bool', []);
  const loss = input('lossSoFar', hidden.type.dtype, []);
  const sum = input('tableGradientSoFar', table.type.dtype, table.type.shape);
  const piece = partitionOf(gather(stacked, iteration), table, sum);
  const outputs = {
    proceed: identity(proceed),
    loss: add(loss, piece.lossSum),
    sum: piece.tableGradient,
    hidden: piece.hiddenGradient,
  };
  const body = makeGraph([iteration, proceed, loss, sum], outputs, [stacked, table]);
  const zero = scalar(hidden.type.dtype, 0);
  const [lossSum, tableGradient, hiddenGradient] = loop(
    scalar('int64', pieces),
    [zero, zerosLike(table)],
    body,
    pieces,
  );
  return {
    lossSum: lossSum!,
    tableGradient: tableGradient!,
    hiddenGradient: reshape(hiddenGradient!, [tokens, width]),
  };
}
