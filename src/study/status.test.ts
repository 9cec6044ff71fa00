import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepSpec } from './spec.ts';
import { checkArtifacts, readStatus, readStudies, studyArtifacts, watchStatus } from './status.ts';
import { Lab } from './testing/lab.ts';
import { RunnerProcess } from './testing/process.ts';
import { reasonText } from './view.ts';

const steps: StepSpec[] = [
  { name: 'w', kind: 'write' },
  { name: 'g', kind: 'gate', params: { label: 'g' }, inputs: { from: { step: 'w' } } },
];

test('another process sees how a run stands: progress, death, resumption, end', async t => {
  const lab = await Lab.open(t);
  assert.equal(await readStatus(lab.store, 'test'), undefined);
  const runner = new RunnerProcess(lab, steps);
  const gate = await lab.rig.next('g');
  await gate.tell({ do: 'progress', done: 4, total: 9 });
  await gate.tell({ do: 'warn', text: 'odd' });
  await runner.seen(event => event.type === 'report' && event.report.type === 'warning');
  const live = await readStatus(lab.store, 'test');
  assert.deepEqual([live!.outcome, ...live!.steps.map(({ state }) => state)], ['running', 'made', 'running']);
  assert.equal(live!.steps[1]!.progress!.done, 4);
  assert.deepEqual(live!.steps[1]!.warnings, ['odd']);
  const { steps: planned } = await lab.plan(steps);
  assert.match(reasonText(planned[1]!.reasons[0]!), /^is being made by process \d+ on /);
  runner.kill('SIGKILL');
  await runner.end();
  await gate.ended;
  const dead = await readStatus(lab.store, 'test');
  assert.deepEqual(
    [dead!.outcome, ...dead!.steps.map(({ state }) => state)],
    ['died', 'made', 'interrupted'],
  );

  const next = lab.start(await lab.study(steps));
  (await lab.rig.next('g')).finish();
  await next.summary;
  const done = await readStatus(lab.store, 'test');
  assert.deepEqual([done!.outcome, ...done!.steps.map(({ state }) => state)], ['done', 'cached', 'made']);
  assert.deepEqual(
    (await readStudies(lab.store)).map(({ study, outcome }) => [study, outcome]),
    [['test', 'done']],
  );
  assert.deepEqual([...(await studyArtifacts(lab.store, 'test')).keys()].toSorted(), ['g', 'w']);
});

test('watching ends with the run', async t => {
  const lab = await Lab.open(t);
  const running = lab.start(await lab.study(steps));
  const gate = await lab.rig.next('g');
  const outcomes = [];
  for await (const { outcome } of watchStatus(lab.store, 'test', new AbortController().signal, 10)) {
    outcomes.push(outcome);
    if (outcomes.length === 2) {
      gate.finish();
      await running.summary;
    }
  }
  assert.deepEqual(outcomes, ['running', 'running', 'done']);
});

test('a check of all artifacts finds the one that was changed', async t => {
  const lab = await Lab.open(t);
  const [made] = (await lab.start(await lab.study(steps.slice(0, 1))).summary).steps;
  assert.deepEqual(
    (await checkArtifacts(lab.store, 'test', 'full')).map(({ state }) => state),
    ['whole'],
  );
  const { chmod, writeFile } = await import('node:fs/promises');
  await chmod(`${made!.folder}/text`, 0o644);
  await writeFile(`${made!.folder}/text`, 'hallo\n');
  assert.deepEqual(
    (await checkArtifacts(lab.store, 'test', 'quick')).map(({ state }) => state),
    ['whole'],
  );
  const [bad] = await checkArtifacts(lab.store, 'test', 'full');
  assert.equal(bad!.state, 'damaged');
  assert.match(bad!.detail!, /^text does not have the content/);
});
