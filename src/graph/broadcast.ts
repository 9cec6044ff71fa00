/** NumPy-style broadcasting, forward and undone. */
import { ShapeError } from '../base/index.ts';
import { type Dim, type DType, formatType, type Shape, type TensorType } from './types.ts';

/** The shape two operands are stretched to. A named size only meets itself or 1. */
export function broadcastShapes(op: string, a: TensorType, b: TensorType): Shape {
  const rank = Math.max(a.shape.length, b.shape.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = dimFromEnd(a.shape, rank - i);
    const y = dimFromEnd(b.shape, rank - i);
    if (x !== y && x !== 1 && y !== 1)
      throw new ShapeError(op, [formatType(a), formatType(b)], `sizes ${x} and ${y} do not broadcast`);
    return x === 1 ? y : x;
  });
}

function dimFromEnd(shape: Shape, fromEnd: number): Dim {
  return shape[shape.length - fromEnd] ?? 1;
}

/** The axes of `wide` along which an operand of shape `narrow` was stretched; `missing` leading axes are among them. */
export function stretchedAxes(
  wide: Shape,
  narrow: Shape,
): { readonly axes: number[]; readonly missing: number } {
  const missing = wide.length - narrow.length;
  const axes = wide.flatMap((dim, i) => (i < missing || (narrow[i - missing] === 1 && dim !== 1) ? [i] : []));
  return { axes, missing };
}

export function expectSameDtype(op: string, types: readonly TensorType[]): DType {
  const dtype = types[0]!.dtype;
  if (types.some(type => type.dtype !== dtype))
    throw new ShapeError(op, types.map(formatType), 'operands differ in element type');
  return dtype;
}

export function expectFloat(op: string, type: TensorType): void {
  if (type.dtype !== 'float32' && type.dtype !== 'float64')
    throw new ShapeError(op, [formatType(type)], 'expected a float tensor');
}

export function expectRank(op: string, type: TensorType, rank: number): void {
  if (type.shape.length !== rank) throw new ShapeError(op, [formatType(type)], `expected ${rank} axes`);
}
