/** Exact search: every query against every vector, block by block, in memory that does not grow with the collection. */
import { InputError, InternalError } from '../base/index.ts';
import { byteOrder, compareHits, type Hit } from '../data/index.ts';
import { gemm, input, makeGraph, type Tensor, topK } from '../graph/index.ts';
import { Session, type SessionOptions } from '../runtime/index.ts';
import type { EmbeddingBlock } from './embeddings.ts';

export interface Queries {
  readonly ids: readonly string[];
  /** (ids.length, dimension) */
  readonly vectors: Float32Array;
}

export interface SearchOptions extends Pick<SessionOptions, 'threads' | 'provider'> {
  /** Documents kept of each query. */
  readonly k: number;
  /** Leave out a document whose id is the query's. */
  readonly removeSelf?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onBlock?: (rows: number) => void;
}

/** Queries whose scores are held at a time: with a block of 50,000 vectors these are 25 MB. */
const QUERIES_AT_ONCE = 128;

/** Vectors whose scores are held at a time, whatever the size of the blocks. */
const VECTORS_AT_ONCE = 50_000;

/**
 * The k best documents of every query by inner product (the cosine, for vectors of unit length), in the program's ranking order: score
 * descending, then id descending by bytes. Exact, ties included.
 */
export async function exactSearch(
  queries: Queries,
  blocks: AsyncIterable<EmbeddingBlock> | Iterable<EmbeddingBlock>,
  options: SearchOptions,
): Promise<Hit[][]> {
  const dimension = queries.vectors.length / Math.max(1, queries.ids.length);
  const searcher = new BlockSearcher(dimension, options);
  let best: Hit[][] = queries.ids.map(() => []);
  try {
    for await (const part of regroup(blocks, dimension, VECTORS_AT_ONCE)) {
      const found = await searcher.search(queries, part);
      best = best.map((hits, q) => merge(hits, found[q]!, options.k));
      options.onBlock?.(part.ids.length);
    }
  } finally {
    await searcher.release();
  }
  return best;
}

/**
 * The same vectors in blocks of `rows`, but for the last: small blocks are put together, because every block costs a merge of k hits a query, and large
 * ones are cut. Throws where vectors have another width.
 */
export async function* regroup(
  blocks: AsyncIterable<EmbeddingBlock> | Iterable<EmbeddingBlock>,
  dimension: number,
  rows: number,
): AsyncGenerator<EmbeddingBlock> {
  let held: EmbeddingBlock[] = [];
  let count = 0;
  for await (const block of blocks) {
    checkWidth(block, dimension);
    for (let from = 0; from < block.ids.length; ) {
      const to = Math.min(block.ids.length, from + rows - count);
      held.push(rowsOf(block, from, to, dimension));
      count += to - from;
      from = to;
      if (count < rows) continue;
      yield joined(held, count, dimension);
      [held, count] = [[], 0];
    }
  }
  if (count > 0) yield joined(held, count, dimension);
}

function checkWidth({ ids, vectors }: EmbeddingBlock, dimension: number): void {
  if (vectors.length === ids.length * dimension) return;
  const width = vectors.length / ids.length;
  throw new InputError('embeddings', `vectors of ${width} numbers, the queries have ${dimension}`);
}

function rowsOf(block: EmbeddingBlock, from: number, to: number, dimension: number): EmbeddingBlock {
  if (from === 0 && to === block.ids.length) return block;
  return {
    ids: block.ids.slice(from, to),
    vectors: block.vectors.subarray(from * dimension, to * dimension),
  };
}

function joined(blocks: readonly EmbeddingBlock[], count: number, dimension: number): EmbeddingBlock {
  if (blocks.length === 1) return blocks[0]!;
  const vectors = new Float32Array(count * dimension);
  let at = 0;
  for (const block of blocks) {
    vectors.set(block.vectors, at);
    at += block.vectors.length;
  }
  return { ids: blocks.flatMap(({ ids }) => ids), vectors };
}

/** Both lists are ranked; so is the result, cut to k. */
function merge(a: readonly Hit[], b: readonly Hit[], k: number): Hit[] {
  if (a.length === 0) return b.slice(0, k);
  const merged: Hit[] = [];
  for (let i = 0, j = 0; merged.length < k && (i < a.length || j < b.length); ) {
    const takeA = j >= b.length || (i < a.length && compareHits(a[i]!, b[j]!) < 0);
    merged.push(takeA ? a[i++]! : b[j++]!);
  }
  return merged;
}

class BlockSearcher {
  readonly #dimension: number;
  readonly #options: SearchOptions;
  /** One session for each number of results: k, or all of a block that has fewer. */
  readonly #sessions = new Map<number, Session>();

  constructor(dimension: number, options: SearchOptions) {
    this.#dimension = dimension;
    this.#options = options;
  }

  /** Ranked hits of every query in one block. */
  async search(queries: Queries, block: EmbeddingBlock): Promise<Hit[][]> {
    const { k, removeSelf = false, signal } = this.#options;
    const { ids, vectors } = descendingIds(block, this.#dimension);
    const documents: Tensor = { dtype: 'float32', shape: [ids.length, this.#dimension], data: vectors };
    // One more than asked for, so that k are left where the query's own document goes.
    const session = await this.#sessionFor(Math.min(ids.length, removeSelf ? k + 1 : k));
    const hits: Hit[][] = [];
    for (let from = 0; from < queries.ids.length; from += QUERIES_AT_ONCE) {
      signal?.throwIfAborted();
      const own = queries.ids.slice(from, from + QUERIES_AT_ONCE);
      const data = queries.vectors.subarray(from * this.#dimension, (from + own.length) * this.#dimension);
      const results = await session.run({
        queries: { dtype: 'float32', shape: [own.length, this.#dimension], data },
        documents,
      });
      own.forEach((queryId, q) => {
        const found = rowHits(results, q, ids);
        hits.push(removeSelf ? found.filter(({ id }) => id !== queryId).slice(0, k) : found);
      });
    }
    return hits;
  }

  async #sessionFor(k: number): Promise<Session> {
    const held = this.#sessions.get(k);
    if (held) return held;
    const queries = input('queries', 'float32', ['Q', this.#dimension]);
    const documents = input('documents', 'float32', ['N', this.#dimension]);
    const best = topK(gemm(queries, documents, { transB: 1 }), k);
    const { threads, provider } = this.#options;
    const options = { ...(threads !== undefined && { threads }), ...(provider && { provider }) };
    const session = await Session.create(
      makeGraph([queries, documents], { scores: best.values, places: best.places }),
      options,
    );
    this.#sessions.set(k, session);
    return session;
  }

  async release(): Promise<void> {
    for (const session of this.#sessions.values()) await session.release();
  }
}

/** The engine ranks equal scores by place, so documents are put in descending order of their ids first. */
function descendingIds(block: EmbeddingBlock, dimension: number): EmbeddingBlock {
  const { indexAt } = byteOrder(block.ids);
  const order = indexAt.reverse();
  if (order.every((from, to) => from === to)) return block;
  const vectors = new Float32Array(block.vectors.length);
  order.forEach((from, to) => {
    vectors.set(block.vectors.subarray(from * dimension, (from + 1) * dimension), to * dimension);
  });
  return { ids: Array.from(order, i => block.ids[i]!), vectors };
}

function rowHits(results: Readonly<Record<string, Tensor>>, row: number, ids: readonly string[]): Hit[] {
  const { scores, places } = results;
  if (!scores || !places) throw new InternalError('the search returned nothing');
  const k = scores.shape[1]!;
  return Array.from({ length: k }, (_, i) => ({
    id: ids[Number(places.data[row * k + i])]!,
    score: Number(scores.data[row * k + i]),
  }));
}
