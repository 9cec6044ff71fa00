/** The study step `icl`: what it writes, and that it writes the same again. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { icl, models, silentProgress } from 'isoflop';
import { tinyModel, tinyTokenizer } from '#src/icl/testing.js';
import { type IclScores, iclStep } from '#src/steps/kinds/icl.js';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-icl-step-'));
after(() => rm(folder, { recursive: true }));

const model = join(folder, 'model');
const tasks = join(folder, 'tasks');
const tokenizer = await tinyTokenizer();
// learned positions that end at no multiple of four, and prompts that fill them
const { config, weights } = tinyModel(tokenizer, { positions: 'learned', bias: true, maxLength: 30 });
await mkdir(tasks);
await writeFile(join(folder, 'tokenizer.json'), tokenizer.json);
await models.writeMptDirectory(model, config, weights, {
  tokenizer: { path: join(folder, 'tokenizer.json'), specialTokens: { eos: '<|endoftext|>' } },
});
const long = 'the quick brown fox jumps over a lazy dog and '.repeat(4);
await writeFile(
  join(tasks, 'tasks.yaml'),
  `icl_tasks:
  - {label: last, dataset_uri: last.jsonl, num_fewshot: 0, icl_task_type: language_modeling}
  - {label: pick, dataset_uri: pick.jsonl, num_fewshot: [0, 2], icl_task_type: multiple_choice}
`,
);
await writeFile(join(tasks, 'last.jsonl'), `{"context":"${long}","continuation":"runs"}\n`.repeat(3));
const question = { query: 'seven wise', choices: ['owls', 'green fields', 'foxes'], gold: 0 };
await writeFile(join(tasks, 'pick.jsonl'), `${JSON.stringify(question)}\n`.repeat(6));

async function run(name: string, params: object): Promise<string> {
  const out = join(folder, name);
  await mkdir(out);
  await iclStep.run({
    params: iclStep.schema.parse(params),
    inputs: { model, tasks },
    output: file => join(out, file),
    scratch: join(folder, 'scratch'),
    threads: 1,
    signal: new AbortController().signal,
    progress: silentProgress,
    metrics() {},
    log() {},
    warn() {},
  });
  return readFile(join(out, 'icl.json'), 'utf8');
}

test('icl.json has every task once, the numbers of evaluateIcl, and the same bytes every time', async () => {
  const text = await run('first', {});
  assert.equal(await run('second', {}), text);
  const { tasks: scores } = JSON.parse(text) as IclScores;
  assert.deepEqual(
    scores.map(({ name, type, shots, items, chance }) => [name, type, shots, items, chance]),
    [
      ['last', 'language_modeling', 0, 3, 0],
      ['pick/0-shot', 'multiple_choice', 0, 6, 1 / 3],
      ['pick/2-shot', 'multiple_choice', 2, 6, 1 / 3],
    ],
  );
  const direct = await icl.evaluateIcl({ config, weights }, tokenizer, await icl.readTasks(tasks), {
    threads: 1,
  });
  for (const [i, result] of direct.tasks.entries()) {
    assert.deepEqual(scores[i]!.accuracy, icl.gauntletAccuracy(result));
    assert.deepEqual(scores[i]!.bitsPerByte, result.bitsPerByte);
  }
});

test('items, tasks and shots are what the parameters say', async () => {
  const { tasks: scores } = JSON.parse(
    await run('chosen', { items: 4, tasks: ['pick'], shots: 1 }),
  ) as IclScores;
  assert.deepEqual(
    scores.map(({ name, shots, items }) => [name, shots, items]),
    [['pick', 1, 4]],
  );
  const narrow = JSON.parse(await run('narrow', { tasks: ['last'], contextTokens: 8 })) as IclScores;
  const { bitsPerByte } = (JSON.parse(await run('wide', { tasks: ['last'] })) as IclScores).tasks[0]!;
  assert.notDeepEqual(narrow.tasks[0]!.bitsPerByte, bitsPerByte);
  await assert.rejects(run('beyond', { contextTokens: 31 }), /learned positions end at 30/);
  for (const bad of [{ items: 1 }, { tasks: [] }, { threads: 0 }, { prompts: 'mine' }, { other: 1 }])
    assert.equal(iclStep.schema.safeParse(bad).success, false, JSON.stringify(bad));
});
