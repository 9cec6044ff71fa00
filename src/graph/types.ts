/** Tensor types, values and nodes: an immutable graph spelled in ONNX's own operators (opset 21). */

/** Element types that the engine uses. float64 exists for gradient checks. */
export type DType = 'float32' | 'float64' | 'int64' | 'int32' | 'bool';

/** A size, or the name of a size that is known only when the graph runs (`B`, `T`). Equal names are equal sizes. */
export type Dim = number | string;

export type Shape = readonly Dim[];

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Numbers of a constant tensor, row-major. Booleans are bytes 0 and 1. */
export type TensorData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export type AttributeValue = number | string | readonly number[] | Tensor | Graph;
export type Attributes = { readonly [name: string]: AttributeValue | undefined };

/** One tensor: a graph input (no producer) or an output of a node. */
export interface Value {
  readonly type: TensorType;
  readonly producer?: Node;
  /** Graph inputs and named results carry their name; the rest is numbered when printed. */
  readonly name?: string;
}

export interface Node {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  /** Filled once, right after creation; values and their node refer to each other. */
  readonly outputs: readonly Value[];
  /** Declared result shapes, where they depend on numbers that are known only when the graph runs. */
  readonly declared?: readonly Shape[];
}

export interface Graph {
  readonly inputs: readonly Value[];
  /** Every node the outputs need, each after the nodes it reads. */
  readonly nodes: readonly Node[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
  /** In the body of a loop: values of the surrounding graph that it reads. */
  readonly captured?: readonly Value[];
}

export function tensorType(dtype: DType, shape: Shape): TensorType {
  return { dtype, shape };
}

/** `float32[2, T]` */
export function formatType({ dtype, shape }: TensorType): string {
  return `${dtype}[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/** Number of elements, or undefined where a size is known only at run time. */
export function elementCount(shape: Shape): number | undefined {
  let count = 1;
  for (const dim of shape) {
    if (typeof dim !== 'number') return undefined;
    count *= dim;
  }
  return count;
}

/** A negative axis counts from the end. */
export function normalAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const;

/** A constant from plain numbers. */
export function tensor(dtype: DType, shape: readonly number[], numbers: ArrayLike<number>): Tensor {
  if (dtype === 'int64') return { dtype, shape, data: BigInt64Array.from(Array.from(numbers, BigInt)) };
  return { dtype, shape, data: ARRAYS[dtype].from(numbers as ArrayLike<number> & Iterable<number>) };
}

/** A tensor's elements as plain numbers. */
export function numbersOf(value: Tensor): number[] {
  return Array.from(value.data as ArrayLike<number | bigint>, Number);
}

export function isTensor(value: AttributeValue): value is Tensor {
  return typeof value === 'object' && 'data' in value;
}

export function isGraph(value: AttributeValue): value is Graph {
  return typeof value === 'object' && 'nodes' in value;
}
