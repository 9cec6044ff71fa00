/** Pretraining on what it cannot use, on a disk that fills up, and from checkpoints that were damaged. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exitCodeOf, hasCode, InputError, nn, silentProgress, train } from 'isoflop';
import { tinyHeldOut, tinyModel, tinyOptions, tinyText, tinyTokenizer } from './support/tiny-run.ts';

const child = fileURLToPath(new URL('./support/pretrain-child.js', import.meta.url));
const root = await mkdtemp(join(tmpdir(), 'isoflop-hostile-'));
after(() => rm(root, { recursive: true }));
const tokenizer = join(root, 'tokenizer.json');
await writeFile(tokenizer, JSON.stringify(tinyTokenizer));

const never = new AbortController().signal;

/** Every run of the engine seems to take ten seconds, so each takes one step; every step is saved. */
function effectsFor(
  folder: string,
  emit: (event: train.TrainEvent) => void = () => {},
): train.PretrainEffects {
  let clock = 0;
  const now = () => (clock += 10_000);
  return {
    folder: new train.RunFolder(folder),
    emit,
    signal: never,
    now,
    gemmPeak: undefined,
    checkpointEveryMs: 0,
  };
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

async function fromText(name: string, text: string, settings: object = {}) {
  const file = join(root, `${name}.txt`);
  await writeFile(file, text);
  const shape = { model: { dModel: 16, heads: 2, layers: 1 }, sequenceLength: 16, batchTokens: 64 };
  const config = train.pretrainSchema.parse({
    ...{ ...shape, text: file, tokenizer: { vocabSize: 260 }, tokens: 640, threads: 1 },
    ...settings,
  });
  const folder = join(root, name);
  const run = train.pretrainFromConfig(config, folder, {
    ...{ progress: silentProgress, emit: () => {}, signal: never, environment: {} },
    now: () => performance.now(),
  });
  return { folder, run };
}

for (const [name, text] of [
  ['empty', ''],
  ['blank', ' \n\n \n'],
] as const) {
  test(`a corpus that is ${name} is refused, and no run begins`, async () => {
    const { folder, run } = await fromText(name, text);
    await assert.rejects(run, InputError);
    const left = existsSync(folder) ? files(folder) : [];
    assert.deepEqual(
      left.filter(file => /model|checkpoint|run\.json|metrics/.test(file)),
      [],
    );
  });
}

test('a text too short for one batch, or to hold any of it out, is refused rather than scored', async () => {
  const short = await fromText('short', 'one two three\n\nfour five');
  await assert.rejects(short.run, InputError);
  const lines = Array.from({ length: 300 }, (_, i) => `line ${i} of a text that is long enough`).join('\n\n');
  const nothing = await fromText('nothing-held-out', lines, { heldOutShare: 0 });
  await assert.rejects(nothing.run, InputError);
});

test('token ids outside the vocabulary are refused before anything changes, negative ones too', async () => {
  const options = { batch: 1, length: 16, accumulation: 1, maxGradNorm: 1, adamW: nn.LADDER_ADAMW };
  const engine = await train.PretrainEngine.create(tinyModel, options, { threads: 1 });
  const state = train.initialState(tinyModel, 3);
  const before = train.copyState(state);
  engine.load(state);
  for (const bad of [64, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    const ids = new Int32Array(17).fill(5);
    ids[16] = bad;
    await assert.rejects(
      engine.takeSteps(ids, { firstStep: 0, learningRates: [1], peakLearningRate: 1 }),
      error => {
        assert.ok(error instanceof InputError);
        assert.match(
          error.message,
          new RegExp(`training text: token 17 of 17 is id ${bad}, outside the vocabulary of 64`),
        );
        return true;
      },
    );
  }
  assert.deepEqual(await engine.read(), before);
  await engine.release();
});

test('held-out text with ids outside the vocabulary is refused', async () => {
  const heldOut: train.HeldOutText = {
    ...tinyHeldOut,
    *inOrder(rows) {
      yield { tokens: new Int32Array(rows * 17).fill(64), rows };
    },
  };
  const options = tinyOptions(tokenizer, { heldOut });
  await assert.rejects(
    train.pretrain(options, effectsFor(join(root, 'held-out-ids'))),
    /held-out text: token 1 /,
  );
});

/** Runs the child with files limited to `kilobytes`: writing beyond fails in the middle, as on a full disk. */
function runLimited(folder: string, kilobytes: number | undefined) {
  const limit = kilobytes === undefined ? '' : `ulimit -f ${2 * kilobytes};`; // blocks of 512 bytes
  const command = `trap '' XFSZ; ${limit} exec "$0" "$@"`;
  const argv = [process.execPath, child, folder, tokenizer, 'cosine', '1', 'never'];
  return spawnSync('sh', ['-c', command, ...argv], { encoding: 'utf8' });
}

const noLimits = process.platform === 'win32' ? 'needs ulimit' : false;

test('a disk that fills up while a checkpoint is written leaves nothing half-written', {
  skip: noLimits,
}, () => {
  const [whole, full] = [join(root, 'enough'), join(root, 'full')];
  assert.equal(runLimited(whole, undefined).status, 0);
  const failed = runLimited(full, 32);
  assert.notEqual(failed.status, 0);
  assert.match(failed.stderr, /EFBIG|ENOSPC/);
  assert.deepEqual(
    files(full).filter(file => !['metrics.jsonl', 'run.json'].includes(file)),
    [],
  );
  assert.equal(runLimited(full, undefined).status, 0, 'with room again, the same command goes on');
  assert.deepEqual(files(full), files(whole));
});

test('metrics that find the disk full end the run as failed, not as a bug', {
  skip: noFullDevice(),
}, async () => {
  const folder = join(root, 'full-metrics');
  await mkdir(folder);
  await symlink('/dev/full', join(folder, 'metrics.jsonl'));
  await assert.rejects(train.pretrain(tinyOptions(tokenizer), effectsFor(folder)), error => {
    assert.ok(hasCode(error, 'ENOSPC'), String(error));
    assert.equal(exitCodeOf(error), 1);
    return true;
  });
  assert.deepEqual(files(folder), ['run.json']);
});

function noFullDevice(): string | false {
  return process.platform === 'linux' ? false : 'needs /dev/full';
}

/** A run stopped after step 4, with kept checkpoints of steps 2, 3 and 4. */
async function stoppedRun(folder: string): Promise<train.PretrainOptions> {
  const step = 4 * tinyModel.maxLength;
  const options = tinyOptions(tokenizer, {
    text: tinyText,
    checkpointTokens: [2 * step, 3 * step, 4 * step],
  });
  const abort = new AbortController();
  const emit = (event: train.TrainEvent) => {
    if (event.type === 'step' && event.step === 4) abort.abort();
  };
  const effects = { ...effectsFor(folder, emit), signal: abort.signal };
  await assert.rejects(train.pretrain(options, effects), { name: 'AbortError' });
  return options;
}

async function finish(options: train.PretrainOptions, folder: string) {
  const events: train.TrainEvent[] = [];
  await train.pretrain(
    options,
    effectsFor(folder, event => events.push(event)),
  );
  const weights = await readFile(join(folder, 'models/tokens-384/model.safetensors'));
  const metrics = await readFile(join(folder, 'metrics.jsonl'), 'utf8');
  return { events, weights, metrics: metrics.replaceAll(/"tokensPerSecond":[^,}]*/g, '') };
}

const DAMAGES: Readonly<Record<string, (checkpoint: string) => Promise<void>>> = {
  'the state is cut in the middle': path => truncate(join(path, 'state.safetensors'), 5000),
  'the state is cut in its header': path => truncate(join(path, 'state.safetensors'), 20),
  'the state is empty': path => truncate(join(path, 'state.safetensors'), 0),
  'the state is gone': path => rm(join(path, 'state.safetensors')),
  'the position is cut': path => truncate(join(path, 'position.json'), 9),
  'the position says nothing': path => writeFile(join(path, 'position.json'), '{}'),
};

test('a damaged checkpoint is set aside, and the run goes on from the one before it to the same bytes', async () => {
  const whole = join(root, 'undamaged');
  const expected = await finish(await stoppedRun(whole), whole);
  assert.ok(expected.events.some(event => event.type === 'resumed' && event.step === 4));
  for (const [i, [name, damage]] of Object.entries(DAMAGES).entries()) {
    const folder = join(root, `damaged-${i}`);
    const options = await stoppedRun(folder);
    await damage(join(folder, 'checkpoints/tokens-384@4'));
    const found = await finish(options, folder);
    const kinds = found.events.flatMap(event =>
      event.type === 'damaged' || event.type === 'resumed' ? [[event.type, event.step]] : [],
    );
    assert.deepEqual(
      kinds,
      [
        ['damaged', 4],
        ['resumed', 3],
      ],
      name,
    );
    assert.deepEqual(found.weights, expected.weights, name);
    assert.equal(found.metrics, expected.metrics, name);
    assert.ok(files(folder).includes('checkpoints/tokens-384@4.damaged/position.json'), name);
    assert.ok(files(folder).includes('checkpoints/tokens-384@4/position.json'), `${name}: saved again`);
  }
});

test('where no checkpoint is whole the run begins again, to the same bytes', async () => {
  const [whole, folder] = [join(root, 'undamaged'), join(root, 'all-damaged')];
  const options = await stoppedRun(folder);
  for (const step of [2, 3, 4])
    await truncate(join(folder, `checkpoints/tokens-384@${step}/state.safetensors`), 100);
  const { events, weights } = await finish(options, folder);
  assert.equal(events.filter(event => event.type === 'damaged').length, 3);
  assert.ok(!events.some(event => event.type === 'resumed'));
  assert.deepEqual(weights, await readFile(join(whole, 'models/tokens-384/model.safetensors')));
});

/**
 * Two budgets on one trunk: trunk-128 (2 steps), tokens-256 from there, trunk-256 (4 steps), tokens-512 from there. Checkpoints of
 * step 3, in the middle of the first branch and of the second trunk, are kept for good.
 */
function branching(): train.PretrainOptions {
  const step = 4 * tinyModel.maxLength;
  return tinyOptions(tokenizer, {
    budgets: [4 * step, 8 * step],
    schedule: { kind: 'wsd', decayShare: 0.5, finalFactor: 0 },
    checkpointTokens: [3 * step],
  });
}

/** Dies as by `kill -9` when the first step of a segment is reported: nothing is saved any more. */
async function dieIn(segment: string, folder: string): Promise<void> {
  const emit = (event: train.TrainEvent) => {
    if (event.type === 'step' && event.segment === segment) throw new Error('killed');
  };
  await assert.rejects(train.pretrain(branching(), effectsFor(folder, emit)), /killed/);
}

/** Models and metrics without times, and the events of the run that finished them. */
async function outcome(folder: string) {
  const events: train.TrainEvent[] = [];
  await train.pretrain(
    branching(),
    effectsFor(folder, event => events.push(event)),
  );
  const metrics = await readFile(join(folder, 'metrics.jsonl'), 'utf8');
  const models = await Promise.all(
    ['tokens-256', 'tokens-512'].map(name => readFile(join(folder, 'models', name, 'model.safetensors'))),
  );
  return { events, models, metrics: metrics.replaceAll(/"tokensPerSecond":[^,}]*/g, '') };
}

for (const [branch, trunk] of [
  ['tokens-256', 'trunk-128@2'],
  ['trunk-256', 'trunk-128@2'],
  ['tokens-512', 'trunk-256@4'],
] as const) {
  test(`where the end of a trunk is damaged, what led to it is done again: ${trunk}, in ${branch}`, async () => {
    const expected = await outcome(join(root, `whole-${branch}`));
    const kept = files(join(root, `whole-${branch}`, 'checkpoints'));
    assert.deepEqual(
      kept.map(file => file.split('/')[0]),
      ['tokens-256@3', 'tokens-256@3', 'trunk-256@3', 'trunk-256@3'],
    );
    for (const [i, [name, damage]] of Object.entries(DAMAGES).entries()) {
      const folder = join(root, `${branch}-${trunk}-${i}`);
      await dieIn(branch, folder);
      await damage(join(folder, 'checkpoints', trunk));
      const { events, ...found } = await outcome(folder);
      assert.ok(
        events.some(event => event.type === 'damaged' && trunk.startsWith(event.segment)),
        name,
      );
      assert.deepEqual(found.models, expected.models, name);
      assert.equal(found.metrics, expected.metrics, name);
      const left = files(join(folder, 'checkpoints')).filter(file => !file.includes('.damaged'));
      assert.deepEqual(left, kept, name);
    }
  });
}

test('a trunk whose end was saved is not done again, even if it was not noted as finished', async () => {
  class Forgetful extends train.RunFolder {
    override markFinished(segment: string): Promise<void> {
      if (segment.startsWith('trunk')) throw new Error('killed');
      return super.markFinished(segment);
    }
  }
  const folder = join(root, 'forgetful');
  const effects = { ...effectsFor(folder), folder: new Forgetful(folder) };
  await assert.rejects(train.pretrain(branching(), effects), /killed/);
  const { events, ...found } = await outcome(folder);
  assert.ok(!events.some(event => event.type === 'step' && event.segment === 'trunk-128'));
  const { events: _, ...expected } = await outcome(join(root, 'forgetful-whole'));
  assert.deepEqual(found, expected);
});

const LINES = Array.from({ length: 400 }, (_, i) => `line ${i} of a text that is long enough`);

test('a .txt file is one document, or one a paragraph; a tokenizer of other settings is not taken over', async () => {
  const one = await fromText('one-document', LINES.join('\n\n'));
  await assert.rejects(one.run, InputError); // held out whole, or not at all
  const settings = { paragraphs: true, heldOutShare: 0.2 };
  const first = await fromText('tokenizer-kept', LINES.join('\n\n'), settings);
  await first.run;
  const written = await readFile(join(first.folder, 'tokenizer.json'));
  await (await fromText('tokenizer-kept', LINES.join('\n\n'), settings)).run;
  assert.deepEqual(await readFile(join(first.folder, 'tokenizer.json')), written);
  for (const [text, change] of [
    [LINES.join('\n\n'), { tokenizer: { vocabSize: 280 } }],
    [`${LINES.join('\n\n')} and more`, {}],
  ] as const) {
    const { run } = await fromText('tokenizer-kept', text, { ...settings, ...change });
    await assert.rejects(run, /tokenizer\.json: was made from other text or with another vocabSize/);
  }
});

test('wrong models and numbers are told before the text is read', async () => {
  for (const [name, settings, message] of [
    ['no-such-model', { model: 'mpt-1x' }, /no such model size/],
    ['crooked', { model: { dModel: 16, heads: 3, layers: 1 } }, /heads/],
    ['too-little', { tokens: 10 }, /less than one step/],
    ['all-warm-up', { warmupTokens: 1e6 }, /warm-up leave nothing/],
  ] as const) {
    const { folder, run } = await fromText(name, LINES.join('\n\n'), settings);
    await assert.rejects(run, message);
    assert.ok(!existsSync(folder), name);
  }
});
