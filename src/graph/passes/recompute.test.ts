import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  eliminateCommonSubexpressions,
  makeGraph,
  matmul,
  mul,
  type Node,
  neg,
  recomputeProbabilities,
  softmax,
  transposeLast,
} from '../index.ts';
import { assertSame, count, f, opsOf } from '../testing/passes.ts';

test('probabilities that a transposed product reads are made again for the backward pass, after the gradient it takes', () => {
  const [x, v, dy] = [f('x', 2, 3, 4), f('v', 2, 4, 5), f('dy', 2, 3, 5)];
  const probabilities = softmax(x);
  const y = matmul(probabilities, v);
  const dv = matmul(transposeLast(probabilities), dy);
  const dx = mul(probabilities, matmul(dy, transposeLast(v)));
  const graph = makeGraph([x, v, dy], { y, dx, dv });
  const twice = assertSame(graph, recomputeProbabilities(graph));
  const [first, second] = twice.nodes.filter(node => node.op === 'Softmax') as [Node, Node];
  assert.equal(count(twice, 'Softmax'), 2);
  const result = (name: string) => twice.outputs.find(output => output.name === name)!.value.producer!;
  assert.equal(result('y').inputs[0], first.outputs[0]);
  assert.equal(result('dx').inputs[0], second.outputs[0]);
  assert.equal(result('dv').inputs[0]!.producer!.inputs[0], second.outputs[0]);
  assert.equal(second.inputs[0]!.producer!.op, 'Reshape');
  assert.deepEqual(
    twice.nodes.find(node => node.op === 'Size')!.inputs,
    [dy],
    'the second time waits for the gradient',
  );
  assert.equal(count(eliminateCommonSubexpressions(twice), 'Softmax'), 2, 'and is not taken for the first');

  const gradientFirst = mul(neg(matmul(probabilities, v)), dy); // depends on the forward pass, as gradients do
  const late = makeGraph([x, v, dy], {
    dx: mul(probabilities, x), // read before the gradient is there
    dv: matmul(transposeLast(probabilities), gradientFirst),
  });
  const early = assertSame(late, recomputeProbabilities(late));
  const made = early.nodes.filter(node => node.op === 'Softmax');
  assert.equal(made.length, 2);
  assert.equal(early.outputs[0]!.value.producer!.inputs[0], made[0]!.outputs[0], 'dx cannot wait for it');
  const stays = [
    makeGraph([x, v], { y }),
    makeGraph([x, v, dy], { dv, dx }), // no product of the forward pass
    makeGraph([x, v], { y: matmul(transposeLast(x), x), z: matmul(x, v) }),
  ];
  for (const other of stays) assert.deepEqual(opsOf(recomputeProbabilities(other)), opsOf(other));
});
