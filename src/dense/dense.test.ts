import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { bucketsOf, Rng } from '../base/index.ts';
import { compareHits } from '../data/index.ts';
import { type Tensor, tensor } from '../graph/index.ts';
import { DEFAULT_EMBEDDER, mptConfig, mptParameters } from '../models/index.ts';
import { initialize } from '../nn/index.ts';
import { Tokenizer, trainTokenizer } from '../tokenizer/index.ts';
import { type EmbeddingBlock, Embeddings, EmbeddingsWriter, Encoder, exactSearch, regroup } from './index.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-dense-'));
after(() => rm(folder, { recursive: true }));

const words =
  'the quick brown fox jumps over a lazy dog and runs through green fields while seven wise owls watch in silence'.split(
    ' ',
  );

function sentence(rng: Rng, most: number): string {
  return Array.from({ length: 1 + rng.int(most) }, () => words[rng.int(words.length)]!).join(' ');
}

const rng = Rng.from(1, 'sentences');
const texts = Array.from({ length: 60 }, (_, i) => sentence(rng, i % 5 === 0 ? 60 : 9));

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

const tokenizer = await (async () => {
  const { json } = await trainTokenizer(once(texts), { vocabSize: 300, workers: 1 });
  return Tokenizer.fromJson(json);
})();

const config = mptConfig({ dModel: 32, heads: 4, layers: 3, vocabSize: tokenizer.vocabSize, maxLength: 64 });
const weights = new Map<string, Tensor>(
  mptParameters(config).map(({ name, shape, initializer }) => {
    const data = initialize(
      name,
      shape.reduce((n, dim) => n * dim, 1),
      initializer,
      3,
    );
    return [name, { dtype: 'float32', shape, data }];
  }),
);
const encoderOf = (batchTokens: number) =>
  Encoder.create(config, weights, tokenizer, DEFAULT_EMBEDDER, { threads: 1, batchTokens });

test('a text’s vector does not depend on the batch it is encoded in', async () => {
  const alone = await encoderOf(1);
  const together = await encoderOf(4096);
  const [a, b] = [await alone.encode(texts, 'passage'), await together.encode(texts, 'passage')];
  const reversed = await together.encode([...texts].reverse(), 'passage');
  let worst = 0;
  for (let i = 0; i < texts.length; i++) {
    for (let d = 0; d < 32; d++) {
      const value = a[i * 32 + d]!;
      worst = Math.max(
        worst,
        Math.abs(value - b[i * 32 + d]!),
        Math.abs(value - reversed[(texts.length - 1 - i) * 32 + d]!),
      );
    }
  }
  assert.ok(worst < 1e-5, `off by ${worst}`);
  assert.equal(together.work.texts, 2 * texts.length);
  await alone.release();
  await together.release();
});

test('queries and passages are marked differently, and long texts are cut', async () => {
  const encoder = await encoderOf(2048);
  const [query] = [await encoder.encode(['owls'], 'query')];
  const passage = await encoder.encode(['owls'], 'passage');
  assert.notDeepEqual(query, passage);
  const long = Array.from({ length: 2000 }, () => 'owls').join(' ');
  assert.deepEqual(await encoder.encode([long], 'query'), await encoder.encode([`${long} fox`], 'query'));
  await encoder.release();
});

test('buckets hold every text once and pad little', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(300), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 3000 }),
      (lengths, limit) => {
        const offsets = [0];
        for (const length of lengths) offsets.push(offsets.at(-1)! + length);
        const buckets = bucketsOf(offsets, limit);
        assert.deepEqual(
          buckets.flatMap(({ rows }) => rows).sort((a, b) => a - b),
          lengths.map((_, i) => i),
        );
        for (const { rows, length } of buckets) {
          assert.ok(rows.length === 1 || rows.length * length <= limit);
          assert.ok(rows.every(i => lengths[i]! <= length));
        }
      },
    ),
  );
});

function randomBlock(rng: Rng, count: number, dimension: number, first: number): EmbeddingBlock {
  // Few distinct values, so that scores tie often.
  const vectors = Float32Array.from({ length: count * dimension }, () => rng.int(3) - 1);
  return { ids: Array.from({ length: count }, (_, i) => `d${(first + i) * 7}`), vectors };
}

test('exact search equals sorting all scores, ties included, whatever the blocks', async () => {
  const rng = Rng.from(8);
  const dimension = 6;
  const blocks = [40, 1, 25, 3].map((count, i) => randomBlock(rng, count, dimension, 100 * i));
  const queries = {
    ids: ['d0', 'q1', 'd700'],
    vectors: Float32Array.from({ length: 18 }, () => rng.int(3) - 1),
  };
  for (const [k, removeSelf] of [
    [5, false],
    [30, true],
    [1000, false],
  ] as const) {
    const found = await exactSearch(queries, blocks, { k, removeSelf, threads: 1 });
    queries.ids.forEach((queryId, q) => {
      const all = blocks.flatMap(({ ids, vectors }) =>
        ids.map((id, i) => {
          let score = 0;
          for (let d = 0; d < dimension; d++)
            score += queries.vectors[q * dimension + d]! * vectors[i * dimension + d]!;
          return { id, score };
        }),
      );
      const expected = all
        .filter(({ id }) => !removeSelf || id !== queryId)
        .sort(compareHits)
        .slice(0, k);
      assert.deepEqual(found[q], expected);
    });
  }
});

test('blocks are put together and cut to one size, with every vector in its place', async () => {
  const rng = Rng.from(4);
  const blocks = [3, 0, 11, 1, 1, 6].map((count, i) => randomBlock(rng, count, 2, 20 * i));
  for (const rows of [1, 4, 5, 22, 100]) {
    const parts: EmbeddingBlock[] = [];
    for await (const part of regroup(blocks, 2, rows)) parts.push(part);
    assert.ok(parts.slice(0, -1).every(({ ids }) => ids.length === rows));
    assert.deepEqual(
      parts.flatMap(({ ids }) => ids),
      blocks.flatMap(({ ids }) => ids),
    );
    assert.deepEqual(
      parts.flatMap(({ vectors }) => [...vectors]),
      blocks.flatMap(({ vectors }) => [...vectors]),
    );
  }
});

test('queries of another width are refused', async () => {
  const block = randomBlock(Rng.from(1), 3, 4, 0);
  await assert.rejects(
    exactSearch({ ids: ['q'], vectors: new Float32Array(5) }, [block], { k: 1 }),
    /vectors of 4 numbers, the queries have 5/,
  );
});

test('embeddings continue after an interruption to the same bytes, and damage is noticed', async () => {
  const rng = Rng.from(2);
  const blocks = [randomBlock(rng, 5, 4, 0), randomBlock(rng, 3, 4, 10)];
  for (const type of ['f32', 'f16'] as const) {
    const [whole, broken] = [join(folder, `whole-${type}`), join(folder, `broken-${type}`)];
    const writer = await EmbeddingsWriter.open(whole, { model: 'm' }, 4, type);
    for (const block of blocks) await writer.write(block);
    await writer.finish();
    const first = await EmbeddingsWriter.open(broken, { model: 'm' }, 4, type);
    await first.write(blocks[0]!);
    await writeFile(join(broken, '00001.ids.jsonl'), '"cut off"\n'); // killed before the vectors of block 1
    await assert.rejects(Embeddings.open(broken), /holds no finished embeddings/);
    const second = await EmbeddingsWriter.open(broken, { model: 'm' }, 4, type);
    assert.equal(second.rows, 5);
    await second.write(blocks[1]!);
    await second.finish();
    for (const name of ['manifest.json', `00001.${type}`, '00001.ids.jsonl']) {
      assert.deepEqual(await readFile(join(broken, name)), await readFile(join(whole, name)));
    }
    const read: EmbeddingBlock[] = [];
    for await (const block of (await Embeddings.open(broken)).blocks()) read.push(block);
    assert.deepEqual(
      read.map(({ ids }) => ids),
      blocks.map(({ ids }) => ids),
    );
    assert.deepEqual([...read[1]!.vectors], [...blocks[1]!.vectors]);
    await assert.rejects(
      EmbeddingsWriter.open(broken, { model: 'other' }, 4, type),
      /holds vectors of another model/,
    );
    const file = join(broken, `00000.${type}`);
    const bytes = await readFile(file);
    bytes[3]! ^= 1;
    await writeFile(file, bytes);
    const damaged = await Embeddings.open(broken);
    await assert.rejects(damaged.blocks().next(), /does not match its manifest/);
  }
});

test('a text without tokens has the zero vector', async () => {
  const settings = { ...DEFAULT_EMBEDDER, queryPrefix: '', passagePrefix: '', appendEos: false };
  const encoder = await Encoder.create(config, weights, tokenizer, settings, { threads: 1 });
  const vectors = await encoder.encode(['', 'owls'], 'passage');
  assert.deepEqual([...vectors.subarray(0, 32)], new Array(32).fill(0));
  const norm = Math.hypot(...vectors.subarray(32));
  assert.ok(Math.abs(norm - 1) < 1e-5);
  await encoder.release();
});

test('weights that make no finite vector end in an error, not in a vector', async () => {
  const bad = new Map(weights);
  const name = 'transformer.norm_f.weight';
  bad.set(name, tensor('float32', [32], new Array(32).fill(Number.NaN)));
  const encoder = await Encoder.create(config, bad, tokenizer, DEFAULT_EMBEDDER, { threads: 1 });
  await assert.rejects(encoder.encode(['fox'], 'query'), /not finite/);
  await encoder.release();
});
