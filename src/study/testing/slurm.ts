/**
 * A cluster of one machine for tests: `sbatch`, `squeue` and `scancel` as far as the Slurm executor uses them. State is a folder of
 * files, one a task: `<job>_<task>.json`. A file `hold` in it keeps new tasks pending with the reason it contains; what has ended is
 * listed as long as `<job>_<task>.json` is there.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = 'FAKE_SLURM';

interface Task {
  readonly script: string;
  readonly args: readonly string[];
  readonly pid?: number;
  /** Set by a test, or by `scancel`: overrides what the process says. */
  readonly state?: string;
}

/** Makes the three commands in a folder; returns the environment in which they are found. */
export function fakeSlurm(folder: string): Record<string, string> {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  mkdirSync(join(folder, 'tasks'), { recursive: true });
  for (const command of ['sbatch', 'squeue', 'scancel']) {
    const path = join(folder, 'bin', command);
    const argv = [process.execPath, fileURLToPath(import.meta.url), command].map(word => `'${word}'`);
    writeFileSync(path, `#!/bin/sh\nexec ${argv.join(' ')} "$@"\n`);
    chmodSync(path, 0o755);
  }
  return { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, [FOLDER]: folder };
}

/** Overrides the state of every task, as a failing node or an impatient administrator would. */
export function setStates(folder: string, state: string): void {
  for (const [id, task] of tasksIn(folder)) {
    if (task.pid !== undefined) killGroup(task.pid, 'SIGKILL');
    save(folder, id, { ...task, state });
  }
}

/** The options and scripts that were submitted, in order. */
export function submissions(folder: string): { readonly args: readonly string[]; readonly script: string }[] {
  const first = tasksIn(folder).filter(([id]) => id.endsWith('_0'));
  return first.map(([, { args, script }]) => ({ args, script: readFileSync(script, 'utf8') }));
}

function tasksIn(folder: string): [string, Task][] {
  const names = readdirSync(join(folder, 'tasks')).sort();
  return names.map(name => [
    name.replace('.json', ''),
    JSON.parse(readFileSync(join(folder, 'tasks', name), 'utf8')) as Task,
  ]);
}

function save(folder: string, id: string, task: Task): void {
  writeFileSync(join(folder, 'tasks', `${id}.json`), JSON.stringify(task));
}

function begin(folder: string, id: string, task: Task): void {
  const env = { ...process.env, SLURM_ARRAY_TASK_ID: id.split('_')[1] };
  const child = spawn('bash', [task.script], { detached: true, stdio: 'ignore', env });
  child.unref();
  save(folder, id, { ...task, pid: child.pid! });
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // it has ended
  }
}

function stateOf(folder: string, task: Task): string {
  if (task.state !== undefined) return `${task.state}|None`;
  if (task.pid === undefined) return `PENDING|${readFileSync(join(folder, 'hold'), 'utf8')}`;
  return existsSync(`/proc/${task.pid}`) && !isZombie(task.pid) ? 'RUNNING|None' : 'COMPLETED|None';
}

function isZombie(pid: number): boolean {
  return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

const commands: Readonly<Record<string, (folder: string, args: readonly string[]) => string>> = {
  sbatch(folder, args) {
    const script = args.at(-1)!;
    const count = Number(/--array=0-(\d+)/.exec(readFileSync(script, 'utf8'))![1]) + 1;
    const job = 100 + new Set(tasksIn(folder).map(([id]) => id.split('_')[0])).size;
    for (let i = 0; i < count; i++) {
      const task = { script, args: args.slice(0, -1) };
      if (existsSync(join(folder, 'hold'))) save(folder, `${job}_${i}`, task);
      else begin(folder, `${job}_${i}`, task);
    }
    return `${job};cluster\n`;
  },
  squeue(folder) {
    if (!existsSync(join(folder, 'hold')))
      for (const [id, task] of tasksIn(folder))
        if (task.pid === undefined && !task.state) begin(folder, id, task);
    return tasksIn(folder)
      .map(([id, task]) => `${id}|${stateOf(folder, task)}\n`)
      .join('');
  },
  scancel(folder, args) {
    const signal = args.find(arg => arg.startsWith('--signal='));
    for (const [id, task] of tasksIn(folder).filter(([id]) => args.includes(id))) {
      if (signal !== undefined)
        process.kill(task.pid!, 'SIGTERM'); // --batch: the shell alone
      else {
        if (task.pid !== undefined) killGroup(task.pid, 'SIGKILL');
        save(folder, id, { ...task, state: 'CANCELLED' });
      }
    }
    return '';
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [command, ...args] = process.argv.slice(2);
  process.stdout.write(commands[command!]!(process.env[FOLDER]!, args));
}
