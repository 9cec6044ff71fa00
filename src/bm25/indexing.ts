/** The tasks that building an index is made of, and who does them: this thread, or several others that share memory with it. */
import { openPool, type PackedStrings } from '../base/index.ts';
import type { CorpusBlock } from '../collections/index.ts';
import { AnalysisThread, type Analyzed, type AnalyzedLines } from './analysisThread.ts';
import type { AnalyzerName } from './analyzer.ts';
import { Gauge } from './gauge.ts';
import { type CountTask, countPostings, type FillTask, fillPart, type RarePostings } from './invert.ts';
import { type RankedIds, rankIds, type SortedTerms, sortTerms, type Vocabulary } from './vocabulary.ts';

/** What each task takes and gives. */
export interface Tasks {
  readonly texts: { readonly takes: readonly string[]; readonly gives: Analyzed };
  readonly lines: { readonly takes: CorpusBlock; readonly gives: AnalyzedLines };
  readonly sortTerms: { readonly takes: Vocabulary; readonly gives: SortedTerms };
  readonly rankIds: { readonly takes: PackedStrings; readonly gives: RankedIds };
  readonly countPostings: { readonly takes: CountTask; readonly gives: Uint32Array };
  readonly fillPart: { readonly takes: FillTask; readonly gives: RarePostings };
}

type TaskTable = {
  readonly [K in keyof Tasks]: (task: Tasks[K]['takes']) => Tasks[K]['gives'] | Promise<Tasks[K]['gives']>;
};

export interface IndexingSetup {
  readonly analyzer: AnalyzerName;
  readonly gauge: Gauge['cells'];
}

export interface Order<K extends keyof Tasks = keyof Tasks> {
  readonly kind: K;
  readonly task: Tasks[K]['takes'];
}

/** A thread's hands: does any task, and remembers the terms it has met. */
export function worker({ analyzer, gauge: cells }: IndexingSetup) {
  const thread = new AnalysisThread(analyzer);
  const gauge = new Gauge(cells);
  const table: TaskTable = {
    texts: texts => thread.texts(texts),
    lines: block => thread.lines(block),
    sortTerms,
    rankIds,
    countPostings: task => countPostings(task, gauge),
    fillPart: task => fillPart(task, gauge),
  };
  return async <K extends keyof Tasks>({ kind, task }: Order<K>): Promise<Tasks[K]['gives']> =>
    table[kind](task);
}

export interface Crew {
  readonly size: number;
  run<K extends keyof Tasks>(
    kind: K,
    task: Tasks[K]['takes'],
    transfer?: readonly ArrayBuffer[],
  ): Promise<Tasks[K]['gives']>;
  close(): Promise<void>;
}

/** Opens `threads` threads; one means this thread. */
export function openCrew(setup: IndexingSetup, threads: number): Crew {
  if (threads <= 1) {
    const perform = worker(setup);
    return { size: 1, run: (kind, task) => perform({ kind, task }), close: async () => undefined };
  }
  const file = new URL('./indexWorker.js', import.meta.url);
  const pool = openPool<Order, unknown>(file, { workers: threads, workerData: setup });
  return {
    size: threads,
    run: <K extends keyof Tasks>(kind: K, task: Tasks[K]['takes'], transfer?: readonly ArrayBuffer[]) =>
      pool.run({ kind, task }, transfer) as Promise<Tasks[K]['gives']>,
    close: () => pool.close(),
  };
}
