/** `isoflop icl` from the command line: exit codes, what it prints, what it writes. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { models } from 'isoflop';
import { runProgram } from '#src/cli/program.js';
import { testIo } from '#src/cli/testing.js';
import { tinyModel, tinyTokenizer } from '#src/icl/testing.js';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-icl-command-'));
after(() => rm(folder, { recursive: true }));

const model = join(folder, 'model');
await mkdir(model);
const tokenizer = await tinyTokenizer();
const { config, weights } = tinyModel(tokenizer);
await writeFile(join(folder, 'tokenizer.json'), tokenizer.json);
await models.writeMptDirectory(model, config, weights, {
  tokenizer: {
    path: join(folder, 'tokenizer.json'),
    specialTokens: { eos: '<|endoftext|>', bos: '<|endoftext|>', pad: '<|padding|>' },
  },
});
const tasks = join(folder, 'tasks.yaml');
await writeFile(
  tasks,
  'icl_tasks: [{label: one, dataset_uri: one.jsonl, num_fewshot: 0, icl_task_type: language_modeling}]\n',
);
await writeFile(join(folder, 'one.jsonl'), '{"context":"the quick","continuation":"fox"}\n'.repeat(3));

async function isoflop(...argv: readonly string[]) {
  const io = testIo();
  const code = await runProgram(argv, io);
  return { code, out: io.stdout(), log: io.stderr() };
}

test('isoflop icl prints a table, or one object that equals results.json', async () => {
  const output = join(folder, 'out');
  const first = await isoflop('icl', model, tasks, '-o', output, '--threads', '1');
  assert.equal(first.code, 0, first.log);
  assert.match(first.out, /one\/0-shot +3 /);
  const second = await isoflop('icl', model, tasks, '-o', output, '--threads', '1', '--json');
  const { cached, cost, ...results } = JSON.parse(second.out);
  assert.deepEqual(cached, ['one/0-shot']);
  assert.equal(cost.tokens, 0);
  assert.deepEqual(results, JSON.parse(await readFile(join(output, 'results.json'), 'utf8')));
});

test('wrong usage and bad input exit with 2 and say what to do', async () => {
  const output = join(folder, 'never');
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['icl', model, tasks], /required option '-o/],
    [['icl', model, tasks, '-o', output, '--tasks', 'two'], /two: no such task; there are one/],
    [['icl', model, tasks, '-o', output, '--limit', '0'], /at least 1/],
    [['icl', model, join(folder, 'none.yaml'), '-o', output], /no such file/],
    [['icl', folder, tasks, '-o', output], /config\.json/],
    [['icl', model, tasks, '-o', output, '--prompts', 'mine'], /Allowed choices/],
    [['icl', model, tasks, '-o', output, '--context-tokens', '1'], /at least 2/],
  ];
  for (const [argv, message] of cases) {
    const { code, out, log } = await isoflop(...argv);
    assert.equal(code, 2, argv.join(' '));
    assert.equal(out, '');
    assert.match(log, message);
  }
  const help = await isoflop('icl', '--help');
  assert.equal(help.code, 0);
  assert.match(help.out, /Examples:/);
});
