import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commands } from './commands.ts';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

test('each command is found under the name that loads it, and help lists them all', async () => {
  const all = testIo();
  assert.equal(await runProgram(['--help'], all), 0);
  for (const name of Object.keys(commands)) {
    assert.match(all.stdout(), new RegExp(`^  ${name}\\b`, 'm'));
    const io = testIo();
    assert.equal(await runProgram([name, '--help'], io), 0, io.stderr());
    assert.match(io.stdout(), new RegExp(`^Usage: isoflop ${name} `));
  }
});

test('an unknown command or option is wrong usage: exit 2, on stderr, with a suggestion', async () => {
  const io = testIo();
  assert.equal(await runProgram(['flosp'], io), 2);
  assert.match(io.stderr(), /unknown command 'flosp'/);
  assert.equal(io.stdout(), '');
  assert.equal(await runProgram(['--frobnicate'], io), 2);
});

test('shares and decays out of range are wrong usage, before any file is looked at', async () => {
  for (const [option, value, message] of [
    ['--warmup-share', '5', /expected a number from 0 to 1/],
    ['--warmup-share', '-1', /expected a number from 0 to 1/],
    ['--weight-decay', '-0.1', /expected a number of at least 0/],
  ] as const) {
    const io = testIo();
    assert.equal(await runProgram(['finetune', 'none', 'none', '-o', 'none', option, value], io), 2);
    assert.match(io.stderr(), message);
  }
});
