import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShapeError } from '../base/index.ts';
import {
  add,
  apply,
  cast,
  concat,
  constant,
  countFlops,
  evaluate,
  expand,
  expandLike,
  type Graph,
  gather,
  gemm,
  grad,
  identity,
  input,
  int64s,
  loop,
  makeGraph,
  matmul,
  mul,
  neg,
  numbersOf,
  reduceSum,
  reshape,
  reshapeTo,
  sameNumbers,
  scalar,
  shapeOf,
  slice,
  tensor,
  tensorArray,
  toNumbers,
  type Value,
  verify,
  zerosLike,
} from './index.ts';

const f = (name: string, ...shape: (number | string)[]): Value => input(name, 'float32', shape);

/** A graph whose node `op` claims another type for its result. */
function tampered(graph: Graph, op: string, type: Value['type']): Graph {
  const node = graph.nodes.find(n => n.op === op)!;
  Object.assign(node.outputs[0]!, { type });
  return graph;
}

test('verify accepts what was built and catches a tampered shape or element type', () => {
  const build = () => {
    const [x, w] = [f('x', 2, 3), f('w', 3, 4)];
    return makeGraph([x, w], { y: neg(matmul(x, w)) });
  };
  assert.equal(verify(build()).nodes.length, 2);
  assert.throws(
    () => verify(tampered(build(), 'MatMul', { dtype: 'float32', shape: [2, 5] })),
    /MatMul\(float32\[2, 3\], float32\[3, 4\]\): holds float32\[2, 5\], infers float32\[2, 4\]/,
  );
  assert.throws(() => verify(tampered(build(), 'Neg', { dtype: 'float64', shape: [2, 4] })), ShapeError);
});

test('verify looks into the bodies of loops', () => {
  const [x, i, go, carried] = [f('x', 2), input('i', 'int64', []), input('go', 'bool', []), f('carried', 2)];
  const body = makeGraph([i, go, carried], { go: identity(go), next: neg(neg(carried)) });
  const graph = makeGraph([x], { y: loop(scalar('int64', 2), [x], body, 2)[0]! });
  verify(graph);
  tampered(body, 'Neg', { dtype: 'float32', shape: [3] });
  assert.throws(() => verify(graph), /Neg/);
});

test('verify catches nodes that stand before what they read, and outputs that nobody makes', () => {
  const x = f('x', 2);
  const graph = makeGraph([x], { y: neg(neg(x)) });
  assert.throws(
    () => verify({ ...graph, nodes: [...graph.nodes].reverse() }),
    /reads a value before it is made/,
  );
  assert.throws(() => verify({ ...graph, nodes: graph.nodes.slice(0, 1) }), /output y is never made/);
});

test('a graph holds the nodes its outputs need, each once and after what it reads', () => {
  const x = f('x', 2);
  const shared = neg(x);
  neg(shared); // needed by nobody
  const graph = makeGraph([x], { a: add(shared, shared), b: shared });
  assert.deepEqual(
    graph.nodes.map(node => node.op),
    ['Neg', 'Add'],
  );
  assert.deepEqual(
    graph.outputs.map(output => output.name),
    ['a', 'b'],
  );
});

test('a graph of a hundred thousand nodes in a row is collected and differentiated without recursion', () => {
  const x = f('x');
  let y: Value = x;
  for (let i = 0; i < 100_000; i++) y = neg(y);
  assert.equal(makeGraph([x], { y }).nodes.length, 100_000);
  assert.equal(makeGraph([x], { dx: grad(y, [x])[0]! }).nodes.length, 100_001);
});

test('named sizes meet themselves and 1, and are carried through every kind of operator', () => {
  const x = f('x', 'B', 'T', 6);
  const shapes: [Value, readonly (number | string)[]][] = [
    [add(x, f('b', 6)), ['B', 'T', 6]],
    [add(x, f('b', 'T', 1)), ['B', 'T', 6]],
    [matmul(x, f('w', 6, 4)), ['B', 'T', 4]],
    [matmul(f('q', 'B', 'T', 4), f('k', 'B', 4, 'S')), ['B', 'T', 'S']],
    [gemm(f('y', 'N', 6), f('w', 4, 6), { transB: 1 }), ['N', 4]],
    [reduceSum(x, [2], true), ['B', 'T', 1]],
    [gather(f('table', 9, 6), input('ids', 'int32', ['B', 'T'])), ['B', 'T', 6]],
    [reshape(f('flat', 'N', 6), ['N', 2, 3]), ['N', 2, 3]],
    [
      reshapeTo(x, concat([shapeOf(input('ids', 'int32', ['B', 'T'])), int64s(2, 3)], 0), ['B', 'T', 2, 3]),
      ['B', 'T', 2, 3],
    ],
    [slice(x, 1, 0, Number.POSITIVE_INFINITY), ['B', 'T', 6]],
    [slice(x, 2, 1, -1), ['B', 'T', 4]],
    [expandLike(f('one', 1, 1, 1), x), ['B', 'T', 6]],
    [zerosLike(x), ['B', 'T', 6]],
    [cast(x, 'float64'), ['B', 'T', 6]],
  ];
  for (const [value, shape] of shapes) assert.deepEqual(value.type.shape, shape);
});

test('a reshape finds the one size that is left, by number or by name', () => {
  const sizes = (...to: number[]) => int64s(...to);
  const shapeAfter = (from: (number | string)[], ...to: number[]) =>
    apply('Reshape', [f('x', ...from), sizes(...to)])[0]!.type.shape;
  assert.deepEqual(shapeAfter([2, 6], 3, -1), [3, 4]);
  assert.deepEqual(shapeAfter(['N', 6], -1, 2, 3), ['N', 2, 3]);
  assert.deepEqual(shapeAfter(['N', 6], 0, 3, 2), ['N', 3, 2]);
  assert.deepEqual(shapeAfter([0, 6], -1, 3), [0, 3]);
  assert.throws(() => shapeAfter(['N', 6], -1, 4), /declare the result shape/);
});

test('counting needs numbers, a loop counts as often as it runs, and products are kept apart', () => {
  const [x, w] = [f('x', 4, 3), f('w', 3, 5)];
  assert.deepEqual(countFlops(makeGraph([x, w], { y: neg(matmul(x, w)) })), {
    products: 2 * 4 * 3 * 5,
    elementwise: 20,
  });
  assert.equal(countFlops(makeGraph([x, w], { y: gemm(w, x, { transA: 1, transB: 1 }) })).products, 120);
  const n = f('n', 'N', 3);
  assert.throws(() => countFlops(makeGraph([n, w], { y: matmul(n, w) })), /sizes must be numbers/);

  const steps = input('steps', 'int64', []);
  const state = f('state', 3, 3);
  const fixed = makeGraph([state], { y: loopOf(scalar('int64', 5), state) });
  const open = makeGraph([steps, state], { y: loopOf(steps, state) });
  assert.equal(countFlops(fixed).products, 5 * 54);
  assert.throws(() => countFlops(open), /the trip count must be a constant/);
});

/** A loop that squares a 3 x 3 matrix `count` times. */
function loopOf(count: Value, state: Value): Value {
  const [i, go, carried] = [input('i', 'int64', []), input('go', 'bool', []), f('carried', 3, 3)];
  const body = makeGraph([i, go, carried], { go: identity(go), next: matmul(carried, carried) });
  return loop(count, [state], body, 1)[0]!;
}

test('loops carry values, stack what they see, and read what surrounds them', () => {
  const x = input('x', 'float64', [2]);
  const factor = mul(x, scalar('float64', 2));
  const [i, go, carried] = [
    input('i', 'int64', []),
    input('go', 'bool', []),
    input('carried', 'float64', [2]),
  ];
  const next = mul(carried, factor);
  const body = makeGraph([i, go, carried], { go: identity(go), next, before: carried }, [factor]);
  const [last, stacked] = loop(scalar('int64', 3), [x], body, 3);
  const graph = verify(makeGraph([x], { last: last!, stacked: stacked! }));
  const results = evaluate(graph, { x: toNumbers(tensor('float64', [2], [1, 3])) });
  assert.deepEqual(results['last']!.data, [8, 3 * 6 ** 3]);
  assert.deepEqual(results['stacked']!.shape, [3, 2]);
  assert.deepEqual(results['stacked']!.data, [1, 3, 2, 18, 4, 108]);
});

test('builders leave out what does nothing', () => {
  const x = f('x', 2, 3);
  assert.equal(reshape(x, [2, 3]), x);
  assert.equal(expand(x, [2, 3]), x);
  assert.equal(cast(x, 'float32'), x);
  assert.equal(concat([x], 0), x);
});

test('tensors hold the numbers of their element type', () => {
  assert.deepEqual(numbersOf(tensor('int64', [2], [3, -4])), [3, -4]);
  assert.ok(tensor('int64', [1], [1]).data instanceof BigInt64Array);
  assert.ok(tensorArray('bool', 3) instanceof Uint8Array);
  assert.throws(() => tensor('float32', [], []), /tensor\(float32\[\]\): given 0 numbers/);
  assert.equal(sameNumbers(tensor('int32', [1], [1]), tensor('int64', [1], [1])), false);
  assert.equal(sameNumbers(tensor('int64', [2], [1, 2]), tensor('int64', [2], [1, 2])), true);
  assert.equal(sameNumbers(tensor('int64', [2], [1, 2]), tensor('int64', [1, 2], [1, 2])), false);
  assert.equal(constant(tensor('bool', [1], [1])).type.dtype, 'bool');
});
