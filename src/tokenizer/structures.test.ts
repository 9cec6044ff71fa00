import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../base/index.ts';
import { Heap } from './heap.ts';
import { IntVector } from './int-vector.ts';
import { PairTable } from './pair-table.ts';
import { WordTable } from './word-table.ts';

test('words are numbered as they come, through every growth of the table', () => {
  const table = new WordTable(2);
  const rng = Rng.from(1, 'words');
  const numbers = new Map<string, number>();
  for (let i = 0; i < 60_000; i++) {
    const word = Buffer.from(`${'w'.repeat(rng.int(4))}${rng.int(20_000).toString(36)}`);
    const expected = numbers.get(word.toString()) ?? numbers.size;
    numbers.set(word.toString(), expected);
    assert.equal(table.intern(word, 0, word.length), expected);
  }
  assert.equal(table.size, numbers.size);
  const { arena, starts } = table.contents();
  assert.equal(starts.length, numbers.size + 1);
  const words = [...numbers.keys()];
  assert.equal(Buffer.from(arena).toString(), words.join(''));
  assert.equal(table.bytes, arena.length);
  table.clear();
  assert.equal(table.size, 0);
  assert.equal(table.intern(Buffer.from('xyz'), 1, 3), 0);
  assert.equal(table.intern(Buffer.from('yz'), 0, 2), 0);
});

test('pairs are numbered as they come, and found again', () => {
  const table = new PairTable(1);
  const rng = Rng.from(2, 'pairs');
  const numbers = new Map<string, number>();
  for (let i = 0; i < 40_000; i++) {
    const [left, right] = [rng.int(300), rng.int(2 ** 31 - 1) % 97];
    const expected = numbers.get(`${left} ${right}`) ?? numbers.size;
    assert.equal(table.find(left, right), expected === numbers.size ? -1 : expected);
    numbers.set(`${left} ${right}`, expected);
    assert.equal(table.intern(left, right), expected);
    assert.deepEqual([table.left(expected), table.right(expected)], [left, right]);
  }
  assert.equal(table.size, numbers.size);
});

test('a heap gives things back in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), numbers => {
      const heap = new Heap<number>((a, b) => a < b);
      const half = numbers.length >> 1;
      for (const number of numbers.slice(0, half)) heap.push(number);
      const first = half > 0 ? [heap.pop()!] : [];
      for (const number of numbers.slice(half)) heap.push(number);
      const rest: number[] = [];
      for (let top = heap.pop(); top !== undefined; top = heap.pop()) rest.push(top);
      assert.deepEqual(first, half > 0 ? [Math.min(...numbers.slice(0, half))] : []);
      const left = [...numbers];
      if (first.length > 0) left.splice(left.indexOf(first[0]!), 1);
      assert.deepEqual(
        rest,
        left.sort((a, b) => a - b),
      );
    }),
  );
});

test('a vector grows, is cut and appended to', () => {
  const [vector, other] = [new IntVector(0), new IntVector(1)];
  for (let i = 0; i < 100; i++) vector.push(i);
  other.append(vector, 10, 20);
  other.extend(2);
  other.append(vector, 98, 100);
  assert.deepEqual([...other.view], [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 0, 0, 98, 99]);
  other.truncate(3);
  other.truncate(50);
  assert.deepEqual([other.length, other.at(2)], [3, 12]);
  other.clear();
  other.extend(3);
  assert.deepEqual([...other.view], [0, 0, 0]);
});
