import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { beat } from './heartbeat.ts';
import { STALE_MS, thisProcess } from './holder.ts';
import { type Claim, claim, Lease, liveLeases } from './lease.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-lease-'));
after(() => rm(root, { recursive: true }));
const here = await thisProcess();
const wanted: Claim = { ...here, purpose: 'test', reads: [] };
let keys = 0;
const newKey = () => join(root, String(keys++));

/** A lease file as some other process would have left it. */
async function leaseOf(holder: Partial<Claim>, folder: string, ageMs = 0): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'other.json');
  await writeFile(path, JSON.stringify({ ...wanted, ...holder }));
  const time = new Date(Date.now() - ageMs);
  await utimes(path, time, time);
  return path;
}

test('a lease is held by one, and by another after its release', async () => {
  const key = newKey();
  const first = await claim(key, wanted);
  assert.ok(first instanceof Lease);
  const second = await claim(key, { ...wanted, purpose: 'second' });
  assert.ok(!(second instanceof Lease));
  assert.equal(second.id, first.id);
  await first.release();
  assert.ok((await claim(key, wanted)) instanceof Lease);
});

test('of many simultaneous claims at most one holds, and never two', async () => {
  for (let round = 0; round < 20; round++) {
    const key = newKey();
    const claims = await Promise.all(Array.from({ length: 6 }, () => claim(key, wanted)));
    const held = claims.filter(result => result instanceof Lease);
    assert.ok(held.length <= 1, `${held.length} hold it`);
    assert.equal((await liveLeases(key, here)).length, held.length);
  }
});

test('a lease of a process that is gone is free at once; of one that lives it is not', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const began = undefined;
  const key = newKey();
  const { began: _ours, ...noBeginning } = here;
  await leaseOf({ ...noBeginning, pid: child.pid!, began }, key);
  assert.equal((await liveLeases(key, here)).length, 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual(await liveLeases(key, here), []);
  assert.deepEqual(await readdir(key), []);
});

test('a process number that was used again does not keep a lease alive', {
  skip: here.began === undefined,
}, async () => {
  const key = newKey();
  await leaseOf({ began: '1' }, key); // our own number, but not our beginning
  assert.ok((await claim(key, wanted)) instanceof Lease);
});

test('on another machine a heartbeat decides', async () => {
  const key = newKey();
  await leaseOf({ machine: 'elsewhere' }, key);
  assert.equal((await liveLeases(key, here)).length, 1);
  const path = await leaseOf({ machine: 'elsewhere' }, key, STALE_MS + 10_000);
  assert.equal(beat(path), true); // it was only slow
  assert.equal((await liveLeases(key, here)).length, 1);
  await leaseOf({ machine: 'elsewhere' }, key, STALE_MS + 10_000);
  assert.deepEqual(await liveLeases(key, here), []);
  assert.equal(beat(path), false); // and now it learns that it was given up
});

test('what is no lease is cleared away', async () => {
  const key = newKey();
  await mkdir(key);
  await writeFile(join(key, 'x.json'), '{"pid": "many"}');
  assert.ok((await claim(key, wanted)) instanceof Lease);
});
