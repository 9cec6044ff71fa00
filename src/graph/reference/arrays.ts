/** Dense arrays of float64 numbers: making them, walking their indices, and the rearrangements that kernels are made of. */
import { type DType, elementCount, numbersOf, type Tensor } from '../types.ts';

/** A tensor of plain numbers, whatever its element type. */
export interface Numbers {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export function toNumbers(tensor: Tensor): Numbers {
  return { dtype: tensor.dtype, shape: tensor.shape, data: numbersOf(tensor) };
}

/** Numbers of a kernel's making; the evaluator puts the inferred element type in. */
export const make = (shape: readonly number[], data: readonly number[]): Numbers => ({
  dtype: 'float64',
  shape,
  data,
});

/** Every index of a shape, last axis fastest. */
export function indices(shape: readonly number[]): number[][] {
  return Array.from({ length: elementCount(shape) }, (_, flat) => unflatten(flat, shape));
}

function unflatten(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}

/** The place of an index in the data. */
export function flatten(index: readonly number[], shape: readonly number[]): number {
  return index.reduce((flat, at, axis) => flat * shape[axis]! + at, 0);
}

/** The element at an index of a shape this tensor is stretched to. */
export function stretched(x: Numbers, index: readonly number[]): number {
  const own = index.slice(index.length - x.shape.length).map((at, axis) => (x.shape[axis] === 1 ? 0 : at));
  return x.data[flatten(own, x.shape)]!;
}

/** The shape that shapes of a legal graph are stretched to. */
export function commonShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(shape => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const dims = shapes.map(shape => shape[shape.length - rank + i] ?? 1);
    return dims.find(dim => dim !== 1) ?? 1;
  });
}

/** x -> (group index, elements): the elements that a reduction combines, in order. */
export function groups(
  x: Numbers,
  axes: readonly number[],
): { readonly kept: number[]; readonly members: number[][] } {
  const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  const members: number[][] = Array.from({ length: elementCount(kept) }, () => []);
  indices(x.shape).forEach((index, flat) => {
    members[
      flatten(
        index.map((at, axis) => (axes.includes(axis) ? 0 : at)),
        kept,
      )
    ]!.push(x.data[flat]!);
  });
  return { kept, members };
}

/** Replaces every row of the last axis; new rows are of equal width. */
export function mapRows(x: Numbers, f: (row: readonly number[]) => readonly number[]): Numbers {
  const width = x.shape.at(-1)!;
  const rows = Array.from({ length: x.data.length / width }, (_, i) =>
    f(x.data.slice(i * width, (i + 1) * width)),
  );
  return make([...x.shape.slice(0, -1), rows[0]?.length ?? width], rows.flat());
}

/** Axis i of the result is axis `perm[i]` of x. */
export function permute(x: Numbers, perm: readonly number[]): Numbers {
  const shape = perm.map(axis => x.shape[axis]!);
  const data = indices(shape).map(index => {
    const from = new Array<number>(index.length);
    perm.forEach((axis, i) => {
      from[axis] = index[i]!;
    });
    return x.data[flatten(from, x.shape)]!;
  });
  return make(shape, data);
}

/** The part of a tensor that begins at `starts` and has this shape. */
export function cut(x: Numbers, starts: readonly number[], shape: readonly number[]): Numbers {
  return make(
    shape,
    indices(shape).map(
      index =>
        x.data[
          flatten(
            index.map((at, axis) => at + starts[axis]!),
            x.shape,
          )
        ]!,
    ),
  );
}
