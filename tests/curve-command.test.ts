/** `isoflop pretrain` on a text of a few lines, and `isoflop curve` on what it left. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'isoflop-curve-'));
after(() => rm(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

function isoflop(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

await writeFile(
  at('text.jsonl'),
  Array.from({ length: 400 }, (_, i) =>
    JSON.stringify({ text: `line ${i} says that ${i % 7} owls watch ${i % 5} foxes in silence` }),
  ).join('\n'),
);
await writeFile(
  at('pretrain.yaml'),
  `model: { dModel: 16, heads: 2, layers: 2 }
text: ${JSON.stringify(at('text.jsonl'))}
tokenizer: { vocabSize: 300 }
heldOutShare: 0.1
sequenceLength: 16
batchTokens: 64
tokens: [640, 1280]
schedule: { kind: wsd }
evaluateEveryTokens: 320
threads: 1
`,
);

test('pretraining writes its loss curve as a figure, and curve draws the same', async () => {
  const trained = isoflop('pretrain', at('pretrain.yaml'), '-o', at('run'));
  assert.equal(trained.status, 0, trained.stderr);
  assert.match(trained.stdout, /held-out loss, nats a token against tokens/);
  assert.match(trained.stdout, /loss\.svg/);
  const own = await readFile(at('run/loss.svg'), 'utf8');
  assert.match(own, /^<svg/);
  assert.match(own, />tokens-1280</);
  const drawn = isoflop('curve', at('run'), '-o', at('again.svg'));
  assert.equal(drawn.status, 0, drawn.stderr);
  assert.equal(await readFile(at('again.svg'), 'utf8'), own);
  const { series } = JSON.parse(isoflop('curve', at('run'), '--json').stdout) as {
    series: { name: string; train: { x: number }[]; heldOut: { x: number; y: number }[] }[];
  };
  assert.deepEqual(
    series.map(({ name }) => name),
    ['trunk-512', 'tokens-640', 'trunk-1024', 'tokens-1280'],
  );
  assert.equal(series.at(-1)!.train.at(-1)!.x, 1280);
  assert.ok(series.at(-1)!.heldOut.at(-1)!.y < series[0]!.heldOut[0]!.y, 'the loss fell');
});

test('a folder without metrics and an ending that is none are wrong input', () => {
  const absent = isoflop('curve', at('nowhere'));
  assert.deepEqual([absent.status, /metrics\.jsonl: no such file/.test(absent.stderr)], [2, true]);
  const ending = isoflop('curve', at('run'), '-o', at('curve.bmp'));
  assert.deepEqual([ending.status, /ends in \.svg, \.png or \.json/.test(ending.stderr)], [2, true]);
});
