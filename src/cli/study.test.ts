import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-cli-'));
after(() => rm(folder, { recursive: true }));
const KINDS = fileURLToPath(new URL('../study/index.js', import.meta.url)).replace(
  'index.js',
  'testing/kinds.js',
);
const file = join(folder, 'demo.yaml');
const store = ['--store', join(folder, 'store')];
const study = [file, ...store, '--kinds', KINDS, '--workers', '2'];

/** Runs one command line; stdout, stderr and the exit code. */
async function isoflop(...argv: readonly string[]) {
  const io = { ...testIo({ ...process.env }), now: Date.now };
  const code = await runProgram(argv, io);
  return { code, out: io.stdout(), err: io.stderr() };
}

const good = `name: demo
steps:
  - {name: a, kind: write, params: {text: abc}}
  - {name: b, kind: copy, inputs: {from: a}}
`;

test('a study from plan to clean', async () => {
  await writeFile(file, good);
  const planned = await isoflop('plan', ...study);
  assert.match(planned.out, /run {6}a {2}write .*\n {9}never ran\n/);
  assert.match((await isoflop('status', file, ...store)).err, /error: .*demo\.yaml: has never been run/);

  const first = await isoflop('run', ...study);
  assert.deepEqual([first.code, first.out.replace(/\d:\d\d/, 'TIME')], [0, 'demo: 2 made, in TIME\n']);
  assert.match(first.err, /^a: started\na: made 3B in 0:0\d\nb: started\nb: made 3B in 0:0\d\n$/);
  const again = JSON.parse((await isoflop('run', ...study, '--json')).out);
  assert.deepEqual(
    again.steps.map(({ state }: { state: string }) => state),
    ['cached', 'cached'],
  );

  const changed = await isoflop('plan', ...study, '--set', 'steps.b.params.times=2', '--json');
  assert.deepEqual(JSON.parse(changed.out).steps[1].reasons, [
    { type: 'changed', path: 'params.times', old: 1, new: 2 },
  ]);
  assert.equal((await isoflop('run', ...study, '--set', 'steps.b.params.times=2')).code, 0);
  const status = JSON.parse((await isoflop('status', 'demo', ...store, '--json')).out);
  assert.deepEqual(
    status.steps.map(({ state }: { state: string }) => state),
    ['cached', 'made'],
  );
  assert.match((await isoflop('status', ...store)).out, /^demo {2}2\/2 steps {2}1 cached: done/);
  assert.match((await isoflop('status', file, ...store, '--verify')).out, /whole {2}a .*\nwhole {2}b /);
  const removed = JSON.parse((await isoflop('clean', ...store, '--json')).out).removed;
  assert.deepEqual(
    removed.map(({ type }: { type: string }) => type),
    ['artifact', 'log'],
  );
});

test('a failing step is an exit code of 1, a wrong study file one of 2 before anything runs', async () => {
  await writeFile(file, `${good}  - {name: bad, kind: fail, params: {how: throw}}\n`);
  const failed = await isoflop('run', ...study);
  assert.equal(failed.code, 1);
  assert.match(failed.out, /1 failed, .*\n {2}bad: it did not work\n/);
  assert.match(failed.err, /failed: demo: 1 of 3 steps failed/);
  assert.match((await isoflop('status', 'demo', ...store)).out, /bad failed: it did not work\n {4}at /);

  await writeFile(file, `${good}  - {name: a, kind: writ, params: {txt: 1}}\nmore: 1\n`);
  const elsewhere = ['--store', join(folder, 'untouched'), '--kinds', KINDS];
  const wrong = await isoflop('run', file, ...elsewhere);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /demo\.yaml:5:12: two steps are called 'a'/);
  assert.match(wrong.err, /demo\.yaml:6:7: unknown key 'more'/);
  assert.match((await isoflop('status', ...elsewhere.slice(0, 2))).out, /no study has been run/);
  assert.equal((await isoflop('run', join(folder, 'none.yaml'))).code, 2);
  assert.equal((await isoflop('run', file, '--kinds', join(folder, 'none.js'))).code, 2);
  assert.equal((await isoflop('run', file, '--workers', '0')).code, 2);
  await writeFile(file, good);
  assert.match(
    (await isoflop('run', file, '--kinds', KINDS, '--store', folder)).err,
    /is not an isoflop store/,
  );
});

test('an interrupted run says that it can go on', async () => {
  await writeFile(file, good.replace('abc', 'other'));
  const interrupt = new AbortController();
  interrupt.abort();
  const io = testIo({ ...process.env }, interrupt.signal);
  assert.equal(await runProgram(['run', ...study], io), 1);
  assert.match(io.stderr(), /interrupted: .* the same command resumes it/);
  assert.match(io.stdout(), /demo: 2 waiting/);
});
