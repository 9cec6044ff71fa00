/**
 * Steps as jobs of a Slurm cluster. Steps that become ready together go out as one array job; each task runs its step, passes a
 * SIGTERM on to it, and writes its exit code into a file, so that neither accounting nor a live controller is needed to learn it.
 * The cluster must see the store and this program under the same paths as the machine that submits.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { messageOf, StepError, writeFileAtomic } from '../base/index.ts';
import type { Executor, Job, JobStatus } from './executor.ts';
import { tailOf } from './records.ts';

export interface SlurmOptions {
  /** The folder of a job's files, which scripts, records and exit codes join: `store.jobFolder`. */
  readonly folderOf: (key: string) => string;
  /** Jobs to have in the queue at once. */
  readonly workers: number;
  /** Further options of `sbatch`: `--partition=cpu`, `--time=4:00:00`. */
  readonly sbatch: readonly string[];
  /** Where `sbatch`, `squeue` and `scancel` are found (`PATH`). */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The queue is asked at most this often. */
  readonly pollMs?: number;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
}

const recordSchema = z.object({
  /** As `squeue` prints it: `1234_7`. */
  id: z.string(),
  exitFile: z.string(),
});

type Submission = z.infer<typeof recordSchema>;

/** A job as the queue lists it. */
interface Queued {
  readonly state: string;
  readonly reason: string;
}

/** Reasons for waiting that do not go away by waiting. */
const BLOCKING =
  /^(JobHeld\w+|DependencyNeverSatisfied|BadConstraints|Invalid\w+|AccountNotAllowed|QOSNotAllowed|PartitionTimeLimit|PartitionNodeLimit|ReqNodeNotAvail.*)$/;

/** Ends that another attempt may survive: the step goes on from its checkpoint. */
const WORTH_RETRYING = ['TIMEOUT', 'NODE_FAIL', 'PREEMPTED', 'BOOT_FAIL', 'DEADLINE', 'REVOKED'];
const ENDED = ['COMPLETED', 'FAILED', 'CANCELLED', 'OUT_OF_MEMORY', ...WORTH_RETRYING];

/** A job must be missing from the queue this often before it counts as lost: its exit code may come late over a network file system. */
const LOOKS_BEFORE_LOST = 3;

const POLL_MS = 10_000;

export class SlurmExecutor implements Executor {
  readonly name = 'slurm';
  readonly workers: number;
  readonly #options: SlurmOptions;
  readonly #submissions = new Map<string, Submission>();
  readonly #missed = new Map<string, number>();
  readonly #cancelled = new Set<string>();
  readonly #unfinished = new Set<string>();
  #queue: ReadonlyMap<string, Queued> = new Map();
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SlurmOptions) {
    this.#options = options;
    this.workers = options.workers;
  }

  admits(_job: Job, together: readonly Job[]): boolean {
    return this.#unfinished.size + together.length < this.workers;
  }

  async submit(jobs: readonly Job[]): Promise<void> {
    const statuses = await this.status(jobs.map(job => job.key));
    const fresh = jobs.filter(
      job => !['queued', 'running', 'blocked'].includes(statuses.get(job.key)!.state),
    );
    for (const group of groupsOf(fresh)) await this.#submitArray(group);
    for (const job of jobs) this.#unfinished.add(job.key);
  }

  /** One array job for steps of equal needs. */
  async #submitArray(jobs: readonly Job[]): Promise<void> {
    const batch = `slurm-${randomBytes(6).toString('hex')}`; // unique, so that no attempt finds the exit code of another
    const path = join(this.#options.folderOf(jobs[0]!.key), `${batch}.sh`);
    const exitFiles = jobs.map(job => join(this.#options.folderOf(job.key), `${batch}.exit`));
    await writeFileAtomic(path, arrayScript(jobs, exitFiles));
    const printed = await this.#call('sbatch', ['--parsable', ...this.#options.sbatch, path]);
    const id = /^(\d+)/.exec(printed.trim())?.[1];
    if (id === undefined) throw new StepError('sbatch', `expected a job number, got '${printed.trim()}'`);
    for (const [i, job] of jobs.entries()) {
      const submission = { id: `${id}_${i}`, exitFile: exitFiles[i]! };
      await writeFileAtomic(this.#recordPath(job.key), JSON.stringify(submission));
      this.#submissions.set(job.key, submission);
      this.#missed.delete(job.key);
      this.#cancelled.delete(job.key);
    }
    this.#askedAt = Number.NEGATIVE_INFINITY; // what we know of the queue is out of date
  }

  async status(keys: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
    for (const key of keys) await this.#recall(key);
    await this.#askQueue();
    const statuses = new Map<string, JobStatus>();
    for (const key of keys) statuses.set(key, await this.#statusOf(key));
    for (const [key, { state }] of statuses)
      if (state === 'exited' || state === 'lost' || state === 'absent') this.#unfinished.delete(key);
    return statuses;
  }

  /** Jobs that an earlier run submitted are known by their records. */
  async #recall(key: string): Promise<void> {
    if (this.#submissions.has(key)) return;
    const text = await readFile(this.#recordPath(key), 'utf8').catch(() => undefined);
    const record = text === undefined ? undefined : recordSchema.safeParse(JSON.parse(text)).data;
    if (record) this.#submissions.set(key, record);
  }

  /** Refreshes what is known of the queue. A controller that does not answer changes nothing. */
  async #askQueue(): Promise<void> {
    const now = this.#options.now();
    if (this.#submissions.size === 0 || now - this.#askedAt < (this.#options.pollMs ?? POLL_MS)) return;
    this.#askedAt = now;
    const jobs = [...new Set([...this.#submissions.values()].map(({ id }) => id.split('_')[0]))];
    const format = ['--array', '--noheader', '--states=all', '--format=%i|%T|%r', `--jobs=${jobs.join(',')}`];
    try {
      this.#queue = parseQueue(await this.#call('squeue', format));
    } catch (error) {
      if (!/invalid job id/i.test(messageOf(error))) return; // overloaded or restarting: ask again later
      this.#queue = new Map(); // none of them is known any more
    }
    for (const [key, { id }] of this.#submissions)
      this.#missed.set(key, this.#queue.has(id) ? 0 : (this.#missed.get(key) ?? 0) + 1);
  }

  async #statusOf(key: string): Promise<JobStatus> {
    const submission = this.#submissions.get(key);
    if (!submission) return { state: 'absent' };
    const code = await readFile(submission.exitFile, 'utf8').catch(() => undefined);
    if (code !== undefined) return exitOf(Number(code));
    const queued = this.#queue.get(submission.id);
    if (queued && !ENDED.includes(queued.state)) return waitingOrRunning(queued);
    if (this.#cancelled.has(key) || queued?.state === 'CANCELLED')
      return { state: 'exited', code: undefined, signal: 'CANCELLED' };
    if (queued?.state === 'OUT_OF_MEMORY')
      return { state: 'exited', code: undefined, signal: 'OUT_OF_MEMORY' };
    if (queued && WORTH_RETRYING.includes(queued.state)) return { state: 'lost', reason: queued.state };
    if ((this.#missed.get(key) ?? 0) >= LOOKS_BEFORE_LOST)
      return { state: 'lost', reason: 'gone from the queue' };
    return { state: 'running' }; // just submitted, or ended with its exit code on the way
  }

  async cancel(keys: readonly string[], how: 'politely' | 'at once'): Promise<void> {
    const statuses = await this.status(keys);
    const idsOf = (wanted: readonly JobStatus['state'][]) =>
      keys
        .filter(key => wanted.includes(statuses.get(key)!.state))
        .map(key => this.#submissions.get(key)!.id);
    const running = idsOf(['running']);
    const waiting = idsOf(['queued', 'blocked']);
    for (const key of keys) if (statuses.get(key)!.state !== 'running') this.#cancelled.add(key);
    if (how === 'politely' && running.length > 0)
      await this.#call('scancel', ['--batch', '--signal=TERM', ...running]);
    const ended = how === 'politely' ? waiting : [...waiting, ...running];
    if (ended.length > 0) await this.#call('scancel', ended);
    this.#askedAt = Number.NEGATIVE_INFINITY;
  }

  async logs(job: Job, lines: number): Promise<readonly string[]> {
    return tailOf(job.logPath, lines);
  }

  changed(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #recordPath(key: string): string {
    return join(this.#options.folderOf(key), 'slurm.json');
  }

  async #call(command: string, args: readonly string[]): Promise<string> {
    try {
      const options = { env: this.#options.environment, maxBuffer: 64 << 20 };
      return (await promisify(execFile)(command, [...args], options)).stdout;
    } catch (error) {
      throw new StepError(command, messageOf(error), { cause: error }); // the message holds what it printed
    }
  }
}

function waitingOrRunning({ state, reason }: Queued): JobStatus {
  if (state !== 'PENDING') return { state: 'running' };
  return BLOCKING.test(reason) ? { state: 'blocked', reason } : { state: 'queued' };
}

/** A shell reports a signal as 128 plus its number. */
function exitOf(code: number): JobStatus {
  const signals: Readonly<Record<number, string>> = { 137: 'SIGKILL', 139: 'SIGSEGV', 143: 'SIGTERM' };
  const signal = signals[code];
  return { state: 'exited', code: signal === undefined ? code : undefined, signal };
}

function parseQueue(printed: string): Map<string, Queued> {
  const rows = printed.split('\n').map(line => line.trim().split('|'));
  return new Map(
    rows.flatMap(([id, state, reason]) =>
      id && state ? [[id, { state, reason: reason ?? '' }] as const] : [],
    ),
  );
}

/** Jobs that ask for the same threads and memory share an array. */
function groupsOf(jobs: readonly Job[]): Job[][] {
  const groups = new Map<string, Job[]>();
  for (const job of jobs) {
    const needs = `${job.threads} ${job.memoryBytes}`;
    groups.set(needs, [...(groups.get(needs) ?? []), job]);
  }
  return [...groups.values()];
}

/** Seconds before its time limit at which a task is asked to stop, so that it can save a checkpoint. */
const NOTICE_SECONDS = 120;

/** The batch script: one task a job. */
function arrayScript(jobs: readonly Job[], exitFiles: readonly string[]): string {
  const { threads, memoryBytes } = jobs[0]!;
  const memory = memoryBytes === undefined ? [] : [`#SBATCH --mem=${Math.ceil(memoryBytes / (1 << 20))}M`];
  const tasks = jobs.map((job, i) => {
    const env = Object.entries(job.env).map(([name, value]) => quote(`${name}=${value}`));
    return `${i}) run ${quote(exitFiles[i]!)} ${quote(job.logPath)} ${env.join(' ')} ${job.argv.map(quote).join(' ')} ;;`;
  });
  return [
    '#!/bin/bash',
    `#SBATCH --job-name=${jobs.length === 1 ? quoteName(jobs[0]!.name) : 'isoflop'}`,
    `#SBATCH --array=0-${jobs.length - 1}`,
    '#SBATCH --ntasks=1',
    `#SBATCH --cpus-per-task=${threads}`,
    ...memory,
    `#SBATCH --signal=B:TERM@${NOTICE_SECONDS}`,
    '#SBATCH --output=/dev/null',
    'run() {',
    '  exit_file=$1; log=$2; shift 2',
    '  env "$@" >>"$log" 2>&1 &',
    '  child=$!',
    '  trap \'kill -TERM "$child"\' TERM',
    '  wait "$child"; code=$?',
    '  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done # a trap ends wait early',
    '  printf %s "$code" >"$exit_file.tmp" && mv "$exit_file.tmp" "$exit_file"',
    '}',
    'case $SLURM_ARRAY_TASK_ID in',
    ...tasks,
    'esac',
    '',
  ].join('\n');
}

/** One word of a shell command, whatever it holds. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function quoteName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._/-]/g, '_');
}
