/** A whole study, as small as can be, through the program: from text to report, then again, then with one field changed. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Rng } from '../base/index.ts';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-ladder-'));
after(() => rm(folder, { recursive: true }));
const store = join(folder, 'store');

/** Sentences of a made-up language whose words say which topic they are about. */
function sentence(rng: Rng, topic: number): string {
  const word = () => `w${topic}x${rng.int(6)}`;
  return Array.from({ length: 8 }, () => (rng.uniform() < 0.7 ? word() : `c${rng.int(20)}`)).join(' ');
}

async function writeData(): Promise<void> {
  const rng = Rng.from(17, 'ladder test');
  const lines = (count: number, make: (i: number) => object) =>
    Array.from({ length: count }, (_, i) => `${JSON.stringify(make(i))}\n`).join('');
  await writeFile(
    join(folder, 'text.jsonl'),
    lines(400, i => ({ text: sentence(rng, i % 10) })),
  );
  await writeFile(
    join(folder, 'pairs.jsonl'),
    lines(60, i => ({ query: sentence(rng, i % 10), pos: [sentence(rng, i % 10)], neg: [] })),
  );
  const read = sentence(rng, 7);
  await writeFile(join(folder, 'text.jsonl'), `${JSON.stringify({ text: read })}\n`, { flag: 'a' });
  for (const name of ['one', 'two']) {
    const place = join(folder, name);
    await mkdir(join(place, 'qrels'), { recursive: true });
    await writeFile(
      join(place, 'corpus.jsonl'),
      lines(60, i => ({ _id: `d${i}`, text: name === 'one' && i === 7 ? read : sentence(rng, i % 10) })),
    );
    await writeFile(
      join(place, 'queries.jsonl'),
      lines(10, i => ({ _id: `q${i}`, text: sentence(rng, i) })),
    );
    const rows = Array.from({ length: 60 }, (_, i) => `q${i % 10}\td${i}\t1\n`);
    await writeFile(join(place, 'qrels', 'test.tsv'), `query-id\tcorpus-id\tscore\n${rows.join('')}`);
  }
}

/** Variables that studies of the repository name places by. */
const PLACES = ['ISOFLOP_DATA', 'CORPUS', 'PAIRS', 'BEIR', 'NEOX', 'GAUNTLET'];

const study = (more = '') => `name: tiny
data: { text: text.jsonl, pairs: pairs.jsonl, collections: { one: one, two: { path: two, inMean: false, title: Two } } }
tokenizer: { vocabSize: 300 }
pretrain: { sequenceLength: 16, batchTokens: 64, schedule: { kind: wsd }, learningRate: 3e-3 }
ladder:
  - { name: a, model: { dModel: 8, heads: 1, layers: 1 }, tokens: [640] }
  - { name: b, model: { dModel: 16, heads: 2, layers: 1 }, tokens: [640, 1280] }
mine: { negatives: 2 }
finetune: { negatives: 2, batchPairs: 20, trainQueryTokens: 16, trainPassageTokens: 16 }
${more}`;

const file = join(folder, 'tiny.yaml');
await writeData();
await writeFile(file, study());

async function program(...words: string[]): Promise<{ code: number; out: string; log: string }> {
  const io = testIo(process.env);
  const code = await runProgram(words, io);
  return { code, out: io.stdout(), log: io.stderr() };
}

/** What is said of a study file that is refused. */
async function refusalOf(command: 'plan' | 'run', name: string, text: string): Promise<string> {
  const wrong = join(folder, name);
  await writeFile(wrong, text);
  const { code, log } = await program(command, wrong, '--store', join(folder, 'none'));
  assert.equal(code, 2);
  return log;
}

test('a study runs from text to report', async () => {
  const report = join(folder, 'report');
  const { code, out, log } = await program('run', file, '--store', store, '-o', report, '--json');
  assert.equal(code, 0, log);
  const { outcome, report: page } = JSON.parse(out) as { outcome: string; report: string };
  assert.equal(outcome, 'done');
  assert.equal(page, join(report, 'index.html'));
  const results = JSON.parse(await readFile(join(report, 'results.json'), 'utf8')) as Record<string, never[]>;
  const checkpoints = results['checkpoints'] as unknown as Record<string, unknown>[];
  assert.deepEqual(
    checkpoints.map(({ name }) => name),
    ['a.untrained', 'a.640', 'b.untrained', 'b.640', 'b.1.28k'],
  );
  for (const checkpoint of checkpoints) {
    const { params, tokens, flops, finetuned, zeroShot, heldOut } = checkpoint as {
      params: number;
      tokens: number;
      flops: Record<string, number>;
      finetuned: { mean: { value: number; low: number; high: number }; collections: Record<string, unknown> };
      zeroShot: unknown;
      heldOut: unknown;
    };
    assert.equal(flops['6nd'], 6 * params * tokens);
    assert.equal(heldOut === null, tokens === 0);
    assert.equal(zeroShot === null, !String(checkpoint['name']).startsWith('a.'));
    const { value, low, high } = finetuned.mean;
    assert.ok(low <= value && value <= high && value > 0);
    assert.deepEqual(Object.keys(finetuned.collections), ['one', 'two']);
    assert.deepEqual(finetuned.collections['one'], {
      ...finetuned.mean,
      ...(finetuned.collections['one'] as object),
    });
  }
  assert.match(
    String((results['references'] as unknown as { name: string }[])[0]?.name),
    /^BM25 \(lucene, k1=0.9, b=0.4, english\)$/,
  );
  const { sets } = results['overlap'] as unknown as {
    sets: { name: string; standing: number; examples: string[] }[];
  };
  assert.deepEqual(
    sets.map(({ name, standing, examples }) => [name, standing, examples]),
    [
      ['one, passages', 1, ['d7']],
      ['one, queries', 0, []],
      ['two, passages', 0, []],
      ['two, queries', 0, []],
    ],
  );
});

test('run again, every step is cached and the report is the same', async () => {
  const report = join(folder, 'report');
  const before = await readFile(join(report, 'report.json'), 'utf8');
  const { code, out, log } = await program('run', file, '--store', store, '-o', report, '--json');
  assert.equal(code, 0);
  const { steps } = JSON.parse(out) as { steps: { name: string; state: string }[] };
  assert.ok(steps.every(({ state }) => state === 'cached'));
  for (const { name } of steps) assert.ok(log.includes(`${name}: cached\n`), name);
  assert.equal(await readFile(join(report, 'report.json'), 'utf8'), before);
});

test('another temperature runs finetuning and what follows it, nothing else', async () => {
  const { code, out } = await program(
    'plan',
    file,
    '--store',
    store,
    '--set',
    'finetune.temperature=0.1',
    '--json',
  );
  assert.equal(code, 0);
  const { steps } = JSON.parse(out) as { steps: { kind: string; state: string; name: string }[] };
  const states = (state: string) =>
    new Set(steps.filter(step => step.state === state).map(({ kind }) => kind));
  assert.deepEqual([...states('run')], ['finetune']);
  assert.deepEqual([...states('depends')].sort(), ['encode', 'evaluate', 'results', 'search']);
  assert.ok(states('cached').has('pretrain') && states('cached').has('mine') && states('cached').has('bm25'));
});

test("a rung's own rate and threads are of its pretraining, and of no other rung", async () => {
  const own = join(folder, 'own.yaml');
  await writeFile(own, study().replace('[640, 1280]', '[640, 1280], learningRate: 1e-3, threads: 2'));
  const { code, out } = await program('plan', own, '--store', store, '--json');
  assert.equal(code, 0);
  const { steps } = JSON.parse(out) as { steps: { name: string; state: string; reasons: object[] }[] };
  const run = steps.filter(({ state }) => state === 'run');
  assert.deepEqual(
    run.map(({ name }) => name),
    ['pretrain.b'],
  );
  assert.deepEqual(run[0]?.reasons, [
    { type: 'changed', path: 'params.learningRate', old: 0.003, new: 0.001 },
    { type: 'changed', path: 'params.threads', old: 1, new: 2 },
  ]);
});

test('all faults of a study file are told at once, with their places, and nothing runs', async () => {
  const log = await refusalOf(
    'run',
    'wrong.yaml',
    study(`colour: red
scaling: { level: 2 }
`)
      .replace('pairs: pairs.jsonl', 'pairs: nowhere.jsonl')
      .replace('name: b', 'name: a')
      .replace('heads: 2', 'heads: 3')
      .replace('batchTokens: 64', 'batchTokens: many'),
  );
  for (const expected of [
    /wrong\.yaml:10:9: unknown key 'colour'/,
    /wrong\.yaml:11:\d+: scaling\.level/,
    /wrong\.yaml:2:\d+: no such file or folder: .*nowhere\.jsonl/,
    /wrong\.yaml:7:\d+: two steps are called 'pretrain\.a'/,
    /wrong\.yaml:4:\d+: pretrain\.batchTokens/,
  ])
    assert.match(log, expected);
});

test('sizes that do not exist and heads that do not divide a width are faults of their line', async () => {
  const log = await refusalOf(
    'plan',
    'sizes.yaml',
    study().replace('heads: 2', 'heads: 3').replace('{ dModel: 8, heads: 1, layers: 1 }', 'mpt-9q'),
  );
  assert.match(log, /sizes\.yaml:6:\d+: .*no such model size/);
  assert.match(log, /sizes\.yaml:7:\d+: 3 heads do not divide a width of 16/);
  assert.equal(log.trim().split('\n').length, 2, log); // and nothing else is wrong
});

test('budgets that no run can have are faults of their line', async () => {
  const log = await refusalOf(
    'plan',
    'budgets.yaml',
    study().replace('tokens: [640]', 'tokens: [20]').replace('[640, 1280]', '[640, 650]'),
  );
  assert.match(log, /budgets\.yaml:6:\d+: .*20 tokens/);
  assert.match(log, /budgets\.yaml:7:\d+: two budgets are the same number of steps of 64 tokens/);
});

test('what is wrong inside of the data is told where it stands, beside the paths that are not there', async () => {
  const data = (text: string) => study().replace(/^data: .*$/m, `data: ${text}`);
  const wrong = await refusalOf(
    'plan',
    'data.yaml',
    data('{ text: 5, pairs: nowhere.jsonl, collections: { one: one, none: none }, tasks: gone }'),
  );
  assert.match(wrong, /data\.yaml:2:\d+: data\.text/);
  for (const path of ['nowhere.jsonl', 'none', 'gone'])
    assert.match(wrong, new RegExp(`data\\.yaml:2:\\d+: no such file or folder: .*${path}`));
  assert.doesNotMatch(wrong, /unknown key/);
  const missing = await refusalOf(
    'plan',
    'data2.yaml',
    data('{ text: text.jsonl, collections: { one: one } }'),
  );
  assert.match(missing, /data2\.yaml:2:\d+: data\.pairs/);
  assert.doesNotMatch(missing, /unknown key|no such step/);
  const typo = await refusalOf('plan', 'data3.yaml', data('{ wordnt: {} }'));
  assert.match(typo, /data3\.yaml:2:\d+: data: unknown key 'wordnt'/);
  const odd = await refusalOf('plan', 'data4.yaml', data('{ wordnet: { iclItems: 50, pairs: 3 } }'));
  assert.match(odd, /iclItems.*expected a multiple of 4/);
  assert.match(odd, /pairs.*expected a multiple of 2/);
});

test('numbers that do not go together are faults before anything runs', async () => {
  const log = await refusalOf(
    'run',
    'numbers.yaml',
    study()
      .replace('mine: { negatives: 2 }', 'mine: { negatives: 2, ranks: { from: 3, to: 3 } }')
      .replace('tokenizer: { vocabSize: 300 }', 'tokenizer: { file: none.json, vocabSize: 300 }'),
  );
  assert.match(log, /numbers\.yaml:8:\d+: .*3-3 holds fewer than the 2 negatives asked for/);
  assert.match(log, /numbers\.yaml:3:\d+: no such file or folder: .*none\.json/);
  const more = await refusalOf(
    'run',
    'more.yaml',
    study('icl: { contextTokens: 32 }\n')
      .replace('finetune: { negatives: 2', 'finetune: { negatives: 3')
      .replace('heads: 1, layers: 1', 'heads: 1, layers: 1, positions: learned'),
  );
  assert.match(more, /more\.yaml:9:\d+: finetuning takes 3 negatives a query, mining .* finds 2/);
  assert.match(more, /more\.yaml:10:\d+: learned positions end at 16 tokens, texts may have 32/);
  assert.match(more, /more\.yaml:\d+:\d+: learned positions end at 16 tokens, texts may have 256/);
});

test('in-context tasks that are not there are faults before anything runs', async () => {
  const tasks = join(folder, 'tasks');
  await mkdir(tasks);
  const task = (label: string) =>
    `  - { label: ${label}, dataset_uri: ${label}.jsonl, num_fewshot: [0], icl_task_type: language_modeling }\n`;
  await writeFile(join(tasks, 'tasks.yaml'), `icl_tasks:\n${task('here')}${task('gone')}`);
  await writeFile(join(tasks, 'here.jsonl'), `${JSON.stringify({ context: 'a', continuation: 'b' })}\n`);
  const withTasks = study().replace('collections: {', 'tasks: tasks, collections: {');
  const all = await refusalOf('plan', 'tasks1.yaml', withTasks);
  assert.match(all, /tasks1\.yaml:2:\d+: no such file, which gone\/0-shot needs/);
  const named = await refusalOf('plan', 'tasks2.yaml', `${withTasks}icl: { tasks: [here, other] }\n`);
  assert.match(named, /tasks2\.yaml:10:\d+: no such task; there are here, gone/);
});

test('a folder that cannot take the report is refused before the study runs', async () => {
  const taken = join(folder, 'taken');
  await mkdir(taken);
  await writeFile(join(taken, 'mine.txt'), 'not to be lost');
  const { code, log } = await program('run', file, '--store', join(folder, 'unused'), '-o', taken);
  assert.equal(code, 2);
  assert.match(log, /taken: is not empty and holds no report/);
});

for (const name of ['quick', 'reference', 'paper'])
  test(`studies/${name}.yaml is a study as far as its files are at hand`, async () => {
    const path = fileURLToPath(new URL(`../../studies/${name}.yaml`, import.meta.url));
    const io = testIo({ ...process.env, ...Object.fromEntries(PLACES.map(place => [place, '/nowhere'])) });
    const code = await runProgram(['plan', path, '--store', join(folder, 'none')], io);
    const faults = io
      .stderr()
      .split('\n')
      .filter(line => line !== '' && !line.includes('no such file or folder'));
    assert.deepEqual([code, faults], name === 'quick' ? [0, []] : [2, []]);
  });
