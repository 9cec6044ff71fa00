/** A run that is killed and started again ends in the same bytes as one that was not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { train } from 'isoflop';
import { tinyOptions, tinyTokenizer } from './support/tiny-run.ts';

const child = fileURLToPath(new URL('./support/pretrain-child.js', import.meta.url));
const root = await mkdtemp(join(tmpdir(), 'isoflop-resume-'));
after(() => rm(root, { recursive: true }));
const tokenizer = join(root, 'tokenizer.json');
await writeFile(tokenizer, JSON.stringify(tinyTokenizer));

function run(folder: string, schedule: string, accumulation: number, when: string): NodeJS.Signals | null {
  const result = spawnSync(
    process.execPath,
    [child, folder, tokenizer, schedule, String(accumulation), when],
    { encoding: 'utf8' },
  );
  if (result.signal === null) assert.equal(result.status, 0, result.stderr);
  return result.signal;
}

/** A clock on which every run of the engine takes ten seconds, so that each takes one step. */
function clock(): () => number {
  let now = 0;
  return () => (now += 10_000);
}

/** All files by name. */
async function contents(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  const read = async (file: string) =>
    [file.slice(folder.length), (await readFile(file)).toString('base64')] as const;
  return new Map(await Promise.all(files.sort().map(read)));
}

for (const [schedule, accumulation] of [
  ['cosine', 1],
  ['cosine', 2],
  ['wsd', 1],
  ['wsd', 2],
] as const) {
  test(`${schedule}, accumulation ${accumulation}: killed runs end in the bytes of an unbroken one`, async () => {
    const whole = join(root, `${schedule}-${accumulation}-whole`);
    run(whole, schedule, accumulation, 'never');
    const expected = await contents(whole);
    for (const file of ['model.safetensors', 'state.safetensors'])
      assert.ok(
        [...expected.keys()].some(name => name.endsWith(file)),
        file,
      );
    for (const when of ['after:3', 'during:1', 'during:2', 'during:4']) {
      const broken = join(root, `${schedule}-${accumulation}-${when.replace(':', '-')}`);
      assert.equal(run(broken, schedule, accumulation, when), 'SIGKILL', when);
      run(broken, schedule, accumulation, 'never');
      const found = await contents(broken);
      for (const name of found.keys()) if (name.includes('.tmp')) found.delete(name); // what the kill left unfinished
      assert.deepEqual([...found.keys()], [...expected.keys()], when);
      for (const [name, bytes] of expected) assert.equal(found.get(name), bytes, `${when}: ${name}`);
    }
  });
}

test('the same folder refuses another run, naming what differs', async () => {
  const folder = join(root, 'other');
  const effects = {
    emit: () => {},
    signal: new AbortController().signal,
    now: clock(),
    gemmPeak: undefined,
    checkpointEveryMs: 1e9,
  };
  await train.pretrain(tinyOptions(tokenizer), { ...effects, folder: new train.RunFolder(folder) });
  const other = tinyOptions(tokenizer, { seed: 4, peakLearningRate: 1e-3 });
  await assert.rejects(
    train.pretrain(other, { ...effects, folder: new train.RunFolder(folder) }),
    /holds a run with another peakLearningRate, seed/,
  );
});

test('an interrupted run leaves a checkpoint and goes on from it', async () => {
  const [whole, broken] = [join(root, 'aborted-whole'), join(root, 'aborted')];
  const options = tinyOptions(tokenizer);
  const effects = { now: clock(), gemmPeak: undefined, checkpointEveryMs: 1e9 };
  const never = new AbortController().signal;
  await train.pretrain(options, {
    ...effects,
    emit: () => {},
    signal: never,
    folder: new train.RunFolder(whole),
  });
  const abort = new AbortController();
  const emit = (event: train.TrainEvent) => {
    if (event.type === 'step' && event.step === 2) abort.abort();
  };
  const folder = () => new train.RunFolder(broken);
  await assert.rejects(
    train.pretrain(options, { ...effects, emit, signal: abort.signal, folder: folder() }),
    { name: 'AbortError' },
  );
  const seen: string[] = [];
  await train.pretrain(options, {
    ...effects,
    emit: event => seen.push(event.type),
    signal: never,
    folder: folder(),
  });
  assert.ok(seen.includes('resumed'));
  assert.deepEqual(await contents(broken), await contents(whole));
});

test('a loss that is no number ends the run at its step, and the last checkpoint stays', async () => {
  const folder = join(root, 'diverged');
  const options = tinyOptions(tokenizer, { peakLearningRate: 1e38, warmupTokens: 64 });
  await assert.rejects(
    train.pretrain(options, {
      folder: new train.RunFolder(folder),
      emit: () => {},
      signal: new AbortController().signal,
      now: clock(),
      gemmPeak: undefined,
      checkpointEveryMs: 0,
    }),
    /pretrain: the (loss|gradient norm) is (NaN|Infinity|-Infinity) at step \d \(\d+ tokens\): lower the learning rate/,
  );
});
