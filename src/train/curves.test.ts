import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../base/index.ts';
import { readLossCurves } from './curves.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-curves-'));
after(() => rm(folder, { recursive: true }));

const step = (segment: string, tokens: number, lossNats: number) =>
  JSON.stringify({ type: 'step', segment, step: tokens / 10, tokens, lossNats, gradNorm: 1 });
const heldOut = (segment: string, tokens: number, lossNats: number) =>
  JSON.stringify({ type: 'heldOut', segment, tokens, lossNats, bitsPerByte: 1 });

async function curvesOf(text: string) {
  await writeFile(join(folder, 'metrics.jsonl'), text);
  return readLossCurves(folder);
}

test('curves come apart by segment, in the order in which these began; other events are passed over', async () => {
  const lines = [
    step('trunk', 10, 8),
    step('trunk', 20, 7),
    heldOut('trunk', 20, 7.5),
    '{"type":"checkpoint"}',
    step('a', 30, 6),
  ];
  assert.deepEqual(await curvesOf(`${lines.join('\n')}\n`), [
    {
      segment: 'trunk',
      train: [
        { tokens: 10, lossNats: 8 },
        { tokens: 20, lossNats: 7 },
      ],
      heldOut: [{ tokens: 20, lossNats: 7.5 }],
    },
    { segment: 'a', train: [{ tokens: 30, lossNats: 6 }], heldOut: [] },
  ]);
});

test('a file that was cut anywhere in its last line gives the curve up to there', async () => {
  const [first, last] = [step('a', 10, 8), step('a', 20, 7)];
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: last.length - 1 }), async cut => {
      const [curve] = await curvesOf(`${first}\n${last.slice(0, cut)}`);
      assert.deepEqual(curve!.train, [{ tokens: 10, lossNats: 8 }]);
    }),
  );
});

test('a broken line before the last one is refused with its number; so is a folder without pretraining', async () => {
  const good = step('a', 10, 8);
  for (const bad of ['{"type":', '{"type":"step","segment":"a","tokens":10,"lossNats":null}', '[]', '7'])
    await assert.rejects(curvesOf(`${good}\n${bad}\n${good}\n`), error => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /metrics\.jsonl:2: /);
      return true;
    });
  await assert.rejects(curvesOf('{"type":"finetuneStep","lossNats":1}\n'), /holds no step of pretraining/);
  await assert.rejects(readLossCurves(join(folder, 'absent')), /no such file/);
});
