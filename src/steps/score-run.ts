/** A run file against the judgements of a collection folder: means, intervals, and the values of every query. */
import { basename } from 'node:path';
import { readCorpus, readQrels, readRun } from '../data/index.ts';
import { evaluate, parseMeasures, summarise } from '../metrics/index.ts';
import type { CollectionScores } from './kinds/evaluate.ts';

export interface ScoreOptions {
  readonly split: string;
  /** In any spelling. */
  readonly measures: readonly string[];
  readonly resamples: number;
  readonly level: number;
  readonly seed: number;
}

/** Judged queries that the run lacks count 0. */
export async function scoreRun(
  runPath: string,
  collection: string,
  options: ScoreOptions,
): Promise<CollectionScores> {
  const qrels = await readQrels(collection, options.split);
  const { run } = await readRun(runPath);
  const evaluation = evaluate(qrels, run, parseMeasures(options.measures), { missing: 'zero' });
  const { measures, queries, intervals } = summarise(evaluation, options, false);
  let documents = 0;
  for await (const { ids } of readCorpus(collection)) documents += ids.length;
  return {
    collection: basename(collection),
    split: options.split,
    documents,
    queries,
    measures: { ...measures },
    intervals: Object.fromEntries(
      Object.entries(intervals.measures).map(([name, [low, high]]) => [name, [low, high]]),
    ),
    level: intervals.level,
    queryIds: [...evaluation.queryIds],
    perQuery: Object.fromEntries(
      evaluation.measures.map(({ name }, m) => [name, [...evaluation.values[m]!]]),
    ),
  };
}
