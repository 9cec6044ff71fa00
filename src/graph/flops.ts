/** Counting the work of a graph from its nodes. */
import { type OpName, ops } from './ops/index.ts';
import { constantOf } from './rule.ts';
import { type Graph, isGraph, type Node, numbersOf } from './types.ts';

export interface FlopCount {
  /** Operations of matrix products (2mnk each), executed as emitted: attention is not halved for the causal mask unless blocks are skipped. */
  readonly products: number;
  /** One operation a result element (an input element for reductions) of everything else. */
  readonly elementwise: number;
}

const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'Gemm']);

/** FLOPs of one run of a graph whose sizes are all numbers. Loops whose trip count is known only at run time are counted as `trips` each. */
export function countFlops(graph: Graph, trips = 1): FlopCount {
  let [products, elementwise] = [0, 0];
  for (const node of graph.nodes) {
    const body = node.attributes['body'];
    if (body !== undefined && isGraph(body)) {
      const inner = countFlops(body, trips);
      const times = tripCount(node) ?? trips;
      products += times * inner.products;
      elementwise += times * inner.elementwise;
    } else if (PRODUCTS.has(node.op)) products += ops[node.op as OpName].flops(node);
    else elementwise += ops[node.op as OpName].flops(node);
  }
  return { products, elementwise };
}

function tripCount(loop: Node): number | undefined {
  const constant = constantOf(loop.inputs[0]);
  return constant && numbersOf(constant)[0];
}
