import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

test('help lists every command and exits 0', async () => {
  const io = testIo();
  assert.equal(await runProgram(['--help'], io), 0);
  assert.match(io.stdout(), /Usage: isoflop/);
});

test('an unknown command or option is wrong usage: exit 2, on stderr, with a suggestion', async () => {
  const io = testIo();
  assert.equal(await runProgram(['flosp'], io), 2);
  assert.match(io.stderr(), /unknown command 'flosp'/);
  assert.equal(io.stdout(), '');
  assert.equal(await runProgram(['--frobnicate'], io), 2);
});
