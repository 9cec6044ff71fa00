import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gemm, makeGraph, transposeNarrowFactors } from '../index.ts';
import { assertSame, f, opsOf } from '../testing/passes.ts';

test('a narrow factor that is read down its columns is transposed first', () => {
  const [tokens, width] = [3, 256];
  const [x, y, sum] = [f('x', tokens, width), f('y', 2 * width, tokens), f('sum', 2 * width)];
  const product = makeGraph([x, y, sum], {
    z: gemm(x, y, { transA: 1, transB: 1, alpha: 2, beta: 3 }, sum),
  });
  assert.deepEqual(opsOf(assertSame(product, transposeNarrowFactors(product))), ['Transpose', 'Gemm']);
});

test('a factor is left where transposing it would cost as much as it spares', () => {
  const [x, y, small] = [f('x', 3, 256), f('y', 3, 512), f('small', 3, 128)];
  const graph = makeGraph([x, y, small], {
    square: gemm(x, x, { transA: 1 }),
    tall: gemm(y, x, { transA: 1 }),
    little: gemm(small, y, { transA: 1 }),
  });
  assert.deepEqual(opsOf(transposeNarrowFactors(graph)), ['Gemm', 'Gemm', 'Gemm']);
});
