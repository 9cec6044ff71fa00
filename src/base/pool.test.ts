import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openPool } from './pool.ts';

const worker = new URL('./testing/echo-worker.js', import.meta.url);

test('a pool answers, and can be closed while its threads are still being started', async () => {
  for (let ms = 0; ms <= 100; ms += 20) {
    const pool = openPool<string, { value: string }>(worker, { workers: 2 });
    if (ms === 0) assert.equal((await pool.run('echo')).value, 'echo');
    else await pause(ms);
    await pool.close();
  }
});

test('threads cannot require a module, which could not be interrupted', async () => {
  const flag = '--no-experimental-require-module';
  const pool = openPool<string, { execArgv: readonly string[] }>(worker, { workers: 1 });
  const { execArgv } = await pool.run('');
  await pool.close();
  assert.equal(execArgv.includes(flag), process.allowedNodeEnvironmentFlags.has(flag));
});
