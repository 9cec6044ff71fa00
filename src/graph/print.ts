/** Graphs as text: what tests compare and people read. */
import { constantOf } from './rule.ts';
import {
  type AttributeValue,
  formatType,
  type Graph,
  isGraph,
  isTensor,
  numbersOf,
  type Tensor,
  type Value,
} from './types.ts';

/**
 * One line a node, in order: `%2: float32[8, 4] = Gemm(%x, %w) {transB: 1}`. Values are numbered in the order they are made;
 * small constants stand where they are used.
 */
export function printGraph(graph: Graph): string {
  return lines(graph, new Map(), { next: 0 }, '').join('\n');
}

function lines(
  graph: Graph,
  outer: ReadonlyMap<Value, string>,
  counter: { next: number },
  indent: string,
): string[] {
  const names = new Map<Value, string>(outer);
  for (const value of graph.inputs) names.set(value, `%${value.name ?? counter.next++}`);
  const nameOf = (value: Value) => names.get(value) ?? inline(value) ?? '%?';
  const text = [
    `${indent}graph(${graph.inputs.map(v => `${names.get(v)}: ${formatType(v.type)}`).join(', ')}) {`,
  ];
  for (const node of graph.nodes) {
    if (node.outputs.length === 1 && inline(node.outputs[0]!)) continue;
    const inputs = node.inputs.map(nameOf).join(', ');
    const bodies = Object.values(node.attributes).filter(
      value => value !== undefined && isGraph(value),
    ) as Graph[];
    const inner = bodies.flatMap(body => lines(body, names, counter, `${indent}    `));
    for (const output of node.outputs) names.set(output, `%${counter.next++}`);
    const results = node.outputs.map(v => `${names.get(v)}: ${formatType(v.type)}`).join(', ');
    text.push(`${indent}  ${results} = ${node.op}(${inputs})${printAttributes(node.attributes)}`, ...inner);
  }
  text.push(
    `${indent}  return ${graph.outputs.map(({ name, value }) => `${name}: ${nameOf(value)}`).join(', ')}`,
    `${indent}}`,
  );
  return text;
}

/** A constant of up to 8 numbers is written in place. */
function inline(value: Value): string | undefined {
  const constant = constantOf(value);
  return constant && constant.data.length <= 8 ? printTensor(constant) : undefined;
}

function printTensor(value: Tensor): string {
  if (value.data.length > 8) return `<${formatType(value)}>`;
  const text = numbersOf(value).map(n => String(Number(n.toPrecision(7))));
  return value.shape.length === 0 ? text.join() : `[${text.join(', ')}]`;
}

function printAttributes(attributes: Readonly<Record<string, AttributeValue | undefined>>): string {
  const shown = Object.entries(attributes).flatMap(([name, value]) => {
    if (value === undefined || isGraph(value)) return [];
    return [
      `${name}: ${typeof value === 'object' && isTensor(value) ? printTensor(value) : Array.isArray(value) ? `[${value.join(', ')}]` : value}`,
    ];
  });
  return shown.length > 0 ? ` {${shown.join(', ')}}` : '';
}
