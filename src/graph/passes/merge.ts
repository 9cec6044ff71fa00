/** Dropping what nobody needs and computing equal things once. */
import { verify } from '../graph.ts';
import { type Attributes, type Graph, isGraph, isTensor, type Node, type Value } from '../types.ts';
import { type Rewrite, rebuild, remake } from './rebuild.ts';

/** Drops nodes that no output needs, also inside loop bodies. Graphs from `makeGraph` have none; rewritten ones may. */
export function eliminateDeadNodes(graph: Graph): Graph {
  return verify(rebuild(graph, () => remake));
}

/** Computes equal things once: nodes with the same operator, attributes and inputs become one. */
export function eliminateCommonSubexpressions(graph: Graph): Graph {
  return verify(rebuild(graph, mergeEqual));
}

/** Merges equal nodes of one scope. */
function mergeEqual(): Rewrite {
  const ids = new Map<Value, number>();
  const idOf = (value: Value) => {
    if (!ids.has(value)) ids.set(value, ids.size);
    return ids.get(value)!;
  };
  const made = new Map<string, readonly Value[]>();
  return (node, inputs, attributes) => {
    const key = keyOf(node, inputs, attributes, idOf);
    const outputs = (key !== undefined && made.get(key)) || remake(node, inputs, attributes);
    if (key !== undefined) made.set(key, outputs);
    return outputs;
  };
}

/** Constants up to this many bytes are compared by content; larger ones stay as they are. */
const SMALL_CONSTANT = 4096;

/** What a node computes, as text; undefined for nodes that are never merged (loops, large constants). */
function keyOf(
  node: Node,
  inputs: readonly Value[],
  attributes: Attributes,
  idOf: (value: Value) => number,
): string | undefined {
  const parts: unknown[] = [node.op, inputs.map(idOf), node.outputs.map(output => output.type)];
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    if (typeof value === 'object' && isGraph(value)) return undefined;
    if (typeof value === 'object' && isTensor(value)) {
      if (value.data.byteLength > SMALL_CONSTANT) return undefined;
      parts.push(name, value.dtype, value.shape, bytesOf(value.data));
    } else parts.push(name, value);
  }
  return JSON.stringify(parts);
}

const bytesOf = (data: ArrayBufferView): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
