/** One naive kernel per operator, over float64 numbers: written from the operator's definition, an element at a time. */
import { InternalError } from '../../base/index.ts';
import { attribute } from '../rule.ts';
import { type DType, elementCount, type Node, normalAxis, numbersOf, type Tensor } from '../types.ts';
import {
  commonShape,
  cut,
  flatten,
  groups,
  indices,
  make,
  mapRows,
  type Numbers,
  permute,
  stretched,
  toNumbers,
} from './arrays.ts';

export type Kernel = (node: Node, inputs: readonly Numbers[]) => readonly Numbers[];

const elementwise =
  (f: (...numbers: number[]) => number): Kernel =>
  (_node, inputs) => {
    const shape = commonShape(inputs.map(x => x.shape));
    return [
      make(
        shape,
        indices(shape).map(index => f(...inputs.map(x => stretched(x, index)))),
      ),
    ];
  };

const reduction =
  (f: (members: readonly number[]) => number): Kernel =>
  (node, [x, axesInput]) => {
    const axes = (axesInput?.data ?? x!.shape.map((_, i) => i)).map(axis =>
      normalAxis(axis, x!.shape.length),
    );
    const { kept, members } = groups(x!, axes);
    const shape =
      attribute(node, 'keepdims', 1) === 1 ? kept : kept.filter((_, axis) => !axes.includes(axis));
    return [make(shape, members.map(f))];
  };

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const mean = (numbers: readonly number[]): number => sum(numbers) / numbers.length;

function logSumExp(numbers: readonly number[]): number {
  const top = Math.max(...numbers);
  return top + Math.log(sum(numbers.map(x => Math.exp(x - top))));
}

function product(a: Numbers, b: Numbers): Numbers {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const batch = commonShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const data = indices([...batch, m, n]).map(index => {
    const [i, j] = index.slice(-2) as [number, number];
    const outer = index.slice(0, -2);
    let total = 0;
    for (let l = 0; l < k; l++) total += stretched(a, [...outer, i, l]) * stretched(b, [...outer, l, j]);
    return total;
  });
  return make([...batch, m, n], data);
}

const flip = (x: Numbers, yes: number): Numbers => (yes ? permute(x, [1, 0]) : x);

function gemm(node: Node, [a, b, c]: readonly Numbers[]): Numbers[] {
  const result = product(flip(a!, attribute(node, 'transA', 0)), flip(b!, attribute(node, 'transB', 0)));
  const [alpha, beta] = [attribute(node, 'alpha', 1), attribute(node, 'beta', 1)];
  const added = (index: readonly number[]) => (c ? beta * stretched(c, index) : 0);
  return [
    make(
      result.shape,
      indices(result.shape).map((index, i) => alpha * result.data[i]! + added(index)),
    ),
  ];
}

function normalize(node: Node, [x, scale, bias]: readonly Numbers[]): Numbers[] {
  const epsilon = attribute(node, 'epsilon', 1e-5);
  const means = mapRows(x!, row => [mean(row)]);
  const stds = mapRows(x!, row => [1 / Math.sqrt(mean(row.map(v => (v - mean(row)) ** 2)) + epsilon)]);
  const width = x!.shape.at(-1)!;
  const data = x!.data.map((v, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    return (v - means.data[row]!) * stds.data[row]! * scale!.data[column]! + (bias?.data[column] ?? 0);
  });
  return [make(x!.shape, data), means, stds];
}

function reshape([x, to]: readonly Numbers[]): Numbers[] {
  const shape = to!.data.map((dim, i) => (dim === 0 ? x!.shape[i]! : dim));
  const rest = x!.data.length / -elementCount(shape);
  return [
    make(
      shape.map(dim => (dim === -1 ? rest : dim)),
      x!.data,
    ),
  ];
}

function join(node: Node, parts: readonly Numbers[]): Numbers[] {
  const axis = normalAxis(attribute(node, 'axis', 0), parts[0]!.shape.length);
  const shape = parts[0]!.shape.with(axis, sum(parts.map(part => part.shape[axis]!)));
  const data = indices(shape).map(index => {
    let at = index[axis]!;
    const part = parts.find(p => {
      if (at < p.shape[axis]!) return true;
      at -= p.shape[axis]!;
      return false;
    })!;
    return part.data[flatten(index.with(axis, at), part.shape)]!;
  });
  return [make(shape, data)];
}

function cutSlices([x, starts, ends, axes]: readonly Numbers[]): Numbers[] {
  const from = x!.shape.map(() => 0);
  const shape = [...x!.shape];
  axes!.data.forEach((given, i) => {
    const axis = normalAxis(given, x!.shape.length);
    const dim = x!.shape[axis]!;
    const clip = (at: number) => Math.min(dim, Math.max(0, at < 0 ? at + dim : at));
    from[axis] = clip(starts!.data[i]!);
    shape[axis] = Math.max(0, clip(ends!.data[i]!) - from[axis]!);
  });
  return [cut(x!, from, shape)];
}

function divide(node: Node, [x, sizes]: readonly Numbers[]): Numbers[] {
  const axis = normalAxis(attribute(node, 'axis', 0), x!.shape.length);
  let start = 0;
  return sizes!.data.map(width => {
    start += width;
    return cut(
      x!,
      x!.shape.map((_, i) => (i === axis ? start - width : 0)),
      x!.shape.with(axis, width),
    );
  });
}

function gather(node: Node, [data, at]: readonly Numbers[]): Numbers[] {
  const axis = normalAxis(attribute(node, 'axis', 0), data!.shape.length);
  const shape = [...data!.shape.slice(0, axis), ...at!.shape, ...data!.shape.slice(axis + 1)];
  const picked = indices(shape).map(index => {
    const row = at!.data[flatten(index.slice(axis, axis + at!.shape.length), at!.shape)]!;
    return data!.data[
      flatten([...index.slice(0, axis), row, ...index.slice(axis + at!.shape.length)], data!.shape)
    ]!;
  });
  return [make(shape, picked)];
}

function scatter([data, at, updates]: readonly Numbers[]): Numbers[] {
  const result = [...data!.data];
  const depth = at!.shape.at(-1)!;
  const width = elementCount(data!.shape.slice(depth));
  for (let i = 0; i < at!.data.length / depth; i++) {
    const start = flatten(at!.data.slice(i * depth, (i + 1) * depth), data!.shape.slice(0, depth)) * width;
    for (let j = 0; j < width; j++) result[start + j]! += updates!.data[i * width + j]!;
  }
  return [make(data!.shape, result)];
}

/** data (V, D), places and updates (N, D), along axis 0 */
function scatterElements([data, at, updates]: readonly Numbers[]): Numbers[] {
  const result = [...data!.data];
  const width = data!.shape[1]!;
  at!.data.forEach((row, i) => {
    result[row * width + (i % width)]! += updates!.data[i]!;
  });
  return [make(data!.shape, result)];
}

function expand([x, to]: readonly Numbers[]): Numbers[] {
  const shape = commonShape([x!.shape, to!.data]);
  return [
    make(
      shape,
      indices(shape).map(index => stretched(x!, index)),
    ),
  ];
}

/** erf by its Taylor series, to full double precision: sum of (-1)^n x^(2n+1) / (n! (2n+1)), times 2/sqrt(pi). */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [term, total] = [x, x];
  // Kummer's form, whose terms are all positive: erf x = 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!
  for (let n = 1; n < 200 && Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

function topK([x, k]: readonly Numbers[]): Numbers[] {
  const best = (row: readonly number[]) =>
    row
      .map((_, i) => i)
      .sort((a, b) => row[b]! - row[a]! || a - b)
      .slice(0, k!.data[0]);
  return [mapRows(x!, row => best(row).map(i => row[i]!)), mapRows(x!, best)];
}

const softmaxRow = (row: readonly number[]): number[] => {
  const total = logSumExp(row);
  return row.map(x => Math.exp(x - total));
};

const fill = (node: Node, [to]: readonly Numbers[]): Numbers[] => {
  const [value] = numbersOf(
    attribute<Tensor>(node, 'value', { dtype: 'float32', shape: [1], data: new Float32Array(1) }),
  );
  return [make(to!.data, new Array<number>(elementCount(to!.data)).fill(value!))];
};

const kernels: Readonly<Record<string, Kernel>> = {
  Add: elementwise((a, b) => a! + b!),
  Sub: elementwise((a, b) => a! - b!),
  Mul: elementwise((a, b) => a! * b!),
  Div: elementwise((a, b) => a! / b!),
  Min: elementwise((a, b) => Math.min(a!, b!)),
  Max: elementwise((a, b) => Math.max(a!, b!)),
  Less: elementwise((a, b) => Number(a! < b!)),
  Greater: elementwise((a, b) => Number(a! > b!)),
  Equal: elementwise((a, b) => Number(a === b)),
  Where: elementwise((condition, a, b) => (condition ? a! : b!)),
  Neg: elementwise(x => -x!),
  Exp: elementwise(x => Math.exp(x!)),
  Log: elementwise(x => Math.log(x!)),
  Sqrt: elementwise(x => Math.sqrt(x!)),
  Reciprocal: elementwise(x => 1 / x!),
  Erf: elementwise(x => erf(x!)),
  Tanh: elementwise(x => Math.tanh(x!)),
  Identity: (_node, inputs) => inputs,
  Cast: (node, [x]) => {
    const whole = attribute<DType>(node, 'to', 'float32').startsWith('int');
    return [whole ? make(x!.shape, x!.data.map(Math.trunc)) : x!];
  },
  MatMul: (_node, [a, b]) => [product(a!, b!)],
  Gemm: gemm,
  ReduceSum: reduction(sum),
  ReduceMean: reduction(mean),
  ReduceMax: reduction(members => Math.max(...members)),
  ReduceSumSquare: reduction(members => sum(members.map(x => x * x))),
  ReduceLogSumExp: reduction(logSumExp),
  TopK: (_node, inputs) => topK(inputs),
  Softmax: (_node, [x]) => [mapRows(x!, softmaxRow)],
  LayerNormalization: normalize,
  Constant: node => [toNumbers(node.attributes['value'] as Tensor)],
  ConstantOfShape: fill,
  Shape: (_node, [x]) => [make([x!.shape.length], x!.shape)],
  Size: (_node, [x]) => [make([], [x!.data.length])],
  Range: (_node, [start, limit, step]) => {
    const count = Math.max(0, Math.ceil((limit!.data[0]! - start!.data[0]!) / step!.data[0]!));
    return [
      make(
        [count],
        Array.from({ length: count }, (_, i) => start!.data[0]! + i * step!.data[0]!),
      ),
    ];
  },
  Reshape: (_node, inputs) => reshape(inputs),
  Expand: (_node, inputs) => expand(inputs),
  Transpose: (node, [x]) => [permute(x!, attribute<readonly number[]>(node, 'perm', []))],
  Concat: join,
  Split: divide,
  Slice: (_node, inputs) => cutSlices(inputs),
  Gather: gather,
  ScatterND: (_node, inputs) => scatter(inputs),
  ScatterElements: (_node, inputs) => scatterElements(inputs),
};

/** Throws an `InternalError` for an operator without a kernel. */
export function kernelOf(op: string): Kernel {
  const kernel = kernels[op];
  if (!kernel) throw new InternalError(`the reference evaluator has no ${op}`);
  return kernel;
}
