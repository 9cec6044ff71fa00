/**
 * A contrastive finetuning step as one graph. The texts of a batch come in chunks of similar length, so that little is computed on padding.
 *
 * Two ways to the same gradients:
 * - direct: all chunks forward, the loss, all chunks backward. Every activation of the batch is in memory at once.
 * - cached (GradCache, Gao et al. 2021, arXiv 2101.06983): all chunks forward for their vectors alone; the loss and its gradient for the
 *   vectors; then chunk by chunk forward again and backward. A third more work, and memory for one chunk however large the batch.
 */
import {
  add,
  backward,
  concat,
  constant,
  type Dim,
  type Graph,
  gather,
  grad,
  input,
  int64s,
  makeGraph,
  mul,
  optimize,
  range,
  repeat,
  reshape,
  reshapeTo,
  scatterAdd,
  shapeOf,
  slice,
  sliceAt,
  tensor,
  type Value,
  zerosLike,
} from '../graph/index.ts';
import { type MptConfig, mptEmbed, type ParameterValues } from '../models/index.ts';
import { infoNceSum } from '../nn/index.ts';
import { flattenState, parametersOf, stateInputs, type UpdateOptions, updateState } from './state-graph.ts';

export interface ContrastiveGraphOptions extends UpdateOptions {
  readonly temperature: number;
  /** Chunks of the direct way, each a copy of the model in the graph; 0 for the cached way with any number of chunks. */
  readonly directChunks: number;
}

/** The loss's share of the inputs: which vectors are queries and passages, and which compete. */
interface LossInputs {
  readonly queryRows: Value;
  readonly passageRows: Value;
  readonly positives: Value;
  readonly mask: Value;
  /** 1 / number of queries */
  readonly perQuery: Value;
}

/**
 * Inputs, beside the state: `lengths` int32 (n), the tokens of every text; the loss inputs `queryRows` (Q), `passageRows` (P), `positives` (Q)
 * int64, `mask` (Q, P), `perQuery` (); `learningRate`, `decayScale`, `bias1`, `bias2` ().
 * Direct: `ids0` .. int32 (B, T). Cached: `ids` int32 (M), all chunks one after the other, and `chunks` int64 (C, 4): first id, first text, B, T.
 * Outputs: the state; `loss`, mean nats a query; `gradNorm`; `vectors` (n, D).
 */
export function contrastiveGraph(config: MptConfig, options: ContrastiveGraphOptions): Graph {
  const state = stateInputs(config);
  const parameters = parametersOf(config, state);
  const lengths = input('lengths', 'int32', ['n']);
  const loss: LossInputs = {
    queryRows: input('queryRows', 'int64', ['Q']),
    passageRows: input('passageRows', 'int64', ['P']),
    positives: input('positives', 'int64', ['Q']),
    mask: input('mask', 'float32', ['Q', 'P']),
    perQuery: input('perQuery', 'float32', []),
  };
  const scalars = {
    learningRate: input('learningRate', 'float32', []),
    decayScale: input('decayScale', 'float32', []),
    bias1: input('bias1', 'float32', []),
    bias2: input('bias2', 'float32', []),
  };
  const way = options.directChunks > 0 ? direct : cached;
  const result = way(config, parameters, lengths, loss, options);
  const next = updateState(state, result.gradients, loss.perQuery, scalars, options);
  const flat = flattenState(state);
  const after = Object.fromEntries(flattenState(next.state).map((value, i) => [flat[i]!.name!, value]));
  const inputs = [...flat, ...result.inputs, lengths, ...Object.values(loss), ...Object.values(scalars)];
  const outputs = {
    loss: mul(result.lossSum, loss.perQuery),
    gradNorm: next.gradNorm,
    vectors: result.vectors,
  };
  return optimize(makeGraph(inputs, { ...after, ...outputs }));
}

interface Gradients {
  readonly inputs: readonly Value[];
  readonly lossSum: Value;
  readonly vectors: Value;
  /** Of the sum over queries, in the order of the parameters. */
  readonly gradients: readonly Value[];
}

function lossOf(vectors: Value, loss: LossInputs, temperature: number): Value {
  const [queries, passages] = [gather(vectors, loss.queryRows), gather(vectors, loss.passageRows)];
  return infoNceSum(queries, passages, loss.positives, loss.mask, temperature);
}

function direct(
  config: MptConfig,
  parameters: ParameterValues,
  lengths: Value,
  loss: LossInputs,
  { directChunks, temperature }: ContrastiveGraphOptions,
): Gradients {
  const ids = Array.from({ length: directChunks }, (_, i) => input(`ids${i}`, 'int32', [`B${i}`, `T${i}`]));
  let start: Value = int64s(0);
  const vectors = ids.map((chunk, i) => {
    const end = add(start, slice(shapeOf(chunk), 0, 0, 1));
    const own = sliceAt(lengths, 0, start, end, `B${i}`);
    start = end;
    return mptEmbed(config, parameters, chunk, own, `N${i}`);
  });
  const all = stackRows(vectors);
  const lossSum = lossOf(all, loss, temperature);
  // Rows are joined by scattering them into zeros, whose gradient, a gathering, needs no sizes in advance.
  return { inputs: ids, lossSum, vectors: all, gradients: grad(lossSum, [...parameters.values()]) };
}

/** Chunks (B_i, D) -> (n, D). Concatenation would do, but its gradient cuts at sizes that are known only at run time. */
function stackRows(chunks: readonly Value[]): Value {
  const width = chunks[0]!.type.shape[1]!;
  const counts = chunks.map(chunk => slice(shapeOf(chunk), 0, 0, 1));
  const ends: Value[] = [];
  for (const count of counts) ends.push(ends.length > 0 ? add(ends.at(-1)!, count) : count);
  const zeros = emptyRows(ends.at(-1)!, width as number);
  return chunks.reduce(
    (all, chunk, i) => scatterAdd(all, rowNumbers(counts[i]!, ends[i - 1], chunk.type.shape[0]!), chunk),
    zeros,
  );
}

/** first, first + 1, ... : (count) int64; count and first are int64 vectors of length 1 */
function rowNumbers(count: Value, first: Value | undefined, size: Dim): Value {
  const numbers = range(reshape(count, []), size);
  return first ? add(numbers, first) : numbers;
}

/** (n, width) zeros, n being known when the graph runs */
function emptyRows(count: Value, width: number): Value {
  const row = constant(tensor('float32', [1, width], new Array<number>(width).fill(0)));
  return gather(row, mul(rowNumbers(count, undefined, 'n'), int64s(0)));
}

function cached(
  config: MptConfig,
  parameters: ParameterValues,
  lengths: Value,
  loss: LossInputs,
  { temperature }: ContrastiveGraphOptions,
): Gradients {
  const ids = input('ids', 'int32', ['M']);
  const chunks = input('chunks', 'int64', ['C', 4]);
  const weights = [...parameters.values()];
  const count = reshape(slice(shapeOf(chunks), 0, 0, 1), []);
  const captured = [ids, chunks, lengths, ...weights];
  const zeros = emptyRows(shapeOf(lengths), config.dModel);
  const first = repeat({ count, carried: [zeros], captured }, (i, [sofar]) => {
    const { rows, vectors } = embedChunk(config, parameters, ids, gather(chunks, i), lengths);
    return { carried: [scatterAdd(sofar!, rows, vectors)] };
  });
  const vectors = first.carried[0]!;
  const lossSum = lossOf(vectors, loss, temperature);
  const [vectorGradients] = grad(lossSum, [vectors]);
  const second = repeat(
    { count, carried: weights.map(zerosLike), captured: [...captured, vectorGradients!] },
    (i, sums) => {
      const chunk = embedChunk(config, parameters, ids, gather(chunks, i), lengths);
      const gradients = backward([chunk.vectors], [gather(vectorGradients!, chunk.rows)], weights);
      return { carried: gradients.map((gradient, k) => add(sums[k]!, gradient)) };
    },
  );
  return { inputs: [ids, chunks], lossSum, vectors, gradients: second.carried };
}

/** One chunk, described by (4) int64: the rows of its texts and their vectors. */
function embedChunk(
  config: MptConfig,
  parameters: ParameterValues,
  ids: Value,
  chunk: Value,
  lengths: Value,
): { readonly rows: Value; readonly vectors: Value } {
  const [firstId, firstText, batch, length] = [0, 1, 2, 3].map(i => slice(chunk, 0, i, i + 1)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const flat = sliceAt(ids, 0, firstId, add(firstId, mul(batch, length)), 'N');
  const own = reshapeTo(flat, concat([batch, length], 0), ['B', 'T']);
  const counts = sliceAt(lengths, 0, firstText, add(firstText, batch), 'B');
  return { rows: rowNumbers(batch, firstText, 'B'), vectors: mptEmbed(config, parameters, own, counts, 'N') };
}
