import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { StepSpec } from './spec.ts';
import { gate, is, Lab } from './testing/lab.ts';
import { RunnerProcess } from './testing/process.ts';

test('a killed runner leaves no children behind, and the next one goes on from their checkpoints', async t => {
  const lab = await Lab.open(t);
  const steps = [gate('a'), gate('busy'), gate('c', 'a')];
  const runner = new RunnerProcess(lab, steps);
  const [a, busy] = [await lab.rig.next('a'), await lab.rig.next('busy')];
  await a.tell({ do: 'checkpoint', text: '41' });
  await busy.tell({ do: 'block' }); // its main thread never yields again
  runner.kill('SIGKILL');
  assert.equal(await runner.end(), 'SIGKILL');
  await Promise.all([a.ended, busy.ended]);

  const next = lab.start(await lab.study(steps));
  const again = await lab.rig.next('a');
  assert.equal(again.checkpoint, '41');
  again.finish();
  (await lab.rig.next('busy')).finish();
  (await lab.rig.next('c')).finish();
  assert.equal((await next.summary).outcome, 'done');
  for (const folder of ['scratch', 'leases'])
    assert.deepEqual(await readdir(lab.store.path(folder)), [], folder);
});

test('a child outliving a suspended runner keeps its step to itself', async t => {
  const lab = await Lab.open(t);
  const steps = [gate('a')];
  const runner = new RunnerProcess(lab, steps);
  const a = await lab.rig.next('a');
  runner.kill('SIGSTOP');
  const other = lab.start(await lab.study(steps));
  await other.seen(is('step-elsewhere', 'a'));
  a.finish();
  assert.deepEqual(
    (await other.summary).steps.map(({ state }) => state),
    ['made'],
  );
  runner.kill('SIGCONT');
  assert.equal(await runner.end(), 0);
  assert.deepEqual(lab.rig.history, ['a']);
});

test('two runner processes on one store do each step once and end alike', async t => {
  const lab = await Lab.open(t);
  const chains: StepSpec[] = ['p', 'q'].flatMap(seed => [
    { name: seed, kind: 'chain', params: { seed, units: 2 } },
    { name: `${seed}-copy`, kind: 'copy', inputs: { from: { step: seed } } },
  ]);
  const steps = [gate('start'), ...chains, gate('end', 'start')];
  const runners = [new RunnerProcess(lab, steps), new RunnerProcess(lab, steps)];
  const start = await lab.rig.next('start');
  await Promise.all(runners.map(runner => runner.seen(event => event.type === 'study-started')));
  start.finish();
  (await lab.rig.next('end')).finish();
  assert.deepEqual(await Promise.all(runners.map(runner => runner.end())), [0, 0]);
  const jobs = await readdir(lab.store.path('jobs'));
  for (const job of jobs) {
    const reports = (await readFile(lab.store.path('jobs', job, 'reports.jsonl'), 'utf8')).trim().split('\n');
    assert.equal(reports.filter(line => line.includes('"attempt"')).length, 1);
  }
  assert.equal(jobs.length, steps.length);
  assert.deepEqual(lab.rig.history.toSorted(), ['end', 'start']);
});

test('Ctrl-C asks the children politely, and the runner waits for them', async t => {
  const lab = await Lab.open(t);
  const runner = new RunnerProcess(lab, [gate('a')]);
  const a = await lab.rig.next('a');
  runner.kill('SIGINT');
  await a.askedToStop();
  await a.tell({ do: 'checkpoint', text: 'saved' });
  a.stop();
  assert.equal(await runner.end(), 1);
  assert.ok(runner.events.some(is('step-interrupted', 'a')));
});
