/**
 * A second, independent way to run a graph: every operator written naively over float64 numbers. Slow on purpose: the oracle
 * of tests and of `doctor`. Engine kernels must agree with it, and gradients are checked against finite differences of it.
 */
import { InternalError } from '../../base/index.ts';
import type { Graph, Node, Value } from '../types.ts';
import { make, type Numbers } from './arrays.ts';
import { kernelOf } from './kernels.ts';

/** Runs a graph on named inputs. */
export function evaluate(graph: Graph, feeds: Readonly<Record<string, Numbers>>): Record<string, Numbers> {
  const values = new Map<Value, Numbers>();
  for (const input of graph.inputs) {
    const feed = feeds[input.name!];
    if (!feed) throw new InternalError(`no feed for ${input.name}`);
    values.set(input, feed);
  }
  run(graph, values);
  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, values.get(value)!]));
}

function run(graph: Graph, values: Map<Value, Numbers>): void {
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(input => values.get(input)!);
    const results = node.op === 'Loop' ? runLoop(node, inputs, values) : kernelOf(node.op)(node, inputs);
    node.outputs.forEach((output, i) => {
      const expected = output.type.shape;
      const { shape } = results[i]!;
      const fits =
        expected.length === shape.length &&
        expected.every((dim, axis) => typeof dim === 'string' || dim === shape[axis]);
      if (!fits) throw new InternalError(`${node.op} made [${shape}], inferred [${expected}]`);
      values.set(output, { ...results[i]!, dtype: output.type.dtype });
    });
  }
}

function runLoop(node: Node, inputs: readonly Numbers[], outer: ReadonlyMap<Value, Numbers>): Numbers[] {
  const body = node.attributes['body'] as Graph;
  let carried = inputs.slice(2);
  const stacks: number[][] = [];
  const stackShapes: (readonly number[])[] = [];
  const count = inputs[0]!.data[0]!;
  for (let i = 0; i < count; i++) {
    const values = new Map(outer);
    const feeds = [make([], [i]), make([], [1]), ...carried];
    body.inputs.forEach((input, k) => {
      values.set(input, feeds[k]!);
    });
    run(body, values);
    const results = body.outputs.map(({ value }) => values.get(value)!);
    carried = results.slice(1, 1 + carried.length);
    results.slice(1 + carried.length).forEach((result, k) => {
      stacks[k] = [...(stacks[k] ?? []), ...result.data];
      stackShapes[k] = [count, ...result.shape];
    });
  }
  return [...carried, ...stacks.map((data, k) => make(stackShapes[k]!, data))];
}
