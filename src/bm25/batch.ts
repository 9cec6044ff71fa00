/** Many queries at once, over threads that share one index. Answers come in the order of the queries and do not depend on the threads. */
import { setImmediate } from 'node:timers/promises';
import { awaitedLater, InputError, openPool } from '../base/index.ts';
import type { Prepared } from './prepare.ts';
import { type Found, Searcher } from './search.ts';
import { type PackedAnswers, type Query, type SearchTask, unpackAnswer } from './tasks.ts';

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
  const { threads = 1 } = options;
  yield* threads > 1
    ? inThreads(prepared, tasks, options)
    : inThisThread(new Searcher(prepared), tasks, options);
}

async function* inThisThread(
  searcher: Searcher,
  tasks: readonly SearchTask[],
  { signal }: BatchOptions,
): AsyncGenerator<Answer> {
  let number = 0;
  for (const { queries, k } of tasks) {
    signal?.throwIfAborted();
    for (const query of queries) yield { query: number++, ...searcher.search(query.text, k, query) };
    await setImmediate(); // lets signals and progress through
  }
}

async function* inThreads(
  prepared: Prepared,
  tasks: readonly SearchTask[],
  { threads = 1, signal }: BatchOptions,
): AsyncGenerator<Answer> {
  const worker = new URL('./searchWorker.js', import.meta.url);
  const pool = openPool<SearchTask, PackedAnswers>(worker, {
    workers: threads,
    workerData: prepared,
    signal,
  });
  try {
    const run = (task: SearchTask) => awaitedLater(pool.run(task));
    let query = 0;
    const ahead = tasks.slice(0, 3 * threads).map(run);
    for (let next = ahead.length; ahead.length > 0; next++) {
      const packed = await ahead.shift()!;
      for (let i = 0; i < packed.ends.length; i++) yield { query: query++, ...unpackAnswer(packed, i) };
      if (next < tasks.length) ahead.push(run(tasks[next]!));
    }
  } finally {
    await pool.close();
  }
}
