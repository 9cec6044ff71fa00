/** Operators that combine elements along axes. */
import { ShapeError } from '../../base/index.ts';
import { expectFloat } from '../broadcast.ts';
import { expandLike, mul, reduceMean, reduceSum, reshape, scalarLike, softmax, sub } from '../build.ts';
import {
  attribute,
  constantNumbers,
  constantOf,
  flopPerInputElement,
  type Rule,
  type VjpArguments,
} from '../rule.ts';
import {
  type Dim,
  formatType,
  type Node,
  normalAxis,
  numbersOf,
  type Shape,
  type TensorType,
  tensorType,
  type Value,
} from '../types.ts';

type Untyped = Omit<Node, 'outputs'>;

/** The axes a reduction runs over; no axes input means all of them. */
function reducedAxes(node: Untyped): number[] {
  const { shape } = node.inputs[0]!.type;
  if (!node.inputs[1]) return shape.map((_, i) => i);
  return constantNumbers(node.op, node.inputs[1], 'axes').map(axis => normalAxis(axis, shape.length));
}

function inferReduction(node: Untyped): TensorType[] {
  const { dtype, shape } = node.inputs[0]!.type;
  const axes = reducedAxes(node);
  if (axes.some(axis => axis < 0 || axis >= shape.length))
    throw new ShapeError(node.op, [formatType(node.inputs[0]!.type)], `no axis ${axes}`);
  const keep = attribute(node, 'keepdims', 1) === 1;
  return [
    tensorType(
      dtype,
      shape.flatMap((dim, i) => (axes.includes(i) ? (keep ? [1] : []) : [dim])),
    ),
  ];
}

/** Puts the reduced axes back as size 1, so that the gradient broadcasts against the input. */
function restoreAxes(args: VjpArguments, value: Value): Value {
  if (attribute(args.node, 'keepdims', 1) === 1) return value;
  const axes = reducedAxes(args.node);
  const shape: Shape = args.inputs[0]!.type.shape.map((dim, i) => (axes.includes(i) ? 1 : dim));
  return reshape(value, shape);
}

/** How many elements each result combines; sizes known only at run time cannot be divided by. */
function reducedCount(node: Untyped): number {
  const { shape } = node.inputs[0]!.type;
  return reducedAxes(node).reduce((count, axis) => {
    const dim: Dim = shape[axis]!;
    if (typeof dim !== 'number')
      throw new ShapeError(
        node.op,
        [formatType(node.inputs[0]!.type)],
        `the gradient of a mean over ${dim} needs a fixed size`,
      );
    return count * dim;
  }, 1);
}

const reduction = { infer: inferReduction, flops: flopPerInputElement };

function inferNormalization(node: Untyped): TensorType[] {
  const [x, scale, bias] = node.inputs.map(input => input.type) as [
    TensorType,
    TensorType,
    TensorType | undefined,
  ];
  expectFloat(node.op, x);
  const width = x.shape.at(-1);
  for (const type of bias ? [scale, bias] : [scale]) {
    if (type.shape.length !== 1 || type.shape[0] !== width)
      throw new ShapeError(node.op, [formatType(x), formatType(type)], 'expected one weight a feature');
  }
  if (normalAxis(attribute(node, 'axis', -1), x.shape.length) !== x.shape.length - 1) {
    throw new ShapeError(node.op, [formatType(x)], 'only the last axis is normalised');
  }
  const statistics = tensorType(x.dtype, [...x.shape.slice(0, -1), 1]);
  return [x, statistics, statistics];
}

/**
 * The last-axis layer norm: with xhat = (x - mean) / std and g = dy * scale, dx = (g - mean(g) - xhat mean(g xhat)) / std.
 * Where the scale is a constant 1 and there is no bias, xhat is the result itself.
 */
function normalizationVjp({ node, inputs, outputs, grads, wanted }: VjpArguments): (Value | undefined)[] {
  if (grads[1] || grads[2] || !grads[0])
    throw new ShapeError(
      node.op,
      inputs.map(v => formatType(v.type)),
      'its statistics have no gradient',
    );
  const [x, scale, bias] = inputs as [Value, Value, Value | undefined];
  const [mean, invStd] = [outputs[1]!, outputs[2]!];
  const dy = grads[0];
  const plain = !bias && isOnes(scale);
  const xhat = plain ? outputs[0]! : mul(sub(x, mean), invStd);
  const leading = x.type.shape.slice(0, -1).map((_, i) => i);
  const dx = () => {
    const g = plain ? dy : mul(dy, scale);
    const along = reduceMean(mul(g, xhat), [-1], true);
    return mul(sub(sub(g, reduceMean(g, [-1], true)), mul(xhat, along)), invStd);
  };
  return [
    wanted[0] ? dx() : undefined,
    wanted[1] ? reduceSum(mul(dy, xhat), leading, false) : undefined,
    bias && wanted[2] ? reduceSum(dy, leading, false) : undefined,
  ];
}

function isOnes(value: Value): boolean {
  const constant = constantOf(value);
  return constant !== undefined && numbersOf(constant).every(n => n === 1);
}

function inferSoftmax(node: Untyped): TensorType[] {
  expectFloat(node.op, node.inputs[0]!.type);
  return [node.inputs[0]!.type];
}

export const reduce = {
  ReduceSum: {
    ...reduction,
    vjp: args => [expandLike(restoreAxes(args, args.grads[0]!), args.inputs[0]!)],
  },
  ReduceMean: {
    ...reduction,
    vjp: args => {
      const dy = restoreAxes(args, args.grads[0]!);
      return [expandLike(mul(dy, scalarLike(dy, 1 / reducedCount(args.node))), args.inputs[0]!)];
    },
  },
  ReduceSumSquare: {
    ...reduction,
    vjp: args => {
      const dy = restoreAxes(args, args.grads[0]!);
      return [mul(args.inputs[0]!, mul(dy, scalarLike(dy, 2)))];
    },
  },
  ReduceMax: {
    ...reduction,
    vjp: { notDifferentiable: 'the maximum is used for stability only, where its gradient cancels' },
  },
  /** log sum exp over the last axis; its gradient is the softmax. */
  ReduceLogSumExp: {
    ...reduction,
    vjp: args => {
      const axes = constantOf(args.inputs[1]) ? reducedAxes(args.node) : [];
      const last = args.inputs[0]!.type.shape.length - 1;
      if (axes.length !== 1 || axes[0] !== last)
        throw new ShapeError(
          'ReduceLogSumExp',
          [formatType(args.inputs[0]!.type)],
          'has a gradient over the last axis only',
        );
      return [mul(softmax(args.inputs[0]!), restoreAxes(args, args.grads[0]!))];
    },
  },
  /** Over the last axis: dx = y (dy - sum(dy y)) */
  Softmax: {
    infer: inferSoftmax,
    vjp: ({ outputs, grads }) => {
      const [y, dy] = [outputs[0]!, grads[0]!];
      return [mul(y, sub(dy, reduceSum(mul(dy, y), [-1], true)))];
    },
    flops: flopPerInputElement,
  },
  /** (..., D) -> (..., D), and the mean and inverse standard deviation (..., 1) */
  LayerNormalization: { infer: inferNormalization, vjp: normalizationVjp, flops: flopPerInputElement },
} satisfies Record<string, Rule>;
