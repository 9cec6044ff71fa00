import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gradientError } from './engine.ts';
import { diskFinding, type Finding, isFit, nodeFinding, runChecks, threadsFinding } from './index.ts';
import { machineChecks } from './machine.ts';

const never = new AbortController().signal;
const folder = await mkdtemp(join(tmpdir(), 'isoflop-doctor-'));
after(() => rm(folder, { recursive: true }));

const machine = {
  nodeVersion: process.version,
  cores: 2,
  threads: 2,
  asked: undefined,
  folder: join(folder, 'not', 'there', 'yet'),
};

test('old versions of Node fail, with the version that would do', () => {
  for (const version of ['v20.19.0', 'v20.20.2', 'v22.1.0', 'v100.0.0'])
    assert.equal(nodeFinding(version).status, 'ok', version);
  for (const version of ['v20.18.9', 'v18.20.0', 'v9.19.0', 'nonsense']) {
    const { status, remedy } = nodeFinding(version);
    assert.equal(status, 'fail', version);
    assert.match(remedy, /20\.19/);
  }
});

test('too many threads and a count that is no number are warned about', () => {
  assert.equal(threadsFinding(2, 4, undefined).status, 'ok');
  assert.match(threadsFinding(2, 4, '2').found, /as OMP_NUM_THREADS says/);
  assert.match(threadsFinding(8, 4, '8').remedy, /set OMP_NUM_THREADS to 4/);
  assert.deepEqual([threadsFinding(4, 4, 'many').status, threadsFinding(4, 4, '0').status], ['warn', 'warn']);
});

test('a disk that is nearly full is warned about, one that is full fails', () => {
  assert.deepEqual(
    [1e8, 1e9, 1e11].map(bytes => diskFinding('runs', bytes).status),
    ['fail', 'warn', 'ok'],
  );
});

test('on this machine the tokenizer works, and a folder that is yet to be made is looked for above', async () => {
  const findings = await runChecks(machineChecks(machine), never);
  const named = Object.fromEntries(findings.map(finding => [finding.name, finding]));
  assert.equal(named['tokenizers']!.status, 'ok', named['tokenizers']!.found);
  assert.match(named['disk']!.found, /free in .*yet$/);
});

test('a check that throws is a failure with its remedy, and the others still run', async () => {
  const good: Finding = { status: 'ok', found: 'fine', remedy: '' };
  const findings = await runChecks(
    [
      { name: 'bad', run: () => Promise.reject(new Error('two\n  lines')), remedy: 'mend it' },
      { name: 'good', run: async () => good, remedy: '' },
    ],
    never,
  );
  assert.deepEqual(findings[0], { name: 'bad', status: 'fail', found: 'two lines', remedy: 'mend it' });
  assert.deepEqual(findings[1], { name: 'good', ...good });
  assert.deepEqual([isFit(findings), isFit(findings.slice(1))], [false, true]);
});

test('an abort ends the examination', async () => {
  const abort = new AbortController();
  const run = async () => {
    abort.abort();
    return { status: 'ok' as const, found: '', remedy: '' };
  };
  const stop = { name: 'stop', run, remedy: '' };
  await assert.rejects(runChecks([stop, stop], abort.signal), { name: 'AbortError' });
});

test("the engine's gradient has the slope of a float64 evaluation", async () => {
  const error = await gradientError(1);
  assert.ok(error > 0 && error < 1e-6, `off by ${error}`); // exactly 0 would mean that both sides are one
});
