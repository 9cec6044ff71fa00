import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../base/index.ts';
import {
  add,
  cast,
  constant,
  equal,
  type Graph,
  gather,
  gemm,
  identity,
  input,
  int64s,
  layerNorm,
  loop,
  makeGraph,
  mul,
  scalar,
  scatterAdd,
  slice,
  softmax,
  tensor,
  transpose,
  zeros,
} from '../graph/index.ts';
import { toOnnx } from './onnx.ts';
import { Message } from './protobuf.ts';

/** Every kind of attribute, named sizes, a loop that captures, an input that is an output, one value under two output names. */
function smallModel(): Graph {
  const x = input('x', 'float32', ['N', 4]);
  const w = input('w', 'float32', [3, 4]);
  const ids = input('ids', 'int32', ['N']);
  const scale = constant(tensor('float32', [4], [1, 0.5, -2, 1e-3]));
  const normed = layerNorm(x, scale, undefined, 1e-6);
  const scores = softmax(gemm(normed, w, { transB: 1, alpha: 0.25 }));
  const table = scatterAdd(zeros('float32', [5, 4]), ids, x);
  const [i, go, carried] = [input('i', 'int64', []), input('go', 'bool', []), input('c', 'float32', [3, 4])];
  const next = add(carried, mul(w, cast(i, 'float32')));
  const body = makeGraph([i, go, carried], { go: identity(go), next, same: equal(i, i) }, [w]);
  const [last, same] = loop(scalar('int64', 2), [w], body, 2);
  const outputs = {
    w: last!,
    copy: w,
    scores,
    again: scores,
    same: same!,
    table: gather(table, int64s(1, 1)),
  };
  return makeGraph([x, w, ids], { ...outputs, part: transpose(slice(scores, 1, 1, -1), [1, 0]) });
}

test('a model serialises to the bytes it always had', () => {
  assert.equal(
    sha256(toOnnx(smallModel())),
    '8e0097e9005fed8cb16f3541eadf156eee7927fe378a11908fd76bade68fab5e',
    'a change of the format: look at the model in Netron, then pin the new hash',
  );
});

test('serialising is deterministic, and constants are stored instead of asked for', () => {
  const constants = new Map([
    [
      'w',
      tensor(
        'float32',
        [3, 4],
        Array.from({ length: 12 }, (_, i) => i),
      ),
    ],
  ]);
  const [bytes, again] = [toOnnx(smallModel(), constants), toOnnx(smallModel(), constants)];
  assert.deepEqual(bytes, again);
  assert.ok(Buffer.from(bytes).includes(Buffer.from(Float32Array.from({ length: 12 }, (_, i) => i).buffer)));
  assert.ok(!Buffer.from(toOnnx(smallModel())).includes(Buffer.from(Float32Array.of(9, 10, 11).buffer)));
});

test('the wire format of Protocol Buffers', () => {
  const hex = (message: Message) => Buffer.from(message.encode()).toString('hex');
  assert.equal(hex(new Message().int(1, 150)), '089601'); // the example of the encoding's documentation
  assert.equal(hex(new Message().string(2, 'testing')), '120774657374696e67');
  assert.equal(hex(new Message().message(3, new Message().int(1, 150))), '1a03089601');
  assert.equal(hex(new Message().int(1, -1)), '08ffffffffffffffffff01');
  assert.equal(hex(new Message().int(16, 0)), '800100');
  assert.equal(hex(new Message().float(1, 1)), '0d0000803f');
  assert.equal(hex(new Message().bytes(1, new Uint8Array(0))), '0a00');
});
