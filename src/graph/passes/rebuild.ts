/** The frame of every pass: making a graph anew, node by node. */
import { apply } from '../build.ts';
import { makeGraph, readsOf, verify } from '../graph.ts';
import type { OpName } from '../ops/index.ts';
import { type Attributes, type Graph, isGraph, type Node, type Value } from '../types.ts';

/** What a node becomes, given what its inputs became: its outputs' replacements. */
export type Rewrite = (node: Node, inputs: readonly Value[], attributes: Attributes) => readonly Value[];

/** Makes the rewrite of one scope (the graph, or a loop body), given that scope as it was. */
export type Scope = (scope: Graph) => Rewrite;

/**
 * Makes the graph anew, node by node; every value is replaced by what the rewrite made of its producer. Each scope gets a rewrite of its
 * own from `newScope`, because a body's values live elsewhere; `outer` maps what it captures.
 */
export function rebuild(graph: Graph, newScope: Scope, outer: ReadonlyMap<Value, Value> = new Map()): Graph {
  const rewrite = newScope(graph);
  const replaced = new Map<Value, Value>(outer);
  const current = (value: Value) => replaced.get(value) ?? value;
  for (const node of graph.nodes) {
    const attributes = mapBodies(node.attributes, body => rebuild(body, newScope, replaced));
    rewrite(node, node.inputs.map(current), attributes).forEach((output, i) => {
      replaced.set(node.outputs[i]!, output);
    });
  }
  const outputs = Object.fromEntries(graph.outputs.map(({ name, value }) => [name, current(value)]));
  return makeGraph(graph.inputs, outputs, graph.captured?.map(current));
}

function mapBodies(attributes: Attributes, change: (body: Graph) => Graph): Attributes {
  const entries = Object.entries(attributes);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value !== undefined && isGraph(value) ? change(value) : value]),
  );
}

/** The node as it is, on new inputs. */
export function remake(node: Node, inputs: readonly Value[], attributes: Attributes): readonly Value[] {
  return apply(
    node.op as OpName,
    inputs,
    attributes,
    node.outputs.map(output => output.type.shape),
  );
}

/** The frame of a pass that looks at one node at a time: `replacement` says what takes its place, or nothing where it stays. Verified. */
export function replaceNodes(
  graph: Graph,
  replacement: (node: Node, inputs: readonly Value[]) => readonly Value[] | undefined,
): Graph {
  const rewrite: Rewrite = (node, inputs, attributes) =>
    replacement(node, inputs) ?? remake(node, inputs, attributes);
  return verify(rebuild(graph, () => rewrite));
}

/** Values that one node, or one output, reads. */
export function valuesUsedOnce({ nodes, outputs }: Graph): ReadonlySet<Value> {
  const uses = new Map<Value, number>();
  for (const value of [...nodes.flatMap(readsOf), ...outputs.map(output => output.value)])
    uses.set(value, (uses.get(value) ?? 0) + 1);
  return new Set([...uses].filter(([, count]) => count === 1).map(([value]) => value));
}

/** Is it a value whose last two axes were swapped? */
export function isTransposeLast(value: Value): boolean {
  const node = value.producer;
  if (node?.op !== 'Transpose') return false;
  const perm = node.attributes['perm'] as readonly number[];
  return perm.every((axis, i) => axis === (i < perm.length - 2 ? i : 2 * perm.length - 3 - i));
}
