import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError } from '../base/index.ts';
import { readTasks, taskNames } from './from-files.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-icl-files-'));
after(() => rm(folder, { recursive: true }));

const LIST = `icl_tasks:
  - {label: a, dataset_uri: eval/local_data/a.jsonl, num_fewshot: [0, 1], icl_task_type: language_modeling}
  - {label: b, dataset_uri: a.jsonl, num_fewshot: 2, icl_task_type: language_modeling, fewshot_random_seed: 5}
`;
const RECORDS = '{"context":"x","continuation":"y"}\n'.repeat(4);

/** A folder of its own with these files. */
async function holding(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return path;
}

test('a folder of tasks: its tasks.yaml, or its only task file, chosen and with other shots', async () => {
  const path = await holding('several', { 'tasks.yaml': LIST, 'tasks_old.yaml': '', 'a.jsonl': RECORDS });
  const shown = async (...args: Parameters<typeof readTasks>) =>
    (await readTasks(...args)).map(({ label, shots, prompt }) => [label, shots, prompt!.fewshotSeed]);
  assert.deepEqual(await shown(path, { seed: 9 }), [
    ['a', 0, 9],
    ['a', 1, 9],
    ['b', 2, 5],
  ]);
  assert.deepEqual(await shown(path, { only: ['a'], shots: 3 }), [['a', 3, 1234]]);
  assert.deepEqual(taskNames(await readTasks(path)), ['a/0-shot', 'a/1-shot', 'b']);
  const single = await holding('single', { 'tasks_v0.3.yaml': LIST, 'a.jsonl': RECORDS });
  assert.equal((await readTasks(single)).length, 3);
  assert.equal((await readTasks(join(single, 'tasks_v0.3.yaml'), { only: ['a/1-shot'] })).length, 1);
});

test('a folder without one task file, and records outside of it, are refused', async () => {
  await assert.rejects(readTasks(join(folder, 'nowhere')), InputError);
  await assert.rejects(readTasks(await holding('empty', {})), /has no tasks\.yaml/);
  const two = await holding('two', { 'tasks_1.yaml': LIST, 'tasks_2.yaml': LIST });
  await assert.rejects(readTasks(two), /tasks_1\.yaml, tasks_2\.yaml: name the one/);
  await writeFile(join(folder, 'outside.jsonl'), RECORDS);
  for (const uri of ['../outside.jsonl', join(folder, 'outside.jsonl')]) {
    const text = LIST.replaceAll('a.jsonl', uri).replaceAll('eval/local_data/', '');
    await writeFile(join(two, 'tasks.yaml'), text);
    await assert.rejects(
      readTasks(two),
      (error: unknown) =>
        error instanceof InputError &&
        error.problems.every(({ message }) => /leaves the folder/.test(message)),
    );
  }
});

test('records that are not there are named, all of them', async () => {
  const path = await holding('missing', { 'tasks.yaml': LIST });
  await assert.rejects(
    readTasks(path),
    (error: unknown) => error instanceof InputError && error.problems.length === 3,
  );
});
