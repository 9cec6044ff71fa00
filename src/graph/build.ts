/**
 * Building graphs: `apply` makes one node and infers its types; the functions below are the operators by name.
 * Nothing is computed here. Shapes: `B` batch, `T` sequence length, `N = B*T` tokens, `D` width, `H` heads, `V` vocabulary.
 */
import { InternalError, ShapeError } from '../base/index.ts';
import { stretchedAxes } from './broadcast.ts';
import { type OpName, ops } from './ops/index.ts';
import { UNKNOWN } from './rule.ts';
import {
  type Attributes,
  type Dim,
  type DType,
  elementCount,
  formatType,
  type Graph,
  type Node,
  normalAxis,
  type Shape,
  sameShape,
  type Tensor,
  type TensorType,
  tensor,
  tensorType,
  type Value,
} from './types.ts';

/** A graph input. */
export function input(name: string, dtype: DType, shape: Shape): Value {
  return { type: tensorType(dtype, shape), name };
}

/** Makes one node. `declared` gives the shapes of outputs that depend on numbers known only at run time. */
export function apply(
  op: OpName,
  inputs: readonly Value[],
  attributes: Attributes = {},
  declared?: readonly Shape[],
): readonly Value[] {
  const untyped = { op, inputs, attributes, ...(declared && { declared }) };
  const outputs: Value[] = [];
  const node: Node = { ...untyped, outputs };
  for (const type of inferTypes(untyped)) outputs.push({ type, producer: node });
  return outputs;
}

/** The types a node's rule infers, with unknown sizes taken from what was declared. Used again by `verify`. */
export function inferTypes(node: Omit<Node, 'outputs'>): TensorType[] {
  if (!(node.op in ops)) throw new InternalError(`no operator ${node.op}`);
  return ops[node.op as OpName]
    .infer(node)
    .map((type, i) => tensorType(type.dtype, mergeDeclared(node, type, node.declared?.[i])));
}

function mergeDeclared(node: Omit<Node, 'outputs'>, type: TensorType, declared: Shape | undefined): Shape {
  if (!declared) {
    if (type.shape.includes(UNKNOWN))
      throw new ShapeError(
        node.op,
        node.inputs.map(v => formatType(v.type)),
        'declare the result shape',
      );
    return type.shape;
  }
  const fits =
    declared.length === type.shape.length &&
    type.shape.every((dim, i) => dim === UNKNOWN || dim === declared[i]);
  if (!fits)
    throw new ShapeError(
      node.op,
      node.inputs.map(v => formatType(v.type)),
      `inferred ${formatType(type)}, declared [${declared.join(', ')}]`,
    );
  return declared;
}

function one(op: OpName, inputs: readonly Value[], attributes: Attributes = {}, declared?: Shape): Value {
  return apply(op, inputs, attributes, declared && [declared])[0]!;
}

// Constants

export function constant(value: Tensor): Value {
  return one('Constant', [], { value });
}

export function scalar(dtype: DType, value: number): Value {
  return constant(tensor(dtype, [], [value]));
}

/** A scalar of another value's element type. */
export function scalarLike(like: Value, value: number): Value {
  return scalar(like.type.dtype, value);
}

export function int64s(...numbers: readonly number[]): Value {
  return constant(tensor('int64', [numbers.length], numbers));
}

// Elementwise, with broadcasting

export const add = (a: Value, b: Value): Value => one('Add', [a, b]);
export const sub = (a: Value, b: Value): Value => one('Sub', [a, b]);
export const mul = (a: Value, b: Value): Value => one('Mul', [a, b]);
export const div = (a: Value, b: Value): Value => one('Div', [a, b]);
export const neg = (x: Value): Value => one('Neg', [x]);
export const exp = (x: Value): Value => one('Exp', [x]);
export const log = (x: Value): Value => one('Log', [x]);
export const sqrt = (x: Value): Value => one('Sqrt', [x]);
export const reciprocal = (x: Value): Value => one('Reciprocal', [x]);
export const erf = (x: Value): Value => one('Erf', [x]);
export const tanh = (x: Value): Value => one('Tanh', [x]);
export const identity = (x: Value): Value => one('Identity', [x]);
export const where = (condition: Value, a: Value, b: Value): Value => one('Where', [condition, a, b]);
export const minimum = (a: Value, b: Value): Value => one('Min', [a, b]);
export const maximum = (a: Value, b: Value): Value => one('Max', [a, b]);
export const less = (a: Value, b: Value): Value => one('Less', [a, b]);
export const greater = (a: Value, b: Value): Value => one('Greater', [a, b]);
export const equal = (a: Value, b: Value): Value => one('Equal', [a, b]);
export const cast = (x: Value, to: DType): Value => (x.type.dtype === to ? x : one('Cast', [x], { to }));

// Products of matrices

export const matmul = (a: Value, b: Value): Value => one('MatMul', [a, b]);

export interface GemmOptions {
  readonly transA?: number;
  readonly transB?: number;
  readonly alpha?: number;
  readonly beta?: number;
}

/** alpha A' B' (+ beta C) of matrices; `transA` and `transB` transpose without a pass over the data. */
export function gemm(a: Value, b: Value, options: GemmOptions = {}, c?: Value): Value {
  const { transA = 0, transB = 0, alpha = 1, beta = 1 } = options;
  const attributes = {
    ...(transA && { transA }),
    ...(transB && { transB }),
    ...(alpha !== 1 && { alpha }),
    ...(c && beta !== 1 && { beta }),
  };
  return one('Gemm', c ? [a, b, c] : [a, b], attributes);
}

// Reductions

function reduction(op: OpName): (x: Value, axes: readonly number[], keepdims: boolean) => Value {
  return (x, axes, keepdims) => {
    const normal = axes.map(axis => normalAxis(axis, x.type.shape.length));
    return one(op, [x, int64s(...normal)], { keepdims: keepdims ? 1 : 0 });
  };
}

export const reduceSum = reduction('ReduceSum');
export const reduceMean = reduction('ReduceMean');
export const reduceMax = reduction('ReduceMax');
export const reduceLogSumExp = reduction('ReduceLogSumExp');
export const reduceSumSquare = reduction('ReduceSumSquare');
export const softmax = (x: Value): Value => one('Softmax', [x], { axis: -1 });

/** The k largest of the last axis and their places (int64), sorted; of equal values the one that stands first. */
export function topK(x: Value, k: number): { readonly values: Value; readonly places: Value } {
  const [values, places] = apply('TopK', [x, int64s(k)], { axis: -1 });
  return { values: values!, places: places! };
}

/** Normalises the last axis; returns the result only (its statistics are outputs 1 and 2 of the node). */
export function layerNorm(x: Value, scale: Value, bias?: Value, epsilon = 1e-5): Value {
  return apply('LayerNormalization', bias ? [x, scale, bias] : [x, scale], { axis: -1, epsilon })[0]!;
}

// Shapes

/** The shape as an int64 vector, known when the graph runs. */
export const shapeOf = (x: Value): Value => one('Shape', [x]);

/**
 * x itself, but not before `other` has been computed: a Reshape to the shape it has, 0 standing for a size kept, by sizes that are 0 times the
 * number of elements of `other`. Nothing is copied. Says when to compute what could be computed at any time, and keeps it apart from its like.
 */
export function after(x: Value, other: Value): Value {
  const { shape } = x.type;
  const keep = int64s(...shape.map(() => 0));
  return one('Reshape', [x, mul(one('Size', [other]), keep)], {}, shape);
}

/** At most one size may be a name, and then the engine works it out. */
export function reshape(x: Value, shape: Shape): Value {
  if (sameShape(x.type.shape, shape)) return x;
  if (shape.filter(dim => typeof dim === 'string').length > 1) {
    throw new ShapeError(
      'Reshape',
      [formatType(x.type)],
      `[${shape.join(', ')}] has several sizes known only at run time: use reshapeTo`,
    );
  }
  return one('Reshape', [x, int64s(...shape.map(dim => (typeof dim === 'number' ? dim : -1)))], {}, shape);
}

/** Reshapes to run-time `sizes` (int64 vector) that are declared to mean `shape`. */
export function reshapeTo(x: Value, sizes: Value, shape: Shape): Value {
  return sameShape(x.type.shape, shape) ? x : one('Reshape', [x, sizes], {}, shape);
}

/** Takes the shape of another value of as many elements. */
export function reshapeLike(x: Value, like: Value): Value {
  const { shape } = like.type;
  const named = shape.filter(dim => typeof dim === 'string').length;
  return named > 1 ? reshapeTo(x, shapeOf(like), shape) : reshape(x, shape);
}

/** Stretches to a shape of numbers. */
export function expand(x: Value, shape: readonly number[]): Value {
  return sameShape(x.type.shape, shape) ? x : one('Expand', [x, int64s(...shape)]);
}

/** Stretches to the shape of another value. */
export function expandLike(x: Value, like: Value): Value {
  const { shape } = like.type;
  if (sameShape(x.type.shape, shape)) return x;
  return elementCount(shape) === undefined
    ? one('Expand', [x, shapeOf(like)], {}, shape)
    : expand(x, shape as readonly number[]);
}

export function zeros(dtype: DType, shape: Shape): Value {
  if (elementCount(shape) === undefined)
    throw new ShapeError('ConstantOfShape', [`[${shape.join(', ')}]`], 'use zerosLike');
  return one('ConstantOfShape', [int64s(...(shape as readonly number[]))], {
    value: tensor(dtype, [1], [0]),
  });
}

export function zerosLike(like: Value): Value {
  const { dtype, shape } = like.type;
  if (elementCount(shape) !== undefined) return zeros(dtype, shape);
  return one('ConstantOfShape', [shapeOf(like)], { value: tensor(dtype, [1], [0]) }, shape);
}

export function transpose(x: Value, perm: readonly number[]): Value {
  return perm.every((axis, i) => axis === i) ? x : one('Transpose', [x], { perm });
}

/** Swaps the last two axes. */
export function transposeLast(x: Value): Value {
  const rank = x.type.shape.length;
  const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return transpose(x, perm);
}

export function concat(parts: readonly Value[], axis: number, declared?: Shape): Value {
  return parts.length === 1 ? parts[0]! : one('Concat', parts, { axis }, declared);
}

/** Cuts an axis into pieces of these sizes. */
export function split(x: Value, axis: number, sizes: readonly number[]): readonly Value[] {
  return apply('Split', [x, int64s(...sizes)], { axis });
}

/** Elements `start` to `end` (exclusive) along one axis; `end` may be Infinity. */
export function slice(x: Value, axis: number, start: number, end: number): Value {
  const last = Number.isFinite(end) ? end : 2 ** 31;
  return one('Slice', [x, int64s(start), int64s(last), int64s(axis)]);
}

/** The same with run-time bounds (int64 vectors of length 1); `size` declares what they leave. */
export function sliceAt(x: Value, axis: number, start: Value, end: Value, size: Dim): Value {
  return one('Slice', [x, start, end, int64s(axis)], {}, x.type.shape.with(axis, size));
}

/** Rows of `data` along `axis`: data (V, D), indices (N) -> (N, D) */
export function gather(data: Value, indices: Value, axis = 0): Value {
  return one('Gather', [data, indices], axis === 0 ? {} : { axis });
}

/** data (V, ...) with updates (N, ...) added at rows indices (N); duplicates add up. */
export function scatterAdd(data: Value, indices: Value, updates: Value): Value {
  const addresses = reshapeWithOne(cast(indices, 'int64'));
  return one('ScatterND', [data, addresses, updates], { reduction: 'add' });
}

function reshapeWithOne(indices: Value): Value {
  const { shape } = indices.type;
  if (shape.filter(dim => typeof dim === 'string').length <= 1) return reshape(indices, [...shape, 1]);
  return reshapeTo(indices, concat([shapeOf(indices), int64s(1)], 0), [...shape, 1]);
}

/** 0, 1, ... `size` - 1 as int64, up to a run-time scalar. */
export function range(limit: Value, size: Dim): Value {
  return one('Range', [scalar('int64', 0), limit, scalar('int64', 1)], {}, [size]);
}

/** Sums a gradient over the axes along which its operand was stretched. */
export function unbroadcast(gradient: Value, like: Value): Value {
  const { axes, missing } = stretchedAxes(gradient.type.shape, like.type.shape);
  if (axes.length === 0) return gradient;
  const summed = reduceSum(gradient, axes, true);
  return missing === 0 ? summed : reshapeLike(summed, like);
}

// Loops

/**
 * Runs `body` `count` times (int64 scalar value): the carried values go in and out; further outputs of the body are stacked.
 * Returns the final carried values, then the stacked ones, whose first axis is named by `stackedAxis`.
 */
export function loop(
  count: Value,
  carried: readonly Value[],
  body: Graph,
  stackedAxis: Dim,
): readonly Value[] {
  const declared = body.outputs
    .slice(1)
    .map(({ value }, i) => (i < carried.length ? value.type.shape : [stackedAxis, ...value.type.shape]));
  return apply('Loop', [count, scalar('bool', 1), ...carried], { body }, declared);
}
