/** Training and validation pairs from judged queries. */
import type { PairRecord } from '../../pairs.ts';
import type { Collection, CollectionText, JudgedQuery } from './collection.ts';

/** Two training collections as one; their queries and documents are disjoint. Queries take turns, so that every batch mixes both tasks. */
export function mixed(a: Collection, b: Collection): Collection {
  const [first, second] = [a.queries['train'] ?? [], b.queries['train'] ?? []];
  return {
    documents: [...a.documents, ...b.documents],
    queries: { train: first.flatMap((query, i) => [query, ...second.slice(i, i + 1)]) },
  };
}

/** One record a query: all its relevant documents, highest grade first, then by id; no negatives yet. */
export function pairsOf(queries: readonly JudgedQuery[], documents: readonly CollectionText[]): PairRecord[] {
  const textOf = new Map(documents.map(({ id, text }) => [id, text]));
  return queries.map(({ id, text, relevant }) => {
    const positives = [...relevant].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([id]) => id);
    return {
      query_id: id,
      query: text,
      pos: positives.map(id => textOf.get(id)!),
      pos_ids: positives,
      neg: [],
    };
  });
}
