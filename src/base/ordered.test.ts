import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mapOrdered } from './ordered.ts';

async function* numbers(count: number, onAsked?: () => void): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) {
    onAsked?.();
    yield i;
  }
}

test('results come in the order of the items, however long each takes', async () => {
  const results: number[] = [];
  const later = (n: number) => sleep((n * 7) % 5, n * n);
  for await (const result of mapOrdered(numbers(20), 4, later)) results.push(result);
  assert.deepEqual(
    results,
    Array.from({ length: 20 }, (_, i) => i * i),
  );
});

test('no more items are asked for than may be in flight', async () => {
  let [asked, taken, most] = [0, 0, 0];
  const source = numbers(30, () => {
    asked++;
    most = Math.max(most, asked - taken);
  });
  for await (const _ of mapOrdered(source, 3, n => sleep(1, n))) taken++;
  assert.equal(taken, 30);
  assert.ok(most <= 4, `${most} items at once`);
});

test('a failure comes at its turn, after what was begun has ended', async () => {
  let running = 0;
  const work = async (n: number) => {
    running++;
    await sleep(n === 2 ? 0 : 3);
    running--;
    if (n === 2) throw new Error('the third');
    return n;
  };
  const results: number[] = [];
  await assert.rejects(async () => {
    for await (const result of mapOrdered(numbers(10), 3, work)) results.push(result);
  }, /the third/);
  assert.deepEqual(results, [0, 1]);
  assert.equal(running, 0);
});
