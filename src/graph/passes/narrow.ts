/**
 * Narrow factors are transposed before a product reads them down their columns. The engine turns such a factor round in small pieces, again for
 * every 128 columns of the result, which takes 13 to 16% of the product; to transpose it once costs less, unless it is large beside the product.
 */
import { type GemmOptions, gemm, transposeLast } from '../build.ts';
import { attribute } from '../rule.ts';
import type { Graph, Node, Value } from '../types.ts';
import { replaceNodes } from './rebuild.ts';

/** At 128 it gains nothing. */
const FEWEST_ROWS = 256;

/**
 * Every product A' B of matrices whose result has at least 256 rows, and twice as many columns as rows, or more: the gradients of weights
 * that widen, and of wide vocabularies. The same sums in the same order. A session must not fuse the transposition into the product again.
 */
export function transposeNarrowFactors(graph: Graph): Graph {
  return replaceNodes(graph, transposedFirst);
}

function transposedFirst(node: Node, [a, b, c]: readonly Value[]): readonly Value[] | undefined {
  if (node.op !== 'Gemm' || attribute(node, 'transA', 0) === 0) return undefined;
  const [rows, columns] = node.outputs[0]!.type.shape;
  const narrow = typeof rows === 'number' && typeof columns === 'number' && columns >= 2 * rows;
  if (!narrow || rows < FEWEST_ROWS) return undefined;
  const options: GemmOptions = { ...node.attributes, transA: 0 };
  return [gemm(transposeLast(a!), b!, options, c)];
}
