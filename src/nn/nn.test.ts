import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  evaluate,
  grad,
  input,
  makeGraph,
  mul,
  type Numbers,
  reduceSum,
  tensor,
  toNumbers,
  type Value,
} from '../graph/index.ts';
import {
  type AdamWOptions,
  adamWStep,
  clipFactor,
  crossEntropy,
  crossEntropyWithGradients,
  feedForward,
  globalNorm,
  initialize,
  kaimingNormal,
  LADDER_ADAMW,
  linear,
  normalize,
  paddedFeedForward,
  type Schedule,
  scheduleFactor,
} from './index.ts';
import { f64, near, numbers, random } from './testing/numbers.ts';

// Schedules

test("cosine is composer's cosine_with_warmup, at the corners and in between", () => {
  const schedule: Schedule = { kind: 'cosine', warmupSteps: 100, totalSteps: 4800, finalFactor: 0.1 };
  const at = (step: number) => scheduleFactor(schedule, step);
  assert.equal(at(0), 0);
  assert.equal(at(1), 0.01);
  assert.equal(at(50), 0.5);
  assert.equal(at(100), 1);
  near([at(2450)], [0.55]); // half way down
  near([at(100 + 4700 / 3)], [0.1 + 0.9 * 0.75]); // cos 60 degrees
  near([at(4799)], [0.1 + 0.45 * (1 + Math.cos((Math.PI * 4699) / 4700))]);
  assert.equal(at(4800), 0.1);
  assert.equal(at(9999), 0.1);
});

test('wsd is flat until it decays, by 1 - sqrt, to its end', () => {
  const schedule: Schedule = {
    kind: 'wsd',
    warmupSteps: 10,
    decayStart: 80,
    totalSteps: 100,
    finalFactor: 0,
  };
  const at = (step: number) => scheduleFactor(schedule, step);
  assert.deepEqual([at(0), at(5), at(10), at(50), at(79)], [0, 0.5, 1, 1, 1]);
  near([at(80), at(99)], [1 - Math.sqrt(1 / 21), 1 - Math.sqrt(20 / 21)]); // the last step still moves
  assert.equal(at(100), 0);
  const longer: Schedule = { ...schedule, totalSteps: 99, finalFactor: 0.1 };
  near([scheduleFactor(longer, 84)], [0.55]); // a quarter of the way: half of the drop
});

test('the trunk of a longer wsd run is the trunk of a shorter one', () => {
  const branch = (decayStart: number): Schedule => ({
    ...{ kind: 'wsd', warmupSteps: 10, decayStart, totalSteps: decayStart + 20, finalFactor: 0.1 },
  });
  for (let step = 0; step < 80; step++)
    assert.equal(scheduleFactor(branch(80), step), scheduleFactor(branch(500), step));
});

test('linear goes down in a straight line; constant stays; nothing needs a warm-up', () => {
  const schedule: Schedule = { kind: 'linear', warmupSteps: 30, totalSteps: 1030, finalFactor: 0 };
  const at = (step: number) => scheduleFactor(schedule, step);
  assert.deepEqual([at(0), at(15), at(30), at(1030)], [0, 0.5, 1, 0]);
  near([at(530), at(780)], [0.5, 0.25]);
  assert.equal(scheduleFactor({ kind: 'constant', warmupSteps: 4 }, 3), 0.75);
  assert.equal(scheduleFactor({ kind: 'constant', warmupSteps: 0 }, 0), 1);
  assert.equal(scheduleFactor({ ...schedule, warmupSteps: 0 }, 0), 1);
  assert.equal(scheduleFactor({ ...schedule, totalSteps: 30 }, 30), 0); // no room to decay: the end at once
});

// Layers

/** The normal distribution function by Simpson's rule, so that it owes nothing to any erf. */
function normalCdf(z: number): number {
  const steps = 2000;
  const h = z / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-((i * h) ** 2) / 2);
  }
  return 0.5 + (sum * h) / 3 / Math.sqrt(2 * Math.PI);
}

test('the feed-forward layer applies z Phi(z), the exact GELU, between its two products', () => {
  const z = [-3, -1, -0.25, 0, 0.25, 1, 3];
  const [x, up, down] = [f64('x', 7, 1), f64('up', 1, 1), f64('down', 1, 1)];
  const { y } = evaluate(makeGraph([x, up, down], { y: feedForward(x, up, down) }), {
    ...{ x: numbers([7, 1], z), up: numbers([1, 1], [1]), down: numbers([1, 1], [2]) },
  });
  near(
    y!.data,
    z.map(v => 2 * v * normalCdf(v)),
    1e-10,
  );
});

test('zero columns change nothing, and stand only where rows would be a multiple of 4 KiB', () => {
  for (const [width, padded] of [
    [1024, 1040],
    [1040, 1040],
    [512, 512],
  ] as const) {
    const [x, up, down] = [f64('x', 2, 3), f64('up', width, 3), f64('down', 3, width)];
    const [upBias, downBias] = [f64('upBias', width), f64('downBias', 3)];
    const y = paddedFeedForward(x, up, down, upBias, downBias);
    const plain = feedForward(x, up, down, upBias, downBias);
    const graph = makeGraph([x, up, down, upBias, downBias], {
      ...{ y, plain, hidden: y.producer!.inputs[0]! },
      ...Object.fromEntries(
        grad(reduceSum(mul(y, y), [0, 1], false), [up, down, upBias]).map((g, i) => [`y${i}`, g]),
      ),
      ...Object.fromEntries(
        grad(reduceSum(mul(plain, plain), [0, 1], false), [up, down, upBias]).map((g, i) => [`plain${i}`, g]),
      ),
    });
    const results = evaluate(graph, {
      x: numbers([2, 3], random('x', 6)),
      up: numbers([width, 3], random('up', 3 * width)),
      down: numbers([3, width], random('down', 3 * width)),
      upBias: numbers([width], random('upBias', width)),
      downBias: numbers([3], random('downBias', 3)),
    });
    assert.deepEqual(results['hidden']!.shape, [2, padded]);
    for (const key of ['', '0', '1', '2'])
      near(results[`y${key}`]!.data, results[`plain${key}`]!.data, 1e-10);
  }
});

test('linear layers scale product and bias alike; normalising leaves mean 0 and variance 1', () => {
  const [x, w, b] = [f64('x', 1, 2), f64('w', 1, 2), f64('b', 1)];
  const graph = makeGraph([x, w, b], { y: linear(x, w, b, 3), n: normalize(x, 0) });
  const results = evaluate(graph, {
    x: numbers([1, 2], [1, 5]),
    w: numbers([1, 2], [2, 1]),
    b: numbers([1], [4]),
  });
  near(results['y']!.data, [3 * (7 + 4)]);
  near(results['n']!.data, [-1, 1]);
});

// Losses

/** D from 256 on: the gradient of the table is summed up transposed. */
for (const D of [3, 256]) {
  test(`cross-entropy of width ${D}, whole and in pieces, with its gradients, is the mean the textbook has`, () => {
    const [N, V] = [6, 5];
    const [hidden, table] = [f64('hidden', N, D), f64('table', V, D)];
    const targets = input('targets', 'int32', [N]);
    const wanted = [4, 0, 1, 1, 3, 2];
    const feeds = {
      hidden: numbers([N, D], random('hidden', N * D)),
      table: numbers([V, D], random('table', V * D)),
      targets: toNumbers(tensor('int32', [N], wanted)),
    };
    const logit = (n: number, v: number) =>
      Array.from(
        { length: D },
        (_, i) => feeds.hidden.data[n * D + i]! * feeds.table.data[v * D + i]!,
      ).reduce((a, b) => a + b);
    const losses = wanted.map((v, n) =>
      Math.log(
        Array.from({ length: V }, (_, u) => Math.exp(logit(n, u) - logit(n, v))).reduce((a, b) => a + b),
      ),
    );
    const each = crossEntropy(hidden, table, targets);
    const [dHidden, dTable] = grad(reduceSum(each, [0], false), [hidden, table]);
    const plain = evaluate(
      makeGraph([hidden, table, targets], { each, dHidden: dHidden!, dTable: dTable! }),
      feeds,
    );
    near(plain['each']!.data, losses);
    for (const pieces of [1, 2, 3, 6]) {
      const head = crossEntropyWithGradients(hidden, table, targets, pieces);
      const results = evaluate(makeGraph([hidden, table, targets], { ...head }), feeds);
      near(results['lossSum']!.data, [losses.reduce((a, b) => a + b)]);
      near(results['hiddenGradient']!.data, plain['dHidden']!.data);
      near(results['tableGradient']!.data, plain['dTable']!.data);
    }
  });
}

// Optimizer

/** AdamW as the papers write it (Kingma & Ba 2015; Loshchilov & Hutter 2019, with composer's lr / peak lr in the decay). */
function plainAdamW(
  parameters: readonly number[],
  gradients: readonly (readonly number[])[],
  rates: readonly number[],
  peak: number,
  { beta1, beta2, epsilon, weightDecay }: AdamWOptions,
): number[] {
  return parameters.map((start, i) => {
    let [p, m, v] = [start, 0, 0];
    gradients.forEach((g, step) => {
      m = beta1 * m + (1 - beta1) * g[i]!;
      v = beta2 * v + (1 - beta2) * g[i]! ** 2;
      const [mHat, vHat] = [m / (1 - beta1 ** (step + 1)), v / (1 - beta2 ** (step + 1))];
      p *= 1 - (rates[step]! / peak) * weightDecay;
      p -= (rates[step]! * mHat) / (Math.sqrt(vHat) + epsilon);
    });
    return p;
  });
}

for (const weightDecay of [0, 0.1]) {
  test(`AdamW in the graph follows the textbook over several steps, weight decay ${weightDecay}`, () => {
    const options: AdamWOptions = { ...LADDER_ADAMW, weightDecay };
    const [count, peak] = [5, 0.02];
    const state = { parameter: f64('p', count), firstMoment: f64('m', count), secondMoment: f64('v', count) };
    const names = ['learningRate', 'decayScale', 'bias1', 'bias2'] as const;
    const scalars = Object.fromEntries(names.map(name => [name, f64(name)])) as Record<
      (typeof names)[number],
      Value
    >;
    const gradient = f64('g', count);
    const factor = f64('factor');
    const stepped = adamWStep(state, gradient, factor, scalars, options);
    const graph = makeGraph([...Object.values(state), gradient, factor, ...Object.values(scalars)], {
      p: stepped.parameter,
      m: stepped.firstMoment,
      v: stepped.secondMoment,
    });
    const start = random('start', count);
    const rates = [0, 0.005, 0.01, 0.02, 0.013, 0.002];
    const gradients = rates.map((_, step) =>
      random(`gradient ${step}`, count).map(g => g * 10 ** (step - 3)),
    );
    let held: Record<string, Numbers> = {
      ...{ p: numbers([count], start), m: numbers([count], new Array<number>(count).fill(0)) },
      v: numbers([count], new Array<number>(count).fill(0)),
    };
    rates.forEach((rate, step) => {
      const one = (value: number) => numbers([], [value]);
      held = evaluate(graph, {
        ...held,
        g: numbers(
          [count],
          gradients[step]!.map(g => g / 0.25),
        ), // the factor scales it back
        factor: one(0.25),
        learningRate: one(rate),
        decayScale: one(rate / peak),
        bias1: one(1 - options.beta1 ** (step + 1)),
        bias2: one(1 - options.beta2 ** (step + 1)),
      });
    });
    near(held['p']!.data, plainAdamW(start, gradients, rates, peak, options), 1e-10);
  });
}

test('the norm is taken over all gradients at once, and clipping scales by at most 1', () => {
  const [a, b] = [f64('a', 2), f64('b', 2, 1)];
  const norm = globalNorm([a, b]);
  const graph = makeGraph([a, b], {
    norm,
    loose: clipFactor(norm, 26),
    tight: clipFactor(norm, 1.3),
    clipped: mul(norm, clipFactor(norm, 1.3)),
  });
  const feeds = { a: numbers([2], [3, 4]), b: numbers([2, 1], [0, 12]) };
  const results = evaluate(graph, feeds);
  near(results['norm']!.data, [13]);
  near(results['loose']!.data, [1]);
  near(results['tight']!.data, [1.3 / (13 + 1e-6)]);
  assert.ok(results['clipped']!.data[0]! <= 1.3);
  const none = evaluate(graph, { a: numbers([2], [0, 0]), b: numbers([2, 1], [0, 0]) });
  assert.deepEqual([none['norm']!.data[0], none['tight']!.data[0]], [0, 1]);
});

// Initialisation

test('weights start with the standard deviation they should, biases at 0, norms at 1', () => {
  const layers = 24;
  for (const [initializer, std] of [
    [kaimingNormal(768), Math.sqrt(2 / 768)],
    [kaimingNormal(3072, layers), Math.sqrt(2 / 3072) / Math.sqrt(2 * layers)],
  ] as const) {
    const data = initialize('w', 200_000, initializer, 17);
    const mean = data.reduce((a, b) => a + b) / data.length;
    const variance = data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length;
    assert.ok(Math.abs(mean) < 0.01 * std);
    assert.ok(Math.abs(Math.sqrt(variance) / std - 1) < 0.01);
    const inside = data.filter(x => Math.abs(x) < std).length / data.length;
    assert.ok(Math.abs(inside - 0.6827) < 0.005, 'normal, not uniform');
  }
  assert.deepEqual(initialize('b', 3, { kind: 'zeros' }, 17), new Float32Array(3));
  assert.deepEqual(initialize('n', 3, { kind: 'ones' }, 17), Float32Array.of(1, 1, 1));
});

test('a tensor depends on the seed and its own name alone', () => {
  const draw = (name: string, seed: number) => initialize(name, 4, kaimingNormal(8), seed);
  assert.deepEqual(draw('a', 17), draw('a', 17));
  assert.notDeepEqual(draw('a', 17), draw('b', 17));
  assert.notDeepEqual(draw('a', 17), draw('a', 18));
});
