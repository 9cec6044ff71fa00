/** A batch of queries and its answers, in a form that threads pass to each other cheaply. */
import type { Searcher } from './search.ts';

export interface SearchTask {
  readonly queries: readonly string[];
  readonly k: number;
  /** For each query the number of a document to leave out, or -1; undefined: none for any. */
  readonly without: readonly number[] | undefined;
}

/** The answers end to end: query i has the hits from `ends[i - 1]` (0 for the first) to `ends[i]`. */
export interface PackedAnswers {
  readonly ends: Uint32Array;
  readonly documents: Uint32Array;
  readonly scores: Float64Array;
}

export function answer(searcher: Searcher, { queries, k, without }: SearchTask): PackedAnswers {
  const answers = queries.map((query, i) => searcher.search(query, k, without?.[i]));
  const ends = new Uint32Array(queries.length);
  let total = 0;
  for (let i = 0; i < answers.length; i++) {
    total += answers[i]!.documents.length;
    ends[i] = total;
  }
  const documents = new Uint32Array(total);
  const scores = new Float64Array(total);
  for (let i = 0, at = 0; i < answers.length; at = ends[i++]!) {
    documents.set(answers[i]!.documents, at);
    scores.set(answers[i]!.scores, at);
  }
  return { ends, documents, scores };
}
