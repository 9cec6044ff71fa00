import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  constant,
  evaluate,
  input,
  int64s,
  makeGraph,
  orderScatters,
  scatterAdd,
  tensor,
  toNumbers,
} from '../index.ts';
import { assertSame, count, f, opsOf } from '../testing/passes.ts';

test('sums at repeated rows are spelled as several small ones, or one by one where their number is unknown', () => {
  const table = f('table', 5, 60_000);
  const [rows, few] = [constant(tensor('int64', [7], [3, 0, 3, 3, 4, 0, 3])), f('few', 2, 60_000)];
  const many = f('many', 7, 60_000);
  const summed = makeGraph([table, many], { y: scatterAdd(table, rows, many) });
  const pieces = assertSame(summed, orderScatters(summed));
  const scatters = pieces.nodes.filter(node => node.op === 'ScatterND');
  assert.deepEqual(
    scatters.map(node => node.inputs[2]!.type.shape[0]),
    [3, 3, 1],
  );
  const small = makeGraph([table, few], { y: scatterAdd(table, int64s(1, 1), few) });
  assert.deepEqual(opsOf(orderScatters(small)), opsOf(small));

  const [short, updates, places] = [
    f('t', 3, 2),
    input('u', 'float64', ['N', 2]),
    input('i', 'int64', ['N']),
  ];
  const unknown = makeGraph([short, updates, places], { y: scatterAdd(short, places, updates) });
  const oneByOne = orderScatters(unknown);
  assert.equal(count(oneByOne, 'ScatterElements'), 1);
  const feeds = {
    t: toNumbers(tensor('float64', [3, 2], [1, 2, 3, 4, 5, 6])),
    u: toNumbers(tensor('float64', [3, 2], [10, 20, 30, 40, 50, 60])),
    i: toNumbers(tensor('int64', [3], [2, 0, 2])),
  };
  assert.deepEqual(evaluate(oneByOne, feeds)['y']!.data, [31, 42, 3, 4, 65, 86]);
});
