import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  add,
  backward,
  cast,
  constant,
  eliminateCommonSubexpressions,
  eliminateDeadNodes,
  evaluate,
  expand,
  type Graph,
  identity,
  input,
  int64s,
  layerNorm,
  loop,
  lower,
  makeGraph,
  matmul,
  mul,
  neg,
  optimize,
  reassociate,
  reduceLogSumExp,
  reduceMax,
  reduceSum,
  reshape,
  scalar,
  simplify,
  softmax,
  sub,
  tensor,
  toNumbers,
  transpose,
  transposeLast,
  type Value,
  zeros,
} from '../index.ts';
import { assertSame, count, f, opsOf } from '../testing/passes.ts';

test('equal nodes become one, with equal constants, attributes and inputs', () => {
  const x = f('x', 2, 3);
  const twice = add(mul(neg(x), scalar('float64', 2)), mul(neg(x), scalar('float64', 2)));
  const graph = makeGraph([x], { twice });
  const merged = assertSame(graph, eliminateCommonSubexpressions(graph));
  assert.deepEqual(opsOf(merged), ['Neg', 'Mul', 'Add']);
  assert.equal(merged.nodes.length, 4);
});

test('what differs in anything stays apart', () => {
  const x = f('x', 2, 3);
  const pairs: [Value, Value][] = [
    [reduceSum(x, [0], true), reduceSum(x, [1], true)],
    [reduceSum(x, [0], true), reduceSum(x, [0], false)],
    [mul(x, scalar('float64', 2)), mul(x, scalar('float64', 2 + 2 ** -50))],
    [sub(x, neg(x)), sub(neg(x), x)],
    [cast(x, 'float32'), cast(x, 'int64')],
    [reshape(x, [6]), reshape(x, [3, 2])],
  ];
  for (const [a, b] of pairs) {
    const graph = makeGraph([x], { a, b });
    const merged = eliminateCommonSubexpressions(graph);
    assert.notEqual(merged.outputs[0]!.value, merged.outputs[1]!.value);
  }
});

test('large constants are not compared, loops not merged', () => {
  const x = f('x', 600);
  const large = () => constant(tensor('float64', [600], new Array<number>(600).fill(1.5)));
  const graph = makeGraph([x], { y: add(mul(x, large()), mul(x, large())) });
  assert.equal(count(eliminateCommonSubexpressions(graph), 'Mul'), 2);
  const looped = makeGraph([x], { y: add(doubling(x), doubling(x)) });
  assert.equal(count(eliminateCommonSubexpressions(looped), 'Loop'), 2);
});

/** Adds a captured value to itself in a loop of two trips. */
function doubling(x: Value): Value {
  const [i, go, carried] = [
    input('i', 'int64', []),
    input('go', 'bool', []),
    input('c', 'float64', x.type.shape),
  ];
  const next = add(neg(neg(carried)), mul(x, scalar('float64', 1)));
  const body = makeGraph([i, go, carried], { go: identity(go), next }, [x]);
  return loop(scalar('int64', 2), [x], body, 2)[0]!;
}

test('nodes that no output needs are dropped, also inside the bodies of loops', () => {
  const x = f('x', 2);
  const graph = makeGraph([x], { kept: neg(x), dropped: mul(x, x) });
  const fewer = { ...graph, outputs: graph.outputs.slice(0, 1) };
  assert.deepEqual(opsOf(eliminateDeadNodes(fewer)), ['Neg']);
  const [i, go, carried] = [input('i', 'int64', []), input('go', 'bool', []), f('c', 2)];
  const body = makeGraph([i, go, carried], {
    go: identity(go),
    next: neg(carried),
    extra: mul(carried, carried),
  });
  const unused = { ...body, outputs: body.outputs.slice(0, 2) };
  const looped = makeGraph([x], { y: loop(scalar('int64', 2), [x], unused, 2)[0]! });
  const pruned = eliminateDeadNodes(looped).nodes.find(node => node.op === 'Loop')!.attributes[
    'body'
  ] as Graph;
  assert.deepEqual(opsOf(pruned), ['Identity', 'Neg']);
});

test('products with 1 and sums with 0 disappear, stretched numbers become scalars', () => {
  const x = f('x', 2, 3);
  const ones = expand(reshape(scalar('float64', 1), [1, 1]), [2, 3]);
  const cases: [Value, string[]][] = [
    [mul(x, ones), []],
    [mul(ones, x), []],
    [mul(x, scalar('float64', 1)), []],
    [add(x, zeros('float64', [2, 3])), []],
    [add(zeros('float64', [3]), x), []],
    [sub(x, scalar('float64', 0)), []],
    [mul(x, expand(reshape(scalar('float64', -0.5), [1, 1]), [2, 3])), ['Mul']],
    [mul(neg(ones), x), ['Mul']],
    [sub(scalar('float64', 0), x), ['Sub']], // not x
    [mul(reshape(x, [6]), expand(scalar('float64', 1), [2, 6])), ['Reshape', 'Expand', 'Mul']], // stretches x
    [add(scalar('float64', 1), x), ['Add']],
    [mul(x, scalar('float64', 0)), ['Mul']], // NaN and infinities must not vanish
  ];
  for (const [y, left] of cases) {
    const graph = makeGraph([x], { y, used: neg(x) });
    const simple = assertSame(graph, simplify(graph));
    assert.deepEqual(
      opsOf(simple).filter(op => op !== 'Neg'),
      left,
    );
  }
  const scaled = simplify(makeGraph([x], { y: mul(neg(ones), x) })).nodes.find(node => node.op === 'Mul')!;
  assert.deepEqual(scaled.inputs[1]!.type.shape, []);
});

test('integers are left alone', () => {
  const n = input('n', 'int64', [2]);
  const graph = makeGraph([n], { y: mul(n, int64s(1)), z: add(n, int64s(0)) });
  assert.deepEqual(opsOf(simplify(graph)), ['Mul', 'Add']);
});

test('transposing back what was transposed disappears, any other transposition stays', () => {
  const x = f('x', 2, 3, 4);
  const back = makeGraph([x], { y: neg(transpose(transpose(x, [2, 0, 1]), [1, 2, 0])) });
  assert.deepEqual(opsOf(assertSame(back, simplify(back))), ['Neg']);
  const around = makeGraph([x], { y: transpose(transpose(x, [2, 0, 1]), [2, 0, 1]) });
  assert.deepEqual(opsOf(assertSame(around, simplify(around))), ['Transpose', 'Transpose']);
});

test('the transpose of a product becomes the product of what lies the right way round', () => {
  const [a, b] = [f('a', 2, 3, 4), f('b', 2, 5, 4)];
  const graph = makeGraph([a, b], { y: transposeLast(matmul(a, transposeLast(b))) });
  const better = assertSame(graph, reassociate(graph));
  assert.deepEqual(opsOf(better), ['Transpose', 'MatMul']);
  assert.equal(better.nodes.at(-1)!.inputs[0], b);
});

test('a product that is also used as it is, is not computed twice', () => {
  const [a, b] = [f('a', 3, 4), f('b', 4, 5)];
  const product = matmul(a, b);
  for (const other of [product, neg(product)]) {
    const graph = makeGraph([a, b], { y: transposeLast(product), other });
    assert.equal(count(assertSame(graph, reassociate(graph)), 'MatMul'), 1);
  }
});

test('the sum in the backward pass of attention moves from the scores to the outputs', () => {
  const [q, k, v, dy] = ['q', 'k', 'v', 'dy'].map(name => f(name, 2, 4, 3)) as [Value, Value, Value, Value];
  const y = matmul(softmax(matmul(q, transposeLast(k))), v);
  const [dq, dk, dv] = backward([y], [dy], [q, k, v]);
  const graph = makeGraph([q, k, v, dy], { y, dq: dq!, dk: dk!, dv: dv! });
  const better = assertSame(graph, reassociate(eliminateCommonSubexpressions(graph)));
  const summed = better.nodes.find(node => node.op === 'ReduceSum')!.inputs[0]!;
  assert.deepEqual(summed.type.shape, [2, 4, 3]);
  assert.equal(count(better, 'MatMul'), count(graph, 'MatMul'));
});

test('sums that are no such thing stay', () => {
  const [a, b, c] = [f('a', 4, 3), f('b', 4, 3), f('c', 4, 4)];
  const scores = matmul(a, transposeLast(b));
  const graph = makeGraph([a, b, c], {
    rows: reduceSum(mul(scores, c), [1], true), // c b is not computed anywhere
    columns: reduceSum(mul(scores, scores), [0], true),
    all: reduceSum(mul(scores, c), [0, 1], true),
  });
  assert.deepEqual(opsOf(assertSame(graph, reassociate(graph))), opsOf(graph));
});

test('log sum exp over the last axis is spelled with what its gradient needs, other axes stay', () => {
  const x = f('x', 3, 5);
  const y = reduceLogSumExp(x, [1], false);
  const graph = makeGraph([x], { y });
  assert.deepEqual(opsOf(assertSame(graph, lower(graph))).sort(), [
    'Log',
    'ReduceMax',
    'ReduceMax',
    'Softmax',
    'Sub',
  ]);
  const [dx] = backward([y], [constant(tensor('float64', [3], [1, 2, 3]))], [x]);
  const both = makeGraph([x], { y, dx: dx! });
  assert.equal(count(assertSame(both, optimize(both)), 'Softmax'), 1);
  const columns = makeGraph([x], { y: reduceLogSumExp(x, [0], true), top: reduceMax(x, [1], true) });
  assert.deepEqual(opsOf(assertSame(columns, lower(columns))), opsOf(columns));
  const kept = makeGraph([x], { y: reduceLogSumExp(x, [-1], true) });
  assertSame(kept, lower(kept));
});

test('log sum exp does not overflow where its numbers are large', () => {
  const x = f('x', 1, 2);
  const graph = lower(makeGraph([x], { y: reduceLogSumExp(x, [1], false) }));
  const { y } = evaluate(graph, { x: toNumbers(tensor('float64', [1, 2], [1000, -1000])) });
  assert.deepEqual(y!.data, [1000]);
});

test('a common factor of two products is taken out where nobody else reads them', () => {
  const [g, a, b, c] = [f('g', 2, 3), f('a', 2, 3), f('b', 2, 3), f('c', 2, 3)];
  for (const sum of [
    add(mul(g, a), mul(b, g)),
    add(mul(a, g), mul(mul(g, b), c)),
    add(mul(c, mul(b, g)), mul(g, a)),
  ]) {
    const graph = makeGraph([g, a, b, c], { sum, used: neg(c) });
    const better = assertSame(graph, reassociate(graph));
    assert.equal(count(better, 'Mul'), count(graph, 'Mul') - 1);
  }
  const [product, inner] = [mul(g, a), mul(g, b)];
  for (const outputs of [
    { sum: add(product, mul(g, b)), product },
    { sum: add(mul(g, a), mul(inner, c)), inner },
    { sum: add(mul(g, a), mul(b, c)), used: neg(c) },
    { sum: add(mul(g, a), mul(b, c)), others: neg(g) },
    { sum: add(mul(reduceSum(g, [0], true), a), mul(reduceSum(g, [0], true), b)), used: neg(c) }, // stretched: no pass is spared
  ]) {
    const graph = makeGraph([g, a, b, c], outputs as Record<string, Value>);
    assert.equal(count(assertSame(graph, reassociate(graph)), 'Mul'), count(graph, 'Mul'));
  }
});

test('all passes together keep what is computed, also through loops that capture what the passes replace', () => {
  const [x, w, scale, dy] = [f('x', 4, 6), f('w', 6, 6), f('scale', 6), f('dy', 4, 6)];
  const normed = layerNorm(x, scale);
  const mixed = matmul(softmax(matmul(normed, transposeLast(normed))), matmul(normed, w));
  const y = doubling(add(mul(mixed, scalar('float64', 1)), zeros('float64', [4, 6])));
  const gradients = backward([mixed], [dy], [x, w, scale]);
  const graph = makeGraph([x, w, scale, dy], {
    y,
    ...Object.fromEntries(gradients.map((g, i) => [`g${i}`, g])),
  });
  const better = assertSame(graph, optimize(graph));
  assert.ok(opsOf(better).length < opsOf(graph).length);
  const inner = better.nodes.find(node => node.op === 'Loop')!.attributes['body'] as Graph;
  assert.equal(count(inner, 'Mul'), 0, 'the product with 1 inside the body is gone');
});
