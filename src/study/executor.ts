/**
 * Where work runs. The controller owns the graph, the cache and resumption; an executor only runs one command line a job and
 * says what became of it. Whether the work succeeded is decided by the store, never by an executor.
 */

export interface Job {
  /** The identity of the step: submitting a key that is queued or running already does nothing. */
  readonly key: string;
  /** For people, in queue listings. */
  readonly name: string;
  readonly argv: readonly string[];
  /** Added to the environment of the executor. */
  readonly env: Readonly<Record<string, string>>;
  /** Where standard output and error go, appended. */
  readonly logPath: string;
  readonly threads: number;
  readonly memoryBytes: number | undefined;
}

export type JobStatus =
  | { readonly state: 'queued' }
  | { readonly state: 'running' }
  /** Will not start until somebody acts: held, refused by a limit, depending on what cannot come. */
  | { readonly state: 'blocked'; readonly reason: string }
  | { readonly state: 'exited'; readonly code: number | undefined; readonly signal: string | undefined }
  /** Submitted once, and now unknown or ended by the executor (node failure, time limit, preemption): worth another try. */
  | { readonly state: 'lost'; readonly reason: string }
  /** Never submitted here. */
  | { readonly state: 'absent' };

export interface Executor {
  readonly name: string;
  /** How many steps may run at once, for people. */
  readonly workers: number;
  /** Would this job start soon if it were submitted now, together with those? The controller offers the most urgent job first. */
  admits(job: Job, together: readonly Job[]): boolean;
  /** Idempotent by key while a job is queued or running; after that, the same key is a new attempt. */
  submit(jobs: readonly Job[]): Promise<void>;
  status(keys: readonly string[]): Promise<ReadonlyMap<string, JobStatus>>;
  /** `politely`: asks the processes to stop at their next checkpoint. `at once`: ends them. */
  cancel(keys: readonly string[], how: 'politely' | 'at once'): Promise<void>;
  /** The last lines that the last attempt at a job printed. */
  logs(job: Job, lines: number): Promise<readonly string[]>;
  /** Resolves when a status may have changed, or when the signal fires; never rejects. */
  changed(signal: AbortSignal): Promise<void>;
}
