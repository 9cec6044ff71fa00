/** At sizes where the engine shares kernels out among threads: no sum may be lost, and a run must repeat itself. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { graph, models, nn, Rng, runtime, train } from 'isoflop';

const { tensor } = graph;

/** 2,048 tokens of width 128: a quarter more than the engine's ScatterND does on one thread. */
const config = models.mptConfig({ dModel: 128, heads: 4, layers: 1, vocabSize: 512, maxLength: 128 });
const [batch, length] = [16, 128];

/** Token ids of which few are very frequent, as in text. */
function frequentIds(count: number): Int32Array {
  const rng = Rng.from(11, 'ids');
  return Int32Array.from({ length: count }, () => Math.floor(config.vocabSize * rng.uniform() ** 6));
}

test('two threads give the gradients of one', async () => {
  const steps = train.gradientGraph(config, { batch, length });
  const weights = train.weightsOf(config, train.initialState(config, 5));
  const ids = tensor('int32', [batch, length + 1], frequentIds(batch * (length + 1)));
  const [one, two] = await Promise.all(
    [1, 2].map(async threads => {
      const session = await runtime.Session.create(steps, { threads });
      const results = await session.run({ ...Object.fromEntries(weights), ids });
      await session.release();
      return results;
    }),
  );
  for (const [name, { data }] of Object.entries(one!)) {
    const other = two![name]!.data as Float32Array;
    let [gap, size] = [0, 0];
    (data as Float32Array).forEach((value, i) => {
      gap += (value - other[i]!) ** 2;
      size += value ** 2;
    });
    assert.ok(gap <= 1e-10 * size, `${name}: relative gap ${Math.sqrt(gap / size)}`);
  }
});

test('two threads take the same steps twice, byte for byte', async () => {
  const options = { batch, length, accumulation: 1, maxGradNorm: 1, adamW: nn.LADDER_ADAMW };
  const ids = frequentIds(3 * batch * (length + 1));
  const run = async () => {
    const engine = await train.PretrainEngine.create(config, options, { threads: 2 });
    engine.load(train.initialState(config, 5));
    const plan = { firstStep: 0, learningRates: [1e-3, 1e-3, 1e-3], peakLearningRate: 1e-3 };
    const results = await engine.takeSteps(ids, plan);
    const bytes = Object.values(await engine.read()).map(({ data }) => new Uint8Array(data.buffer));
    const digest = createHash('sha256').update(Buffer.concat(bytes)).digest('hex');
    await engine.release();
    return { results, digest };
  };
  assert.deepEqual(await run(), await run());
});
