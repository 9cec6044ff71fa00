import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import type { StepSpec } from './spec.ts';
import { gate, is, Lab } from './testing/lab.ts';

test('as many steps run at once as there are workers, and a two-thread step counts twice', async t => {
  const lab = await Lab.open(t);
  const steps = [gate('a'), gate('b'), gate('two', undefined, { threads: 2 }), gate('c')];
  const running = lab.start(await lab.study(steps), { workers: 2 });
  const [a, b] = [await lab.rig.next('a'), await lab.rig.next('b')];
  assert.deepEqual(lab.rig.history.toSorted(), ['a', 'b']);
  a.finish();
  await running.seen(is('step-finished', 'a'));
  assert.deepEqual(lab.rig.history.length, 2); // `two` waits for both workers, and `c` does not overtake it
  b.finish();
  const two = await lab.rig.next('two');
  assert.equal(lab.rig.history.length, 3);
  two.finish();
  (await lab.rig.next('c')).finish();
  assert.equal((await running.summary).outcome, 'done');
});

test('a step too large for the machine runs alone instead of never', async t => {
  const lab = await Lab.open(t);
  const running = lab.start(await lab.study([gate('huge', undefined, { memoryBytes: 1e15 }), gate('b')]), {
    executor: lab.executor(2, 1e9),
  });
  const huge = await lab.rig.next('huge');
  assert.deepEqual(lab.rig.history, ['huge']);
  huge.finish();
  (await lab.rig.next('b')).finish();
  assert.equal((await running.summary).outcome, 'done');
});

test('a failed branch lets the others finish', async t => {
  const lab = await Lab.open(t);
  const steps = [
    gate('bad'),
    gate('after-bad', 'bad'),
    gate('last', 'after-bad'),
    gate('good'),
    gate('after-good', 'good'),
  ];
  const running = lab.start(await lab.study(steps));
  (await lab.rig.next('bad')).fail('out of luck');
  await running.seen(is('step-failed', 'bad'));
  (await lab.rig.next('good')).finish();
  (await lab.rig.next('after-good')).finish();
  const { outcome, steps: results } = await running.summary;
  assert.equal(outcome, 'failed');
  assert.deepEqual(results.map(({ name, state }) => `${name} ${state}`).toSorted(), [
    'after-bad skipped',
    'after-good made',
    'bad failed',
    'good made',
    'last skipped',
  ]);
  const failure = results.find(({ name }) => name === 'bad')!.failure!;
  assert.equal(failure.reason, 'error');
  assert.equal(failure.message, 'out of luck');
  assert.match(failure.stack!, /rig\.js/);
});

test('an interrupted run stops its steps at a checkpoint, and the next run goes on from there', async t => {
  const lab = await Lab.open(t);
  const study = await lab.study([gate('a'), gate('b', 'a')]);
  const interrupt = new AbortController();
  const first = lab.start(study, { signal: interrupt.signal });
  const a = await lab.rig.next('a');
  await a.tell({ do: 'checkpoint', text: 'half way' });
  interrupt.abort();
  await a.askedToStop();
  a.stop();
  const { outcome, steps } = await first.summary;
  assert.equal(outcome, 'interrupted');
  assert.deepEqual(
    steps.map(({ state }) => state),
    ['interrupted', 'waiting'],
  );
  const planned = await lab.plan([gate('a'), gate('b', 'a')]);
  assert.deepEqual(planned.steps[0]!.reasons, [{ type: 'unfinished', resumable: true }]);

  const second = lab.start(study);
  const again = await lab.rig.next('a');
  assert.equal(again.checkpoint, 'half way');
  again.finish();
  (await lab.rig.next('b')).finish();
  assert.equal((await second.summary).outcome, 'done');
  const finished = second.events.find(is('step-finished', 'a'));
  assert.equal(finished?.type === 'step-finished' && finished.resumed, true);
});

test('a step that finishes although it was asked to stop is kept', async t => {
  const lab = await Lab.open(t);
  const interrupt = new AbortController();
  const running = lab.start(await lab.study([gate('a'), gate('b', 'a')]), { signal: interrupt.signal });
  const a = await lab.rig.next('a');
  interrupt.abort();
  await a.askedToStop();
  a.finish();
  const { outcome, steps } = await running.summary;
  assert.equal(outcome, 'interrupted');
  assert.deepEqual(
    steps.map(({ state }) => state),
    ['made', 'waiting'],
  );
});

test('a killed child fails its step alone, and the next run resumes it', async t => {
  const lab = await Lab.open(t);
  const study = await lab.study([gate('a'), gate('b')]);
  const first = lab.start(study);
  const a = await lab.rig.next('a');
  await a.tell({ do: 'checkpoint', text: '7' });
  await a.kill();
  await first.seen(is('step-failed', 'a'));
  (await lab.rig.next('b')).finish();
  const { steps } = await first.summary;
  assert.equal(steps[0]!.failure!.reason, 'signal');
  const second = lab.start(study);
  const again = await lab.rig.next('a');
  assert.equal(again.checkpoint, '7');
  again.finish();
  assert.equal((await second.summary).outcome, 'done');
  assert.deepEqual(await readdir(lab.store.path('scratch')), []);
  assert.deepEqual(await readdir(lab.store.path('leases')), []);
});

test('two runners on one store share the work: each step runs once', async t => {
  const lab = await Lab.open(t);
  const study = await lab.study([gate('a'), gate('b'), gate('c', 'a')]);
  const first = lab.start(study, { workers: 1 });
  const a = await lab.rig.next('a');
  const second = lab.start(study, { workers: 1 });
  const b = await lab.rig.next('b'); // the second finds `a` taken and goes on to `b`
  await second.seen(is('step-elsewhere', 'a'));
  a.finish();
  const c = await lab.rig.next('c');
  b.finish();
  c.finish();
  const [one, two] = [await first.summary, await second.summary];
  assert.deepEqual([one.outcome, two.outcome], ['done', 'done']);
  assert.deepEqual(lab.rig.history.toSorted(), ['a', 'b', 'c']);
  assert.deepEqual(
    one.steps.map(({ folder }) => folder),
    two.steps.map(({ folder }) => folder),
  );
});

test('a runner takes over the step that another one failed to finish', async t => {
  const lab = await Lab.open(t);
  const study = await lab.study([gate('a')]);
  const first = lab.start(study);
  const a = await lab.rig.next('a');
  await a.tell({ do: 'checkpoint', text: 'by the first' });
  const second = lab.start(study);
  await second.seen(is('step-elsewhere', 'a'));
  await a.kill();
  const again = await lab.rig.next('a');
  assert.equal(again.checkpoint, 'by the first');
  again.finish();
  assert.equal((await first.summary).outcome, 'failed');
  assert.equal((await second.summary).outcome, 'done');
});

test('steps of one identity are made once', async t => {
  const lab = await Lab.open(t);
  const twin = (name: string): StepSpec => ({ name, kind: 'gate', params: { label: 'same' } });
  const running = lab.start(await lab.study([twin('a'), twin('b')]), { workers: 2 });
  (await lab.rig.next('same')).finish();
  const { outcome, steps } = await running.summary;
  assert.equal(outcome, 'done');
  assert.equal(steps[0]!.identity, steps[1]!.identity);
  assert.deepEqual(lab.rig.history, ['same']);
});

test('reports of a running step reach whoever listens, in order', async t => {
  const lab = await Lab.open(t);
  const running = lab.start(await lab.study([gate('a')]));
  const a = await lab.rig.next('a');
  await a.tell({ do: 'progress', done: 3, total: 10 });
  await running.seen(event => event.type === 'report' && event.report.type === 'progress');
  await a.tell({ do: 'warn', text: 'careful' });
  await running.seen(event => event.type === 'report' && event.report.type === 'warning');
  a.finish('four');
  await running.summary;
  const types = running.events.flatMap(event => (event.type === 'report' ? [event.report.type] : []));
  assert.deepEqual(types, ['attempt', 'progress', 'warning', 'artifact', 'published']);
  const artifact = running.events.find(event => event.type === 'report' && event.report.type === 'artifact');
  assert.equal(
    artifact?.type === 'report' && artifact.report.type === 'artifact' && artifact.report.bytes,
    4,
  );
});
