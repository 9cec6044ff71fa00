/**
 * The same training graph on ONNX Runtime's WebGPU provider. Runs where there is an adapter; a software one will do, for example
 * SwiftShader (Debian's chromium-common has libvk_swiftshader.so), named by VK_ICD_FILENAMES.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { graph, InputError, models, nn, runtime, train } from 'isoflop';

const { input, makeGraph, mul, numbersOf, tensor } = graph;
const { Session } = runtime;

let absent: string | undefined;

before(async () => {
  const x = input('x', 'float32', [2]);
  try {
    const session = await Session.create(makeGraph([x], { y: mul(x, x) }), { provider: 'webgpu' });
    await session.release();
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    absent = 'no WebGPU adapter on this machine';
  }
});

const config = models.mptConfig({ dModel: 32, heads: 2, layers: 2, vocabSize: 128, maxLength: 32 });
const weights = train.weightsOf(config, train.initialState(config, 3));

function gradientGraph() {
  const parameters = models.parameterInputs(config);
  const ids = input('ids', 'int32', [4, 32]);
  const targets = input('targets', 'int32', [128]);
  const hidden = models.mptHidden(config, parameters, ids, { tokens: 128 });
  const table = parameters.get(models.TOKEN_EMBEDDING)!;
  const head = nn.crossEntropyWithGradients(hidden, table, targets, 2);
  const gradients = graph.backward(
    [hidden, table],
    [head.hiddenGradient, head.tableGradient],
    [...parameters.values()],
  );
  const outputs = Object.fromEntries([...parameters.keys()].map((name, i) => [`d:${name}`, gradients[i]!]));
  return graph.optimize(
    makeGraph([...parameters.values(), ids, targets], { loss: head.lossSum, ...outputs }),
  );
}

test('gradients on WebGPU equal the CPU to 1e-5', async t => {
  if (absent) return t.skip(absent);
  const ids = tensor(
    'int32',
    [4, 32],
    Array.from({ length: 128 }, (_, i) => (i * 79) % 128),
  );
  const targets = tensor(
    'int32',
    [128],
    Array.from({ length: 128 }, (_, i) => (i * 53 + 7) % 128),
  );
  const results = await Promise.all(
    (['cpu', 'webgpu'] as const).map(async provider => {
      const session = await Session.create(gradientGraph(), { provider, threads: 1 });
      return session.run({ ...Object.fromEntries(weights), ids, targets });
    }),
  );
  for (const [name, expected] of Object.entries(results[0]!)) {
    const [a, b] = [numbersOf(expected), numbersOf(results[1]![name]!)];
    const scale = Math.max(...a.map(Math.abs));
    const worst = Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    assert.ok(worst <= 1e-5 * Math.max(1, scale), `${name}: off by ${worst} of ${scale}`);
  }
});

test('training on WebGPU, with the state staying on the device, follows the CPU', async t => {
  if (absent) return t.skip(absent);
  const options = { batch: 2, length: 32, accumulation: 2, maxGradNorm: 1, adamW: nn.LADDER_ADAMW };
  const ids = Int32Array.from({ length: 2 * 2 * 2 * 33 }, (_, i) => (i * 31) % 128);
  const runs = await Promise.all(
    (['cpu', 'webgpu'] as const).map(async provider => {
      const engine = await train.PretrainEngine.create(config, options, { provider, threads: 1 });
      engine.load(train.initialState(config, 3));
      const losses: number[] = [];
      for (const firstStep of [0, 2, 4]) {
        const plan = { firstStep, learningRates: [1e-3, 1e-3], peakLearningRate: 1e-3 };
        losses.push(...(await engine.takeSteps(ids, plan)).losses);
      }
      return { losses, state: await engine.read() };
    }),
  );
  const [cpu, gpu] = runs;
  cpu!.losses.forEach((loss, i) => {
    assert.ok(Math.abs(loss - gpu!.losses[i]!) < 1e-4, `step ${i}: ${loss} and ${gpu!.losses[i]}`);
  });
  assert.ok(cpu!.losses.at(-1)! < cpu!.losses[0]!);
  for (const [name, { data }] of Object.entries(cpu!.state)) {
    const other = gpu!.state[name]!.data;
    assert.ok(
      data.every((value, i) => Math.abs(Number(value) - Number(other[i])) < 2e-4),
      name,
    );
  }
});
