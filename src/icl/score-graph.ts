/** The graph that scores tokens: hidden states everywhere, the output head only where a token is asked about. */
import {
  cast,
  type Graph,
  gather,
  gemm,
  input,
  makeGraph,
  mul,
  optimize,
  reduceLogSumExp,
  reduceSum,
  repeat,
  reshape,
  sub,
  topK,
  type Value,
} from '../graph/index.ts';
import { type MptConfig, mptHidden, parameterInputs, TOKEN_EMBEDDING } from '../models/index.ts';

/** Logits in memory at once: 16 MB of float32. */
const LOGITS_AT_ONCE = 1 << 22;

/** Rows of a piece: of (rows, V) logits, a power of two from 8 to 64: few places are asked about, and those of a piece that stand empty cost as much. */
export function pieceRows(vocabSize: number): number {
  const fits = 2 ** Math.floor(Math.log2(LOGITS_AT_ONCE / vocabSize));
  return Math.min(64, Math.max(8, fits));
}

/**
 * ids (B, T) int32; places (P) int32, indices into the B*T positions; targets (P) int32, the tokens asked about; pieces () int64 = P / rows
 *   -> logProbabilities (P): log p(target | what stands up to its place), nats; best (P) int32: the most likely token there.
 * P is a multiple of `rows`: the logits exist for `rows` places at a time, whatever the vocabulary.
 */
export function scoreGraph(config: MptConfig, rows: number): Graph {
  const weights = parameterInputs(config);
  const table = weights.get(TOKEN_EMBEDDING)!;
  const ids = input('ids', 'int32', ['B', 'T']);
  const places = input('places', 'int32', ['P']);
  const targets = input('targets', 'int32', ['P']);
  const pieces = input('pieces', 'int64', []);
  const states = gather(mptHidden(config, weights, ids, { tokens: 'N', padded: true }), places); // (P, D)
  const stacked = reshape(states, ['pieces', rows, config.dModel]);
  const { stacked: results } = repeat(
    { count: pieces, carried: [], captured: [stacked, table], stackedAxis: 'pieces' },
    i => ({ carried: [], stacked: headOf(gather(stacked, i), table) }),
  );
  const [partition, best] = results.map(value => reshape(value, ['P'])) as [Value, Value];
  const logits = reduceSum(mul(states, gather(table, targets)), [1], false); // (P)
  return optimize(
    makeGraph([...weights.values(), ids, places, targets, pieces], {
      logProbabilities: sub(logits, partition),
      best,
    }),
  );
}

/** States (R, D) -> log of the sum of exp(logit) (R), index of the largest logit (R) int32; of equal logits the first. */
function headOf(states: Value, table: Value): readonly [Value, Value] {
  const logits = gemm(states, table, { transB: 1 }); // (R, V)
  const { places } = topK(logits, 1);
  return [reduceLogSumExp(logits, [1], false), cast(reshape(places, [states.type.shape[0]!]), 'int32')];
}
