/**
 * Probabilities of attention are made from their scores a second time for the backward pass. The gradient of the values reads them down their
 * columns, a few numbers from every row: from memory that takes twice as long as from the cache, and what was just written is there, where
 * what was just read need not be. The softmax costs half of what is gained, and the scores are kept instead of it.
 */
import { after, apply, matmul, transposeLast } from '../build.ts';
import { verify } from '../graph.ts';
import type { Attributes, Graph, Node, Value } from '../types.ts';
import { isTransposeLast, type Rewrite, rebuild, remake } from './rebuild.ts';

/**
 * Every softmax whose result P stands in a product P V and, transposed, in a product P' G is computed again, after G, for all that reads P
 * but the products P V. The same numbers come out.
 */
export function recomputeProbabilities(graph: Graph): Graph {
  return verify(rebuild(graph, recomputeScope));
}

function recomputeScope(scope: Graph): Rewrite {
  const gradients = gradientsByProbabilities(scope);
  const made = new Map<Value, Value>();
  const again = new Map<Value, Value>();
  /** What stands for P in the backward pass, once G is made; until then P. */
  const secondOf = (value: Value, now: Value): Value => {
    const gradient = gradients.get(value);
    const trigger = gradient && (gradient.producer ? made.get(gradient) : gradient);
    if (!trigger) return now;
    const { inputs, attributes } = now.producer!;
    const second = again.get(value) ?? apply('Softmax', [after(inputs[0]!, trigger)], attributes)[0]!;
    again.set(value, second);
    return second;
  };
  const rewritten = (node: Node, inputs: readonly Value[], attributes: Attributes): readonly Value[] => {
    const transposed = transposedProbabilities(node);
    if (transposed && gradients.has(transposed)) {
      const probabilities = secondOf(transposed, inputs[0]!.producer!.inputs[0]!);
      return [matmul(transposeLast(probabilities), inputs[1]!)];
    }
    const forward = node.op === 'MatMul' || node.op === 'Transpose';
    const read = forward ? inputs : inputs.map((input, i) => secondOf(node.inputs[i]!, input));
    return remake(node, read, attributes);
  };
  return (node, inputs, attributes) => {
    const outputs = rewritten(node, inputs, attributes);
    for (const [i, output] of node.outputs.entries()) made.set(output, outputs[i]!);
    return outputs;
  };
}

/** P -> G for every softmax with a product P V and a product P' G. */
function gradientsByProbabilities({ nodes }: Graph): ReadonlyMap<Value, Value> {
  const forward = new Set(nodes.flatMap(node => (node.op === 'MatMul' ? [node.inputs[0]!] : [])));
  const found = new Map<Value, Value>();
  for (const node of nodes) {
    const probabilities = transposedProbabilities(node);
    if (probabilities && forward.has(probabilities)) found.set(probabilities, node.inputs[1]!);
  }
  return found;
}

/** P, if the node is a product P' G of a softmax's result P over matrices. */
function transposedProbabilities(node: Node): Value | undefined {
  const left = node.op === 'MatMul' ? node.inputs[0]! : undefined;
  const probabilities = left && isTransposeLast(left) ? left.producer!.inputs[0]! : undefined;
  return probabilities?.producer?.op === 'Softmax' ? probabilities : undefined;
}
