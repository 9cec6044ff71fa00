/**
 * Adding up at repeated indices, safely. ONNX Runtime's ScatterND shares the updates out among threads without a lock, also for reduction
 * `add`: two threads that add to the same row at once lose one of the sums (its issue 18048). The gradient of an embedding table, where
 * frequent tokens repeat most, was off by 5 to 10% of its norm at 2,048 tokens of width 128.
 */
import { InternalError } from '../../base/index.ts';
import { apply, expandLike, split } from '../build.ts';
import { attribute } from '../rule.ts';
import { elementCount, formatType, type Graph, type Node, type Value } from '../types.ts';
import { replaceNodes } from './rebuild.ts';

/**
 * ScatterND works on one thread below 210,000 elements of updates: its cost model takes one cycle an element, 100,000 cycles to begin with
 * and 100,000 for every further thread (measured to the row in version 1.30).
 */
const ELEMENTS_OF_ONE_THREAD = 200_000;

/**
 * Spells every ScatterND that adds so that the CPU engine does it on one thread, in the order of the updates: as several of few updates each
 * or, where the number of updates is known only at run time, as ScatterElements, which is sequential but 4 times as slow.
 */
export function orderScatters(graph: Graph): Graph {
  return replaceNodes(graph, ordered);
}

function ordered(node: Node, inputs: readonly Value[]): readonly Value[] | undefined {
  if (node.op !== 'ScatterND' || attribute<string>(node, 'reduction', 'none') !== 'add') return undefined;
  const [data, indices, updates] = inputs as [Value, Value, Value];
  const elements = elementCount(updates.type.shape);
  if (elements === undefined) return [elementwise(data, indices, updates)];
  return elements > ELEMENTS_OF_ONE_THREAD ? [inPieces(data, indices, updates, elements)] : undefined;
}

function inPieces(data: Value, indices: Value, updates: Value, elements: number): Value {
  const count = updates.type.shape[0] as number;
  const rows = Math.max(1, Math.floor(ELEMENTS_OF_ONE_THREAD / (elements / count)));
  const sizes = Array.from({ length: Math.ceil(count / rows) }, (_, i) => Math.min(rows, count - i * rows));
  const [places, parts] = [split(indices, 0, sizes), split(updates, 0, sizes)];
  return sizes.reduce(
    (sum, _, i) => apply('ScatterND', [sum, places[i]!, parts[i]!], { reduction: 'add' })[0]!,
    data,
  );
}

/** data (V, D), indices (N, 1), updates (N, D), N being known when the graph runs */
function elementwise(data: Value, indices: Value, updates: Value): Value {
  if (data.type.shape.length !== 2 || indices.type.shape.length !== 2 || indices.type.shape[1] !== 1)
    throw new InternalError(
      `no sequential form of ScatterND for ${formatType(data.type)} at ${formatType(indices.type)}`,
    );
  const places = expandLike(indices, updates);
  return apply('ScatterElements', [data, places, updates], { axis: 0, reduction: 'add' })[0]!;
}
