/** A batch of tokenised texts as what the contrastive graph is fed. */
import { InternalError } from '../base/index.ts';
import type { Tensor } from '../graph/index.ts';

/** One query with its positive first and then its negatives; token ids of each text. */
export interface TokenizedGroup {
  readonly query: Uint32Array;
  readonly passages: readonly Uint32Array[];
  /** Hashes of all texts that are relevant to the query: another query's passage with one of them is no negative. */
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

export function collate(groups: readonly TokenizedGroup[], options: BatchOptions): ContrastiveBatch {
  const texts = groups.flatMap(({ query, passages }) => [query, ...passages]);
  const order = texts.map((_, i) => i).sort((a, b) => texts[a]!.length - texts[b]!.length || a - b);
  const rowOf = new Int32Array(texts.length);
  order.forEach((text, row) => {
    rowOf[text] = row;
  });
  const sorted = order.map(text => texts[text]!);
  const chunks =
    options.chunks === undefined
      ? chunksByTokens(sorted, options.chunkTokens)
      : equalChunks(sorted, options.chunks);
  const ids = chunks.map(chunk => padChunk(sorted, chunk, options.padId));
  return {
    chunks,
    ids,
    lengths: Int32Array.from(sorted, ({ length }) => length),
    feeds: lossFeeds(groups, rowOf, options.inBatchNegatives),
    tokens: sorted.reduce((sum, { length }) => sum + length, 0),
    paddedTokens: ids.reduce((sum, { length }) => sum + length, 0),
  };
}

const roundUp = (length: number): number =>
  Math.max(LENGTH_STEP, Math.ceil(length / LENGTH_STEP) * LENGTH_STEP);

/** Texts in ascending length: a chunk takes more as long as its rows times its longest stay within the limit. */
function chunksByTokens(sorted: readonly Uint32Array[], chunkTokens: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let first = 0; first < sorted.length; ) {
    let rows = 1;
    while (first + rows < sorted.length && (rows + 1) * roundUp(sorted[first + rows]!.length) <= chunkTokens)
      rows++;
    chunks.push({ firstText: first, rows, length: roundUp(sorted[first + rows - 1]!.length) });
    first += rows;
  }
  return chunks;
}

/** Exactly `count` chunks of about equally many tokens; every chunk has at least one text. */
function equalChunks(sorted: readonly Uint32Array[], count: number): Chunk[] {
  if (sorted.length < count) throw new InternalError(`${sorted.length} texts do not make ${count} chunks`);
  const total = sorted.reduce((sum, { length }) => sum + length, 0);
  const chunks: Chunk[] = [];
  let [first, taken] = [0, 0];
  for (let i = 0; i < count; i++) {
    let rows = 0;
    const most = sorted.length - first - (count - 1 - i);
    while (rows < most && (rows === 0 || taken < (total * (i + 1)) / count || i === count - 1))
      taken += sorted[first + rows++]!.length;
    chunks.push({ firstText: first, rows, length: roundUp(sorted[first + rows - 1]!.length) });
    first += rows;
  }
  return chunks;
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
