/** Loops: how K training steps, or the chunks of one step, become a single run of the engine. */
import { ShapeError } from '../../base/index.ts';
import { type Rule, UNKNOWN } from '../rule.ts';
import { formatType, type Graph, type Node, sameType, type TensorType, tensorType } from '../types.ts';

/**
 * ONNX `Loop`: inputs are the trip count (int64 scalar), a condition (bool scalar) and the carried values; the body's inputs are the
 * iteration number, the condition and the carried values, its outputs a condition, the carried values and values to be stacked over iterations.
 */
function inferLoop(node: Omit<Node, 'outputs'>): TensorType[] {
  const body = node.attributes['body'] as Graph;
  const carried = node.inputs.slice(2).map(input => input.type);
  const results = body.outputs.map(output => output.value.type);
  if (body.inputs.length !== carried.length + 2)
    throw new ShapeError(
      'Loop',
      carried.map(formatType),
      `the body takes ${body.inputs.length - 2} carried values`,
    );
  carried.forEach((type, i) => {
    const [taken, given] = [body.inputs[i + 2]!.type, results[i + 1]!];
    if (!sameType(type, taken) || !sameType(type, given))
      throw new ShapeError(
        'Loop',
        [type, taken, given].map(formatType),
        `carried value ${i} changes its type`,
      );
  });
  const stacked = results
    .slice(carried.length + 1)
    .map(type => tensorType(type.dtype, [UNKNOWN, ...type.shape]));
  return [...carried, ...stacked];
}

export const control = {
  Loop: {
    infer: inferLoop,
    vjp: { notDifferentiable: 'differentiate the body first and put the result into the loop' },
    flops: () => {
      throw new ShapeError('Loop', [], 'count the operations of its body, times the number of iterations');
    },
  },
} satisfies Record<string, Rule>;
