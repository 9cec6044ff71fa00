/** Counting the work of a graph from its nodes. */
import { type OpName, ops } from './ops/index.ts';
import { type Graph, isGraph } from './types.ts';

export interface FlopCount {
  /** Operations of matrix products (2mnk each), executed as emitted: attention is not halved for the causal mask unless blocks are skipped. */
  readonly products: number;
  /** One operation a result element (an input element for reductions) of everything else. */
  readonly elementwise: number;
}

const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'Gemm']);

/** FLOPs of one run of a graph whose sizes are all numbers; a loop counts as `trips` runs of its body. */
export function countFlops(graph: Graph, trips = 1): FlopCount {
  let [products, elementwise] = [0, 0];
  for (const node of graph.nodes) {
    const body = node.attributes['body'];
    if (body !== undefined && isGraph(body)) {
      const inner = countFlops(body, trips);
      products += trips * inner.products;
      elementwise += trips * inner.elementwise;
    } else if (PRODUCTS.has(node.op)) products += ops[node.op as OpName].flops(node);
    else elementwise += ops[node.op as OpName].flops(node);
  }
  return { products, elementwise };
}
