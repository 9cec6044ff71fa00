/** `isoflop doctor` as a user runs it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const doctor = (...options: string[]) =>
  spawnSync(process.execPath, [main, 'doctor', '--threads', '1', ...options], { encoding: 'utf8' });

interface Report {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly status: string; readonly found: string }[];
}

test('every check of this machine passes, and stdout holds nothing but the report', () => {
  const { status, stdout, stderr } = doctor('--json');
  const { ok, checks } = JSON.parse(stdout) as Report;
  const names = [
    ...['Node.js', 'threads', 'disk', 'tokenizers', 'engine', 'providers'],
    ...['GEMM peak', 'denormals', 'padding', 'gradients'],
  ];
  assert.deepEqual(
    checks.map(({ name }) => name),
    names,
  );
  for (const name of ['tokenizers', 'engine', 'denormals', 'padding', 'gradients'])
    assert.equal(checks.find(check => check.name === name)!.status, 'ok', name);
  assert.match(checks.find(({ name }) => name === 'providers')!.found, /^cpu/);
  assert.equal(stderr, '', 'drivers that are not there print nothing');
  assert.deepEqual([ok, status], [true, 0]);
});

test('a folder that cannot be written to fails, with a remedy, and exit code 1', () => {
  const { status, stdout, stderr } = doctor('--folder', '/proc/nowhere');
  assert.equal(status, 1);
  assert.match(stdout, /disk +fail/);
  assert.match(stdout, /\ndisk: /);
  assert.match(stderr, /failed: doctor: 1 of the checks failed/);
});
