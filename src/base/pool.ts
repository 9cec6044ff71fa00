/**
 * Worker threads behind one function call. A worker's file exports its function as default, as Piscina wants it;
 * its second half, set-up that is made once a thread, reads `workerData`.
 */
import { createRequire } from 'node:module';

/** Loaded where threads are started: most commands start none, and should not wait for it. */
const require = createRequire(import.meta.url);
const piscina = (): typeof import('piscina') => require('piscina');

export interface WorkerPool<Task, Result> {
  /** Runs one task in some thread. Buffers in `transfer` go over without being copied, and are gone here. */
  run(task: Task, transfer?: readonly ArrayBuffer[]): Promise<Result>;
  /** Ends the threads, whatever they do. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly workers: number;
  /** What every thread finds as Piscina's `workerData`. */
  readonly workerData?: unknown;
  /** Fires: tasks not yet done are rejected. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Piscina first tries to `require` a worker's file, which Node then loads as a module in one go; and Node aborts the whole process if the thread is
 * ended meanwhile, as it is where a pool is closed soon after it was opened. Without that feature the file is imported, which can be interrupted.
 */
const WITHOUT_REQUIRE = '--no-experimental-require-module';

/** Not those of the process as well: the engine's flags hold for all threads anyway, and a thread refuses to be given them. */
function workerArguments(): string[] {
  return process.allowedNodeEnvironmentFlags.has(WITHOUT_REQUIRE) ? [WITHOUT_REQUIRE] : [];
}

export function openPool<Task, Result>(file: URL, options: PoolOptions): WorkerPool<Task, Result> {
  const { workers, workerData, signal } = options;
  const { Piscina } = piscina();
  const pool = new Piscina<Task, Result>({
    filename: file.href,
    minThreads: workers,
    maxThreads: workers,
    execArgv: workerArguments(),
    ...(workerData !== undefined && { workerData }),
  });
  return {
    run: (task, transfer = []) => pool.run(task, { transferList: [...transfer], signal: signal ?? null }),
    close: () => pool.destroy(),
  };
}
