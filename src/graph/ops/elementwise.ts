/** Operators that treat every element alike. Binary ones broadcast; `grad` undoes the broadcasting of what their rules return. */
import { broadcastShapes, expectFloat, expectSameDtype } from '../broadcast.ts';
import { cast, div, exp, mul, neg, scalarLike, sub, where } from '../build.ts';
import { attribute, flopPerElement, noFlops, type Rule, type Vjp } from '../rule.ts';
import { type DType, type Node, type TensorType, tensorType, type Value } from '../types.ts';

type Untyped = Omit<Node, 'outputs'>;

function inferUnary(node: Untyped): TensorType[] {
  expectFloat(node.op, node.inputs[0]!.type);
  return [node.inputs[0]!.type];
}

function inferBinary(node: Untyped): TensorType[] {
  const [a, b] = [node.inputs[0]!.type, node.inputs[1]!.type];
  return [tensorType(expectSameDtype(node.op, [a, b]), broadcastShapes(node.op, a, b))];
}

function inferComparison(node: Untyped): TensorType[] {
  return [tensorType('bool', inferBinary(node)[0]!.shape)];
}

function inferWhere(node: Untyped): TensorType[] {
  const [condition, a, b] = node.inputs.map(input => input.type) as [TensorType, TensorType, TensorType];
  const dtype = expectSameDtype(node.op, [a, b]);
  const both = tensorType(dtype, broadcastShapes(node.op, a, b));
  return [tensorType(dtype, broadcastShapes(node.op, condition, both))];
}

const inferCast = (node: Untyped): TensorType[] => [
  tensorType(attribute<DType>(node, 'to', 'float32'), node.inputs[0]!.type.shape),
];

/** A rule for y = f(x) from dy and the forward values. */
function unary(gradient: (dy: Value, x: Value, y: Value) => Value): Rule {
  const vjp: Vjp = ({ grads, inputs, outputs }) => [gradient(grads[0]!, inputs[0]!, outputs[0]!)];
  return { infer: inferUnary, vjp, flops: flopPerElement };
}

function binary(
  gradient: (dy: Value, a: Value, b: Value, y: Value) => readonly [() => Value, () => Value],
): Rule {
  const vjp: Vjp = ({ grads, inputs, outputs, wanted }) => {
    const [da, db] = gradient(grads[0]!, inputs[0]!, inputs[1]!, outputs[0]!);
    return [wanted[0] ? da() : undefined, wanted[1] ? db() : undefined];
  };
  return { infer: inferBinary, vjp, flops: flopPerElement };
}

const comparison: Rule = {
  infer: inferComparison,
  vjp: { notDifferentiable: 'a comparison is piecewise constant' },
  flops: noFlops,
};

/** d/dx erf(x) = 2/sqrt(pi) exp(-x^2), as exp(log(2/sqrt(pi)) - x^2): one pass over the data fewer. */
const erfSlope = (x: Value): Value => exp(sub(scalarLike(x, Math.log(2 / Math.sqrt(Math.PI))), mul(x, x)));

export const elementwise = {
  Add: binary(dy => [() => dy, () => dy]),
  Sub: binary(dy => [() => dy, () => neg(dy)]),
  Mul: binary((dy, a, b) => [() => mul(dy, b), () => mul(dy, a)]),
  Div: binary((dy, _a, b, y) => [() => div(dy, b), () => neg(div(mul(dy, y), b))]),
  Neg: unary(dy => neg(dy)),
  Exp: unary((dy, _x, y) => mul(dy, y)),
  Log: unary((dy, x) => div(dy, x)),
  Sqrt: unary((dy, _x, y) => div(mul(dy, scalarLike(y, 0.5)), y)),
  Reciprocal: unary((dy, _x, y) => neg(mul(dy, mul(y, y)))),
  Erf: unary((dy, x) => mul(dy, erfSlope(x))),
  Tanh: unary((dy, _x, y) => mul(dy, sub(scalarLike(y, 1), mul(y, y)))),
  Identity: { infer: node => [node.inputs[0]!.type], vjp: ({ grads }) => [grads[0]], flops: noFlops },
  Where: {
    infer: inferWhere,
    vjp: ({ grads, inputs }) => {
      const [condition, dy] = [inputs[0]!, grads[0]!];
      return [undefined, where(condition, dy, scalarLike(dy, 0)), where(condition, scalarLike(dy, 0), dy)];
    },
    flops: noFlops,
  },
  Min: {
    infer: inferBinary,
    vjp: { notDifferentiable: 'use Where on a comparison, which says what happens at ties' },
    flops: flopPerElement,
  },
  Max: {
    infer: inferBinary,
    vjp: { notDifferentiable: 'use Where on a comparison, which says what happens at ties' },
    flops: flopPerElement,
  },
  Cast: {
    infer: inferCast,
    vjp: ({ grads, inputs }) => [cast(grads[0]!, inputs[0]!.type.dtype)],
    flops: noFlops,
  },
  Less: comparison,
  Greater: comparison,
  Equal: comparison,
} satisfies Record<string, Rule>;
