/** Spelling operators as the engine likes them. */
import { log, reduceMax, softmax, sub } from '../build.ts';
import { attribute, constantNumbers } from '../rule.ts';
import { type Graph, type Node, normalAxis, type Value } from '../types.ts';
import { replaceNodes } from './rebuild.ts';

/**
 * Spells operators in the way the engine is fast at. log sum exp x = max x - log max softmax x (the softmax is what the backward pass
 * needs anyway; its maximum is at least 1/V, so the logarithm is safe): the engine's own ReduceLogSumExp is 15 times slower.
 */
export function lower(graph: Graph): Graph {
  return replaceNodes(graph, lowered);
}

function lowered(node: Node, [x, axes]: readonly Value[]): readonly Value[] | undefined {
  if (node.op !== 'ReduceLogSumExp' || !axes) return undefined;
  const rank = x!.type.shape.length;
  const reduced = constantNumbers(node.op, axes, 'axes').map(axis => normalAxis(axis, rank));
  if (reduced.length !== 1 || reduced[0] !== rank - 1) return undefined;
  const keep = attribute(node, 'keepdims', 1) === 1;
  return [sub(reduceMax(x!, reduced, keep), log(reduceMax(softmax(x!), reduced, keep)))];
}
