import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commands } from './commands.ts';
import { interruptedNotice, stoppingNotice } from './stopping.ts';

const AT_ONCE = 'stopping; Ctrl-C again to stop at once\n';

test('only commands that first finish a unit of work say which', () => {
  const notices = Object.keys(commands).map(name => [name, stoppingNotice([name, 'file'])]);
  assert.deepEqual(
    notices.filter(([, notice]) => notice !== AT_ONCE),
    [
      ['finetune', 'stopping at the next whole step; Ctrl-C again to stop at once\n'],
      ['pretrain', 'stopping at the next whole step; Ctrl-C again to stop at once\n'],
      ['run', 'stopping at the next checkpoint; Ctrl-C again to stop at once\n'],
    ],
  );
  assert.equal(stoppingNotice([]), AT_ONCE);
});

test('only commands that keep their work say that they can go on', () => {
  for (const words of [
    ['run', 'a.yaml'],
    ['data', 'get', 'scifact'],
    ['shards', 'build'],
    ['embed'],
    ['icl'],
  ])
    assert.match(interruptedNotice(words), /the same command resumes it/, words.join(' '));
  for (const words of [['data', 'overlap'], ['data'], ['get'], ['eval'], ['bm25', 'index'], []])
    assert.match(interruptedNotice(words), /begins anew/, words.join(' '));
});

test('Ctrl-C ends the dashboard, in the right words', async t => {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const nowhere = join(tmpdir(), 'isoflop-no-such-folder');
  const words = ['serve', '--store', nowhere, '--reports', nowhere, '--port', '0'];
  const child = spawn(process.execPath, [main, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const closed = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), closed]); // its address: it listens
  child.kill('SIGINT');
  assert.deepEqual(await closed, [0, null], said);
  assert.equal(said, `\n${AT_ONCE}`);
});
