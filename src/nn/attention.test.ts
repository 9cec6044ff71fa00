import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate, input, makeGraph, tensor, toNumbers } from '../graph/index.ts';
import { alibiSlopes, attentionBias, causalAttention, causalBlocks, headOrder } from './index.ts';
import { f64, near, numbers, random } from './testing/numbers.ts';

// ALiBi

test('ALiBi slopes of a power of two, and of 12 and 20 heads', () => {
  assert.deepEqual(
    alibiSlopes(8, 8),
    [1, 2, 3, 4, 5, 6, 7, 8].map(i => 2 ** -i),
  );
  assert.deepEqual(
    alibiSlopes(4, 8),
    [2, 4, 6, 8].map(i => 2 ** -i),
  );
  assert.deepEqual(alibiSlopes(1, 8), [2 ** -8]);
  const twelve = [1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5];
  near(
    alibiSlopes(12, 8),
    twelve.map(i => 2 ** -i),
  );
  const twenty = [...Array.from({ length: 16 }, (_, i) => (i + 1) / 2), 0.25, 0.75, 1.25, 1.75];
  near(
    alibiSlopes(20, 8),
    twenty.map(i => 2 ** -i),
  );
  near(alibiSlopes(2, 4), [2 ** -2, 2 ** -4]);
});

test('the bias of the scores: distance times slope for what is seen, nothing of what comes later', () => {
  const ids = input('ids', 'int32', [1, 3]);
  const graph = makeGraph([ids], {
    plain: attentionBias(ids, 'float64'),
    alibi: attentionBias(ids, 'float64', [0.5, 0.25]),
  });
  const results = evaluate(graph, { ids: toNumbers(tensor('int32', [1, 3], [0, 0, 0])) });
  const m = -1e30;
  assert.deepEqual(results['plain']!.data, [0, m, m, 0, 0, m, 0, 0, 0]);
  assert.deepEqual(results['alibi']!.data.slice(0, 9), [0, m, m, -0.5, 0, m, -1, -0.5, 0]);
  assert.deepEqual(results['alibi']!.data.slice(9), [0, m, m, -0.25, 0, m, -0.5, -0.25, 0]);
});

// Attention

/** softmax(q k' + bias) v a head, written out. */
function plainAttention(
  qkv: readonly number[],
  T: number,
  H: number,
  hd: number,
  slopes: readonly number[],
): number[] {
  const D = H * hd;
  const at = (row: number, part: number, head: number, i: number) =>
    qkv[row * 3 * D + part * D + head * hd + i]!;
  return Array.from({ length: T * D }, (_, flat) => {
    const [t, head, i] = [Math.floor(flat / D), Math.floor((flat % D) / hd), flat % hd];
    const scores = Array.from({ length: t + 1 }, (_, s) => {
      let dot = slopes[head]! * (s - t);
      for (let j = 0; j < hd; j++) dot += at(t, 0, head, j) * at(s, 1, head, j);
      return Math.exp(dot);
    });
    const total = scores.reduce((a, b) => a + b);
    return scores.reduce((sum, p, s) => sum + (p / total) * at(s, 2, head, i), 0);
  });
}

test('causal attention, whole and in blocks, is what its formula says', () => {
  const [T, H, hd] = [8, 2, 3];
  const data = random('qkv', T * 3 * H * hd);
  const slopes = [0.5, 0.125];
  const ids = input('ids', 'int32', [1, T]);
  const qkv = f64('qkv', T, 3 * H * hd);
  const shape = { batch: 1, length: T, heads: H, headSize: hd };
  const bias = attentionBias(ids, 'float64', slopes);
  for (const order of [undefined, headOrder(shape, 1), headOrder(shape, 2), headOrder(shape, 4)]) {
    const y = causalAttention(qkv, bias, ids, shape, order);
    const results = evaluate(makeGraph([qkv, ids], { y }), {
      qkv: numbers([T, 3 * H * hd], data),
      ids: toNumbers(tensor('int32', [1, T], new Array<number>(T).fill(0))),
    });
    near(results['y']!.data, plainAttention(data, T, H, hd, slopes));
  }
  assert.throws(() => headOrder(shape, 3), /8 tokens in 3 blocks/);
});

test('sequences are cut into blocks only where it pays and divides', () => {
  assert.deepEqual(
    [64, 128, 255, 256, 258, 511, 512, 2048, 514, 'T'].map(causalBlocks),
    [1, 2, 1, 2, 2, 1, 4, 4, 1, 1],
  );
});
