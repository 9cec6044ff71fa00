/** A batch of queries and its answers, in a form that threads pass to each other cheaply. */
import type { Found, Searcher, SearchOptions } from './search.ts';

export interface Query extends SearchOptions {
  readonly text: string;
}

export interface SearchTask {
  readonly queries: readonly Query[];
  readonly k: number;
}

/** The answers end to end: query i has the hits from `ends[i - 1]` (0 for the first) to `ends[i]`, and likewise its `also`. */
export interface PackedAnswers {
  readonly ends: Uint32Array;
  readonly documents: Uint32Array;
  readonly scores: Float64Array;
  readonly alsoEnds: Uint32Array;
  readonly also: Float64Array;
}

export function answer(searcher: Searcher, { queries, k }: SearchTask): PackedAnswers {
  const found = queries.map(query => searcher.search(query.text, k, query));
  const ends = endsOf(found.map(({ documents }) => documents.length));
  const alsoEnds = endsOf(found.map(({ also }) => also.length));
  const packed = {
    ends,
    documents: new Uint32Array(ends.at(-1) ?? 0),
    scores: new Float64Array(ends.at(-1) ?? 0),
    alsoEnds,
    also: new Float64Array(alsoEnds.at(-1) ?? 0),
  };
  found.forEach(({ documents, scores, also }, i) => {
    packed.documents.set(documents, ends[i]! - documents.length);
    packed.scores.set(scores, ends[i]! - scores.length);
    packed.also.set(also, alsoEnds[i]! - also.length);
  });
  return packed;
}

/** The answer to query i. */
export function unpackAnswer({ ends, documents, scores, alsoEnds, also }: PackedAnswers, i: number): Found {
  const [from, alsoFrom] = i === 0 ? [0, 0] : [ends[i - 1]!, alsoEnds[i - 1]!];
  return {
    documents: documents.subarray(from, ends[i]!),
    scores: scores.subarray(from, ends[i]!),
    also: also.subarray(alsoFrom, alsoEnds[i]!),
  };
}

function endsOf(lengths: readonly number[]): Uint32Array {
  let end = 0;
  return Uint32Array.from(lengths, length => (end += length));
}
