/** What the op table holds for each operator. */
import { ShapeError } from '../base/index.ts';
import {
  type Attributes,
  formatType,
  type Node,
  numbersOf,
  type Shape,
  type Tensor,
  type TensorType,
  type Value,
} from './types.ts';

/** A size that `infer` cannot know; the node's declared shape fills it in. */
export const UNKNOWN = '?';

export interface VjpArguments {
  readonly node: Node;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Gradient of the loss with respect to each output; undefined where the loss does not depend on it. */
  readonly grads: readonly (Value | undefined)[];
  /** Is the gradient of that input wanted? A rule may skip the work otherwise. */
  readonly wanted: readonly boolean[];
}

/** Gradients with respect to each input, in the shape the forward rule broadcast them to; `grad` sums them back to the input's shape. */
export type Vjp = (args: VjpArguments) => readonly (Value | undefined)[];

/** Has no gradient: integers, comparisons, shapes, loops. The text says why, for the error message. */
export interface NotDifferentiable {
  readonly notDifferentiable: string;
}

export interface Rule {
  /** Types of the outputs from the inputs and attributes. Throws a `ShapeError` where they do not fit. */
  readonly infer: (node: Omit<Node, 'outputs'>) => readonly TensorType[];
  readonly vjp: Vjp | NotDifferentiable;
  /** Floating-point operations of one evaluation: 2mnk for a product of matrices, about one a result element otherwise, 0 for moving data. */
  readonly flops: (node: Node) => number;
}

export function isDifferentiable(vjp: Vjp | NotDifferentiable): vjp is Vjp {
  return typeof vjp === 'function';
}

/** The value of a node's input, if it is a constant. */
export function constantOf(value: Value | undefined): Tensor | undefined {
  return value?.producer?.op === 'Constant' ? (value.producer.attributes['value'] as Tensor) : undefined;
}

/** A constant input as plain numbers; a `ShapeError` where it is not constant. */
export function constantNumbers(op: string, value: Value | undefined, what: string): number[] {
  const constant = constantOf(value);
  if (!constant)
    throw new ShapeError(op, value ? [formatType(value.type)] : [], `${what} must be a constant`);
  return numbersOf(constant);
}

/** Elements of a shape; named sizes are not counted, so FLOPs of dynamic graphs are asked for after `bind`. */
export function countElements(shape: Shape): number {
  let count = 1;
  for (const dim of shape) {
    if (typeof dim !== 'number')
      throw new ShapeError('flops', [`[${shape.join(', ')}]`], 'sizes must be numbers to count operations');
    count *= dim;
  }
  return count;
}

export const noFlops = (): number => 0;

/** One operation for each element of the first output. */
export function flopPerElement(node: Node): number {
  return countElements(node.outputs[0]!.type.shape);
}

/** One operation for each element of the first input. */
export function flopPerInputElement(node: Node): number {
  return countElements(node.inputs[0]!.type.shape);
}

export function attribute<T>(node: { readonly attributes: Attributes }, name: string, fallback: T): T {
  return (node.attributes[name] as T | undefined) ?? fallback;
}
