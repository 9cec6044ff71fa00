/** Graphs as wholes: collecting the nodes that outputs need, and checking that every type still follows from the rules. */
import { InternalError, ShapeError } from '../base/index.ts';
import { inferTypes } from './build.ts';
import { formatType, type Graph, isGraph, type Node, sameType, type Value } from './types.ts';

/**
 * The graph that computes `outputs` from `inputs`. Only nodes that some output needs are part of it: dead nodes cannot be.
 * For the body of a loop, `captured` names the values of the surrounding graph that it reads.
 */
export function makeGraph(
  inputs: readonly Value[],
  outputs: Readonly<Record<string, Value>>,
  captured: readonly Value[] = [],
): Graph {
  const named = Object.entries(outputs).map(([name, value]) => ({ name, value }));
  const known = new Set<Value>([...inputs, ...captured]);
  const nodes = nodesBefore(
    named.map(output => output.value),
    known,
  );
  for (const { value } of named) requireKnown(value, known);
  for (const node of nodes) for (const value of readsOf(node)) requireKnown(value, known);
  return captured.length > 0
    ? { inputs, nodes, outputs: named, captured }
    : { inputs, nodes, outputs: named };
}

function requireKnown(value: Value, known: ReadonlySet<Value>): void {
  if (value.producer || known.has(value)) return;
  throw new InternalError(
    `the graph reads ${value.name ?? 'a value'}: ${formatType(value.type)}, which is not among its inputs`,
  );
}

/** What a node reads: its inputs and what the graphs inside its attributes capture. */
export function readsOf(node: Node): readonly Value[] {
  const captured = Object.values(node.attributes).flatMap(value =>
    value !== undefined && isGraph(value) ? (value.captured ?? []) : [],
  );
  return captured.length > 0 ? [...node.inputs, ...captured] : node.inputs;
}

/** The nodes needed for `targets`, each after what it reads, without going past `known` values. */
export function nodesBefore(targets: readonly Value[], known: ReadonlySet<Value> = new Set()): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, 'open' | 'done'>();
  const stack: Node[] = [];
  const push = (value: Value) => {
    if (value.producer && !known.has(value) && !state.has(value.producer)) stack.push(value.producer);
  };
  for (const target of targets) {
    push(target);
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (!state.has(node)) {
        state.set(node, 'open');
        for (const value of [...readsOf(node)].reverse()) push(value);
      } else {
        stack.pop();
        if (state.get(node) === 'done') continue;
        state.set(node, 'done');
        order.push(node);
      }
    }
  }
  return order;
}

/** Infers every node again and compares; run after every pass. Throws a `ShapeError` at the first node that does not fit. */
export function verify(graph: Graph): Graph {
  const seen = new Set<Value>([...graph.inputs, ...(graph.captured ?? [])]);
  for (const node of graph.nodes) {
    for (const value of readsOf(node)) {
      if (!seen.has(value)) throw new InternalError(`${node.op} reads a value before it is made`);
    }
    inferTypes(node).forEach((type, i) => {
      const held = node.outputs[i]!.type;
      if (!sameType(type, held))
        throw new ShapeError(
          node.op,
          node.inputs.map(v => formatType(v.type)),
          `holds ${formatType(held)}, infers ${formatType(type)}`,
        );
    });
    for (const output of node.outputs) seen.add(output);
    for (const value of Object.values(node.attributes))
      if (value !== undefined && isGraph(value)) verify(value);
  }
  for (const { name, value } of graph.outputs)
    if (!seen.has(value)) throw new InternalError(`output ${name} is never made`);
  return graph;
}
