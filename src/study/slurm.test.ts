import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { HashCache } from './digest.ts';
import { jobOf, writeJob } from './job.ts';
import { resolveStep } from './resolve.ts';
import { SlurmExecutor } from './slurm.ts';
import type { StepSpec } from './spec.ts';
import { gate, is, Lab } from './testing/lab.ts';
import { fakeSlurm, setStates, submissions } from './testing/slurm.ts';

const skip = process.platform === 'linux' ? false : 'the fake cluster reads /proc';

async function cluster(t: TestContext) {
  const lab = await Lab.open(t);
  const folder = join(lab.folder, 'slurm');
  const environment = { ...process.env, ...lab.rig.environment, ...fakeSlurm(folder) };
  const executor = () =>
    new SlurmExecutor({
      folderOf: key => lab.store.jobFolder(key),
      workers: 10,
      sbatch: ['--partition=cpu'],
      environment,
      pollMs: 150,
      now: () => performance.now(),
    });
  return { lab, folder, executor };
}

test('steps that are ready together go out as one array, with their needs', { skip }, async t => {
  const { lab, folder, executor } = await cluster(t);
  const steps = [
    gate('a'),
    gate('b'),
    gate('big', undefined, { threads: 4, memoryBytes: 3 << 20 }),
    gate('c', 'a'),
  ];
  const running = lab.start(await lab.study(steps), { executor: executor() });
  for (const name of ['a', 'b', 'big', 'c']) (await lab.rig.next(name)).finish();
  assert.equal((await running.summary).outcome, 'done');
  const sent = submissions(folder);
  assert.deepEqual(
    sent.map(({ script }) => /--array=(\S+)/.exec(script)![1]),
    ['0-1', '0-0', '0-0'],
  );
  assert.deepEqual(sent[0]!.args, ['--parsable', '--partition=cpu']);
  assert.match(sent[1]!.script, /#SBATCH --cpus-per-task=4\n#SBATCH --mem=3M\n/);
});

test('a failing step tells why, through the cluster', { skip }, async t => {
  const { lab, executor } = await cluster(t);
  const steps: StepSpec[] = ['throw', 'exit', 'signal'].map(how => ({
    name: how,
    kind: 'fail',
    params: { how },
  }));
  const { steps: results } = await lab.start(await lab.study(steps), { executor: executor() }).summary;
  assert.deepEqual(
    results.map(({ failure }) => failure!.message.split(',')[0]),
    ['it did not work', 'its process ended with exit code 7', 'its process was ended by SIGKILL'],
  );
});

test('a step whose node dies is submitted again and goes on from its checkpoint; thrice is enough', {
  skip,
}, async t => {
  const { lab, folder, executor } = await cluster(t);
  const running = lab.start(await lab.study([gate('a')]), { executor: executor() });
  for (let attempt = 0; attempt < 3; attempt++) {
    const a = await lab.rig.next('a');
    assert.equal(a.checkpoint, attempt === 0 ? '' : String(attempt - 1));
    await a.tell({ do: 'checkpoint', text: String(attempt) });
    setStates(folder, 'NODE_FAIL');
  }
  const { steps } = await running.summary;
  assert.equal(steps[0]!.failure!.message, 'lost 3 times: NODE_FAIL');
  assert.equal(running.events.filter(is('step-retried', 'a')).length, 2);
});

test('a job that is held back is reported as blocked, and runs when it is released', { skip }, async t => {
  const { lab, folder, executor } = await cluster(t);
  const hold = join(folder, 'hold');
  writeFileSync(hold, 'JobHeldUser');
  const running = lab.start(await lab.study([gate('a')]), { executor: executor() });
  await running.seen(is('step-blocked', 'a'));
  rmSync(hold);
  (await lab.rig.next('a')).finish();
  assert.equal((await running.summary).outcome, 'done');
});

test('a new run finds the jobs that a dead one submitted, and submits nothing twice', { skip }, async t => {
  const { lab, folder, executor } = await cluster(t);
  writeFileSync(join(folder, 'hold'), 'Resources');
  const study = await lab.study([gate('a')]);
  const hashes = await HashCache.load(lab.store.path('hashes.json'), Date.now);
  const resolved = (await resolveStep(study.steps[0]!, new Map(), hashes))!;
  await writeJob(lab.store, 'test', study.steps[0]!, resolved, 'quick');
  const job = jobOf(lab.store, 'test', study.steps[0]!, resolved.identity);
  await executor().submit([job]); // by a run that then died
  await executor().submit([job]);
  assert.equal(submissions(folder).length, 1);
  const running = lab.start(study, { executor: executor() });
  await running.seen(is('step-started', 'a'));
  rmSync(join(folder, 'hold'));
  (await lab.rig.next('a')).finish();
  assert.equal((await running.summary).outcome, 'done');
  assert.equal(submissions(folder).length, 1);
});

test('Ctrl-C asks running tasks politely and takes waiting ones out of the queue', { skip }, async t => {
  const { lab, folder, executor } = await cluster(t);
  const interrupt = new AbortController();
  const running = lab.start(await lab.study([gate('a'), gate('b')]), {
    executor: executor(),
    signal: interrupt.signal,
  });
  const a = await lab.rig.next('a');
  (await lab.rig.next('b')).finish();
  await running.seen(is('step-finished', 'b'));
  interrupt.abort();
  await a.askedToStop();
  await a.tell({ do: 'checkpoint', text: 'saved' });
  a.stop();
  assert.deepEqual(
    (await running.summary).steps.map(({ state }) => state),
    ['interrupted', 'made'],
  );

  writeFileSync(join(folder, 'hold'), 'Priority');
  const second = new AbortController();
  const waiting = lab.start(await lab.study([gate('a')]), { executor: executor(), signal: second.signal });
  await waiting.seen(is('step-started', 'a'));
  second.abort();
  assert.deepEqual(
    (await waiting.summary).steps.map(({ state }) => state),
    ['interrupted'],
  );
});
