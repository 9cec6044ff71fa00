import assert from 'node:assert/strict';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { planStudy } from './plan.ts';
import type { StepSpec } from './spec.ts';
import { Lab } from './testing/lab.ts';
import { planText, reasonText } from './view.ts';

const steps = (text: string, times = 2): StepSpec[] => [
  { name: 'a', kind: 'write', params: { text } },
  { name: 'b', kind: 'copy', params: { times }, inputs: { from: { step: 'a' } } },
  { name: 'c', kind: 'copy', inputs: { from: { step: 'b' }, before: { path: import.meta.filename } } },
];

test('a plan names for every step the reason why it is not cached', async t => {
  const lab = await Lab.open(t);
  const reasonsFor = async (spec: readonly StepSpec[], depth?: 'full') => {
    const { steps: planned } = await lab.plan(spec, depth);
    return planned.map(({ name, state, reasons }) => [name, state, ...reasons.map(reasonText)].join(' | '));
  };
  assert.deepEqual(await reasonsFor(steps('x')), [
    'a | run | never ran',
    'b | run | never ran | reads a, to be made first',
    'c | run | never ran | reads b, to be made first',
  ]);
  const { steps: results } = await lab.start(await lab.study(steps('x'))).summary;
  assert.deepEqual(await reasonsFor(steps('x')), ['a | cached', 'b | cached', 'c | cached']);
  assert.deepEqual(await reasonsFor(steps('y')), [
    'a | run | params.text: "x" -> "y"',
    'b | depends | reads a, to be made first',
    'c | depends | reads b, to be made first',
  ]);
  assert.deepEqual(await reasonsFor(steps('x', 3)), [
    'a | cached',
    'b | run | params.times: 2 -> 3',
    'c | depends | reads b, to be made first',
  ]);
  const rewired = steps('x').with(2, { name: 'c', kind: 'copy', inputs: { from: { step: 'a' } } });
  const [, , c] = await reasonsFor(rewired);
  assert.match(
    c!,
    /^c \| run \| inputs\.from: text [0-9a-f]{12} -> text [0-9a-f]{12} \| inputs\.before: plan\.test\.js [0-9a-f]{12} -> nothing$/,
  );
  const other = steps('x').with(0, { name: 'a', kind: 'chain', params: { seed: 's', units: 1 } });
  assert.equal((await reasonsFor(other))[0], 'a | run | kind: "write" -> "chain"');

  const file = join(results[0]!.folder!, 'text');
  await chmod(file, 0o644);
  await writeFile(file, 'z'); // of the same length
  assert.equal((await reasonsFor(steps('x')))[0], 'a | cached');
  assert.equal(
    (await reasonsFor(steps('x'), 'full'))[0],
    'a | run | its artifact is damaged: text does not have the content it was published with',
  );
  await rm(results[0]!.folder!, { recursive: true });
  assert.deepEqual(await reasonsFor(steps('x')), [
    'a | run | its artifact is no longer in the store',
    'b | depends | reads a, to be made first',
    'c | depends | reads b, to be made first',
  ]);
});

test('a plan sums up what is to be done, and notices a newer version of a kind', async t => {
  const lab = await Lab.open(t);
  const plan = await lab.plan(steps('x'));
  assert.deepEqual(
    [plan.cached, plan.toRun, plan.flops, plan.seconds, plan.unknownDurations],
    [0, 3, 30, 3, 1],
  );
  assert.match(
    planText(plan),
    /test: 3 steps to run, 0 cached, 30\.0 FLOPs, about 0:03 on 2 workers and 1 step of unknown/,
  );
  assert.equal(await lab.store.exists(), true);
  await lab.run(steps('x'));
  assert.match(planText(await lab.plan(steps('x'))), /test: all 3 steps are cached$/);
  const study = await lab.study(steps('x'));
  const newer = { ...study.steps[1]!, kind: { ...study.steps[1]!.kind, version: 2 } };
  const bumped = await planStudy(
    { ...study, steps: study.steps.with(1, newer) },
    { store: lab.store, depth: 'quick', workers: 1, now: Date.now },
  );
  assert.deepEqual(bumped.steps[1]!.reasons, [{ type: 'changed', path: 'version', old: 1, new: 2 }]);
  const again = await lab.plan(steps('y'));
  assert.equal(again.steps[1]!.expected.basis, 'rate'); // learned from the run
});
