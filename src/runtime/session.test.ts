import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultThreads, InputError, ShapeError } from '../base/index.ts';
import {
  add,
  cast,
  evaluate,
  type Graph,
  gemm,
  identity,
  input,
  loop,
  makeGraph,
  mul,
  neg,
  numbersOf,
  reduceSum,
  scalar,
  scatterAdd,
  type Tensor,
  tensor,
  toNumbers,
  transposeLast,
} from '../graph/index.ts';
import { PROVIDERS, Session, type SessionOptions } from './session.ts';

const f32 = (shape: readonly number[], numbers: readonly number[]): Tensor =>
  tensor('float32', shape, numbers);

/** y = x w' + b with named rows, and the rows' sums. */
function linearModel(): Graph {
  const [x, w, b] = [
    input('x', 'float32', ['N', 3]),
    input('w', 'float32', [2, 3]),
    input('b', 'float32', [2]),
  ];
  const y = gemm(x, w, { transB: 1 }, b);
  return makeGraph([x, w, b], { y, sums: reduceSum(y, [1], false) });
}

const weights = new Map([
  ['w', f32([2, 3], [1, 2, 3, -1, 0.5, 2])],
  ['b', f32([2], [10, -10])],
]);
const x = f32([2, 3], [1, 1, 1, 0.25, -4, 2]);

async function withSession<T>(
  graph: Graph,
  options: SessionOptions,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await Session.create(graph, { threads: 1, ...options });
  try {
    return await use(session);
  } finally {
    await session.release();
  }
}

test('constants give the same results stored, fed by the session, and fed by the caller', async () => {
  const graph = linearModel();
  const fed = await withSession(graph, {}, session => session.run({ x, ...Object.fromEntries(weights) }));
  assert.deepEqual(numbersOf(fed['y']!), [16, -8.5, 8.25, -8.25]);
  for (const maxStoredBytes of [1 << 30, 0]) {
    const options = { constants: weights, maxStoredBytes };
    assert.deepEqual(await withSession(graph, options, session => session.run({ x })), fed);
  }
});

test('everything wrong with the feeds is said at once', async () => {
  await withSession(linearModel(), {}, async session => {
    const feeds = {
      x: f32([2, 4], new Array<number>(8).fill(0)),
      w: { dtype: 'float32', shape: [2, 3], data: new Float32Array(5) } as const,
      z: x,
    };
    await assert.rejects(session.run(feeds), (error: unknown) => {
      assert.ok(error instanceof ShapeError);
      assert.match(error.message, /x is float32\[2, 4\], expected float32\[N, 3\]/);
      assert.match(error.message, /w holds 5 numbers for float32\[2, 3\]/);
      assert.match(error.message, /b is missing \(float32\[2\]\)/);
      assert.match(error.message, /z is not an input/);
      return true;
    });
    const double = tensor('float64', [1, 3], [1, 2, 3]);
    await assert.rejects(session.run({ x: double, ...Object.fromEntries(weights) }), /x is float64\[1, 3\]/);
    const fine = await session.run({ x, ...Object.fromEntries(weights) }); // a refused run breaks nothing
    assert.deepEqual(fine['sums']!.shape, [2]);
  });
});

test('constants that do not fit the graph are refused before the engine sees them', async () => {
  const wrong = new Map([
    ['w', f32([3, 2], [1, 2, 3, 4, 5, 6])],
    ['c', f32([1], [0])],
  ]);
  await assert.rejects(
    Session.create(linearModel(), { constants: wrong }),
    /constants\(\): w is float32\[3, 2\], expected float32\[2, 3\]; c is not an input/,
  );
});

test('a named size has one value in a run, and any value in the next', async () => {
  const [a, b] = [input('a', 'float32', ['N']), input('b', 'float32', ['N'])];
  await withSession(makeGraph([a, b], { sum: add(a, b) }), {}, async session => {
    const { sum } = await session.run({ a: f32([2], [1, 2]), b: f32([2], [3, 4]) });
    assert.deepEqual(numbersOf(sum!), [4, 6]);
    await assert.rejects(
      session.run({ a: f32([2], [1, 2]), b: f32([1], [3]) }),
      /b is float32\[1\], expected float32\[N\]/,
    );
    assert.deepEqual(numbersOf((await session.run({ a: f32([1], [5]), b: f32([1], [6]) }))['sum']!), [11]);
    assert.deepEqual((await session.run({ a: f32([0], []), b: f32([0], []) }))['sum']!.shape, [0]);
  });
});

test('results may overwrite what was fed', async () => {
  const state = input('state', 'float32', [3]);
  await withSession(makeGraph([state], { state: mul(state, scalar('float32', 2)) }), {}, async session => {
    const held = f32([3], [1, 2, 3]);
    for (let i = 0; i < 3; i++) {
      const { state: result } = await session.run({ state: held }, { state: held });
      assert.equal(result, held);
    }
    assert.deepEqual(numbersOf(held), [8, 16, 24]);
  });
});

test('an input may be an output, and one value may have two names', async () => {
  const a = input('a', 'float32', [2]);
  const graph = makeGraph([a], { a, negative: neg(a), same: neg(a) });
  const once = { ...graph, outputs: [...graph.outputs, { name: 'again', value: graph.outputs[1]!.value }] };
  const results = await withSession(once, {}, session => session.run({ a: f32([2], [1, -2]) }));
  assert.deepEqual(
    Object.entries(results).map(([name, value]) => [name, numbersOf(value)]),
    [
      ['a', [1, -2]],
      ['negative', [-1, 2]],
      ['same', [-1, 2]],
      ['again', [-1, 2]],
    ],
  );
});

test('a loop runs as often as it is told at run time, reads what surrounds it, and stacks what it sees', async () => {
  const [start, step, count] = [
    input('start', 'float32', [2]),
    input('step', 'float32', [2]),
    input('count', 'int64', []),
  ];
  const twice = add(step, step);
  const [i, go, carried] = [
    input('i', 'int64', []),
    input('go', 'bool', []),
    input('carried', 'float32', [2]),
  ];
  const next = add(carried, mul(twice, cast(i, 'float32')));
  const body = makeGraph([i, go, carried], { go: identity(go), next, seen: next }, [twice]);
  const [last, seen] = loop(count, [start], body, 'K');
  await withSession(makeGraph([start, step, count], { last: last!, seen: seen! }), {}, async session => {
    const run = (times: number) =>
      session.run({ start: f32([2], [1, 0]), step: f32([2], [1, 10]), count: tensor('int64', [], [times]) });
    const three = await run(3);
    assert.deepEqual(numbersOf(three['last']!), [7, 60]);
    assert.deepEqual(
      [three['seen']!.shape, numbersOf(three['seen']!)],
      [
        [3, 2],
        [1, 0, 3, 20, 7, 60],
      ],
    );
    assert.deepEqual(numbersOf((await run(1))['last']!), [1, 0]);
  });
});

for (const provider of PROVIDERS.filter(name => name !== 'cpu')) {
  test(`${provider}: works, or says what it needs`, async () => {
    try {
      const session = await Session.create(linearModel(), { provider, threads: 1, constants: weights });
      const { y } = await session.run({ x });
      await session.release();
      assert.deepEqual(numbersOf(y!), [16, -8.5, 8.25, -8.25]);
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
      assert.match(
        error.message,
        new RegExp(`^provider ${provider}: is not to be had here: .+ \\(it needs .*use cpu`),
      );
      assert.ok(!error.message.includes('\n'));
    }
  });
}

/** Adds rows to a table at places that repeat as tokens do, with all sizes fixed or the number of rows known at run time. */
function scatterModel(rows: number | string): Graph {
  const [table, places, updates] = [
    input('table', 'float32', [8, 128]),
    input('places', 'int64', [rows]),
    input('updates', 'float32', [rows, 128]),
  ];
  return makeGraph([table, places, updates], { sum: scatterAdd(table, places, updates) });
}

test('no sum at repeated rows is lost, however many threads add', async () => {
  const count = 4000; // enough for the engine to share the work out
  const places = Array.from({ length: count }, (_, i) => (i * i) % 3);
  const updates = Array.from({ length: count * 128 }, (_, i) => i % 7); // whole numbers: sums are exact in any order
  const expected = new Array<number>(8 * 128).fill(1);
  updates.forEach((value, i) => {
    expected[places[Math.floor(i / 128)]! * 128 + (i % 128)]! += value;
  });
  const feeds = {
    table: f32([8, 128], new Array<number>(8 * 128).fill(1)),
    places: tensor('int64', [count], places),
    updates: f32([count, 128], updates),
  };
  for (const rows of [count, 'N']) {
    await withSession(scatterModel(rows), { threads: 4 }, async session => {
      for (let run = 0; run < 3; run++)
        assert.deepEqual(numbersOf((await session.run(feeds))['sum']!), expected, `rows ${rows}, run ${run}`);
    });
  }
});

test('OMP_NUM_THREADS decides the number of threads where it says a number', () => {
  assert.equal(defaultThreads({ OMP_NUM_THREADS: '3' }), 3);
  for (const text of ['0', '-1', 'many', '1.5', undefined])
    assert.ok(defaultThreads({ OMP_NUM_THREADS: text }) >= 1);
});

/** The operators that the engine ran. */
async function operatorsRun(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'isoflop-session-'));
  try {
    await withSession(graph, { profile: join(folder, 'profile') }, session => session.run(feeds));
    const [file] = readdirSync(folder);
    const events = JSON.parse(readFileSync(join(folder, file!), 'utf8')) as {
      readonly name: string;
      readonly args?: { readonly op_name?: string };
    }[];
    return events.filter(({ name }) => name.endsWith('_kernel_time')).map(({ args }) => args!.op_name!);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('what a graph transposes before a product, or after it, the engine does not read down its columns after all', async () => {
  const [rows, narrow, wide] = [3, 256, 512];
  const [a, b] = [input('a', 'float32', [rows, narrow]), input('b', 'float32', [rows, wide])];
  const small = (width: number) => Array.from({ length: rows * width }, (_, i) => (i % 7) - 3); // whole numbers: no rounding
  const feeds = { a: f32([rows, narrow], small(narrow)), b: f32([rows, wide], small(wide)) };
  const product = makeGraph([a, b], { y: gemm(a, b, { transA: 1 }) });
  const twice = makeGraph([a, b], { y: transposeLast(gemm(transposeLast(a), b)) });
  assert.deepEqual(await operatorsRun(product, feeds), ['Transpose', 'Gemm']);
  assert.deepEqual(await operatorsRun(twice, feeds), ['Transpose', 'Gemm', 'Transpose']);
  const expected = evaluate(product, { a: toNumbers(feeds.a), b: toNumbers(feeds.b) });
  const { y } = await withSession(product, {}, session => session.run(feeds));
  assert.deepEqual(numbersOf(y!), [...expected['y']!.data]);
});
