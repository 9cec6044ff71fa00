/** Arithmetic that can be done, or left out, before the graph runs. */
import { apply, scalar } from '../build.ts';
import { verify } from '../graph.ts';
import { type Graph, type Node, sameShape, sameType, type Tensor, type Value } from '../types.ts';
import { type Rewrite, rebuild, remake } from './rebuild.ts';

/**
 * What remains of a gradient after the obvious is done: constants that are stretched stay scalars, products with 1 and sums with 0
 * disappear, and so does transposing back what was transposed. The seed of every backward pass is a stretched 1 and sums of gradients begin
 * with zeros, so this removes whole passes over the data.
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
  const filled = node.op === 'Constant' || node.op === 'ConstantOfShape';
  if (!filled || !node.outputs[0]!.type.dtype.startsWith('float')) return undefined;
  const { data } = node.attributes['value'] as Tensor;
  return data.length === 1 ? Number(data[0]) : undefined;
}

function simplified(
  node: Node,
  inputs: readonly Value[],
  uniform: ReadonlyMap<Value, number>,
): readonly Value[] | undefined {
  const kept = withoutNeutral(node, inputs, uniform) ?? transposedBack(node, inputs);
  if (kept) return [kept];
  return node.op === 'Mul' ? scaled(node, inputs, uniform) : undefined;
}

/** a * 1, 1 * a, a + 0, 0 + a, a - 0: a, if it has the result's type. */
function withoutNeutral(
  node: Node,
  [a, b]: readonly Value[],
  uniform: ReadonlyMap<Value, number>,
): Value | undefined {
  const neutral = NEUTRAL[node.op];
  if (neutral === undefined) return undefined;
  const { type } = node.outputs[0]!;
  if (uniform.get(b!) === neutral && sameType(a!.type, type)) return a;
  const commutes = node.op !== 'Sub';
  return commutes && uniform.get(a!) === neutral && sameType(b!.type, type) ? b : undefined;
}

const NEUTRAL: Readonly<Record<string, number>> = { Mul: 1, Add: 0, Sub: 0 };

/** What was transposed, where this transposes it back. */
function transposedBack(node: Node, [x]: readonly Value[]): Value | undefined {
  const first = x?.producer;
  if (node.op !== 'Transpose' || first?.op !== 'Transpose') return undefined;
  const [inner, outer] = [permOf(first), permOf(node)];
  return outer.every((axis, i) => inner[axis] === i) ? first.inputs[0] : undefined;
}

const permOf = (node: Node): readonly number[] => node.attributes['perm'] as readonly number[];

/** A product with a stretched number becomes one with a scalar. */
function scaled(
  node: Node,
  [a, b]: readonly Value[],
  uniform: ReadonlyMap<Value, number>,
): readonly Value[] | undefined {
  const { dtype, shape } = node.outputs[0]!.type;
  for (const [x, factor] of [
    [a!, b!],
    [b!, a!],
  ] as const) {
    const number = uniform.get(factor);
    if (number !== undefined && factor.type.shape.length > 0 && sameShape(x.type.shape, shape))
      return apply('Mul', [x, scalar(dtype, number)]);
  }
  return undefined;
}
