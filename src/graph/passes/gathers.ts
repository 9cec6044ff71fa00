/**
 * What cuts, joins or reshapes the rows that a Gather returns is itself a Gather, by indices that were cut, joined or reshaped: rows are copied
 * once, straight to where they are wanted, on all threads. The engine's Split, Slice and Concat copy again, on one.
 */
import { apply, concat, gather, int64s, reshape, split } from '../build.ts';
import { verify } from '../graph.ts';
import { attribute, constantNumbers, constantOf } from '../rule.ts';
import { type Graph, type Node, normalAxis, sameShape, type Value } from '../types.ts';
import { type Rewrite, rebuild, remake, valuesUsedOnce } from './rebuild.ts';

export function moveIndices(graph: Graph): Graph {
  return verify(rebuild(graph, moveIndicesScope));
}

function moveIndicesScope(scope: Graph): Rewrite {
  const usedOnce = valuesUsedOnce(scope);
  return (node, inputs, attributes) =>
    moved(node, inputs, usedOnce.has(node.inputs[0]!)) ?? remake(node, inputs, attributes);
}

function moved(node: Node, inputs: readonly Value[], usedOnce: boolean): readonly Value[] | undefined {
  const rows = rowsOf(inputs[0]);
  if (!rows) return undefined;
  const { data, indices } = rows;
  const rank = indices.type.shape.length;
  /** An axis of the rows as an axis of the indices; undefined where it lies within a row. */
  const indexAxis = (axis: number): number | undefined => {
    const normal = normalAxis(axis, inputs[0]!.type.shape.length);
    return normal < rank ? normal : undefined;
  };
  switch (node.op) {
    case 'Split': {
      const axis = indexAxis(attribute(node, 'axis', 0));
      if (axis === undefined) return undefined;
      return split(indices, axis, constantNumbers('Split', inputs[1], 'sizes')).map(part =>
        gather(data, part),
      );
    }
    case 'Slice': {
      const [starts, ends] = [constantOf(inputs[1]), constantOf(inputs[2])];
      const axes = constantNumbers('Slice', inputs[3], 'axes').map(indexAxis);
      if (!starts || !ends || axes.includes(undefined)) return undefined;
      const bounds = [inputs[1]!, inputs[2]!, int64s(...(axes as number[]))];
      return [gather(data, apply('Slice', [indices, ...bounds])[0]!)];
    }
    case 'Concat': {
      const all = inputs.map(value => rowsOf(value));
      const axis = indexAxis(attribute(node, 'axis', 0));
      if (axis === undefined || all.some(other => other?.data !== data)) return undefined;
      const joined = all.map(other => other!.indices);
      return [gather(data, concat(joined, axis))];
    }
    case 'Reshape': {
      // The rows must stay whole, and must not be gathered twice. Sizes that are computed may be there for the sake of order (`after`).
      const { shape } = node.outputs[0]!.type;
      const width = data.type.shape.slice(1);
      const lead = shape.slice(0, shape.length - width.length);
      const whole = sameShape(shape.slice(lead.length), width) && lead.every(dim => typeof dim === 'number');
      return usedOnce && whole && lead.length > 0 && constantOf(inputs[1])
        ? [gather(data, reshape(indices, lead))]
        : undefined;
    }
    default:
      return undefined;
  }
}

/** What a Gather along axis 0 reads, and where. */
function rowsOf(value: Value | undefined): { readonly data: Value; readonly indices: Value } | undefined {
  const node = value?.producer;
  if (node?.op !== 'Gather' || attribute(node, 'axis', 0) !== 0) return undefined;
  const [data, indices] = node.inputs as [Value, Value];
  return indices.type.shape.every(dim => typeof dim === 'number') && indices.type.shape.length > 0
    ? { data, indices }
    : undefined;
}
