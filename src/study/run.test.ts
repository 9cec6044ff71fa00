import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { StepSpec } from './spec.ts';
import { Lab } from './testing/lab.ts';

const ref = (step: string, output?: string) => (output === undefined ? { step } : { step, output });

const three: readonly StepSpec[] = [
  { name: 'a', kind: 'write', params: { text: 'ab' } },
  { name: 'b', kind: 'copy', params: { times: 2 }, inputs: { from: ref('a') } },
  { name: 'c', kind: 'concat', inputs: { parts: [ref('a'), ref('b', 'text')] } },
];

/** A store in which `three` has been run. */
const shared = await Lab.open({ after });

test('a study runs once, and is then taken from the store', async () => {
  const lab = shared;
  const first = lab.start(await lab.study(three));
  const summary = await first.summary;
  assert.equal(summary.outcome, 'done');
  assert.equal(await lab.text(summary, 'c'), 'ababab');
  assert.equal(await lab.text(summary, 'c', 'sizes'), '[2,4]');
  assert.deepEqual(first.story(), [
    'a started',
    'a finished',
    'b started',
    'b finished',
    'c started',
    'c finished',
  ]);
  assert.equal(await lab.run(three), 'a cached, b cached, c cached');
  assert.deepEqual(await readdir(lab.store.path('scratch')), []);
  assert.deepEqual(await readdir(lab.store.path('leases')), []);
  assert.deepEqual(await readdir(lab.store.path('runners')), []);
});

test('a changed field runs only what depends on it, and changing it back runs nothing', async t => {
  const lab = await Lab.open(t);
  const steps = (times: number): StepSpec[] => [
    three[0]!,
    { name: 'b', kind: 'copy', params: { times }, inputs: { from: ref('a') } },
    { name: 'x', kind: 'copy', inputs: { from: ref('a') } },
    three[2]!,
  ];
  assert.equal(await lab.run(steps(2)), 'a made, b made, x made, c made');
  assert.equal(await lab.run(steps(3)), 'a cached, b made, x cached, c made');
  assert.equal(await lab.run(steps(2)), 'a cached, b cached, x cached, c cached');
  assert.equal(
    await lab.run([
      ...steps(2).slice(0, 2),
      { name: 'other-name', kind: 'copy', inputs: { from: ref('a') } },
    ]),
    'a cached, b cached, other-name cached', // what a step is called does not identify it
  );
});

test('what follows a step that gives the same bytes again is not repeated', async t => {
  const lab = await Lab.open(t);
  const steps = (text: string): StepSpec[] => [
    { name: 'a', kind: 'write', params: { text } },
    { name: 'b', kind: 'head', params: { letters: 2 }, inputs: { from: ref('a') } },
    { name: 'c', kind: 'copy', inputs: { from: ref('b') } },
  ];
  assert.equal(await lab.run(steps('same one')), 'a made, b made, c made');
  assert.equal(await lab.run(steps('same two')), 'a made, b made, c cached');
});

test('a step may read files from outside, and notices when they change', async t => {
  const lab = await Lab.open(t);
  const path = join(lab.folder, 'outside.txt');
  const steps: StepSpec[] = [{ name: 'a', kind: 'copy', inputs: { from: { path } } }];
  await writeFile(path, 'one');
  assert.equal(await lab.run(steps), 'a made');
  await writeFile(path, 'two');
  assert.equal(await lab.run(steps), 'a made');
  await writeFile(path, 'one');
  assert.equal(await lab.run(steps), 'a cached');
});

test('a damaged artifact is found and made again', async () => {
  const lab = shared;
  const summary = await lab.start(await lab.study(three)).summary;
  const before = await lab.artifacts();
  const file = join(summary.steps[1]!.folder!, 'text');
  await chmod(file, 0o644);
  await writeFile(file, 'shorter than it was before, or longer');
  assert.equal(await lab.run(three), 'a cached, b made, c cached');
  assert.deepEqual(await lab.artifacts(), before);
  await chmod(file, 0o644);
  await writeFile(file, 'xbab'); // as long as before: only a full check reads it
  assert.equal(await lab.run(three), 'a cached, b cached, c cached');
  assert.equal(await lab.run(three, { depth: 'full' }), 'a cached, b made, c cached');
  assert.deepEqual(await lab.artifacts(), before);
  await writeFile(join(summary.steps[2]!.folder!, 'manifest.json'), '{}');
  assert.equal(await lab.run(three), 'a cached, b cached, c made');
});

test('the same artifacts come out whatever the number of workers', async t => {
  const steps: StepSpec[] = ['p', 'q'].flatMap(seed => [
    { name: seed, kind: 'chain', params: { seed, units: 3 } },
    {
      name: `${seed}-files`,
      kind: 'many-files',
      params: { files: 20, bytes: 100 },
      inputs: { from: ref(seed) },
    },
  ]);
  const stores = [];
  for (const workers of [1, 2]) {
    const lab = await Lab.open(t);
    await lab.run(steps, { workers });
    stores.push(await lab.artifacts());
  }
  assert.equal(Object.keys(stores[0]!).length, 2 * (2 + 21));
  assert.deepEqual(stores[0], stores[1]);
});

test('the manifest says what was read and what was written, and nothing of when and where', async () => {
  const lab = shared;
  const { steps } = await lab.start(await lab.study(three)).summary;
  const manifest = JSON.parse(await readFile(join(steps[1]!.folder!, 'manifest.json'), 'utf8'));
  const [sha, shaTwice] = [await hash(steps[0]!.folder!), await hash(steps[1]!.folder!)];
  assert.deepEqual(manifest, {
    format: 1,
    identity: steps[1]!.identity,
    fingerprint: {
      format: 1,
      kind: 'copy',
      version: 1,
      params: { times: 2 },
      inputs: { from: [{ name: 'text', type: 'file', sha256: sha }] },
    },
    outputs: {
      text: {
        holds: 'text',
        type: 'file',
        sha256: shaTwice,
        bytes: 4,
        files: [{ path: '', bytes: 4, sha256: shaTwice }],
      },
    },
  });
});

async function hash(folder: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  return createHash('sha256')
    .update(await readFile(join(folder, 'text')))
    .digest('hex');
}

test('every way a step can fail is told apart, and none leaves an artifact', async t => {
  const lab = await Lab.open(t);
  const ways = ['throw', 'input', 'exit', 'signal', 'extra', 'nothing', 'link', 'never', 'metric'];
  const steps = ways.map(how => ({ name: how, kind: 'fail', params: { how } }));
  const { steps: results } = await lab.start(await lab.study(steps)).summary;
  const told = Object.fromEntries(
    results.map(({ name, failure }) => [name, `${failure!.reason}: ${failure!.message}`]),
  );
  assert.match(told['throw']!, /^error: it did not work$/);
  assert.match(told['input']!, /^input: corpus\.txt:3: expected a number, found a letter$/);
  assert.match(told['exit']!, /^exit: its process ended with exit code 7$/);
  assert.match(told['signal']!, /^signal: its process was ended by SIGKILL/);
  assert.match(told['extra']!, /^error: extra: wrote leftover, which its kind does not declare$/);
  assert.match(told['nothing']!, /^error: nothing: did not write its output text$/);
  assert.match(told['link']!, /^error: link: its output text: .*neither a regular file nor a folder$/);
  assert.match(told['never']!, /^exit: its process ended with exit code 13$/);
  assert.match(told['metric']!, /^error: metric: the metric loss is NaN$/);
  for (const { name, failure } of results) assert.equal(failure!.logTail[0], `about to fail: ${name}`);
  assert.match(results.find(({ name }) => name === 'never')!.failure!.logTail.join(), /can never happen/);
  assert.deepEqual(await readdir(lab.store.path('artifacts')).catch(() => []), []);
  const { steps: planned } = await lab.plan(steps);
  assert.deepEqual(planned[0]!.reasons, [{ type: 'failed', message: 'it did not work', resumable: false }]);
});

test('an outside file that changes while a step reads it spoils the step, not the store', async t => {
  const lab = await Lab.open(t);
  const path = join(lab.folder, 'outside');
  await writeFile(path, 'before');
  const steps: StepSpec[] = [{ name: 'g', kind: 'gate', params: { label: 'g' }, inputs: { from: { path } } }];
  const running = lab.start(await lab.study(steps));
  const gate = await lab.rig.next('g');
  await writeFile(path, 'after!');
  gate.finish();
  const [result] = (await running.summary).steps;
  assert.equal(result!.failure!.reason, 'changed');
  assert.match(result!.failure!.message, /outside was changed while the study ran/);
  const again = lab.start(await lab.study(steps));
  (await lab.rig.next('g')).finish();
  assert.equal((await again.summary).outcome, 'done');
});

test('an outside folder counts by the names and contents of its files', async t => {
  const lab = await Lab.open(t);
  const path = join(lab.folder, 'data');
  await mkdir(join(path, 'deep'), { recursive: true });
  await writeFile(join(path, 'deep', 'x'), '1');
  const steps: StepSpec[] = [{ name: 'm', kind: 'list', inputs: { from: { path } } }];
  assert.equal(await lab.run(steps), 'm made');
  await mkdir(join(path, 'empty'));
  assert.equal(await lab.run(steps), 'm cached');
  await rename(join(path, 'deep', 'x'), join(path, 'deep', 'y'));
  assert.equal(await lab.run(steps), 'm made');
  await symlink(path, join(path, 'deep', 'loop'));
  const { steps: results } = await lab.start(await lab.study(steps)).summary;
  assert.match(results[0]!.failure!.message, /a symbolic link leads back/);
});

test('a manifest that names files outside its artifact is damage, not a way out', async () => {
  const { steps } = await shared.start(await shared.study(three)).summary;
  const path = join(steps[0]!.folder!, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  const [file] = manifest.outputs.text.files;
  for (const name of ['../../../secret', '/etc/hostname', 'a/../../b']) {
    const changed = { ...manifest.outputs.text, type: 'file', files: [{ ...file, path: name }] };
    await writeFile(path, JSON.stringify({ ...manifest, outputs: { text: changed } }));
    assert.equal((await shared.store.lookup(steps[0]!.identity!)).state, 'damaged');
  }
  await writeFile(path, JSON.stringify(manifest));
  assert.equal((await shared.store.lookup(steps[0]!.identity!, 'full')).state, 'whole');
});

test('what is discarded goes exactly once, even while the trash is being emptied', async t => {
  const { store } = await Lab.open(t);
  const paths = Array.from({ length: 40 }, (_, i) => store.path(`old-${i}`));
  for (const path of paths) await mkdir(path);
  const empty = async () => {
    for (let i = 0; i < 40; i++)
      await rm(store.path('trash'), { recursive: true, force: true, maxRetries: 9 });
  };
  const [discarded] = await Promise.all([
    Promise.all([...paths, ...paths].map(path => store.discard(path))),
    empty(),
  ]);
  assert.equal(discarded.filter(Boolean).length, 40);
  assert.ok((await readdir(store.root)).every(name => !name.startsWith('old-')));
});
