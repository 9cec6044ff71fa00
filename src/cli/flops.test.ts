import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-flops-'));
after(() => rm(folder, { recursive: true }));

async function run(...argv: string[]) {
  const io = testIo();
  const code = await runProgram(['flops', ...argv], io);
  return { code, out: io.stdout(), err: io.stderr() };
}

test('--json prints exactly the six numbers and names, and nothing else', async () => {
  const { code, out, err } = await run('mpt-125m', '--tokens', '2.5e9', '--json');
  assert.equal(code, 0);
  assert.equal(err, '');
  assert.deepEqual(JSON.parse(out), {
    model: 'mpt-125m',
    params: 125_311_488,
    paramsNonEmbedding: 85_056_000,
    tokens: 2.5e9,
    convention: '6nd',
    flops: 6 * 125_311_488 * 2.5e9,
  });
});

test('people get a table of every convention, with the chosen one marked', async () => {
  const { code, out } = await run('mpt-1b', '--tokens', '26e9', '--convention', 'PALM');
  assert.equal(code, 0);
  assert.match(out, /mpt-1b: 1,315,950,592 parameters/);
  for (const convention of ['6nd ', '6nd-nonembedding ', 'palm ', 'chinchilla '])
    assert.ok(out.includes(convention));
  assert.match(out, /\* palm +2\.367\de\+20/);
});

test('a directory and its config.json are models too, with or without weights', async () => {
  const config = { model_type: 'mpt', architectures: ['MptForCausalLM'], d_model: 8, n_heads: 2 };
  const sizes = { n_layers: 1, vocab_size: 11, max_seq_len: 6 };
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...sizes }));
  for (const target of [folder, join(folder, 'config.json')]) {
    const { code, out } = await run(target, '--tokens', '100', '--json');
    assert.equal(code, 0);
    assert.equal(JSON.parse(out).params, 12 * 64 + 2 * 8 + 8 + 11 * 8);
  }
  const { code, err } = await run(folder, '--tokens', '100', '--vocab', '5');
  assert.equal(code, 2);
  assert.match(err, /can be chosen for a named size only/);
});

test('a named size takes another vocabulary and length', async () => {
  const { out } = await run('mpt-50k', '--vocab', '100', '--length', '64', '--tokens', '1', '--json');
  const { params, paramsNonEmbedding } = JSON.parse(out);
  assert.equal(params - paramsNonEmbedding, 100 * 32);
});

test('what is wrong is said with exit code 2', async () => {
  const cases: [string[], RegExp][] = [
    [['mpt-9b', '--tokens', '1'], /mpt-9b: no such model size, directory or file; the sizes are mpt-50k/],
    [['mpt-7b'], /required option '--tokens <n>'/],
    [['mpt-7b', '--tokens', 'many'], /expected a number/],
    [['mpt-7b', '--tokens', '0'], /above 0/],
    [['mpt-7b', '--tokens', '1', '--convention', 'mfu'], /there are 6nd/],
    [[tmpdir(), '--tokens', '1'], /config\.json: no such file/],
  ];
  for (const [argv, expected] of cases) {
    const { code, out, err } = await run(...argv);
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.match(err, expected);
  }
});

test('help has an example that works', async () => {
  const help = (await run('--help')).out;
  const example = /\$ isoflop flops (mpt-125m .*)/.exec(help)![1]!;
  assert.equal((await run(...example.split(' '))).code, 0);
});
