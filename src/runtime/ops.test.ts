/**
 * Every operator against two oracles: its engine kernel against the naive float64 evaluator, and its gradient rule against central
 * differences in float64.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../base/index.ts';
import {
  apply,
  constant,
  type DType,
  elementCount,
  evaluate,
  type Graph,
  grad,
  input,
  int64s,
  isDifferentiable,
  makeGraph,
  maximum,
  mul,
  type Numbers,
  numbersOf,
  type OpName,
  ops,
  reduceSum,
  type Tensor,
  tensor,
  toNumbers,
  type Value,
  verify,
} from '../graph/index.ts';
import { Session } from './session.ts';
import { type Case, cases } from './testing/operator-cases.ts';

function feedsFor({ shapes, least }: Case, rng: Rng, dtype: DType): Record<string, Tensor> {
  const draw = () => (least === undefined ? rng.normal() : least + 2 * rng.uniform());
  return Object.fromEntries(
    shapes.map((shape, i) => {
      return [`x${i}`, tensor(dtype, shape, Array.from({ length: elementCount(shape) }, draw))];
    }),
  );
}

function inputsOf({ shapes }: Case, dtype: DType): Value[] {
  return shapes.map((shape, i) => input(`x${i}`, dtype, shape));
}

const numbersIn = (feeds: Record<string, Tensor>): Record<string, Numbers> =>
  Object.fromEntries(Object.entries(feeds).map(([name, fed]) => [name, toNumbers(fed)]));

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
    Array.from({ length: elementCount(shape) }, () => rng.normal()),
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
