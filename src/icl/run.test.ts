import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError, Rng, silentProgress } from '../base/index.ts';
import { parseLmEval } from '../data/index.ts';
import { writeMptDirectory } from '../models/index.ts';
import { type Gauntlet, readGauntlet, scoreGauntlet } from './gauntlet.ts';
import type { IclTaskResult } from './result.ts';
import { type IclRunOptions, runIcl } from './run.ts';
import { readTaskFile, selectTasks } from './task-file.ts';
import { sentence, tinyModel, tinyTokenizer } from './testing.ts';
import { iclText } from './text.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-icl-run-'));
after(() => rm(folder, { recursive: true }));

const modelFolder = join(folder, 'model');
await mkdir(modelFolder);
const tokenizer = await tinyTokenizer();
const { config, weights } = tinyModel(tokenizer);
const tokenizerPath = join(folder, 'tokenizer.source.json');
await writeFile(tokenizerPath, tokenizer.json);
const eos = '<|endoftext|>';
await writeMptDirectory(modelFolder, config, weights, {
  tokenizer: { path: tokenizerPath, specialTokens: { eos, bos: eos, pad: '<|padding|>' } },
});

const rng = Rng.from(8, 'files');
const jsonl = (records: readonly object[]) => records.map(record => `${JSON.stringify(record)}\n`).join('');
await mkdir(join(folder, 'reasoning'));
await writeFile(
  join(folder, 'reasoning/choice.jsonl'),
  jsonl(
    Array.from({ length: 12 }, (_, i) => ({
      ...{ query: sentence(rng, 6), choices: [sentence(rng, 2), sentence(rng, 2)], gold: i % 2 },
    })),
  ),
);
await writeFile(
  join(folder, 'words.jsonl'),
  jsonl(Array.from({ length: 8 }, () => ({ context: sentence(rng, 6), continuation: sentence(rng, 1) }))),
);
const taskFile = join(folder, 'tasks.yaml');
const CHOICE = `  - label: choice
    dataset_uri: eval/local_data/reasoning/choice.jsonl
    num_fewshot: [0, 2]
    icl_task_type: multiple_choice
    continuation_delimiter: "\\nAnswer: "
`;
const WORDS = `  - {label: words, dataset_uri: words.jsonl, num_fewshot: 1, icl_task_type: language_modeling}\n`;
await writeFile(taskFile, `icl_tasks:\n${CHOICE}${WORDS}`);

const run = (
  output: string,
  options: IclRunOptions = {},
  signal = new AbortController().signal,
  file = taskFile,
) =>
  runIcl(
    modelFolder,
    file,
    join(folder, output),
    { threads: 1, ...options },
    {
      progress: silentProgress,
      signal,
      environment: {},
    },
  );

async function filesOf(output: string): Promise<Record<string, string>> {
  const paths = (await readdir(join(folder, output), { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      paths.map(
        async path => [path.slice(join(folder, output).length), await readFile(path, 'utf8')] as const,
      ),
    ),
  );
}

test('a run writes results, items, and what lm-eval’s readers read', async () => {
  const { results } = await run('whole');
  const files = await filesOf('whole');
  assert.deepEqual(Object.keys(files).sort(), [
    '/items/choice_0-shot.jsonl',
    '/items/choice_2-shot.jsonl',
    '/items/words_1-shot.jsonl',
    '/lm-eval.json',
    '/results.json',
    '/tasks/choice_0-shot.json',
    '/tasks/choice_2-shot.json',
    '/tasks/words_1-shot.json',
  ]);
  assert.deepEqual(JSON.parse(files['/results.json']!), JSON.parse(JSON.stringify(results)));
  const items = files['/items/choice_2-shot.jsonl']!.trim()
    .split('\n')
    .map(line => JSON.parse(line));
  assert.deepEqual(
    items.map(({ index }) => index),
    [...items.keys()],
  );
  const imported = parseLmEval(JSON.parse(files['/lm-eval.json']!), 'lm-eval.json');
  assert.equal(imported.model, results.model.name);
  const [zero, two, words] = results.tasks;
  assert.equal(imported.scores.get('choice_0shot.acc'), zero!.accuracy.value);
  assert.equal(imported.scores.get('choice_2shot.acc_norm'), two!.byteNormalizedAccuracy!.value);
  assert.equal(imported.scores.get('words'), words!.accuracy.value);
  const shares = items.filter(({ correctPerToken }) => correctPerToken).length / items.length;
  assert.equal(two!.normalizedAccuracy!.value, shares);
  assert.match(iclText(results), /choice\/2-shot +12/);
});

test('an interrupted run goes on with the next task, to the same bytes', async () => {
  const controller = new AbortController();
  const stopAfterFirst = {
    ...silentProgress,
    start: (label: string) => {
      if (label === 'choice/2-shot') controller.abort();
      return { update() {}, finish() {} };
    },
  };
  const output = join(folder, 'resumed');
  const effects = { progress: stopAfterFirst, signal: controller.signal, environment: {} };
  await assert.rejects(runIcl(modelFolder, taskFile, output, { threads: 1 }, effects), {
    name: 'AbortError',
  });
  assert.deepEqual(Object.keys(await filesOf('resumed')).sort(), [
    '/items/choice_0-shot.jsonl',
    '/tasks/choice_0-shot.json',
  ]);
  const { cached } = await run('resumed');
  assert.deepEqual(cached, ['choice/0-shot']);
  assert.deepEqual(await filesOf('resumed'), await filesOf('whole'));
  const again = await run('resumed');
  assert.deepEqual([again.cached.length, again.work.tokens], [3, 0]);
  assert.deepEqual(await filesOf('resumed'), await filesOf('whole'));
});

test('results of other settings, and damaged ones, are not mixed in', async () => {
  await run('settings', { tasks: ['words'] });
  await assert.rejects(run('settings', { limit: 3 }), /with other settings/);
  const path = join(folder, 'settings/tasks/words_1-shot.json');
  await writeFile(path, (await readFile(path, 'utf8')).replace('"items": 8', '"items": 9'));
  await assert.rejects(run('settings', { tasks: ['words'] }), /is damaged/);
});

test('a task file: every fault at once, with its line', async () => {
  const path = join(folder, 'bad.yaml');
  await writeFile(
    path,
    `icl_tasks:
  - {label: ../x, dataset_uri: words.jsonl, num_fewshot: -1, icl_task_type: language_modeling}
  - {label: y, dataset_uri: words.jsonl, num_fewshot: [], icl_task_type: code, hf_loading_vars: {}}
`,
  );
  const error = await readTaskFile(path, {}).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof InputError);
  const text = error.message;
  for (const part of [
    'bad.yaml:2:13',
    'num_fewshot',
    'bad.yaml:3',
    'icl_task_type',
    "unknown key 'hf_loading_vars'",
  ])
    assert.ok(text.includes(part), `${part} in ${text}`);
  await writeFile(path, `icl_tasks:\n${WORDS.replace('words.jsonl', 's3://bucket/words.jsonl')}`);
  await assert.rejects(readTaskFile(path, {}), /is not on this machine/);
  await writeFile(path, `icl_tasks:\n${WORDS}${WORDS}`);
  await assert.rejects(readTaskFile(path, {}), /lists words\/1-shot twice/);
  await writeFile(path, `icl_tasks:\n${WORDS.replace('}', ', prelimiter: a, question_prelimiter: b}')}`);
  await assert.rejects(readTaskFile(path, {}), /two names for one setting/);
  await writeFile(
    path,
    `icl_tasks:\n${WORDS.replace('}', ', question_prelimiter: "Q: ", strip_dataset: false}')}`,
  );
  const [spec] = await readTaskFile(path, {});
  assert.deepEqual(spec!.prompt, { prelimiter: 'Q: ', stripDataset: false });
  const specs = await readTaskFile(taskFile, {});
  assert.deepEqual(
    selectTasks(specs, ['choice/2-shot']).map(({ shots }) => shots),
    [2],
  );
  assert.deepEqual(selectTasks(specs, ['choice']).length, 2);
  assert.throws(() => selectTasks(specs, ['choice/3-shot', 'piqa']), /choice\/3-shot.*\n?.*piqa/s);
});

test('missing records are an error, or are left out by name', async () => {
  const path = join(folder, 'missing.yaml');
  const absent = WORDS.replace('label: words', 'label: absent').replace('words.jsonl', 'absent.jsonl');
  await writeFile(path, `icl_tasks:\n${WORDS}${absent}`);
  await assert.rejects(run('missing', {}, undefined, path), /absent\.jsonl: no such file/);
  const { results } = await run('missing', { reduced: 'few' }, undefined, path);
  assert.deepEqual(results.missingTasks, ['absent/1-shot']);
  assert.deepEqual(
    results.tasks.map(({ label }) => label),
    ['words'],
  );
});

const gauntletText = (extra = '') => `eval_gauntlet:
  weighting: EQUAL
  subtract_random_baseline: true
  rescale_accuracy: true
  averages: {core_average: [reasoning, language]}
  categories:
  - name: reasoning
    benchmarks:
    - {name: choice, num_fewshot: 0, random_baseline: 0.5}
    - {name: choice, num_fewshot: 2, random_baseline: 0.5}
  - name: language
    benchmarks:
    - {name: words, num_fewshot: 1, random_baseline: 0}
${extra}`;

function taskResult(label: string, shots: number, value: number, items = 4): IclTaskResult {
  const estimate = { value, standardError: 0.1 };
  return {
    ...{
      label,
      shots,
      items,
      records: items,
      chance: 0,
      type: 'multiple_choice',
      trimmedItems: 0,
      cutItems: 0,
    },
    ...{ accuracy: { value: 0, standardError: 0 }, normalizedAccuracy: estimate, bitsPerByte: estimate },
  };
}

test('a gauntlet takes chance away, rescales, weighs and averages', async () => {
  const path = join(folder, 'gauntlet.yaml');
  await writeFile(path, gauntletText());
  const gauntlet = await readGauntlet(path, {});
  const results = [
    taskResult('choice', 0, 0.75),
    taskResult('choice', 2, 0.5, 16),
    taskResult('words', 1, 0.2),
  ];
  const { averages, categories, missing } = scoreGauntlet(gauntlet, results);
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-12, `${a} ${b}`);
  near(categories[0]!.score.value, 0.25);
  near(categories[0]!.score.standardError!, Math.hypot(0.2, 0.2) / 2);
  near(averages['core_average']!.value, (0.25 + 0.2) / 2);
  assert.deepEqual(missing, []);
  const weighted = (weighting: Gauntlet['weighting'], rest: Partial<Gauntlet> = {}) =>
    scoreGauntlet({ ...gauntlet, weighting, ...rest }, results).categories[0]!.score.value;
  near(weighted('SAMPLE_SZ'), (0.5 * 4 + 0 * 16) / 20);
  near(weighted('LOG_SAMPLE_SZ'), (0.5 * 2 + 0 * 4) / 6);
  near(weighted('EQUAL', { rescale: false }), 0.125);
  near(weighted('EQUAL', { rescale: false, subtractBaseline: false }), 0.625);
});

test('a gauntlet that is not complete has no average, unless it gets another name', async () => {
  const path = join(folder, 'gauntlet.yaml');
  await writeFile(path, gauntletText('    - {name: mmlu, num_fewshot: 5, random_baseline: 0.25}\n'));
  await assert.rejects(run('gauntlet', { gauntlet: path }), /1 benchmarks have no task: mmlu\/5-shot/);
  assert.deepEqual(await readdir(folder).then(names => names.includes('gauntlet')), false);
  await assert.rejects(run('gauntlet', { gauntlet: path, reduced: 'core_average' }), /needs one of its own/);
  const { results } = await run('gauntlet', { gauntlet: path, reduced: 'core_3' });
  const { averages, categories, missing, reduced } = results.gauntlet!;
  assert.deepEqual(Object.keys(averages), ['core_3']);
  assert.deepEqual(
    categories.map(({ name }) => name),
    ['reasoning', 'language (core_3)'],
  );
  assert.deepEqual([reduced, missing], ['core_3', ['mmlu/5-shot']]);
  assert.match(iclText(results), /reduced gauntlet.*core_3.*without a result: mmlu/s);
});

test('a gauntlet file: every fault at once', async () => {
  const path = join(folder, 'bad-gauntlet.yaml');
  await writeFile(
    path,
    gauntletText(`    - {name: words, num_fewshot: 1, random_baseline: 0}
  - {name: language, benchmarks: [{name: a, num_fewshot: 0, random_baseline: 0}]}
`)
      .replace('[reasoning, language]', '[reasoning, safety]')
      .replace('subtract_random_baseline: true', 'subtract_random_baseline: false'),
  );
  await assert.rejects(readGauntlet(path, {}), (error: unknown) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.problems.length, 4);
    return true;
  });
  await writeFile(path, gauntletText().replace('random_baseline: 0.5', 'random_baseline: 1'));
  await assert.rejects(readGauntlet(path, {}), /random_baseline/);
});
