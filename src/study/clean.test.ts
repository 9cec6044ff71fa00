import assert from 'node:assert/strict';
import { mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { cleanStore, forgetStudy } from './clean.ts';
import { thisProcess } from './holder.ts';
import { Lease } from './lease.ts';
import { claimCleaning } from './runner.ts';
import type { StepSpec } from './spec.ts';
import { Lab } from './testing/lab.ts';

const write = (text: string): StepSpec[] => [{ name: 'a', kind: 'write', params: { text } }];
const options = { dryRun: false, scratch: false, now: Date.now() };

test('what no study refers to is removed, after a dry run that says so', async t => {
  const lab = await Lab.open(t);
  const [old] = (await lab.start(await lab.study(write('old'))).summary).steps;
  const [current] = (await lab.start(await lab.study(write('new'))).summary).steps;
  const [other] = (await lab.start(await lab.study(write('other'), 'other')).summary).steps;
  const dry = await cleanStore(lab.store, { ...options, dryRun: true });
  assert.deepEqual(
    dry.removed.map(({ type, path }) => `${type} ${path}`),
    [`artifact artifacts/${old!.identity}`, `log jobs/${old!.identity}`],
  );
  assert.ok(dry.bytes > 100);
  assert.equal((await readdir(lab.store.path('artifacts'))).length, 3);
  assert.deepEqual((await cleanStore(lab.store, options)).removed, dry.removed);
  const kept = [current!.identity!, other!.identity!].toSorted();
  assert.deepEqual((await readdir(lab.store.path('artifacts'))).toSorted(), kept);
  assert.deepEqual(await readdir(lab.store.path('jobs')).then(names => names.toSorted()), kept);
  await forgetStudy(lab.store, 'other');
  await cleanStore(lab.store, options);
  assert.deepEqual(await readdir(lab.store.path('artifacts')), [current!.identity]);
  assert.equal((await cleanStore(lab.store, options)).removed.length, 0);
  await assert.rejects(forgetStudy(lab.store, 'other'), /no study of that name/);
  await assert.rejects(forgetStudy(lab.store, '../store'), /leaves the folder/);
});

test('nothing that a live run uses is removed, and its study is not forgotten', async t => {
  const lab = await Lab.open(t);
  const [old] = (await lab.start(await lab.study(write('x'))).summary).steps;
  await forgetStudy(lab.store, 'test');
  const gated: StepSpec[] = [
    ...write('x'),
    { name: 'g', kind: 'gate', params: { label: 'g' }, inputs: { from: { step: 'a' } } },
  ];
  const running = lab.start(await lab.study(gated, 'live'));
  const gate = await lab.rig.next('g');
  await gate.tell({ do: 'checkpoint', text: 'x' });
  await rm(lab.store.path('studies', 'live', 'steps'), { recursive: true }); // so that only the live process speaks for them
  assert.deepEqual((await cleanStore(lab.store, { ...options, scratch: true })).removed, []);
  await assert.rejects(forgetStudy(lab.store, 'live'), /is running it/);
  gate.finish();
  const { outcome, steps } = await running.summary;
  assert.equal(outcome, 'done');
  assert.equal(steps[0]!.identity, old!.identity);
});

test('the work of an unfinished step is kept, unless it is asked for', async t => {
  const lab = await Lab.open(t);
  const steps: StepSpec[] = [{ name: 'g', kind: 'gate', params: { label: 'g' } }];
  const running = lab.start(await lab.study(steps));
  const gate = await lab.rig.next('g');
  await gate.tell({ do: 'checkpoint', text: 'precious' });
  await gate.kill();
  await running.summary;
  const kept = await cleanStore(lab.store, options);
  assert.deepEqual([kept.removed, kept.keptScratchBytes], [[], 'precious'.length]);
  const removed = await cleanStore(lab.store, { ...options, scratch: true });
  assert.deepEqual(
    removed.removed.map(({ type }) => type),
    ['scratch'],
  );
});

test('what crashes left is removed: trash, temporary files, leases and pins of the dead', async t => {
  const lab = await Lab.open(t);
  await lab.run(write('x'));
  await mkdir(lab.store.path('trash', 'old'), { recursive: true });
  await writeFile(lab.store.path('trash', 'old', 'f'), '12345');
  const temporary = lab.store.path('studies', 'test', 'steps', 'a.json.1-abc.tmp');
  await writeFile(temporary, 'half');
  await utimes(temporary, new Date(0), new Date(0));
  await mkdir(lab.store.path('leases', 'dead'), { recursive: true });
  const dead = { ...(await thisProcess()), pid: 2 ** 22 + 1, purpose: 'x', reads: [] };
  await writeFile(lab.store.path('leases', 'dead', 'x.json'), JSON.stringify(dead));
  await writeFile(lab.store.path('runners', 'dead.pins'), '');
  const { removed } = await cleanStore(lab.store, options);
  assert.deepEqual(
    removed.map(({ path, bytes }) => [path, bytes]),
    [
      [join('trash', 'old'), 5],
      [join('studies', 'test', 'steps', 'a.json.1-abc.tmp'), 4],
    ],
  );
  for (const folder of ['leases', 'runners'])
    assert.deepEqual(await readdir(lab.store.path(folder)), [], folder);
  assert.equal(await lab.run(write('x')), 'a cached');
});

test('a run waits for a cleaner that is deciding, and two cleaners do not meet', async t => {
  const lab = await Lab.open(t);
  await lab.run(write('x'));
  const cleaner = await claimCleaning(lab.store, await thisProcess());
  assert.ok(cleaner instanceof Lease);
  await assert.rejects(cleanStore(lab.store, options), /is cleaning this store/);
  const running = lab.start(await lab.study(write('x')));
  await running.seen(event => event.type === 'study-started');
  await lab.store.discard(lab.store.artifactFolder((await lab.plan(write('x'))).steps[0]!.identity!));
  await cleaner.release();
  assert.deepEqual(
    (await running.summary).steps.map(({ state }) => state),
    ['made'],
  ); // it looked after the cleaner had gone
});
