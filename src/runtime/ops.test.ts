/**
 * Every operator against two oracles: its engine kernel against the naive float64 evaluator, and its gradient rule against central
 * differences in float64. The table is typed over the operator names, so an operator without a case does not compile.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../base/index.ts';
import {
  add,
  apply,
  cast,
  concat,
  constant,
  type DType,
  div,
  equal,
  erf,
  evaluate,
  exp,
  expand,
  type GemmOptions,
  type Graph,
  gather,
  gemm,
  grad,
  greater,
  identity,
  input,
  int64s,
  isDifferentiable,
  layerNorm,
  less,
  log,
  loop,
  makeGraph,
  matmul,
  maximum,
  minimum,
  mul,
  type Numbers,
  neg,
  numbersOf,
  type OpName,
  ops,
  range,
  reciprocal,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceSum,
  reduceSumSquare,
  reshape,
  scalar,
  scalarLike,
  scatterAdd,
  shapeOf,
  slice,
  softmax,
  split,
  sqrt,
  sub,
  type Tensor,
  tanh,
  tensor,
  transpose,
  type Value,
  verify,
  where,
  zeros,
} from '../graph/index.ts';
import { Session } from './session.ts';

interface Case {
  /** Shapes of the float inputs. */
  readonly shapes: readonly (readonly number[])[];
  readonly build: (...inputs: Value[]) => Value;
  /** Smallest value of the inputs, for operators that want positive numbers. */
  readonly least?: number;
}

const of = (shapes: Case['shapes'], build: Case['build'], least?: number): Case =>
  least === undefined ? { shapes, build } : { shapes, build, least };
const unary = (f: (x: Value) => Value, least?: number): Case[] => [
  of([[3, 4]], f, least),
  of([[]], f, least),
];
const binary = (f: (a: Value, b: Value) => Value, least?: number): Case[] => [
  of(
    [
      [3, 4],
      [3, 4],
    ],
    f,
    least,
  ),
  of([[2, 3, 4], [4]], f, least),
  of(
    [
      [3, 1],
      [2, 1, 4],
    ],
    f,
    least,
  ),
  of([[3, 4], []], f, least),
];
const gemms = (options: GemmOptions): Case => {
  const [a, b] = [options.transA ? [4, 3] : [3, 4], options.transB ? [5, 4] : [4, 5]];
  return of([a, b], (x, y) => gemm(x!, y!, options));
};
const indices = (...at: number[]): Value => constant(tensor('int64', [at.length], at));
const asFloat = (x: Value, like: Value): Value => cast(x, like.type.dtype);

/** A loop that adds its iteration number, and stacks squares on the way. */
function countingLoop(x: Value): Value {
  const body = (() => {
    const [i, go, carried] = [
      input('i', 'int64', []),
      input('go', 'bool', []),
      input('carried', x.type.dtype, x.type.shape),
    ];
    const next = add(carried!, asFloat(i!, x));
    return makeGraph([i!, go!, carried!], { go: identity(go!), next, squares: mul(next, x) }, [x]);
  })();
  const [last, squares] = loop(scalar('int64', 3), [x], body, 3);
  return add(last!, reduceSum(squares!, [0], false));
}

const cases: { readonly [Op in OpName]: readonly Case[] } = {
  Add: binary(add),
  Sub: binary(sub),
  Mul: binary(mul),
  Div: binary(div, 0.5),
  Neg: unary(neg),
  Exp: unary(exp),
  Log: unary(log, 0.2),
  Sqrt: unary(sqrt, 0.2),
  Reciprocal: unary(reciprocal, 0.3),
  Erf: unary(erf),
  Tanh: unary(tanh),
  Identity: unary(identity),
  Where: [of([[3, 4], [4], [3, 1]], (a, b, c) => where(greater(a!, scalarLike(a!, 0)), b!, c!))],
  Min: binary(minimum),
  Max: binary(maximum),
  Less: [of([[3, 4], [4]], (a, b) => asFloat(less(a, b), a))],
  Greater: [of([[3, 4], [4]], (a, b) => asFloat(greater(a, b), a))],
  Equal: [of([[3, 4]], a => asFloat(equal(cast(a, 'int64'), scalar('int64', 1)), a))],
  Cast: [of([[3, 4]], a => cast(mul(cast(a, 'float64'), scalar('float64', 2)), a.type.dtype))],
  MatMul: [
    of(
      [
        [3, 4],
        [4, 5],
      ],
      matmul,
    ),
    of(
      [
        [2, 2, 3, 4],
        [2, 2, 4, 5],
      ],
      matmul,
    ),
    of(
      [
        [2, 2, 3, 4],
        [4, 5],
      ],
      matmul,
    ),
    of(
      [
        [2, 1, 3, 4],
        [3, 4, 5],
      ],
      matmul,
    ),
  ],
  Gemm: [
    ...[{}, { transA: 1 }, { transB: 1 }, { transA: 1, transB: 1, alpha: 0.7 }].map(gemms),
    of([[3, 4], [4, 5], [5]], (a, b, c) => gemm(a, b, { alpha: 2, beta: 0.5 }, c)),
    of(
      [
        [3, 4],
        [4, 5],
        [3, 5],
      ],
      (a, b, c) => gemm(a, b, {}, c),
    ),
  ],
  ReduceSum: [
    of([[2, 3, 4]], x => reduceSum(x, [1], true)),
    of([[2, 3, 4]], x => reduceSum(x, [0, -1], false)),
    of([[3]], x => reduceSum(x, [0], false)),
  ],
  ReduceMean: [
    of([[2, 3, 4]], x => reduceMean(x, [-1], true)),
    of([[2, 3, 4]], x => reduceMean(x, [0, 1], false)),
  ],
  ReduceSumSquare: [
    of([[2, 3, 4]], x => reduceSumSquare(x, [0, 1, 2], false)),
    of([[3, 4]], x => reduceSumSquare(x, [1], true)),
  ],
  ReduceMax: [of([[2, 3, 4]], x => reduceMax(x, [-1], true))],
  ReduceLogSumExp: [
    of([[3, 5]], x => reduceLogSumExp(x, [-1], false)),
    of([[2, 3, 4]], x => reduceLogSumExp(x, [2], true)),
  ],
  Softmax: [of([[3, 5]], softmax), of([[2, 2, 3]], softmax)],
  LayerNormalization: [
    of([[3, 6], [6]], (x, w) => layerNorm(x, w)),
    of([[2, 3, 6], [6], [6]], (x, w, b) => layerNorm(x, w, b, 1e-3)),
  ],
  Constant: [of([[2]], x => add(x, cast(constant(tensor('float32', [2], [0.25, -3])), x.type.dtype)))],
  ConstantOfShape: [of([[2, 3]], x => add(x, zeros(x.type.dtype, [2, 3])))],
  Shape: [of([[2, 3]], x => asFloat(shapeOf(x), x))],
  Range: [of([[2]], x => asFloat(range(scalar('int64', 4), 4), x))],
  Reshape: [of([[2, 6]], x => reshape(x, [3, 4])), of([[2, 3]], x => reshape(x, [6]))],
  Expand: [of([[3, 1]], x => expand(x, [2, 3, 4]))],
  Transpose: [of([[2, 3, 4]], x => transpose(x, [2, 0, 1])), of([[3, 4]], x => transpose(x, [1, 0]))],
  Concat: [
    of(
      [
        [2, 3],
        [2, 1],
      ],
      (a, b) => concat([a, b, a], 1),
    ),
  ],
  Split: [
    of([[2, 6]], x => {
      const [a, b, c] = split(x, 1, [1, 3, 2]);
      return concat([mul(c!, c!), a!, b!], 1);
    }),
    of([[4, 2]], x => split(x, 0, [1, 3])[1]!),
  ],
  Slice: [
    of([[3, 5]], x => slice(x, 1, 1, 4)),
    of([[3, 5]], x => slice(x, 0, 1, Number.POSITIVE_INFINITY)),
    of([[5]], x => slice(x, 0, -3, -1)),
  ],
  Gather: [
    of([[4, 3]], x => gather(x, indices(2, 0, 2))),
    of([[4, 3]], x => gather(x, constant(tensor('int32', [2, 2], [1, 1, 0, 3])))),
  ],
  ScatterND: [
    of(
      [
        [4, 3],
        [3, 3],
      ],
      (x, u) => scatterAdd(x, indices(1, 3, 1), u),
    ),
  ],
  Loop: [of([[2, 3]], countingLoop)],
};

function feedsFor({ shapes, least }: Case, rng: Rng, dtype: DType): Record<string, Tensor> {
  const draw = () => (least === undefined ? rng.normal() : least + 2 * rng.uniform());
  return Object.fromEntries(
    shapes.map((shape, i) => {
      const count = shape.reduce((n, dim) => n * dim, 1);
      return [`x${i}`, tensor(dtype, shape, Array.from({ length: count }, draw))];
    }),
  );
}

function inputsOf({ shapes }: Case, dtype: DType): Value[] {
  return shapes.map((shape, i) => input(`x${i}`, dtype, shape));
}

const numbersIn = (feeds: Record<string, Tensor>): Record<string, Numbers> =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => [name, { dtype: t.dtype, shape: t.shape, data: numbersOf(t) }]),
  );

function assertClose(
  actual: readonly number[],
  expected: readonly number[],
  relative: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, what);
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  expected.forEach((value, i) => {
    const gap = Math.abs(actual[i]! - value);
    assert.ok(
      gap <= relative * Math.max(scale, Math.abs(value)),
      `${what}[${i}]: ${actual[i]}, expected ${value}`,
    );
  });
}

/** Runs on the engine; undefined where it has no float64 kernel for some node. */
async function onEngine(
  graph: Graph,
  feeds: Record<string, Tensor>,
): Promise<Record<string, Tensor> | undefined> {
  try {
    const session = await Session.create(graph, { threads: 1 });
    const results = await session.run(feeds);
    await session.release();
    return results;
  } catch (error) {
    if (
      /NOT_IMPLEMENTED|Could not find an implementation|type.*not.*supported|is invalid|bound to different types/i.test(
        String(error),
      )
    )
      return undefined;
    throw error;
  }
}

for (const [op, list] of Object.entries(cases)) {
  test(`${op}: the engine's kernel agrees with the reference evaluator`, async () => {
    for (const [i, item] of list.entries()) {
      const inputs = inputsOf(item, 'float32');
      const graph = verify(makeGraph(inputs, { y: item.build(...inputs) }));
      assert.ok(
        graph.nodes.some(node => node.op === op),
        `case ${i} has no ${op}`,
      );
      const feeds = feedsFor(item, Rng.from(17, op, i), 'float32');
      const expected = evaluate(graph, numbersIn(feeds))['y']!;
      const actual = (await onEngine(graph, feeds))!['y']!;
      assert.deepEqual(actual.shape, expected.shape);
      assertClose(numbersOf(actual), expected.data, 1e-5, `${op} case ${i}`);
    }
  });
}

/** loss = sum of the output times fixed random weights, so that every element of the Jacobian matters. */
function lossGraph(item: Case, rng: Rng): { loss: Graph; gradients: Graph } {
  const inputs = inputsOf(item, 'float64');
  const y = item.build(...inputs);
  const shape = y.type.shape as readonly number[];
  const weights = tensor(
    'float64',
    shape,
    Array.from({ length: shape.reduce((n, dim) => n * dim, 1) }, () => rng.normal()),
  );
  const weighted = mul(y, constant(weights));
  const loss =
    shape.length === 0
      ? weighted
      : reduceSum(
          weighted,
          shape.map((_, i) => i),
          false,
        );
  const gradients = Object.fromEntries(grad(loss, inputs).map((g, i) => [`x${i}`, g]));
  return { loss: makeGraph(inputs, { loss }), gradients: verify(makeGraph(inputs, gradients)) };
}

const STEP = 1e-5;

function centralDifferences(graph: Graph, feeds: Record<string, Numbers>, name: string): number[] {
  const at = (i: number, delta: number) => {
    const data = [...feeds[name]!.data];
    data[i]! += delta;
    return evaluate(graph, { ...feeds, [name]: { ...feeds[name]!, data } })['loss']!.data[0]!;
  };
  return feeds[name]!.data.map((_, i) => (at(i, STEP) - at(i, -STEP)) / (2 * STEP));
}

const differentiable = (Object.keys(ops) as OpName[]).filter(op => isDifferentiable(ops[op].vjp));
const checkedOnEngine = new Set<string>();

for (const op of differentiable) {
  test(`${op}: the gradient rule agrees with central differences in float64`, async () => {
    for (const [i, item] of cases[op].entries()) {
      const { loss, gradients } = lossGraph(item, Rng.from(5, op, i));
      const feeds = feedsFor(item, Rng.from(23, op, i), 'float64');
      const numbers = numbersIn(feeds);
      const evaluated = evaluate(gradients, numbers);
      const ran = await onEngine(gradients, feeds);
      if (ran) checkedOnEngine.add(op);
      for (const name of Object.keys(feeds)) {
        const expected = centralDifferences(loss, numbers, name);
        assertClose(evaluated[name]!.data, expected, 1e-5, `${op} case ${i} d/d${name} (evaluator)`);
        if (ran) assertClose(numbersOf(ran[name]!), expected, 1e-5, `${op} case ${i} d/d${name} (engine)`);
      }
    }
  });
}

test('every operator with a gradient has a case, and most are checked on the engine in float64', () => {
  for (const op of differentiable) assert.ok(cases[op].length > 0, `${op} has no gradient case`);
  const onlyReference = differentiable.filter(op => !checkedOnEngine.has(op));
  // The engine's float64 layer norm hands out its statistics as float32.
  assert.deepEqual(
    onlyReference,
    ['LayerNormalization'],
    'operators whose float64 gradient ran on the reference evaluator alone',
  );
});

test('operators without a gradient say why', () => {
  const x = input('x', 'float32', [2]);
  assert.throws(() => grad(reduceSum(maximum(x, x), [0], false), [x]), /Max.*has no gradient: use Where/);
});

test('a rule table without unknown names', () => {
  assert.deepEqual(Object.keys(cases).sort(), Object.keys(ops).sort());
  assert.throws(() => apply('Frobnicate' as OpName, []), /no operator Frobnicate/);
  assert.equal(int64s(1, 2).type.dtype, 'int64');
});
