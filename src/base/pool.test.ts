import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openPool } from './pool.ts';

const worker = new URL('./testing/echo-worker.js', import.meta.url);

test('a pool answers, and can be closed while its threads are still being started', async () => {
  for (let ms = 0; ms <= 120; ms += 10) {
    const pool = openPool<string, string>(worker, { workers: 2 });
    if (ms === 0) assert.equal(await pool.run('echo'), 'echo');
    else await pause(ms); // of these, some end a thread in the middle of loading, which once took the process with it
    await pool.close();
  }
});
