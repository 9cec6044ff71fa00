/** A batch of tokenised texts as what the contrastive graph is fed. */
import type { Tensor } from '../graph/index.ts';

/** One query with its positive first and then its negatives; token ids of each text. */
export interface TokenizedGroup {
  readonly query: Uint32Array;
  readonly passages: readonly Uint32Array[];
  /**
   * Hashes of all texts that are relevant to the query. DEVIATION: another query's passage with one of them is no negative, where the reference code
   * takes every passage of the batch.
   */
  readonly relevant: ReadonlySet<number>;
  /** Hash of each passage's text. */
  readonly passageHashes: readonly number[];
}

export interface BatchOptions {
  /** Do other queries' passages compete (the reference's rule), or only a query's own? */
  readonly inBatchNegatives: boolean;
  /** Tokens, padding included, of one chunk. */
  readonly chunkTokens: number;
  /** Exactly this many chunks, for the direct way; undefined: as many as `chunkTokens` asks for. */
  readonly chunks?: number;
  readonly padId: number;
  /** No text is padded beyond this: where learned positions end. */
  readonly longest?: number;
}

export interface Chunk {
  /** Place of its first text among all, in the order of length. */
  readonly firstText: number;
  /** B and T. */
  readonly rows: number;
  readonly length: number;
}

export interface ContrastiveBatch {
  readonly chunks: readonly Chunk[];
  /** (B, T) of each chunk, padded on the right. */
  readonly ids: readonly Int32Array[];
  /** Texts, not counting the repetitions that a small batch is filled up with. */
  readonly texts: number;
  /** Tokens of each text, in the order of length: (n) */
  readonly lengths: Int32Array;
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** Tokens without padding, and with it. */
  readonly tokens: number;
  readonly paddedTokens: number;
}

/** Widths are rounded up to this: the engine's kernels like it, and it costs little padding. */
const LENGTH_STEP = 8;

/** What a masked score gets: exp gives exactly 0. */
const MASKED = -1e30;

export function collate(queries: readonly TokenizedGroup[], options: BatchOptions): ContrastiveBatch {
  const texts = queries.flatMap(({ query, passages }) => [query, ...passages]);
  const order = texts.map((_, i) => i).sort((a, b) => texts[a]!.length - texts[b]!.length || a - b);
  const rowOf = new Int32Array(texts.length);
  order.forEach((text, row) => {
    rowOf[text] = row;
  });
  const sorted = order.map(text => texts[text]!);
  // every chunk needs a text: the longest again, which no loss looks at, so its gradient is zero
  while (sorted.length < (options.chunks ?? 0)) sorted.push(sorted.at(-1)!);
  const groups = lengthGroups(sorted, options.longest);
  const chunks =
    options.chunks === undefined
      ? chunksByTokens(groups, options.chunkTokens)
      : tightestChunks(groups, options.chunks);
  const ids = chunks.map(chunk => padChunk(sorted, chunk, options.padId));
  return {
    chunks,
    ids,
    texts: texts.length,
    lengths: Int32Array.from(sorted, ({ length }) => length),
    feeds: lossFeeds(queries, rowOf, options.inBatchNegatives),
    tokens: texts.reduce((sum, { length }) => sum + length, 0),
    paddedTokens: ids.reduce((sum, { length }) => sum + length, 0),
  };
}

const paddedLength = (length: number): number =>
  Math.max(LENGTH_STEP, Math.ceil(length / LENGTH_STEP) * LENGTH_STEP);

/** What a chunk costs beside its positions, as positions: so few small chunks are made for a little less padding. */
const CHUNK_COST = 256;

/** Chunks of at most `chunkTokens` positions (a longer text has one of its own) at the least cost. */
function chunksByTokens(groups: readonly Chunk[], chunkTokens: number): Chunk[] {
  const pieces = groups.flatMap(group => cutToFit(group, chunkTokens));
  const fits = (chunk: Chunk) => chunk.rows === 1 || chunk.rows * chunk.length <= chunkTokens;
  return bestCuts(pieces, { fits, chunkCost: CHUNK_COST });
}

function cutToFit({ firstText, rows, length }: Chunk, chunkTokens: number): Chunk[] {
  const most = Math.max(1, Math.floor(chunkTokens / length));
  const pieces: Chunk[] = [];
  for (let done = 0; done < rows; done += most) {
    pieces.push({ firstText: firstText + done, rows: Math.min(most, rows - done), length });
  }
  return pieces;
}

/**
 * Exactly `count` chunks with the least padding: the best cuts between texts of different padded lengths, found by dynamic programming;
 * where there are fewer lengths than chunks, large chunks are halved, which costs nothing.
 */
function tightestChunks(groups: readonly Chunk[], count: number): Chunk[] {
  const chunks = bestCuts(groups, { count });
  while (chunks.length < count) {
    const largest = chunks.reduce((a, b) => (b.rows > a.rows ? b : a));
    const half = largest.rows >> 1;
    const halves = [
      { ...largest, rows: half },
      { ...largest, firstText: largest.firstText + half, rows: largest.rows - half },
    ];
    chunks.splice(chunks.indexOf(largest), 1, ...halves);
  }
  return chunks;
}

/** Runs of texts with one padded length, as chunks. */
function lengthGroups(sorted: readonly Uint32Array[], longest = Number.POSITIVE_INFINITY): Chunk[] {
  const groups: Chunk[] = [];
  sorted.forEach((text, i) => {
    const length = Math.min(longest, paddedLength(text.length));
    const last = groups.at(-1);
    if (last?.length === length) groups[groups.length - 1] = { ...last, rows: last.rows + 1 };
    else groups.push({ firstText: i, rows: 1, length });
  });
  return groups;
}

interface Cuts {
  readonly cost: number;
  readonly chunks: readonly Chunk[];
}

interface CutRules {
  /** Most chunks (default: no limit). */
  readonly count?: number;
  readonly fits?: (chunk: Chunk) => boolean;
  readonly chunkCost?: number;
}

/** Chunks of whole consecutive groups with the fewest positions, padding included, by dynamic programming over the last cut. */
function bestCuts(
  groups: readonly Chunk[],
  { count = groups.length, fits = () => true, chunkCost = 0 }: CutRules,
): Chunk[] {
  let best: (Cuts | undefined)[] = [{ cost: 0, chunks: [] }];
  for (let used = 0; used < count; used++) {
    const next = [...best];
    for (let end = 1; end <= groups.length; end++) {
      for (let start = end - 1; start >= 0; start--) {
        const chunk = joined(groups, start, end);
        if (!fits(chunk)) break;
        const before = best[start];
        const cost = (before?.cost ?? Number.POSITIVE_INFINITY) + chunk.rows * chunk.length + chunkCost;
        if (before && cost < (next[end]?.cost ?? Number.POSITIVE_INFINITY))
          next[end] = { cost, chunks: [...before.chunks, chunk] };
      }
    }
    if (next[groups.length] && next[groups.length]!.cost === best[groups.length]?.cost) break; // another chunk saves nothing
    best = next;
  }
  return [...best[groups.length]!.chunks];
}

function joined(groups: readonly Chunk[], start: number, end: number): Chunk {
  const last = groups[end - 1]!;
  const { firstText } = groups[start]!;
  return { firstText, rows: last.firstText + last.rows - firstText, length: last.length };
}

function padChunk(
  sorted: readonly Uint32Array[],
  { firstText, rows, length }: Chunk,
  padId: number,
): Int32Array {
  const ids = new Int32Array(rows * length).fill(padId);
  for (let row = 0; row < rows; row++) ids.set(sorted[firstText + row]!, row * length);
  return ids;
}

function lossFeeds(
  groups: readonly TokenizedGroup[],
  rowOf: Int32Array,
  inBatchNegatives: boolean,
): Record<string, Tensor> {
  const [queryRows, passageRows, positives]: [number[], number[], number[]] = [[], [], []];
  const owner: number[] = [];
  const hashes: number[] = [];
  let text = 0;
  groups.forEach(({ passages, passageHashes }, q) => {
    queryRows.push(rowOf[text++]!);
    positives.push(passageRows.length);
    passages.forEach((_, i) => {
      passageRows.push(rowOf[text++]!);
      owner.push(q);
      hashes.push(passageHashes[i]!);
    });
  });
  const mask = new Float32Array(groups.length * owner.length);
  groups.forEach(({ relevant }, q) => {
    owner.forEach((of, p) => {
      const own = positives[q] === p;
      const competes = own || (!relevant.has(hashes[p]!) && (of === q || inBatchNegatives));
      mask[q * owner.length + p] = competes ? 0 : MASKED;
    });
  });
  return {
    queryRows: int64(queryRows),
    passageRows: int64(passageRows),
    positives: int64(positives),
    mask: { dtype: 'float32', shape: [groups.length, owner.length], data: mask },
    perQuery: { dtype: 'float32', shape: [], data: Float32Array.of(1 / groups.length) },
  };
}

const int64 = (numbers: readonly number[]): Tensor => ({
  dtype: 'int64',
  shape: [numbers.length],
  data: BigInt64Array.from(numbers, BigInt),
});

/** The feeds that differ between the two ways. */
export function textFeeds(
  { chunks, ids, lengths }: ContrastiveBatch,
  direct: boolean,
): Record<string, Tensor> {
  const shared: Record<string, Tensor> = {
    lengths: { dtype: 'int32', shape: [lengths.length], data: lengths },
  };
  if (direct) {
    chunks.forEach(({ rows, length }, i) => {
      shared[`ids${i}`] = { dtype: 'int32', shape: [rows, length], data: ids[i]! };
    });
    return shared;
  }
  const flat = new Int32Array(ids.reduce((sum, { length }) => sum + length, 0));
  const table: number[] = [];
  let at = 0;
  chunks.forEach(({ firstText, rows, length }, i) => {
    flat.set(ids[i]!, at);
    table.push(at, firstText, rows, length);
    at += ids[i]!.length;
  });
  return {
    ...shared,
    ids: { dtype: 'int32', shape: [flat.length], data: flat },
    chunks: { dtype: 'int64', shape: [chunks.length, 4], data: BigInt64Array.from(table, BigInt) },
  };
}
