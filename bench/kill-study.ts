/**
 * Does a study that is killed again and again end with the same bytes as one that is left alone?
 *
 *     node build/bench/kill-study.js [STUDY.yaml] [--kills 20] [--workers 2] [--seed 17] [--kinds MODULE] [--keep]
 *
 * Runs the study unbroken with that many workers and with one, then kills the runner or one of its children with SIGKILL at random
 * moments and starts it again, until it ends by itself; as many rounds as the kills take. Compares every artifact and every reference of the
 * stores byte for byte, and looks for processes that outlived their runner. Prints JSON lines; exits 1 if anything differs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Rng, sha256File } from 'isoflop';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../../dist/study/testing/kinds.js', import.meta.url));

/** Chains that check-point, files by the dozen, and steps that wait for them: about ten seconds of work on two workers. */
function fixtureStudy(): string {
  const steps = ['p', 'q', 'r', 's'].flatMap(seed => [
    `- {name: ${seed}, kind: chain, params: {seed: ${seed}, units: 60, ms: 25}}`,
    `- {name: ${seed}-files, kind: many-files, params: {files: 60, bytes: 5000}, inputs: {from: ${seed}}}`,
    `- {name: ${seed}-head, kind: head, params: {letters: 2}, inputs: {from: ${seed}}}`,
    `- {name: ${seed}-next, kind: chain, params: {seed: next, units: 30, ms: 25}, inputs: {from: ${seed}-head}}`,
  ]);
  const parts = ['p', 'q', 'r', 's'].map(seed => `${seed}-next`).join(', ');
  return `name: kill-study\nsteps:\n  ${steps.join('\n  ')}\n  - {name: all, kind: concat, inputs: {parts: [${parts}]}}\n`;
}

interface Setting {
  readonly study: string;
  readonly kinds: readonly string[];
}

function start(setting: Setting, store: string, workers: number): ChildProcess {
  const kinds = setting.kinds.flatMap(module => ['--kinds', module]);
  const argv = [MAIN, 'run', setting.study, '--store', store, '--workers', String(workers), ...kinds];
  return spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'ignore'] });
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** Seconds of one run that nobody disturbs. */
async function unbroken(setting: Setting, store: string, workers: number): Promise<number> {
  const began = performance.now();
  const code = await ended(start(setting, store, workers));
  if (code !== 0)
    throw new Error(`the unbroken run failed with exit code ${code}: run it by hand to see why`);
  return (performance.now() - began) / 1000;
}

/** Process numbers of the steps that are at work, by their leases. */
async function stepProcesses(store: string): Promise<number[]> {
  const keys = (await readdir(join(store, 'leases')).catch(() => [])).filter(key =>
    /^[0-9a-f]{64}$/.test(key),
  );
  const leases = await Promise.all(
    keys.map(async key => {
      const folder = join(store, 'leases', key);
      const names = (await readdir(folder).catch(() => [])).filter(name => name.endsWith('.json'));
      return Promise.all(names.map(name => readFile(join(folder, name), 'utf8').catch(() => '{}')));
    }),
  );
  return leases.flat().flatMap(text => (JSON.parse(text) as { pid?: number }).pid ?? []);
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** How many of these processes are still there after ten seconds. */
async function outliving(pids: readonly number[]): Promise<number> {
  for (let i = 0; i < 100 && pids.some(lives); i++) await pause(100);
  return pids.filter(lives).length;
}

interface Tally {
  runner: number;
  child: number;
  orphans: number;
}

/** One study from an empty store to its end, killed at random moments while there are kills left. */
async function brokenRun(
  setting: Setting,
  store: string,
  options: {
    readonly workers: number;
    readonly kills: number;
    readonly meanSeconds: number;
    readonly rng: Rng;
  },
): Promise<Tally> {
  const { workers, kills, meanSeconds, rng } = options;
  const tally: Tally = { runner: 0, child: 0, orphans: 0 };
  for (;;) {
    const runner = start(setting, store, workers);
    const exit = ended(runner);
    while (tally.runner + tally.child < kills && runner.exitCode === null) {
      await Promise.race([exit, pause(2000 * meanSeconds * rng.uniform())]);
      if (runner.exitCode !== null) break;
      const steps = await stepProcesses(store);
      if (steps.length > 0 && rng.uniform() < 0.5) {
        const pid = steps[rng.int(steps.length)]!;
        if (lives(pid)) process.kill(pid, 'SIGKILL');
        tally.child++;
      } else {
        runner.kill('SIGKILL');
        tally.runner++;
        await exit;
        tally.orphans += await outliving(steps);
        break;
      }
    }
    if ((await exit) === 0) return tally;
  }
}

/** Path -> hash of all that lasts: artifacts, and which artifact each step made. */
async function contents(store: string): Promise<Map<string, string>> {
  const names = await readdir(store, { recursive: true, withFileTypes: true });
  const files = names
    .filter(entry => entry.isFile())
    .map(entry => relative(store, join(entry.parentPath, entry.name)))
    .filter(name => /^artifacts\/|^studies\/[^/]+\/steps\//.test(name))
    .sort();
  return new Map(
    await Promise.all(files.map(async name => [name, await sha256File(join(store, name))] as const)),
  );
}

function differences(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter(name => a.get(name) !== b.get(name));
}

/** What a finished run should not leave: scratch, leases, pins. */
async function leftovers(store: string): Promise<string[]> {
  const folders = ['scratch', 'leases', 'runners']
    .map(name => join(store, name))
    .filter(path => existsSync(path));
  return (await Promise.all(folders.map(path => readdir(path)))).flat();
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '20' },
    workers: { type: 'string', default: '2' },
    seed: { type: 'string', default: '17' },
    kinds: { type: 'string', multiple: true, default: [FIXTURES] },
    keep: { type: 'boolean', default: false },
  },
});
const root = await mkdtemp(join(tmpdir(), 'isoflop-kill-'));
const setting: Setting = { study: positionals[0] ?? join(root, 'study.yaml'), kinds: values.kinds };
if (positionals[0] === undefined) await writeFile(setting.study, fixtureStudy());
const kills = Number(values.kills);
const workers = Number(values.workers);
const rng = Rng.from(Number(values.seed), 'kill-study');
const say = (line: object) => console.log(JSON.stringify({ bench: 'kill-study', ...line }));
let bad = 0;

const whole = join(root, 'whole');
const seconds = await unbroken(setting, whole, workers);
const expected = await contents(whole);
say({ run: 'unbroken', workers, seconds, files: expected.size });
const single = join(root, 'single');
const singleSeconds = await unbroken(setting, single, 1);
const other = differences(expected, await contents(single));
say({ run: 'unbroken', workers: 1, seconds: singleSeconds, differing: other.length });
bad += other.length;

let done = 0;
for (let round = 1; done < kills; round++) {
  const store = join(root, `round-${round}`);
  const meanSeconds = seconds / Math.max(4, kills / 2);
  const tally = await brokenRun(setting, store, { workers, kills: kills - done, meanSeconds, rng });
  done += tally.runner + tally.child;
  const differing = differences(expected, await contents(store));
  const left = await leftovers(store);
  say({ run: 'killed', round, ...tally, differing: differing.length, leftovers: left.length });
  for (const name of [...differing, ...left]) console.error(`round ${round}: ${name}`);
  bad += differing.length + left.length + tally.orphans;
}
say({ kills: done, identical: bad === 0 });
if (values.keep) console.error(`the stores are in ${root}`);
else await rm(root, { recursive: true });
process.exitCode = bad === 0 ? 0 : 1;
