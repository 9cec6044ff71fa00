/** Losses. Sums, not means: the caller divides by the number of tokens it counts, once, where gradients of several pieces have been added up. */
import {
  add,
  cast,
  constant,
  type Dim,
  gather,
  gemm,
  log,
  mul,
  neg,
  range,
  reduceLogSumExp,
  reduceSum,
  repeat,
  reshape,
  scalar,
  scalarLike,
  scatterAdd,
  shapeOf,
  softmax,
  sub,
  tensor,
  transposeLast,
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

/** The same summed over tokens: () */
export function crossEntropySum(hidden: Value, table: Value, targets: Value): Value {
  return reduceSum(crossEntropy(hidden, table, targets), [0], false);
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

/** The smallest normal float32. Added to a probability that has vanished, it keeps the logarithm finite: 87.3 nats at most. */
const SMALLEST = 2 ** -126;

/**
 * The same summed, with its gradients, computed in `pieces` of N / pieces rows: each piece's logits are made, used for the loss and both
 * gradients, and forgotten while they are still in the cache. The logits are by far the largest activation of a small model.
 *
 * The loss is read from the probabilities that the gradients need anyway, which spares two passes over the logits. A token whose probability
 * vanishes in float32 counts as 87.3 nats; its gradient is exact.
 */
export function crossEntropyWithGradients(
  hidden: Value,
  table: Value,
  targets: Value,
  pieces: number,
): HeadGradients {
  const partition = pieces === 1 ? pieceOf(hidden, table, targets) : inPieces(hidden, table, targets, pieces);
  // The logarithm of the partition function gives these gradients; -sum of target logits gives -rows, and -hidden at the targets.
  return {
    lossSum: partition.lossSum,
    hiddenGradient: sub(partition.hiddenGradient, gather(table, targets)),
    tableGradient: scatterAdd(asSummed(partition.tableGradient, table), targets, neg(hidden)),
  };
}

/** The loss of some rows, and the gradients of their log partition; that for the table, `asSummed`, is added to `sum` by the product itself. */
function pieceOf(hidden: Value, table: Value, targets: Value, sum?: Value): HeadGradients {
  const probabilities = softmax(gemm(hidden, table, { transB: 1 }));
  return {
    lossSum: neg(reduceSum(log(targetProbabilities(probabilities, targets)), [0], false)),
    hiddenGradient: gemm(probabilities, table),
    tableGradient: isWide(table)
      ? gemm(hidden, probabilities, { transA: 1 }, sum)
      : gemm(probabilities, hidden, { transA: 1 }, sum),
  };
}

/**
 * The gradient of a wide table is summed up as (D, V), and transposed at the end. A product that made it as (V, D) would read the probabilities
 * down their columns, and where the size of a vocabulary is a power of two their rows share a few places of every cache. The other product copies
 * them instead, which takes as long for a narrow table: each number copied serves D sums.
 */
const isWide = (table: Value): boolean => (table.type.shape[1] as number) >= 256;

/** (V, D) as it is summed up, and that as (V, D) */
const asSummed = (gradient: Value, table: Value): Value =>
  isWide(table) ? transposeLast(gradient) : gradient;

/** probabilities (N, V), targets (N) -> (N), none of them 0 */
function targetProbabilities(probabilities: Value, targets: Value): Value {
  const [rows, width] = probabilities.type.shape as [Dim, number];
  const places = add(cast(targets, 'int64'), rowStarts(targets, rows, width));
  const all = typeof rows === 'number' ? rows * width : `${rows}*${width}`;
  const chosen = gather(reshape(probabilities, [all]), places);
  return add(chosen, scalarLike(chosen, SMALLEST));
}

/** 0, V, 2V, ... : (N) int64 */
function rowStarts(targets: Value, rows: Dim, width: number): Value {
  if (typeof rows === 'number') {
    const starts = Array.from({ length: rows }, (_, i) => i * width);
    return constant(tensor('int64', [rows], starts));
  }
  return mul(range(reshape(shapeOf(targets), []), rows), scalar('int64', width));
}

function inPieces(hidden: Value, table: Value, targets: Value, pieces: number): HeadGradients {
  const [tokens, width] = hidden.type.shape as [number, number];
  const rows = tokens / pieces;
  const carried = [scalar(hidden.type.dtype, 0), zerosLike(asSummed(table, table))];
  const captured = [reshape(hidden, [pieces, rows, width]), table, reshape(targets, [pieces, rows])];
  const count = scalar('int64', pieces);
  const results = repeat({ count, carried, captured, stackedAxis: pieces }, (i, [loss, sum]) => {
    const piece = pieceOf(gather(captured[0]!, i), table, gather(captured[2]!, i), sum);
    return { carried: [add(loss!, piece.lossSum), piece.tableGradient], stacked: [piece.hiddenGradient] };
  });
  const [lossSum, tableGradient] = results.carried;
  const hiddenGradient = reshape(results.stacked[0]!, [tokens, width]);
  return { lossSum: lossSum!, tableGradient: tableGradient!, hiddenGradient };
}
