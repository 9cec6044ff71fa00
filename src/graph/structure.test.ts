/** The structure of backward passes, as text: a rule that starts to do more work than it has to changes one of these. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add,
  backward,
  cast,
  constant,
  erf,
  gather,
  gemm,
  grad,
  identity,
  input,
  loop,
  makeGraph,
  matmul,
  mul,
  optimize,
  printGraph,
  reduceSum,
  scalar,
  softmax,
  tensor,
  transposeLast,
  type Value,
} from './index.ts';

const f32 = (name: string, ...shape: (number | string)[]) => input(name, 'float32', shape);

/** The lines of a graph, without the first and the last. */
function body(inputs: readonly Value[], outputs: Record<string, Value>): string {
  return printGraph(optimize(makeGraph(inputs, outputs)))
    .split('\n')
    .slice(1, -1)
    .map(line => line.slice(2))
    .join('\n');
}

test('a linear layer: two products that read everything as it lies, and one sum', () => {
  const [x, w, b, dy] = [f32('x', 4, 3), f32('w', 5, 3), f32('b', 5), f32('dy', 4, 5)];
  const y = gemm(x, w, { transB: 1 }, b);
  const [dx, dw, db] = backward([y], [dy], [x, w, b]);
  assert.equal(
    body([x, w, b, dy], { dx: dx!, dw: dw!, db: db! }),
    `%0: float32[4, 3] = Gemm(%dy, %w)
%1: float32[5, 3] = Gemm(%dy, %x) {transA: 1}
%2: float32[1, 5] = ReduceSum(%dy, [0]) {keepdims: 1}
%3: float32[5] = Reshape(%2, [5])
return dx: %0, dw: %1, db: %3`,
  );
});

test('attention: five products, none repeated, and one sum over outputs (T x hd) where the rule has one over scores (T x T)', () => {
  const [q, k, v, dy] = ['q', 'k', 'v', 'dy'].map(name => f32(name, 1, 2, 4, 3)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const bias = f32('bias', 2, 4, 4);
  const y = matmul(softmax(add(matmul(q, transposeLast(k)), bias)), v);
  const [dq, dk, dv] = backward([y], [dy], [q, k, v]);
  assert.equal(
    body([q, k, v, bias, dy], { y, dq: dq!, dk: dk!, dv: dv! }),
    `%0: float32[1, 2, 3, 4] = Transpose(%k) {perm: [0, 1, 3, 2]}
%1: float32[1, 2, 4, 4] = MatMul(%q, %0)
%2: float32[1, 2, 4, 4] = Add(%1, %bias)
%3: float32[1, 2, 4, 4] = Softmax(%2) {axis: -1}
%4: float32[1, 2, 4, 3] = MatMul(%3, %v)
%5: float32[1, 2, 3, 4] = Transpose(%v) {perm: [0, 1, 3, 2]}
%6: float32[1, 2, 4, 4] = MatMul(%dy, %5)
%7: float32[1, 2, 4, 3] = Mul(%dy, %4)
%8: float32[1, 2, 4, 1] = ReduceSum(%7, [3]) {keepdims: 1}
%9: float32[1, 2, 4, 4] = Sub(%6, %8)
%10: float32[1, 2, 4, 4] = Mul(%3, %9)
%11: float32[1, 2, 4, 3] = MatMul(%10, %k)
%12: float32[1, 2, 4, 4] = Transpose(%10) {perm: [0, 1, 3, 2]}
%13: float32[1, 2, 4, 3] = MatMul(%12, %q)
%14: float32[1, 2, 4, 4] = Transpose(%3) {perm: [0, 1, 3, 2]}
%15: float32[1, 2, 4, 3] = MatMul(%14, %dy)
return y: %4, dq: %11, dk: %13, dv: %15`,
  );
});

test('GELU: six passes backward, with 1 + erf kept from the forward pass', () => {
  const [s, dy] = [f32('s', 4, 8), f32('dy', 4, 8)];
  const y = mul(s, add(erf(s), scalar('float32', 1)));
  const [ds] = backward([y], [dy], [s]);
  assert.equal(
    body([s, dy], { y, ds: ds! }),
    `%0: float32[4, 8] = Erf(%s)
%1: float32[4, 8] = Add(%0, 1)
%2: float32[4, 8] = Mul(%s, %1)
%3: float32[4, 8] = Mul(%s, %s)
%4: float32[4, 8] = Sub(0.1207822, %3)
%5: float32[4, 8] = Exp(%4)
%6: float32[4, 8] = Mul(%s, %5)
%7: float32[4, 8] = Add(%1, %6)
%8: float32[4, 8] = Mul(%dy, %7)
return y: %2, ds: %8`,
  );
});

test('an embedding: rows are added where they were read from, into zeros, and no one-hot matrix is made', () => {
  const table = f32('table', 100, 4);
  const ids = input('ids', 'int32', ['N']);
  const dy = f32('dy', 'N', 4);
  const [dTable] = backward([gather(table, ids)], [dy], [table]);
  assert.equal(
    body([table, ids, dy], { dTable: dTable! }),
    `%0: float32[100, 4] = ConstantOfShape([100, 4]) {value: [0]}
%1: int64[N] = Cast(%ids) {to: int64}
%2: int64[N, 1] = Reshape(%1, [-1, 1])
%3: float32[100, 4] = ScatterND(%0, %2, %dy) {reduction: add}
return dTable: %3`,
  );
});

test('a loss: the seed of ones leaves no pass over the data behind', () => {
  const x = f32('x', 4, 3);
  const loss = reduceSum(mul(x, x), [0, 1], false);
  assert.equal(
    body([x], { dx: grad(loss, [x])[0]! }),
    `%0: float32[4, 3] = Add(%x, %x)
return dx: %0`,
  );
});

test('loops print their bodies, with names for what they capture', () => {
  const [x, w] = [f32('x', 2), f32('w', 2)];
  const doubled = add(w, w);
  const [i, go, carried] = [input('i', 'int64', []), input('go', 'bool', []), f32('carried', 2)];
  const next = mul(carried, add(doubled, cast(i, 'float32')));
  const inner = makeGraph([i, go, carried], { go: identity(go), next, seen: next }, [doubled]);
  const [last, seen] = loop(scalar('int64', 3), [x], inner, 3);
  assert.equal(
    printGraph(makeGraph([x, w], { last: last!, seen: seen! })),
    `graph(%x: float32[2], %w: float32[2]) {
  %0: float32[2] = Add(%w, %w)
  %5: float32[2], %6: float32[3, 2] = Loop(3, 1, %x)
    graph(%i: int64[], %go: bool[], %carried: float32[2]) {
      %1: bool[] = Identity(%go)
      %2: float32[] = Cast(%i) {to: float32}
      %3: float32[2] = Add(%0, %2)
      %4: float32[2] = Mul(%carried, %3)
      return go: %1, next: %4, seen: %4
    }
  return last: %5, seen: %6
}`,
  );
});

test('small constants stand where they are used, large ones by type', () => {
  const x = f32('x', 9);
  const large = constant(tensor('float32', [9], new Array<number>(9).fill(0.5)));
  const text = printGraph(makeGraph([x], { y: add(mul(x, large), scalar('float32', 0.1)) }));
  assert.match(text, /%0: float32\[9\] = Constant\(\) \{value: <float32\[9\]>\}/);
  assert.match(text, /= Add\(%1, 0\.1\)/);
});
