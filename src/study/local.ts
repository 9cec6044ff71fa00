/** The embedded executor: one child process a job on this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { hasCode } from '../base/index.ts';
import type { Executor, Job, JobStatus } from './executor.ts';
import { tailOf } from './records.ts';

/** Tells a child that its standard input is its lifeline: it ends when that closes, as it does however the runner ends. */
export const LIFELINE = 'ISOFLOP_LIFELINE';

export interface Machine {
  readonly cores: number;
  readonly memoryBytes: number;
}

/** What this process may use, container limits included. */
export function thisMachine(): Machine {
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY; // 0 where none is known
  return { cores: availableParallelism(), memoryBytes: Math.min(limit, totalmem()) };
}

/** Memory that a machine keeps for everything that is not a step. */
const RESERVED_BYTES = 1 << 30;

/** A step of no stated need is taken to fit into this. */
const USUAL_STEP_BYTES = 1 << 30;

/** How many one-thread steps to run at once where nobody says: one a core, as far as memory goes. */
export function defaultWorkers(machine: Machine): number {
  const fitting = Math.floor((machine.memoryBytes - RESERVED_BYTES) / USUAL_STEP_BYTES);
  return Math.max(1, Math.min(machine.cores, fitting));
}

interface Running {
  readonly job: Job;
  readonly child: ChildProcess;
}

export interface LocalOptions {
  /** Threads in use at once: a step of two threads counts as two. */
  readonly workers: number;
  readonly memoryBytes: number;
  /** The environment that children inherit. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export class LocalExecutor implements Executor {
  readonly name = 'local';
  readonly workers: number;
  readonly #options: LocalOptions;
  readonly #running = new Map<string, Running>();
  readonly #ended = new Map<string, JobStatus>();
  /** Where in its log file each job's last attempt began. */
  readonly #logStarts = new Map<string, number>();
  /** Has a job ended since the last call of `status`? */
  #news = false;
  #wake: (() => void) | undefined;

  constructor(options: LocalOptions) {
    this.#options = options;
    this.workers = options.workers;
  }

  /** A job that is larger than the machine runs alone. */
  admits(job: Job, together: readonly Job[]): boolean {
    const jobs = [...[...this.#running.values()].map(running => running.job), ...together];
    if (jobs.length === 0) return true;
    const threads = jobs.reduce((sum, other) => sum + other.threads, 0);
    const memory = jobs.reduce((sum, other) => sum + (other.memoryBytes ?? 0), 0);
    return (
      threads + job.threads <= this.#options.workers &&
      memory + (job.memoryBytes ?? 0) <= this.#options.memoryBytes
    );
  }

  async submit(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) if (!this.#running.has(job.key)) this.#start(job);
  }

  #start(job: Job): void {
    this.#ended.delete(job.key);
    mkdirSync(dirname(job.logPath), { recursive: true });
    const log = openSync(job.logPath, 'a');
    this.#logStarts.set(job.key, fstatSync(log).size);
    try {
      const [command, ...args] = job.argv;
      const child = spawn(command!, args, {
        stdio: ['pipe', log, log],
        // A group of its own: a Ctrl-C in the terminal reaches the runner alone, which then asks each child politely.
        detached: process.platform !== 'win32',
        env: { ...this.#options.environment, ...job.env, [LIFELINE]: '1' },
        windowsHide: true,
      });
      child.stdin?.on('error', () => undefined); // the child may be gone before we are
      this.#running.set(job.key, { job, child });
      child.once('error', error => this.#end(job.key, { state: 'lost', reason: error.message }));
      child.once('exit', (code, signal) =>
        this.#end(job.key, { state: 'exited', code: code ?? undefined, signal: signal ?? undefined }),
      );
    } finally {
      closeSync(log);
    }
  }

  #end(key: string, status: JobStatus): void {
    this.#running.delete(key);
    this.#ended.set(key, status);
    this.#news = true;
    this.#wake?.();
  }

  async status(keys: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
    this.#news = false;
    const statusOf = (key: string): JobStatus =>
      this.#running.has(key) ? { state: 'running' } : (this.#ended.get(key) ?? { state: 'absent' });
    return new Map(keys.map(key => [key, statusOf(key)]));
  }

  async cancel(keys: readonly string[], how: 'politely' | 'at once'): Promise<void> {
    for (const key of keys) {
      const pid = this.#running.get(key)?.child.pid;
      if (pid === undefined) continue;
      if (how === 'politely') end(pid, 'SIGTERM');
      else end(process.platform === 'win32' ? pid : -pid, 'SIGKILL'); // with all that it started
    }
  }

  async logs(job: Job, lines: number): Promise<readonly string[]> {
    return tailOf(job.logPath, lines, this.#logStarts.get(job.key));
  }

  changed(signal: AbortSignal): Promise<void> {
    if (this.#news || signal.aborted) return Promise.resolve();
    return new Promise(resolve => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error; // it ended meanwhile
  }
}
