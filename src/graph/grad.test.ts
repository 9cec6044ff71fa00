import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InternalError, ShapeError } from '../base/index.ts';
import {
  add,
  backward,
  cast,
  concat,
  constant,
  evaluate,
  exp,
  gather,
  grad,
  input,
  int64s,
  loop,
  makeGraph,
  matmul,
  mul,
  type Numbers,
  reduceMean,
  reduceSum,
  reshape,
  scalar,
  slice,
  split,
  sub,
  tensor,
  toNumbers,
  transposeLast,
  type Value,
  verify,
} from './index.ts';

const f64 = (name: string, ...shape: (number | string)[]) => input(name, 'float64', shape);
const feed = (shape: readonly number[], numbers: readonly number[]): Numbers =>
  toNumbers(tensor('float64', shape, numbers));

/** d loss / d wrt at these numbers. */
function gradientsAt(
  loss: Value,
  wrt: readonly Value[],
  feeds: Record<string, Numbers>,
  others: readonly Value[] = [],
): (readonly number[])[] {
  const gradients = Object.fromEntries(grad(loss, wrt).map((g, i) => [`g${i}`, g]));
  const results = evaluate(verify(makeGraph([...wrt, ...others], gradients)), feeds);
  return wrt.map((_, i) => results[`g${i}`]!.data);
}

test('a value that is used several times receives the sum of what comes back', () => {
  const x = f64('x', 3);
  const square = mul(x, x);
  const loss = reduceSum(add(mul(square, x), sub(square, x)), [0], false); // x^3 + x^2 - x
  const numbers = [0.5, -2, 3];
  const [dx] = gradientsAt(loss, [x], { x: feed([3], numbers) });
  assert.deepEqual(
    dx,
    numbers.map(v => 3 * v * v + 2 * v - 1),
  );
});

test('a value with respect to which one differentiates may lie inside another', () => {
  const x = f64('x', 2);
  const y = exp(x);
  const loss = reduceSum(mul(y, y), [0], false);
  const [dx, dy] = backward([loss], [scalar('float64', 1)], [x, y]);
  const results = evaluate(makeGraph([x], { dx: dx!, dy: dy! }), { x: feed([2], [0, 1]) });
  assert.deepEqual(results['dy']!.data, [2, 2 * Math.E]);
  assert.deepEqual(results['dx']!.data, [0, 0], 'what is asked for is independent of what it is made from');
});

test('what the loss does not depend on gets zeros of its shape, also with named sizes', () => {
  const [x, unused, dynamic] = [f64('x', 2), f64('unused', 2, 3), f64('dynamic', 'B', 'T')];
  const loss = reduceSum(x, [0], false);
  const feeds = {
    x: feed([2], [1, 2]),
    unused: feed([2, 3], [1, 2, 3, 4, 5, 6]),
    dynamic: feed([1, 2], [7, 8]),
  };
  assert.deepEqual(gradientsAt(loss, [x, unused, dynamic], feeds), [
    [1, 1],
    [0, 0, 0, 0, 0, 0],
    [0, 0],
  ]);
});

test('operands that were stretched receive sums over what they were stretched along', () => {
  const [column, row, number] = [f64('column', 3, 1), f64('row', 4), f64('number')];
  const loss = reduceSum(mul(add(column, row), number), [0, 1], false);
  const feeds = { column: feed([3, 1], [1, 2, 3]), row: feed([4], [1, 1, 1, 1]), number: feed([], [2]) };
  assert.deepEqual(gradientsAt(loss, [column, row, number], feeds), [[8, 8, 8], [6, 6, 6, 6], [36]]);
});

test('several outputs with cotangents of their own: a vector-Jacobian product', () => {
  const x = f64('x', 2);
  const [a, b] = [mul(x, scalar('float64', 3)), mul(x, x)];
  const [dx] = backward(
    [a, b],
    [x, scalar('float64', 1)].map(c => add(c, mul(x, scalar('float64', 0)))),
    [x],
  );
  const results = evaluate(makeGraph([x], { dx: dx! }), { x: feed([2], [2, 5]) });
  assert.deepEqual(results['dx']!.data, [2 * 3 + 2 * 2, 5 * 3 + 2 * 5]);
});

test('outputs of one node that the loss uses in part are differentiated as if the rest got zeros', () => {
  const x = f64('x', 6);
  const [, middle] = split(x, 0, [1, 2, 3]);
  const loss = reduceSum(mul(middle!, middle!), [0], false);
  const [dx] = gradientsAt(loss, [x], { x: feed([6], [1, 2, 3, 4, 5, 6]) });
  assert.deepEqual(dx, [0, 4, 6, 0, 0, 0]);
});

test('rows that were read several times receive the sum', () => {
  const table = f64('table', 3, 2);
  const loss = reduceSum(gather(table, int64s(2, 0, 2)), [0, 1], false);
  assert.deepEqual(gradientsAt(loss, [table], { table: feed([3, 2], [1, 2, 3, 4, 5, 6]) }), [
    [1, 1, 0, 0, 2, 2],
  ]);
});

const zeroRows: Numbers = toNumbers(tensor('float64', [4, 2], new Array<number>(8).fill(0)));

test('rows that a constant permutation put in order are put back by another, shared by all who use the first', () => {
  const [x, y] = [input('x', 'float64', [4, 2]), input('y', 'float64', [4, 2])];
  const order = constant(tensor('int32', [2, 2], [2, 0, 3, 1]));
  const weights = constant(tensor('float64', [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
  const loss = add(
    reduceSum(mul(gather(x, order), weights), [0, 1, 2], false),
    reduceSum(mul(gather(y, order), weights), [0, 1, 2], false),
  );
  const [dx, dy] = grad(loss, [x, y]);
  const graph = makeGraph([x, y], { dx: dx!, dy: dy! });
  assert.deepEqual(evaluate(graph, { x: zeroRows, y: zeroRows })['dx']!.data, [3, 4, 7, 8, 1, 2, 5, 6]);
  assert.ok(!graph.nodes.some(node => node.op === 'ScatterND'));
  assert.equal(dx!.producer!.inputs[1], dy!.producer!.inputs[1]);
});

test('a slice from before the beginning gives its gradient back to the right places', () => {
  const x = f64('x', 3);
  const loss = reduceSum(slice(x, 0, -7, 2), [0], false);
  assert.deepEqual(gradientsAt(loss, [x], { x: feed([3], [1, 2, 3]) }), [[1, 1, 0]]);
});

test('rounding to integers lets no gradient through', () => {
  const x = f64('x', 3);
  const whole = cast(cast(x, 'int64'), 'float64');
  const loss = reduceSum(mul(whole, x), [0], false);
  assert.deepEqual(gradientsAt(loss, [x], { x: feed([3], [1.5, -2.5, 0.25]) }), [[1, -2, 0]]);
});

test('a chain of products with one named size', () => {
  const [x, w] = [f64('x', 'N', 2), f64('w', 3, 2)];
  const y = matmul(x, transposeLast(w)); // (N, 3)
  const loss = reduceSum(reshape(reduceMean(y, [1], true), ['N']), [0], false);
  const feeds = { x: feed([2, 2], [1, 2, 3, 4]), w: feed([3, 2], [1, 0, 0, 1, 1, 1]) };
  const [dx, dw] = gradientsAt(loss, [x, w], feeds);
  near(dx!, [2 / 3, 2 / 3, 2 / 3, 2 / 3]);
  near(dw!, [4 / 3, 2, 4 / 3, 2, 4 / 3, 2]);
});

function near(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) < 1e-12, `${actual}`);
  });
}

test('what cannot be differentiated says so', () => {
  const [x, named] = [f64('x', 3), f64('named', 'B', 3)];
  assert.throws(() => grad(x, [x]), /grad\(float64\[3\]\): the loss must be a scalar/);
  assert.throws(() => backward([x], [f64('dy', 2)], [x]), ShapeError);
  const counted = cast(gather(x, int64s(0)), 'float64');
  assert.equal(grad(reduceSum(counted, [0], false), [x]).length, 1);
  const all = [0, 1];
  assert.throws(
    () => grad(reduceMean(named, all, false), [named]),
    /the gradient of a mean over B needs a fixed size/,
  );
  assert.throws(
    () => grad(reduceSum(slice(named, 0, 0, 2), all, false), [named]),
    /a slice of B has a gradient only where that size is a number/,
  );
  assert.throws(
    () => grad(reduceSum(concat([named, named], 0, ['B2', 3]), all, false), [named]),
    /has a gradient only where B is a number/,
  );
});

test('a loop has no gradient: its body has', () => {
  const x = f64('x', 2);
  const [i, go, carried] = [input('i', 'int64', []), input('go', 'bool', []), f64('carried', 2)];
  const body = makeGraph([i, go, carried], { go, next: mul(carried, carried) });
  const [last] = loop(scalar('int64', 2), [x], body, 2);
  assert.throws(() => grad(reduceSum(last!, [0], false), [x]), /Loop.*differentiate the body first/);
});

test('a graph must be given everything it reads', () => {
  const [x, y] = [f64('x', 2), f64('y', 2)];
  assert.throws(() => makeGraph([x], { sum: add(x, y) }), InternalError);
  assert.throws(() => makeGraph([x], { y }), /reads y: float64\[2\], which is not among its inputs/);
});
