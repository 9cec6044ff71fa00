import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingBenchmarks, readGauntlet } from './gauntlet.ts';
import { taskKey } from './settings.ts';
import { loadTasks, missingTasks, readTaskFile } from './task-file.ts';

const data = process.env['ISOFLOP_DATA'];
const skip = data === undefined && 'ISOFLOP_DATA is not set';

test("llm-foundry's tasks of Gauntlet v0.3 are read as they are", { skip }, async () => {
  const folder = join(data!, 'icl_llm_foundry');
  const specs = await readTaskFile(join(folder, 'tasks_v0.3.yaml'), {});
  assert.equal(specs.length, 34);
  const there = specs.filter(({ path }) => path !== undefined);
  const tasks = (await loadTasks(there)).map(({ task }) => task);
  const counts = new Map(tasks.map(task => [taskKey(task), task.records.length]));
  for (const [key, count] of [
    ['arc_challenge/25-shot', 1172],
    ['bigbench_qa_wikidata/3-shot', 20_321],
    ['lambada_openai/0-shot', 5153],
    ['jeopardy/3-shot', 2117],
    ['winogrande/5-shot', 1267],
    ['triviaqa_sm_sub/3-shot', 3000],
    ['svamp/5-shot', 300],
  ] as const)
    assert.equal(counts.get(key), count, key);
  const gauntlet = await readGauntlet(join(folder, 'eval_gauntlet_v0.3.yaml'), {});
  const missing = new Set(missingTasks(specs));
  for (const key of missingBenchmarks(gauntlet, tasks.map(taskKey))) assert.ok(missing.has(key), key);
});
