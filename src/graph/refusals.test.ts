/** What each operator's rule refuses, and that it says so as a `ShapeError` which names the operator. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShapeError } from '../base/index.ts';
import {
  add,
  apply,
  cast,
  concat,
  constant,
  type DType,
  expand,
  gather,
  gemm,
  grad,
  greater,
  identity,
  input,
  int64s,
  layerNorm,
  loop,
  makeGraph,
  matmul,
  type OpName,
  ops,
  reduceLogSumExp,
  reduceSum,
  reshape,
  reshapeTo,
  scalar,
  scatterAdd,
  shapeOf,
  slice,
  softmax,
  split,
  tensor,
  topK,
  transpose,
  type Value,
  where,
  zeros,
} from './index.ts';

const x = (dtype: DType, ...shape: (number | string)[]): Value => input('x', dtype, shape);
const f = (...shape: (number | string)[]): Value => x('float32', ...shape);
const integers = x('int64', 2);

type Refusals = readonly (readonly [build: () => unknown, expected: RegExp])[];

/** Operators that treat every element alike take floats and keep the shape. */
const unary = (op: OpName): Refusals => [
  [() => apply(op, [integers]), /expected a float tensor/],
  [() => apply(op, [x('bool', 2)]), /expected a float tensor/],
];
const binary = (op: OpName): Refusals => [
  [() => apply(op, [f(2, 3), f(2)]), /float32\[2, 3\], float32\[2\]\): sizes 3 and 2 do not broadcast/],
  [() => apply(op, [f('B', 3), f('T', 3)]), /sizes B and T do not broadcast/],
  [() => apply(op, [f('B'), f(4)]), /sizes B and 4 do not broadcast/],
  [() => apply(op, [f(2), x('float64', 2)]), /operands differ in element type/],
];
const reduction = (op: OpName): Refusals => [
  [() => apply(op, [f(2, 3), int64s(2)]), /no axis 2/],
  [() => apply(op, [f(2, 3), int64s(0, -3)]), /no axis 0,-1/],
  [() => apply(op, [f(2), integers]), /axes must be a constant/],
];

/** A loop that carries float32[2] through a body which takes `carried` and returns what `next` makes of it. */
function loopOver(carried: Value, next: (carried: Value) => Record<string, Value>): readonly Value[] {
  const [i, go] = [input('i', 'int64', []), input('go', 'bool', [])];
  const body = makeGraph([i, go, carried], { go: identity(go), ...next(carried) });
  return loop(scalar('int64', 2), [f(2)], body, 2);
}

const overRows = (v: Value): Value[] => grad(reduceSum(reduceLogSumExp(v, [0], false), [0], false), [v]);

/** Typed over the operators: one without a row does not compile. */
const refusals: { readonly [Op in OpName]: Refusals } = {
  ...{ Add: binary('Add'), Sub: binary('Sub'), Mul: binary('Mul'), Div: binary('Div') },
  ...{ Min: binary('Min'), Max: binary('Max') },
  ...{ Less: binary('Less'), Greater: binary('Greater'), Equal: binary('Equal') },
  ...{ Neg: unary('Neg'), Exp: unary('Exp'), Log: unary('Log'), Sqrt: unary('Sqrt') },
  ...{ Reciprocal: unary('Reciprocal'), Erf: unary('Erf'), Tanh: unary('Tanh') },
  Identity: [], // takes anything
  Cast: [], // takes anything
  Where: [
    [() => where(f(2), f(2), f(2)), /the condition must be boolean/],
    [() => where(greater(f(2), f(2)), f(2), x('float64', 2)), /operands differ in element type/],
    [() => where(greater(f(2), f(2)), f(3), f(3)), /sizes 2 and 3 do not broadcast/],
  ],
  MatMul: [
    [() => matmul(f(2, 3), f(4, 5)), /inner sizes 3 and 4 differ/],
    [() => matmul(f(2, 'K'), f('N', 5)), /inner sizes K and N differ/],
    [() => matmul(f(3), f(3, 5)), /expected at least 2 axes each/],
    [() => matmul(f(2, 3, 4), f(3, 4, 5)), /sizes 2 and 3 do not broadcast/],
    [() => matmul(x('int64', 2, 3), x('int64', 3, 2)), /expected a float tensor/],
    [() => matmul(f(2, 3), x('float64', 3, 2)), /differ in element type/],
  ],
  Gemm: [
    [() => gemm(f(2, 3), f(2, 3)), /inner sizes 3 and 2 differ/],
    [() => gemm(f(2, 3), f(3, 4), { transB: 1 }), /inner sizes 3 and 4 differ/],
    [() => gemm(f(1, 2, 3), f(3, 4)), /expected 2 axes/],
    [() => gemm(f(2, 3), f(3, 4), {}, f(3)), /sizes 4 and 3 do not broadcast/],
    [() => gemm(f(1, 3), f(3, 4), {}, f(5, 4)), /cannot be added to float32\[1, 4\]/],
    [() => gemm(f(2, 3), f(3, 4), {}, f(1, 2, 4)), /cannot be added to/],
    [() => gemm(f(2, 3), f(3, 4), {}, x('float64', 4)), /differ in element type/],
  ],
  ReduceSum: reduction('ReduceSum'),
  ReduceMean: reduction('ReduceMean'),
  ReduceMax: reduction('ReduceMax'),
  ReduceSumSquare: reduction('ReduceSumSquare'),
  ReduceLogSumExp: [
    ...reduction('ReduceLogSumExp'),
    [() => overRows(f(2, 3)), /a gradient over the last axis only/],
  ],
  Softmax: [[() => softmax(integers), /expected a float tensor/]],
  TopK: [[() => topK(f(2, 3), 4).values, /has no 4 largest/]],
  LayerNormalization: [
    [() => layerNorm(f(2, 3), f(2)), /expected one weight a feature/],
    [() => layerNorm(f(2, 3), f(3), f(1)), /expected one weight a feature/],
    [() => layerNorm(f(2, 3), f(1, 3)), /expected one weight a feature/],
    [() => layerNorm(f(2, 3), x('float64', 3)), /differ in element type/],
    [() => apply('LayerNormalization', [f(3, 3), f(3)], { axis: 0 }), /only the last axis is normalised/],
  ],
  Constant: [
    [() => constant(tensor('float32', [2, 2], [1, 2, 3])), /tensor\(float32\[2, 2\]\): given 3 numbers/],
  ],
  ConstantOfShape: [
    [() => zeros('float32', ['B', 2]), /use zerosLike/],
    [() => apply('ConstantOfShape', [shapeOf(f('B'))]), /declare the result shape/],
  ],
  Shape: [], // takes anything
  Size: [], // takes anything
  Range: [
    [
      () => apply('Range', [scalar('int64', 0), scalar('int64', 3), scalar('int64', 1)]),
      /declare the result shape/,
    ],
  ],
  Reshape: [
    [() => reshape(f(2, 3), [4]), /cannot become \[4\]/],
    [() => apply('Reshape', [f(2, 3), int64s(4, -1)]), /cannot become \[4, -1\]/],
    [() => apply('Reshape', [f(2, 3), int64s(-1, -1)]), /only one size may be -1/],
    [() => reshape(f('B', 'T', 2), ['B', 'T', 1, 2]), /several sizes known only at run time: use reshapeTo/],
    [() => reshapeTo(f(2, 3), int64s(6), [5]), /inferred float32\[6\], declared \[5\]/],
    [() => reshapeTo(f('B'), shapeOf(f('B')), ['B', 1]), /declared \[B, 1\]/],
  ],
  Expand: [
    [() => expand(f(2), [3]), /sizes 2 and 3 do not broadcast/],
    [() => apply('Expand', [f(1), x('int64', 'R')]), /the number of axes must be known/],
  ],
  Transpose: [
    [() => transpose(f(2, 3), [1, 1]), /\[1,1\] is no permutation/],
    [() => transpose(f(2, 3), [1, 0, 2]), /is no permutation/],
  ],
  Concat: [
    [() => concat([f(2, 3), f(3, 3)], 1), /only axis 1 may differ/],
    [() => concat([f(2), x('float64', 2)], 0), /only axis 0 may differ/],
    [() => concat([f(2), f(2, 1)], 0), /only axis 0 may differ/],
    [() => concat([f(2), f(2)], 1), /no axis 1/],
    [() => concat([f('B'), f(2)], 0), /declare the result shape/],
  ],
  Split: [
    [() => split(f(5), 0, [2, 2]), /sizes \[2,2\] do not add up to 5/],
    [() => split(f(5), 1, [5]), /no axis 1/],
    [() => apply('Split', [f(5), integers], { axis: 0 }), /sizes must be a constant/],
  ],
  Slice: [
    [() => slice(f(5), 1, 0, 2), /no axis 1/],
    [() => slice(f('B'), 0, 1, Number.POSITIVE_INFINITY), /declare the result shape/],
    [() => apply('Slice', [f(5), int64s(0), int64s(1), integers]), /axes must be constant/],
  ],
  Gather: [
    [() => gather(f(5, 2), f(3)), /indices must be integers/],
    [() => gather(f(5, 2), integers, 2), /no axis 2/],
  ],
  ScatterND: [
    [() => apply('ScatterND', [f(5, 2), x('int32', 3, 1), f(3, 2)]), /ONNX wants int64 indices/],
    [() => apply('ScatterND', [f(5), x('int64', 3, 2), f(3)]), /how many axes they address/],
    [() => scatterAdd(f(5, 2), integers, f(3, 2)), /updates must be \[2, 2\]/],
    [() => scatterAdd(f(5, 2), integers, f(2)), /updates must be \[2, 2\]/],
    [() => scatterAdd(f(5, 2), integers, x('float64', 2, 2)), /differ in element type/],
  ],
  ScatterElements: [
    [() => apply('ScatterElements', [f(5, 2), x('int32', 3, 2), f(3, 2)]), /indices must be int64/],
    [() => apply('ScatterElements', [f(5, 2), x('int64', 3, 2), f(3, 1)]), /must have one shape/],
    [() => apply('ScatterElements', [f(5, 2), x('int64', 3), f(3)]), /of as many axes as the data/],
    [
      () => apply('ScatterElements', [f(5, 2), x('int64', 3, 2), x('float64', 3, 2)]),
      /differ in element type/,
    ],
    [() => apply('ScatterElements', [f(5, 2), x('int64', 3, 2), f(3, 2)], { axis: 2 }), /no axis 2/],
  ],
  Loop: [
    [() => loopOver(f(3), next => ({ next })), /carried value 0 changes its type/],
    [() => loopOver(f(2), v => ({ next: cast(v, 'float64') })), /carried value 0 changes its type/],
    [() => loopOver(f(2), () => ({})), /takes 1 carried values and returns 0/],
    [() => loopOver(f(2), next => ({ next, stacked: f(1) })), /not among its inputs/],
  ],
};

for (const [op, cases] of Object.entries(refusals)) {
  if (cases.length === 0) continue;
  test(`${op}: refuses what ONNX would not take, by name`, () => {
    for (const [build, expected] of cases) assert.throws(build, expected);
  });
}

test('refusals are ShapeErrors that carry the operator and the shapes', () => {
  try {
    add(f(2), f(3));
    assert.fail('accepted');
  } catch (error) {
    assert.ok(error instanceof ShapeError);
    assert.equal(error.op, 'Add');
    assert.deepEqual(error.shapes, ['float32[2]', 'float32[3]']);
  }
});

test('every operator has a row, and all but those that take anything refuse something', () => {
  assert.deepEqual(Object.keys(refusals).sort(), Object.keys(ops).sort());
  const without = Object.entries(refusals).filter(([, cases]) => cases.length === 0);
  assert.deepEqual(without.map(([op]) => op).sort(), ['Cast', 'Identity', 'Shape', 'Size']);
});
