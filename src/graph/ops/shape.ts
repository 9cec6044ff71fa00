/** Operators that move elements and make tensors, without arithmetic. */
import { ShapeError } from '../../base/index.ts';
import { broadcastShapes } from '../broadcast.ts';
import {
  concat,
  constant,
  gather,
  reshape,
  reshapeLike,
  scatterAdd,
  slice,
  transpose,
  zeros,
  zerosLike,
} from '../build.ts';
import {
  attribute,
  constantNumbers,
  constantOf,
  noFlops,
  type Rule,
  UNKNOWN,
  type VjpArguments,
} from '../rule.ts';
import {
  type Dim,
  type DType,
  elementCount,
  formatType,
  type Node,
  normalAxis,
  numbersOf,
  type Shape,
  sameShape,
  type Tensor,
  type TensorType,
  tensor,
  tensorType,
  type Value,
} from '../types.ts';

type Untyped = Omit<Node, 'outputs'>;

const typeOf = (node: Untyped, i = 0): TensorType => node.inputs[i]!.type;

/** An axis of the first input, counted from the front. */
function axisOf(node: Untyped, axis: number): number {
  const rank = typeOf(node).shape.length;
  const normal = normalAxis(axis, rank);
  if (normal < 0 || normal >= rank) fail(node, `no axis ${axis}`);
  return normal;
}

function fail(node: Untyped, message: string): never {
  throw new ShapeError(
    node.op,
    node.inputs.map(input => formatType(input.type)),
    message,
  );
}

/** A shape given by a tensor of sizes: its numbers if constant, else as many unknowns as the tensor is long. */
function shapeFrom(node: Untyped, sizes: Value): Dim[] {
  const fixed = constantOf(sizes);
  if (fixed) return numbersOf(fixed);
  const rank = sizes.type.shape[0];
  if (typeof rank !== 'number') fail(node, 'the number of axes must be known');
  return new Array<Dim>(rank).fill(UNKNOWN);
}

function inferReshape(node: Untyped): TensorType[] {
  const from = typeOf(node);
  const to = shapeFrom(node, node.inputs[1]!).map((dim, i) => (dim === 0 ? from.shape[i]! : dim));
  const open = to.indexOf(-1);
  if (open !== to.lastIndexOf(-1)) fail(node, `cannot become [${to.join(', ')}]: only one size may be -1`);
  if (open < 0) {
    const [before, after] = [elementCount(from.shape), elementCount(to)];
    if (before !== undefined && after !== undefined && before !== after)
      fail(node, `cannot become [${to.join(', ')}]`);
    return [tensorType(from.dtype, to)];
  }
  return [tensorType(from.dtype, to.with(open, remainingSize(node, from.shape, to)))];
}

/** The size that -1 stands for: a number where all is known, the one named size that is left, else unknown. */
function remainingSize(node: Untyped, from: Shape, to: Shape): Dim {
  const named = from.filter(dim => typeof dim === 'string' && !to.includes(dim));
  const counted = (shape: Shape) =>
    shape.reduce<number>((n, dim) => (typeof dim === 'number' && dim !== -1 ? n * dim : n), 1);
  const rest = counted(from) / counted(to);
  if (named.length === 0 && !Number.isInteger(rest)) fail(node, `cannot become [${to.join(', ')}]`);
  if (named.length === 0) return rest;
  return named.length === 1 && rest === 1 ? named[0]! : UNKNOWN;
}

function inferTranspose(node: Untyped): TensorType[] {
  const { dtype, shape } = typeOf(node);
  const perm = attribute<readonly number[]>(node, 'perm', []);
  if ([...perm].sort((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== shape.length)
    fail(node, `[${perm}] is no permutation of the axes`);
  return [
    tensorType(
      dtype,
      perm.map(axis => shape[axis]!),
    ),
  ];
}

function inferConcat(node: Untyped): TensorType[] {
  const first = typeOf(node);
  const axis = axisOf(node, attribute(node, 'axis', 0));
  let total: Dim = 0;
  for (const { type } of node.inputs) {
    const fits = type.dtype === first.dtype && type.shape.length === first.shape.length;
    if (!fits || type.shape.some((dim, i) => i !== axis && dim !== first.shape[i]))
      fail(node, `only axis ${axis} may differ`);
    const dim: Dim = type.shape[axis]!;
    total = typeof total === 'number' && typeof dim === 'number' ? total + dim : UNKNOWN;
  }
  return [tensorType(first.dtype, first.shape.with(axis, total))];
}

function inferSplit(node: Untyped): TensorType[] {
  const { dtype, shape } = typeOf(node);
  const axis = axisOf(node, attribute(node, 'axis', 0));
  const sizes = constantNumbers('Split', node.inputs[1], 'sizes');
  if (sizes.reduce((a, b) => a + b, 0) !== shape[axis])
    fail(node, `sizes [${sizes}] do not add up to ${shape[axis]}`);
  return sizes.map(size => tensorType(dtype, shape.with(axis, size)));
}

interface SliceSpec {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly axes: readonly number[];
}

/** Slices with constant bounds; undefined where a bound is known only at run time. */
function sliceSpec(node: Untyped): SliceSpec | undefined {
  const [starts, ends, axes] = [1, 2, 3].map(i => constantOf(node.inputs[i]));
  if (!axes) return fail(node, 'axes must be constant');
  if (!starts || !ends) return undefined;
  return {
    starts: numbersOf(starts),
    ends: numbersOf(ends),
    axes: numbersOf(axes).map(axis => axisOf(node, axis)),
  };
}

function inferSlice(node: Untyped): TensorType[] {
  const { dtype, shape } = typeOf(node);
  const spec = sliceSpec(node);
  const result: Dim[] = [...shape];
  if (!spec) {
    for (const axis of constantNumbers('Slice', node.inputs[3], 'axes')) result[axisOf(node, axis)] = UNKNOWN;
    return [tensorType(dtype, result)];
  }
  spec.axes.forEach((axis, i) => {
    result[axis] = slicedSize(shape[axis]!, spec.starts[i]!, spec.ends[i]!);
  });
  return [tensorType(dtype, result)];
}

function slicedSize(dim: Dim, start: number, end: number): Dim {
  if (typeof dim === 'string')
    return start >= 0 && end > start && end < 2 ** 31
      ? end - start
      : start === 0 && end >= 2 ** 31
        ? dim
        : UNKNOWN;
  return Math.max(0, boundary(end, dim) - boundary(start, dim));
}

/** A slice's bound within 0 .. dim; a negative one counts from the end. */
function boundary(at: number, dim: number): number {
  return Math.min(dim, Math.max(0, at < 0 ? at + dim : at));
}

/** The gradient of a slice: the piece, with zeros where the rest was. */
function sliceVjp({ node, inputs, grads }: VjpArguments): (Value | undefined)[] {
  const spec = sliceSpec(node) ?? fail(node, 'a slice has a gradient only where its bounds are constant');
  const x = inputs[0]!;
  let piece = grads[0]!;
  spec.axes.forEach((axis, i) => {
    const dim = x.type.shape[axis]!;
    if (typeof dim !== 'number')
      fail(node, `a slice of ${dim} has a gradient only where that size is a number`);
    const start = boundary(spec.starts[i]!, dim);
    const width = piece.type.shape[axis] as number;
    const gap = (size: number) => zeros(x.type.dtype, piece.type.shape.with(axis, size));
    const parts = [
      ...(start > 0 ? [gap(start)] : []),
      piece,
      ...(start + width < dim ? [gap(dim - start - width)] : []),
    ];
    piece = parts.length > 1 ? concat(parts, axis) : piece;
  });
  return [piece];
}

function inferGather(node: Untyped): TensorType[] {
  const [data, indices] = [typeOf(node), typeOf(node, 1)];
  if (indices.dtype !== 'int32' && indices.dtype !== 'int64') fail(node, 'indices must be integers');
  const axis = axisOf(node, attribute(node, 'axis', 0));
  return [
    tensorType(data.dtype, [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)]),
  ];
}

/**
 * Rows that were read several times receive the sum of their gradients. Where constant indices name every row once, the gradients are
 * gathered back, which is many times faster than adding them up.
 */
function gatherVjp({ node, inputs, grads }: VjpArguments): (Value | undefined)[] {
  const [data, indices] = [inputs[0]!, inputs[1]!];
  if (attribute(node, 'axis', 0) !== 0) fail(node, 'has a gradient along axis 0 only');
  const back = inverseOf(indices, data.type.shape[0]!);
  if (!back) return [scatterAdd(zerosLike(data), indices, grads[0]!), undefined];
  return [gather(reshape(grads[0]!, data.type.shape), back), undefined];
}

/** Inverses of constant permutations, so that users of one permutation share its inverse too. */
const inverses = new WeakMap<Value, Value>();

/** The inverse of constant indices that are a permutation of 0 .. rows - 1, as a vector. */
function inverseOf(indices: Value, rows: Dim): Value | undefined {
  const known = inverses.get(indices);
  const order = constantOf(indices);
  if (known || !order || order.data.length !== rows) return known;
  const inverse = new Array<number>(rows).fill(-1);
  numbersOf(order).forEach((row, i) => {
    if (row >= 0 && row < rows) inverse[row] = i;
  });
  if (inverse.includes(-1)) return undefined;
  const value = constant(tensor('int32', [rows], inverse));
  inverses.set(indices, value);
  return value;
}

function inferScatterNd(node: Untyped): TensorType[] {
  const [data, indices, updates] = [typeOf(node), typeOf(node, 1), typeOf(node, 2)];
  if (indices.dtype !== 'int64') fail(node, 'ONNX wants int64 indices here');
  if (updates.dtype !== data.dtype) fail(node, 'data and updates differ in element type');
  const depth = indices.shape.at(-1);
  if (typeof depth !== 'number' || depth > data.shape.length)
    fail(node, 'the last axis of the indices says how many axes they address');
  const expected = [...indices.shape.slice(0, -1), ...data.shape.slice(depth)];
  if (expected.length !== updates.shape.length || expected.some((dim, i) => dim !== updates.shape[i]))
    fail(node, `updates must be [${expected.join(', ')}]`);
  return [data];
}

/** Made by `orderScatters` only, of a ScatterND that adds. */
function inferScatterElements(node: Untyped): TensorType[] {
  const [data, indices, updates] = [typeOf(node), typeOf(node, 1), typeOf(node, 2)];
  if (indices.dtype !== 'int64') fail(node, 'indices must be int64');
  if (updates.dtype !== data.dtype) fail(node, 'data and updates differ in element type');
  axisOf(node, attribute(node, 'axis', 0));
  if (!sameShape(indices.shape, updates.shape) || updates.shape.length !== data.shape.length)
    fail(node, 'indices and updates must have one shape, of as many axes as the data');
  return [data];
}

const inferExpand = (node: Untyped): TensorType[] => {
  const target = tensorType(typeOf(node).dtype, shapeFrom(node, node.inputs[1]!));
  return [
    tensorType(
      target.dtype,
      target.shape.includes(UNKNOWN) ? target.shape : broadcastShapes('Expand', typeOf(node), target),
    ),
  ];
};

const inferFill = (node: Untyped): TensorType[] => [
  tensorType(
    attribute<Tensor>(node, 'value', tensor('float32', [1], [0])).dtype,
    shapeFrom(node, node.inputs[0]!),
  ),
];

const inferConstant = (node: Untyped): TensorType[] => {
  const { dtype, shape } = node.attributes['value'] as Tensor;
  return [tensorType(dtype as DType, shape)];
};

const moves = (infer: Rule['infer'], vjp: Rule['vjp']): Rule => ({ infer, vjp, flops: noFlops });
const integers = { notDifferentiable: 'it makes integers' };

export const shape = {
  Constant: moves(inferConstant, { notDifferentiable: 'it has no inputs' }),
  ConstantOfShape: moves(inferFill, { notDifferentiable: 'it reads a shape only' }),
  Shape: moves(node => [tensorType('int64', [typeOf(node).shape.length])], integers),
  Size: moves(() => [tensorType('int64', [])], integers),
  Range: moves(node => [tensorType(typeOf(node).dtype, [UNKNOWN])], integers),
  Reshape: moves(inferReshape, ({ inputs, grads }) => [reshapeLike(grads[0]!, inputs[0]!)]),
  Expand: moves(inferExpand, ({ grads }) => [grads[0]!]),
  Transpose: moves(inferTranspose, ({ node, grads }) => {
    const perm = attribute<readonly number[]>(node, 'perm', []);
    return [
      transpose(
        grads[0]!,
        perm.map((_, axis) => perm.indexOf(axis)),
      ),
    ];
  }),
  Concat: moves(inferConcat, ({ node, inputs, grads, wanted }) => {
    let start = 0;
    return inputs.map((input, i) => {
      const axis = normalAxis(attribute(node, 'axis', 0), input.type.shape.length);
      const width = input.type.shape[axis];
      if (typeof width !== 'number') return fail(node, `has a gradient only where ${width} is a number`);
      start += width;
      return wanted[i] ? slice(grads[0]!, axis, start - width, start) : undefined;
    });
  }),
  Split: moves(inferSplit, ({ node, outputs, grads }) => {
    const parts = outputs.map((output, i) => grads[i] ?? zerosLike(output));
    return [concat(parts, attribute(node, 'axis', 0))];
  }),
  Slice: moves(inferSlice, sliceVjp),
  Gather: moves(inferGather, gatherVjp),
  /** reduction `add`: data + updates at the indices; duplicates add up. */
  ScatterND: moves(inferScatterNd, ({ node, inputs, grads, wanted }) => {
    if (attribute<string>(node, 'reduction', 'none') !== 'add')
      return fail(node, 'has a gradient for reduction `add` only');
    const indices = reshape(inputs[1]!, inputs[1]!.type.shape.slice(0, -1));
    return [grads[0]!, undefined, wanted[2] ? gather(grads[0]!, indices) : undefined];
  }),
  ScatterElements: moves(inferScatterElements, { notDifferentiable: 'it is made after differentiation' }),
} satisfies Record<string, Rule>;
