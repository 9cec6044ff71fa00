/** What the safetensors package and Transformers wrote (bench/peers/hf_golden.py), read here: equal numbers, equal bytes back, equal logits. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { graph, models, runtime } from 'isoflop';

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../tests/golden/hf/${name}`, import.meta.url));
const readJson = async <T>(name: string): Promise<T> => JSON.parse(await readFile(golden(name), 'utf8')) as T;
const folder = await mkdtemp(join(tmpdir(), 'isoflop-hf-'));
after(() => rm(folder, { recursive: true }));

test('every element type reads to the numbers that were written', async () => {
  const expected = await readJson<Record<string, { shape: number[]; values: string[] }>>('every-dtype.json');
  const { tensors, metadata } = await models.readSafetensors(golden('every-dtype.safetensors'));
  assert.equal(metadata.get('format'), 'pt');
  assert.deepEqual([...tensors.keys()].sort(), Object.keys(expected).sort());
  for (const [name, { shape, values }] of Object.entries(expected)) {
    const { data, ...read } = tensors.get(name)!;
    assert.deepEqual(read.shape, shape, name);
    const numbers = data instanceof BigInt64Array ? values.map(BigInt) : values.map(Number);
    assert.deepEqual([...(data as Iterable<number | bigint>)], numbers, name);
  }
});

test('float32 numbers are rounded to halves as PyTorch rounds them', async () => {
  const { tensors } = await models.readSafetensors(golden('every-dtype.safetensors'));
  for (const [weightType, name] of [
    ['F16', 'f16'],
    ['BF16', 'bf16'],
  ] as const) {
    const path = join(folder, `${name}.safetensors`);
    await models.writeSafetensors(path, new Map([['x', tensors.get('f32')!]]), { weightType });
    const rounded = (await models.readSafetensors(path)).tensors.get('x')!;
    assert.deepEqual([...rounded.data], [...tensors.get(name)!.data], name); // also tells 0 from -0
  }
});

test('the same tensors make the same bytes as the reference writer', async () => {
  const { tensors, metadata } = await models.readSafetensors(golden('plain.safetensors'));
  const path = join(folder, 'plain.safetensors');
  await models.writeSafetensors(path, tensors, { metadata: Object.fromEntries(metadata) });
  assert.deepEqual(await readFile(path), await readFile(golden('plain.safetensors')));
});

interface Logits {
  readonly ids: readonly (readonly number[])[];
  /** Of the last three positions of the last sequence. */
  readonly lastLogits: readonly number[];
}

for (const name of ['mpt-3-heads', 'mpt-bf16-sharded']) {
  test(`${name}: a directory that Transformers saved computes the same logits`, async () => {
    const { ids, lastLogits } = (await readJson<Record<string, Logits>>('mpt-logits.json'))[name]!;
    const { config, weights } = await models.readMptDirectory(golden(name));
    assert.deepEqual([config.positions, config.bias], ['alibi', false]);
    const feed = graph.tensor('int32', [ids.length, ids[0]!.length], ids.flat());
    const parameters = models.parameterInputs(config);
    const input = graph.input('ids', 'int32', feed.shape);
    const hidden = models.mptHidden(config, parameters, input, { tokens: feed.data.length });
    const logits = models.mptLogits(parameters, hidden);
    const session = await runtime.Session.create(
      graph.makeGraph([...parameters.values(), input], { logits }),
      {
        threads: 1,
        constants: weights,
      },
    );
    const results = await session.run({ ids: feed });
    await session.release();
    const numbers = graph.numbersOf(results['logits']!).slice(-lastLogits.length);
    const worst = Math.max(...lastLogits.map((value, i) => Math.abs(value - numbers[i]!)));
    assert.ok(worst < 1e-4, `off by ${worst}`);
    assert.ok(
      Math.max(...lastLogits) - Math.min(...lastLogits) > 0.5,
      'the golden logits tell something apart',
    );
  });
}
