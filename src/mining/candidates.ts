/** Rankings to take negatives from: searched for, or read from a stored run. */

import { InputError, Problems } from '../base/index.ts';
import { type Prepared, searchBatch } from '../bm25/index.ts';
import type { IdTable, Run } from '../data/index.ts';
import type { Candidates } from './select.ts';

/** The ranking of a query, and the scores of its positives (null: the ranking does not reach it). */
export interface Ranked extends Candidates {
  readonly positiveScores: readonly (number | null)[];
}

/** A query as the ranker wants it; documents by number. */
export interface RankedQuery {
  readonly id: string;
  readonly text: string;
  readonly positives: readonly number[];
  /** The query's own document, where a collection's queries are documents; else -1. */
  readonly self: number;
}

/** Gives the ranking of each query, in order. */
export type Ranker = (queries: readonly RankedQuery[]) => AsyncIterable<Ranked>;

export interface SearchRankerOptions {
  /** Ranks wanted. */
  readonly depth: number;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export function searchRanker(prepared: Prepared, { depth, threads, signal }: SearchRankerOptions): Ranker {
  return async function* (queries) {
    const wanted = queries.map(({ text, positives, self }) => ({ text, also: positives, without: self }));
    for await (const { documents, scores, also } of searchBatch(prepared, wanted, depth, { threads, signal }))
      yield { documents, scores, positiveScores: [...also] };
  };
}

/**
 * Rankings from a run. A run of another collection or of other queries would give negatives that mean nothing: throws an `InputError` that names
 * the run's documents that the collection lacks, or says that the run has none of the queries.
 */
export function runRanker(run: Run, documents: IdTable, queryIds: readonly string[]): Ranker {
  const placeOf = new Map(run.queryIds.map((id, place) => [id, place]));
  const problems = new Problems();
  const numbers = new Int32Array(run.hashes.length);
  documents.findRows(run, Uint32Array.from(numbers.keys()), numbers);
  numbers.forEach((number, row) => {
    if (number < 0) problems.add(run.name, `document '${run.documentId(row)}' is not in the collection`);
  });
  problems.throwIfAny();
  if (!queryIds.some(id => placeOf.has(id)))
    throw new InputError(run.name, 'has none of the queries to mine for: it belongs to other queries');
  return async function* (queries) {
    for (const { id, positives, self } of queries) {
      const place = placeOf.get(id);
      const rows = place === undefined ? [] : run.rows.subarray(run.starts[place]!, run.starts[place + 1]!);
      const kept = [...rows].filter(row => numbers[row] !== self);
      const scoreOf = new Map(kept.map(row => [numbers[row]!, run.scores[row]!]));
      yield {
        documents: kept.map(row => numbers[row]!),
        scores: kept.map(row => run.scores[row]!),
        positiveScores: positives.map(document => scoreOf.get(document) ?? null),
      };
    }
  };
}
