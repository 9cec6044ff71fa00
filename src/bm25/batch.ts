/** Many queries at once, over threads that share one index. Answers come in the order of the queries and do not depend on the threads. */
import { setImmediate } from 'node:timers/promises';
import { Piscina } from 'piscina';
import { InputError } from '../base/index.ts';
import type { Prepared } from './prepare.ts';
import { type Found, Searcher } from './search.ts';
import { answer, type PackedAnswers, type Query, type SearchTask, unpackAnswer } from './tasks.ts';

export interface BatchOptions {
  /** Threads that search (default 1: this one). */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The answer to one query. */
export interface Answer extends Found {
  /** Which query: its place in the list. */
  readonly query: number;
}

/** Queries a task: enough to make passing it on cheap, few enough for progress to be seen. */
const TASK_QUERIES = 64;

/** The best `k` documents of every query, in order. Throws an `InputError` unless k is a whole number from 1 on. */
export async function* searchBatch(
  prepared: Prepared,
  queries: readonly Query[],
  k: number,
  options: BatchOptions = {},
): AsyncGenerator<Answer> {
  if (!Number.isSafeInteger(k) || k < 1) throw new InputError('k', `${k} is no whole number from 1 on`);
  const tasks: SearchTask[] = [];
  for (let from = 0; from < queries.length; from += TASK_QUERIES)
    tasks.push({ queries: queries.slice(from, from + TASK_QUERIES), k });
  const answers =
    (options.threads ?? 1) > 1
      ? inThreads(prepared, tasks, options)
      : inThisThread(new Searcher(prepared), tasks, options);
  let query = 0;
  for await (const packed of answers)
    for (let i = 0; i < packed.ends.length; i++) yield { query: query++, ...unpackAnswer(packed, i) };
}

async function* inThisThread(
  searcher: Searcher,
  tasks: readonly SearchTask[],
  { signal }: BatchOptions,
): AsyncGenerator<PackedAnswers> {
  for (const task of tasks) {
    signal?.throwIfAborted();
    yield answer(searcher, task);
    await setImmediate(); // lets signals and progress through
  }
}

async function* inThreads(
  prepared: Prepared,
  tasks: readonly SearchTask[],
  { threads = 1, signal }: BatchOptions,
): AsyncGenerator<PackedAnswers> {
  const pool = new Piscina<SearchTask, PackedAnswers>({
    filename: new URL('./searchWorker.js', import.meta.url).href,
    workerData: prepared,
    minThreads: threads,
    maxThreads: threads,
  });
  try {
    const run = (task: SearchTask) => {
      const running = pool.run(task, { signal: signal ?? null });
      running.catch(() => undefined); // reported where it is awaited
      return running;
    };
    const ahead = tasks.slice(0, 3 * threads).map(run);
    for (let next = ahead.length; ahead.length > 0; next++) {
      yield await ahead.shift()!;
      if (next < tasks.length) ahead.push(run(tasks[next]!));
    }
  } finally {
    await pool.destroy();
  }
}
