import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../../base/index.ts';
import {
  add,
  backward,
  cast,
  concat,
  constant,
  eliminateCommonSubexpressions,
  eliminateDeadNodes,
  evaluate,
  expand,
  type Graph,
  gather,
  identity,
  input,
  int64s,
  layerNorm,
  loop,
  lower,
  makeGraph,
  matmul,
  moveIndices,
  mul,
  type Node,
  type Numbers,
  neg,
  optimize,
  orderScatters,
  reassociate,
  recomputeProbabilities,
  reduceLogSumExp,
  reduceMax,
  reduceSum,
  reshape,
  scalar,
  scatterAdd,
  simplify,
  slice,
  sliceAt,
  softmax,
  split,
  sub,
  tensor,
  toNumbers,
  transpose,
  transposeLast,
  type Value,
  verify,
  zeros,
} from '../index.ts';

const f = (name: string, ...shape: number[]): Value => input(name, 'float64', shape);
const opsOf = (graph: Graph): string[] =>
  graph.nodes.filter(node => node.op !== 'Constant').map(node => node.op);
const count = (graph: Graph, op: string): number => opsOf(graph).filter(name => name === op).length;

function randomFeeds(graph: Graph): Record<string, Numbers> {
  return Object.fromEntries(
    graph.inputs.map(({ name, type }) => {
      const shape = type.shape as readonly number[];
      const rng = Rng.from(17, name!);
      const length = shape.reduce((n, dim) => n * dim, 1);
      return [
        name,
        toNumbers(
          tensor(
            type.dtype,
            shape,
            Array.from({ length }, () => rng.normal()),
          ),
        ),
      ];
    }),
  );
}

/** Runs both graphs on the same numbers. Rounding may differ, nothing else. */
function assertSame(before: Graph, after: Graph): Graph {
  verify(after);
  const feeds = randomFeeds(before);
  const [expected, actual] = [evaluate(before, feeds), evaluate(after, feeds)];
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, { shape, data }] of Object.entries(expected)) {
    assert.deepEqual(actual[name]!.shape, shape);
    data.forEach((value, i) => {
      const gap = Math.abs(actual[name]!.data[i]! - value);
      assert.ok(gap <= 1e-12 * Math.max(1, Math.abs(value)), `${name}[${i}] off by ${gap}`);
    });
  }
  return after;
}

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

test('cutting, joining and reshaping gathered rows becomes gathering', () => {
  const x = f('x', 6, 4);
  const rows = gather(x, constant(tensor('int32', [2, 3], [5, 0, 3, 1, 4, 2])));
  const [first, second] = split(rows, 0, [1, 1]);
  const moved = [
    makeGraph([x], { first: first!, second: second! }),
    makeGraph([x], { middle: slice(rows, 1, 1, 2) }),
    makeGraph([x], { counted: slice(rows, -2, 1, 2) }), // from the end of the rows, not of the indices
    makeGraph([x], { halves: concat([...split(rows, -3, [1, 1])].reverse(), -3) }),
    makeGraph([x], { joined: concat([first!, rows], 0) }),
    makeGraph([x], { flat: reshape(rows, [6, 4]) }),
    makeGraph([x], { piece: reshape(first!, [3, 4]) }),
  ];
  for (const graph of moved) {
    const better = assertSame(graph, moveIndices(graph));
    const movesRows = (node: Node) => node.op !== 'Gather' && node.outputs[0]!.type.dtype === 'float64';
    assert.ok(!better.nodes.some(movesRows), opsOf(better).join(' '));
  }
  const other = gather(f('other', 6, 4), int64s(1));
  const stays = [
    makeGraph([x], { narrow: slice(rows, 2, 0, 2) }), // rows do not stay whole
    makeGraph([x], { wide: reshape(rows, [3, 8]) }),
    makeGraph([x], { twice: reshape(rows, [6, 4]), rows }),
    makeGraph([x], { columns: split(rows, 2, [2, 2])[0]! }),
    makeGraph([x], { last: slice(rows, -1, 0, 2) }),
    makeGraph([x], {
      bounded: sliceAt(rows, 0, reshape(cast(scalar('float64', 0), 'int64'), [1]), int64s(1), 1),
    }),
    makeGraph([x, other.producer!.inputs[0]!], { mixed: concat([gather(x, int64s(0)), other], 0) }),
    makeGraph([x], { turned: reshape(gather(x, int64s(0, 1), 1), [2, 6]) }),
  ];
  for (const graph of stays) assert.deepEqual(opsOf(assertSame(graph, moveIndices(graph))), opsOf(graph));
});

test('sums at repeated rows are spelled as several small ones, or one by one where their number is unknown', () => {
  const table = f('table', 5, 60_000);
  const [rows, few] = [constant(tensor('int64', [7], [3, 0, 3, 3, 4, 0, 3])), f('few', 2, 60_000)];
  const many = f('many', 7, 60_000);
  const summed = makeGraph([table, many], { y: scatterAdd(table, rows, many) });
  const pieces = assertSame(summed, orderScatters(summed));
  const scatters = pieces.nodes.filter(node => node.op === 'ScatterND');
  assert.deepEqual(
    scatters.map(node => node.inputs[2]!.type.shape[0]),
    [3, 3, 1],
  );
  const small = makeGraph([table, few], { y: scatterAdd(table, int64s(1, 1), few) });
  assert.deepEqual(opsOf(orderScatters(small)), opsOf(small));

  const [short, updates, places] = [
    f('t', 3, 2),
    input('u', 'float64', ['N', 2]),
    input('i', 'int64', ['N']),
  ];
  const unknown = makeGraph([short, updates, places], { y: scatterAdd(short, places, updates) });
  const oneByOne = orderScatters(unknown);
  assert.equal(count(oneByOne, 'ScatterElements'), 1);
  const feeds = {
    t: toNumbers(tensor('float64', [3, 2], [1, 2, 3, 4, 5, 6])),
    u: toNumbers(tensor('float64', [3, 2], [10, 20, 30, 40, 50, 60])),
    i: toNumbers(tensor('int64', [3], [2, 0, 2])),
  };
  assert.deepEqual(evaluate(oneByOne, feeds)['y']!.data, [31, 42, 3, 4, 65, 86]);
});

test('probabilities that a transposed product reads are made again for the backward pass, after the gradient it takes', () => {
  const [x, v, dy] = [f('x', 2, 3, 4), f('v', 2, 4, 5), f('dy', 2, 3, 5)];
  const probabilities = softmax(x);
  const y = matmul(probabilities, v);
  const dv = matmul(transposeLast(probabilities), dy);
  const dx = mul(probabilities, matmul(dy, transposeLast(v)));
  const graph = makeGraph([x, v, dy], { y, dx, dv });
  const twice = assertSame(graph, recomputeProbabilities(graph));
  const [first, second] = twice.nodes.filter(node => node.op === 'Softmax') as [Node, Node];
  assert.equal(count(twice, 'Softmax'), 2);
  const result = (name: string) => twice.outputs.find(output => output.name === name)!.value.producer!;
  assert.equal(result('y').inputs[0], first.outputs[0]);
  assert.equal(result('dx').inputs[0], second.outputs[0]);
  assert.equal(result('dv').inputs[0]!.producer!.inputs[0], second.outputs[0]);
  assert.equal(second.inputs[0]!.producer!.op, 'Reshape');
  assert.deepEqual(
    twice.nodes.find(node => node.op === 'Size')!.inputs,
    [dy],
    'the second time waits for the gradient',
  );
  assert.equal(count(eliminateCommonSubexpressions(twice), 'Softmax'), 2, 'and is not taken for the first');

  const gradientFirst = mul(neg(matmul(probabilities, v)), dy); // depends on the forward pass, as gradients do
  const late = makeGraph([x, v, dy], {
    dx: mul(probabilities, x), // read before the gradient is there
    dv: matmul(transposeLast(probabilities), gradientFirst),
  });
  assert.equal(count(assertSame(late, recomputeProbabilities(late)), 'Softmax'), 2);
  const stays = [
    makeGraph([x, v], { y }),
    makeGraph([x, v, dy], { dv, dx }), // no product of the forward pass
    makeGraph([x, v], { y: matmul(transposeLast(x), x), z: matmul(x, v) }),
  ];
  for (const other of stays) assert.deepEqual(opsOf(recomputeProbabilities(other)), opsOf(other));
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
