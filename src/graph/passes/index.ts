/** Graph -> graph rewrites. Each keeps what is computed and ends with `verify`. */
import type { Graph } from '../types.ts';
import { moveIndices } from './gathers.ts';
import { lower } from './lower.ts';
import { eliminateCommonSubexpressions, eliminateDeadNodes } from './merge.ts';
import { transposeNarrowFactors } from './narrow.ts';
import { reassociate } from './reassociate.ts';
import { recomputeProbabilities } from './recompute.ts';
import { orderScatters } from './scatter.ts';
import { simplify } from './simplify.ts';

export {
  eliminateCommonSubexpressions,
  eliminateDeadNodes,
  lower,
  moveIndices,
  orderScatters,
  reassociate,
  recomputeProbabilities,
  simplify,
  transposeNarrowFactors,
};

/** All passes a graph goes through before it runs. */
export function optimize(graph: Graph): Graph {
  return eliminateCommonSubexpressions(
    reassociate(eliminateCommonSubexpressions(moveIndices(simplify(lower(graph))))),
  );
}
