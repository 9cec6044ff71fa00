import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  after,
  cast,
  concat,
  constant,
  gather,
  int64s,
  makeGraph,
  moveIndices,
  type Node,
  neg,
  reshape,
  scalar,
  slice,
  sliceAt,
  split,
  tensor,
} from '../index.ts';
import { assertSame, f, opsOf } from '../testing/passes.ts';

test('cutting, joining and reshaping gathered rows becomes gathering', () => {
  const x = f('x', 6, 4);
  const rows = gather(x, constant(tensor('int32', [2, 3], [5, 0, 3, 1, 4, 2])));
  const [first, second] = split(rows, 0, [1, 1]);
  const moved = [
    makeGraph([x], { first: first!, second: second! }),
    makeGraph([x], { middle: slice(rows, 1, 1, 2) }),
    makeGraph([x], { counted: slice(rows, -2, 1, 2) }), // from the end of the rows, not of the indices
    makeGraph([x], { halves: concat([...split(rows, -3, [1, 1])].reverse(), -3) }),
    makeGraph([x], { joined: concat([first!, rows], 0) }),
    makeGraph([x], { flat: reshape(rows, [6, 4]) }),
    makeGraph([x], { piece: reshape(first!, [3, 4]) }),
  ];
  for (const graph of moved) {
    const better = assertSame(graph, moveIndices(graph));
    const movesRows = (node: Node) => node.op !== 'Gather' && node.outputs[0]!.type.dtype === 'float64';
    assert.ok(!better.nodes.some(movesRows), opsOf(better).join(' '));
  }
  const other = gather(f('other', 6, 4), int64s(1));
  const stays = [
    makeGraph([x], { narrow: slice(rows, 2, 0, 2) }), // rows do not stay whole
    makeGraph([x], { wide: reshape(rows, [3, 8]) }),
    makeGraph([x], { twice: reshape(rows, [6, 4]), rows }),
    makeGraph([x], { columns: split(rows, 2, [2, 2])[0]! }),
    makeGraph([x], { last: slice(rows, -1, 0, 2) }),
    makeGraph([x], { waits: after(gather(x, int64s(4, 1)), neg(x)) }), // else it would no longer wait
    makeGraph([x], {
      bounded: sliceAt(rows, 0, reshape(cast(scalar('float64', 0), 'int64'), [1]), int64s(1), 1),
    }),
    makeGraph([x, other.producer!.inputs[0]!], { mixed: concat([gather(x, int64s(0)), other], 0) }),
    makeGraph([x], { turned: reshape(gather(x, int64s(0, 1), 1), [2, 6]) }),
  ];
  for (const graph of stays) assert.deepEqual(opsOf(assertSame(graph, moveIndices(graph))), opsOf(graph));
});
