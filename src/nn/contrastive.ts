/** The contrastive loss. */
import {
  add,
  gather,
  gemm,
  mul,
  reduceLogSumExp,
  reduceSum,
  scalarLike,
  sub,
  type Value,
} from '../graph/index.ts';

/**
 * InfoNCE on cosine similarity, summed over queries: queries (Q, D) and passages (P, D) of unit length, `positives` (Q) the row of each query's
 * positive passage, `mask` (Q, P) 0 where a passage competes and -1e30 where it does not -> () nats.
 * Source: van den Oord et al. 2018; llm-foundry's ContrastiveModel, where all passages of the batch compete.
 */
export function infoNceSum(
  queries: Value,
  passages: Value,
  positives: Value,
  mask: Value,
  temperature: number,
): Value {
  const scores = add(gemm(queries, passages, { transB: 1, alpha: 1 / temperature }), mask); // (Q, P)
  const chosen = reduceSum(mul(queries, gather(passages, positives)), [1], false); // (Q)
  const own = mul(chosen, scalarLike(chosen, 1 / temperature));
  return reduceSum(sub(reduceLogSumExp(scores, [1], false), own), [0], false);
}
