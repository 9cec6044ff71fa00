import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
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

test('threads start in a process that was given flags of the engine', () => {
  const pool = new URL('./pool.js', import.meta.url).href;
  const program = `
    import { openPool } from ${JSON.stringify(pool)};
    const pool = openPool(new URL(${JSON.stringify(worker.href)}), { workers: 1 });
    console.log((await pool.run('echo')).value);
    await pool.close();`;
  const flags = ['--max-old-space-size=512', '--input-type=module', '--eval', program];
  assert.equal(execFileSync(process.execPath, flags, { encoding: 'utf8' }), 'echo\n');
});
