import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../base/index.ts';
import { evaluate, type Numbers, numbersOf, type Tensor, toNumbers, verify } from '../graph/index.ts';
import { mptConfig, mptParameters } from '../models/index.ts';
import { LADDER_ADAMW } from '../nn/index.ts';
import { Session } from '../runtime/index.ts';
import { type BatchOptions, collate, type TokenizedGroup, textFeeds } from './contrastive-batch.ts';
import { contrastiveGraph } from './contrastive-graph.ts';
import { initialState } from './state.ts';

const config = mptConfig({ dModel: 16, heads: 2, layers: 2, vocabSize: 50, maxLength: 64 });
const TEMPERATURE = 0.05;

function groupsOf(seed: number, queries: number, negatives: number): TokenizedGroup[] {
  const rng = Rng.from(seed, 'groups');
  const text = (most: number) => Uint32Array.from({ length: 1 + rng.int(most) }, () => 2 + rng.int(48));
  return Array.from({ length: queries }, (_, q) => {
    const passages = Array.from({ length: 1 + negatives }, () => text(21));
    return {
      query: text(9),
      passages,
      relevant: new Set([100 * q]),
      passageHashes: passages.map((_, i) => 100 * q + i),
    };
  });
}

const batchOptions: BatchOptions = { inBatchNegatives: true, chunkTokens: 48, padId: 1 };

function scalars(learningRate: number): Record<string, Tensor> {
  const number = (value: number): Tensor => ({ dtype: 'float32', shape: [], data: Float32Array.of(value) });
  return {
    learningRate: number(learningRate),
    decayScale: number(1),
    bias1: number(0.1),
    bias2: number(0.05),
  };
}

interface Way {
  readonly directChunks: number;
  readonly chunkTokens?: number;
}

/** A gradient norm limit out of reach leaves the first moment after one step at (1 - beta1) times the mean gradient. */
const graphOptions = { temperature: TEMPERATURE, maxGradNorm: 1e9, adamW: LADDER_ADAMW };

function feedsOf(groups: readonly TokenizedGroup[], way: Way): Record<string, Tensor> {
  const chunks = way.directChunks > 0 ? { chunks: way.directChunks } : {};
  const batch = collate(groups, { ...batchOptions, chunkTokens: way.chunkTokens ?? 48, ...chunks });
  return {
    ...initialState(config, 5),
    ...batch.feeds,
    ...textFeeds(batch, way.directChunks > 0),
    ...scalars(1e-3),
  };
}

async function step(groups: readonly TokenizedGroup[], way: Way): Promise<Record<string, Tensor>> {
  const graph = verify(contrastiveGraph(config, { ...graphOptions, directChunks: way.directChunks }));
  const session = await Session.create(graph, { threads: 1 });
  const results = await session.run(feedsOf(groups, way));
  await session.release();
  return results;
}

function assertSame(a: Record<string, Tensor>, b: Record<string, Tensor>, tolerance: number): void {
  for (const [name, tensor] of Object.entries(a)) {
    if (name === 'vectors' || name.startsWith('p:')) continue;
    const [x, y] = [numbersOf(tensor), numbersOf(b[name]!)];
    const scale = Math.max(...x.map(Math.abs), 1e-12);
    x.forEach((value, i) => {
      assert.ok(Math.abs(value - y[i]!) <= tolerance * scale, `${name}[${i}]: ${value} and ${y[i]}`);
    });
  }
}

test('gradients with cached vectors equal those without, whatever the chunks', async () => {
  const groups = groupsOf(1, 4, 3);
  const direct = await step(groups, { directChunks: 1 });
  assertSame(direct, await step(groups, { directChunks: 3 }), 2e-5);
  assertSame(direct, await step(groups, { directChunks: 0, chunkTokens: 48 }), 2e-5);
  assertSame(direct, await step(groups, { directChunks: 0, chunkTokens: 4096 }), 2e-5);
});

/** InfoNCE in float64 from the vectors the graph used. */
function lossInFloat64(groups: readonly TokenizedGroup[], vectors: Tensor, inBatch: boolean): number {
  const batch = collate(groups, { ...batchOptions, inBatchNegatives: inBatch });
  const rows = (name: string) => numbersOf(batch.feeds[name]!);
  const width = vectors.shape[1]!;
  const vector = (row: number) => numbersOf(vectors).slice(row * width, (row + 1) * width);
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const passages = rows('passageRows').map(vector);
  const perQuery = 1 + groups[0]!.passages.length - 1;
  const losses = rows('queryRows').map((row, q) => {
    const scores = passages.map(passage => dot(vector(row), passage) / TEMPERATURE);
    const competing = scores.filter((_, p) => inBatch || Math.floor(p / perQuery) === q);
    const own = scores[q * perQuery]!;
    return Math.log(competing.reduce((sum, score) => sum + Math.exp(score - own), 0));
  });
  return losses.reduce((a, b) => a + b, 0) / losses.length;
}

test('the loss is InfoNCE, with and without the negatives of other queries', async () => {
  const groups = groupsOf(2, 5, 2);
  const { loss, vectors } = await step(groups, { directChunks: 1 });
  assert.ok(Math.abs(numbersOf(loss!)[0]! - lossInFloat64(groups, vectors!, true)) < 1e-4);
  for (let row = 0; row < vectors!.shape[0]!; row++) {
    const width = vectors!.shape[1]!;
    const norm = Math.hypot(...numbersOf(vectors!).slice(row * width, (row + 1) * width));
    assert.ok(Math.abs(norm - 1) < 1e-5);
  }
  const own = collate(groups, { ...batchOptions, inBatchNegatives: false, chunks: 1 });
  const session = await Session.create(contrastiveGraph(config, { ...graphOptions, directChunks: 1 }), {
    threads: 1,
  });
  const alone = await session.run({
    ...initialState(config, 5),
    ...own.feeds,
    ...textFeeds(own, true),
    ...scalars(1e-3),
  });
  await session.release();
  assert.ok(Math.abs(numbersOf(alone['loss']!)[0]! - lossInFloat64(groups, alone['vectors']!, false)) < 1e-4);
});

test('another query’s passage that is relevant here too is no negative', () => {
  const groups = groupsOf(3, 2, 1);
  const shared = { ...groups[1]!, passageHashes: [0, 101] }; // its positive is the first query's positive
  const batch = collate([groups[0]!, shared], batchOptions);
  const mask = numbersOf(batch.feeds['mask']!);
  assert.deepEqual(
    mask.map(value => (value === 0 ? 1 : 0)),
    [1, 1, 0, 1, 1, 1, 1, 1],
  );
});

test('gradients agree with central differences in float64', () => {
  const groups = groupsOf(4, 2, 1);
  const way: Way = { directChunks: 0, chunkTokens: 40 };
  const graph = contrastiveGraph(config, { ...graphOptions, directChunks: 0 });
  const feeds = Object.fromEntries(
    Object.entries(feedsOf(groups, way)).map(([name, t]) => [name, toNumbers(t)]),
  );
  const results = evaluate(graph, feeds);
  const lossAt = (changed: Record<string, Numbers>) =>
    evaluate(graph, { ...feeds, ...changed })['loss']!.data[0]!;
  const rng = Rng.from(9);
  const names = mptParameters(config).map(({ name }) => name);
  for (const name of [names[0]!, names[2]!, names[5]!, names.at(-1)!]) {
    const parameter = feeds[`p:${name}`]!;
    const i = rng.int(parameter.data.length);
    const moved = (delta: number): Numbers => ({
      ...parameter,
      data: parameter.data.with(i, parameter.data[i]! + delta),
    });
    const h = 1e-4;
    const expected = (lossAt({ [`p:${name}`]: moved(h) }) - lossAt({ [`p:${name}`]: moved(-h) })) / (2 * h);
    const found = results[`m:${name}`]!.data[i]! / 0.1;
    assert.ok(
      Math.abs(found - expected) <= 1e-5 * Math.max(1, Math.abs(expected)),
      `${name}[${i}]: ${found}, expected ${expected}`,
    );
  }
});

test('batches hold every text once, padded little', () => {
  const groups = groupsOf(6, 8, 7);
  const batch = collate(groups, { ...batchOptions, chunkTokens: 256 });
  assert.equal(
    batch.chunks.reduce((sum, { rows }) => sum + rows, 0),
    8 * 9,
  );
  assert.equal(batch.lengths.length, 8 * 9);
  for (const [i, { rows, length }] of batch.chunks.entries()) {
    assert.equal(batch.ids[i]!.length, rows * length);
    assert.ok(rows * length <= 256 && length % 8 === 0);
  }
  assert.ok(
    batch.paddedTokens < 1.6 * batch.tokens,
    'widths go up in eights, texts here are about ten tokens long',
  );
});
