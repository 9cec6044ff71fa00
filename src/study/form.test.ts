import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError } from '../base/index.ts';
import { listForm, Registry, readStudy, readStudyName, type Study } from './index.ts';
import { KINDS } from './testing/lab.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-form-'));
after(() => rm(folder, { recursive: true }));
const registry = await Registry.load([KINDS]);
const path = join(folder, 's.yaml');

async function read(text: string, overrides: readonly string[] = []): Promise<Study> {
  await writeFile(path, text);
  return readStudy(path, { forms: [listForm], registry, environment: { HERE: folder }, overrides });
}

/** `line:column message` of every problem. */
async function problemsOf(text: string, overrides?: readonly string[]): Promise<string[]> {
  try {
    await read(text, overrides);
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.problems.map(({ where, message }) => `${where.replace(`${path}:`, '')} ${message}`);
  }
  return [];
}

test('a study file becomes steps in an order in which they can run', async () => {
  await writeFile(join(folder, 'notes.txt'), 'x');
  const study = await read(`
name: demo
steps:
  - {name: last, kind: concat, inputs: {parts: [middle, first/text, {path: notes.txt}, {path: "\${HERE}/notes.txt"}]}}
  - {name: middle, kind: copy, inputs: {from: first}}
  - {name: first, kind: write}
`);
  assert.deepEqual(
    study.steps.map(({ name }) => name),
    ['first', 'middle', 'last'],
  );
  assert.deepEqual(study.steps[0]!.params, { text: 'hello\n', threads: 1 });
  assert.deepEqual(study.steps[2]!.sources['parts'], [
    { step: 'middle', output: 'text' },
    { step: 'first', output: 'text' },
    { path: join(folder, 'notes.txt') },
    { path: join(folder, 'notes.txt') },
  ]);
  assert.deepEqual(study.steps[2]!.needs, ['middle', 'first']);
  assert.equal(await readStudyName(path), 'demo');
});

test('an unknown key, a cycle, a missing file, a wrong type and a name used twice are reported together', async () => {
  const problems = await problemsOf(`name: demo
colour: red
steps:
  - name: a
    kind: copy
    params: {times: often}
    inputs: {from: c}
  - name: b
    kind: copy
    inputs: {from: a/text}
    when: now
  - name: c
    kind: copy
    inputs: {from: b}
  - name: a
    kind: write
  - name: d
    kind: copy
    inputs: {from: {path: nowhere.txt}}
`);
  assert.deepEqual(
    problems.toSorted(),
    [
      "11:11 steps.1: unknown key 'when'",
      '10:20 steps form a cycle: a -> c -> b -> a',
      "15:11 two steps are called 'a'; the other one is at S:4:11",
      `19:20 no such file or folder: ${join(folder, 'nowhere.txt')}`,
      "2:9 unknown key 'colour'",
      '6:21 params.times: Invalid input: expected number, received string',
    ]
      .map(line => line.replace('S:', `${path}:`))
      .toSorted(),
  );
});

test('references are checked against what the steps they name write', async () => {
  const problems = await problemsOf(`name: demo
steps:
  - {name: w, kind: write}
  - {name: m, kind: many-files, params: {files: 1, bytes: 1}}
  - {name: c, kind: concat, inputs: {parts: [w, m/files, w/sizes, ghost, 3]}}
  - {name: x, kind: copy, inputs: {from: [w, c], before: c, other: w}}
  - {name: y, kind: copy, inputs: {from: m}}
  - {name: z, kind: copy}
  - {name: n, kind: concat, inputs: {parts: []}}
  - {name: self, kind: copy, inputs: {from: self}}
  - {name: odd, kind: nonsense, inputs: {from: phantom}}
`);
  assert.deepEqual(
    problems.toSorted(),
    [
      "5:74 steps.2.inputs.parts.4: expected 'step', 'step/output', or {path: file or folder}",
      "6:42 input 'from' of step 'x': expected one artifact of type 'text', found 2",
      "6:68 step kind 'copy' has no input 'other'; its inputs: from, before",
      "7:42 step 'm' has no output of type 'text'; its outputs: files (folder)",
      "8:5 input 'from' of step 'z': expected one artifact of type 'text', found 0",
      "9:45 input 'parts' of step 'n': expected at least one artifact of type 'text', found 0",
      '10:45 steps form a cycle: self -> self',
      "11:23 unknown step kind 'nonsense'; known kinds: chain, concat, copy, fail, gate, head, list, many-files, write",
      "11:48 unknown step 'phantom'",
    ].toSorted(),
  );
  const readable = await problemsOf(`name: demo
steps:
  - {name: w, kind: write}
  - {name: m, kind: many-files, params: {files: 1, bytes: 1}}
  - {name: c, kind: concat, inputs: {parts: [w, m/files, w/sizes, ghost]}}
`);
  assert.deepEqual(readable, [
    "5:67 unknown step 'ghost'",
    "5:49 expected an artifact of type 'text', but m/files is of type 'folder'",
    "5:58 step 'w' has no output 'sizes'; its outputs: text (text)",
  ]);
});

test('files that are no studies say what is missing', async () => {
  assert.match((await problemsOf('name: x'))[0]!, /this is no study file: expected the key 'steps'/);
  assert.match((await problemsOf('[1, 2]')).join(), /this is no study file/);
  assert.match((await problemsOf('name: ../x\nsteps: []')).join(), /1:7 name: expected a name of letters/);
  assert.match((await problemsOf('name: x\nsteps: []')).join(), /expected at least one step/);
  assert.match((await problemsOf('steps: [{name: a, kind: write}]')).join(), /name: .*expected string/);
  assert.deepEqual(
    (await problemsOf('name: x\nsteps: [{name: A, kind: write}, {name: a, kind: write}, 7, {kind: write}]'))
      .length,
    3,
  );
});

test('a value set on the command line is checked like one of the file', async () => {
  const text = 'name: x\nsteps: [{name: a, kind: write}]';
  assert.deepEqual((await read(text, ['steps.a.params.text=hi'])).steps[0]!.params, {
    text: 'hi',
    threads: 1,
  });
  assert.match(
    (await problemsOf(text, ['steps.a.params.txt=hi']))[0]!,
    /--set steps\.a\.params\.txt=hi .*unknown key/,
  );
});
