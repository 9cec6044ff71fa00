/** Arithmetic that can be done, or left out, before the graph runs. */
import { apply, scalar } from '../build.ts';
import { verify } from '../graph.ts';
import { constantOf } from '../rule.ts';
import { type Graph, type Node, numbersOf, sameShape, sameType, type Value } from '../types.ts';
import { type Rewrite, rebuild, remake } from './rebuild.ts';

/**
 * What remains of a gradient after the obvious is done: constants that are stretched stay scalars, products with 1 and sums with 0
 * disappear. The seed of every backward pass is a stretched 1, so this removes whole passes over the data.
 */
export function simplify(graph: Graph): Graph {
  return verify(rebuild(graph, simplifyScope));
}

function simplifyScope(): Rewrite {
  /** Values whose elements are all one known number. */
  const uniform = new Map<Value, number>();
  return (node, inputs, attributes) => {
    const outputs = simplified(node, inputs, uniform) ?? remake(node, inputs, attributes);
    const number = uniformNumber(node, inputs, uniform);
    if (number !== undefined) uniform.set(outputs[0]!, number);
    return outputs;
  };
}

const MOVES: ReadonlySet<string> = new Set(['Expand', 'Reshape', 'Identity', 'Transpose']);

function uniformNumber(
  node: Node,
  inputs: readonly Value[],
  uniform: ReadonlyMap<Value, number>,
): number | undefined {
  if (MOVES.has(node.op)) return uniform.get(inputs[0]!);
  if (node.op === 'Neg' && uniform.has(inputs[0]!)) return -uniform.get(inputs[0]!)!;
  if (node.op !== 'Constant' || node.outputs[0]!.type.dtype.startsWith('int')) return undefined;
  const numbers = numbersOf(constantOf(node.outputs[0]!)!);
  return numbers.length === 1 ? numbers[0] : undefined;
}

function simplified(
  node: Node,
  inputs: readonly Value[],
  uniform: ReadonlyMap<Value, number>,
): readonly Value[] | undefined {
  const [a, b] = inputs;
  const { type } = node.outputs[0]!;
  const number = (value: Value | undefined) => (value ? uniform.get(value) : undefined);
  if (node.op !== 'Mul') return undefined;
  if (number(b) === 1 && sameType(a!.type, type)) return [a!];
  if (number(a) === 1 && sameType(b!.type, type)) return [b!];
  if (number(b) !== undefined && b!.type.shape.length > 0 && sameShape(a!.type.shape, type.shape)) {
    return apply('Mul', [a!, scalar(type.dtype, number(b)!)]);
  }
  if (number(a) !== undefined && a!.type.shape.length > 0 && sameShape(b!.type.shape, type.shape)) {
    return apply('Mul', [b!, scalar(type.dtype, number(a)!)]);
  }
  return undefined;
}
