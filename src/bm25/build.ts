/**
 * From documents to an index, by counting sort: analyze every text into a bag of terms (spooled, while document frequencies are counted), put the
 * terms in byte order, then lay out all lists exactly and fill them, one part at a time. The result depends only on the documents and their order.
 */
import { InputError, type Progress, silentProgress } from '../base/index.ts';
import { withRoom } from '../data/index.ts';
import { analyzeCorpus, analyzeTexts } from './analysis.ts';
import type { AnalyzerName } from './analyzer.ts';
import type { Bags, DocumentBatch } from './bags.ts';
import { type Codebook, PairCounter } from './codes.ts';
import { StringPacker, StringTable } from './intern.ts';
import { listStarts, type Part, PartMaker, planParts } from './postings.ts';
import { shareCopy, shared } from './shared.ts';
import { BagSpool } from './spool.ts';
import { compareWith, type PackedStrings, packedOrder, unpack } from './strings.ts';

export type DocumentBatches = AsyncIterable<DocumentBatch> | Iterable<DocumentBatch>;

/** A collection: its documents, or the folder to read them from, which several threads then do together. */
export type Documents = DocumentBatches | { readonly folder: string };

export interface BuildOptions {
  readonly analyzer: AnalyzerName;
  /** About how much memory postings may take while the index is built (default 1 GiB); more goes through a temporary file. */
  readonly memoryBytes?: number;
  /** Threads that analyze text (default 1: this one). The index does not depend on them. */
  readonly threads?: number;
  /** At most this many pair codes (default, and most: 65,535). */
  readonly codes?: number;
  readonly progress?: Progress;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_MEMORY_BYTES = 2 ** 30;

/** Everything of an index but its postings. All arrays lie in memory that threads can share. */
export interface IndexHead {
  readonly analyzer: AnalyzerName;
  readonly documents: number;
  /** Sum of all lengths. */
  readonly tokens: number;
  readonly ids: PackedStrings;
  /** Place of each document's id in ascending byte order: of two documents with equal scores the larger ranks first. */
  readonly idRanks: Uint32Array;
  /** Tokens of each document. */
  readonly lengths: Uint32Array;
  /** In byte order: a term's number is its place. */
  readonly terms: PackedStrings;
  /** Documents that hold each term. */
  readonly df: Uint32Array;
  /** What each pair code of a posting stands for. */
  readonly codebook: Codebook;
  /** Where each term's list begins in its part (see `listStarts`). */
  readonly starts: Uint32Array;
  /** For each part the number of its last term + 1. */
  readonly partEnds: readonly number[];
}

export interface Bm25Index extends IndexHead {
  readonly parts: readonly Part[];
}

/** The id of a document. */
export function documentId(index: Bm25Index, document: number): string {
  return unpack(index.ids, document);
}

/** Builds an index in memory. Throws an `InputError` on duplicate ids and on a collection without documents. */
export async function buildIndex(source: Documents, options: BuildOptions): Promise<Bm25Index> {
  const parts: Part[] = [];
  const spool = new BagSpool({ memoryBytes: Number.POSITIVE_INFINITY });
  const head = await invert(source, options, spool, {
    head: async () => undefined,
    part: async part => void parts.push(part),
  });
  return { ...head, parts };
}

/** Receives an index piece by piece: the head first, then each part. */
export interface IndexSink {
  head(head: IndexHead): Promise<void>;
  part(part: Part): Promise<void>;
}

/** Builds an index into a sink in bounded memory: with a temporary file beside `beside`, and one part at a time. */
export async function buildInto(
  sink: IndexSink,
  beside: string,
  source: Documents,
  options: BuildOptions,
): Promise<IndexHead> {
  const memoryBytes = options.memoryBytes ?? DEFAULT_MEMORY_BYTES;
  const spool = new BagSpool({ memoryBytes: memoryBytes / 2, beside });
  try {
    return await invert(source, options, spool, sink);
  } finally {
    await spool.close();
  }
}

async function invert(
  source: Documents,
  options: BuildOptions,
  spool: BagSpool,
  sink: IndexSink,
): Promise<IndexHead> {
  const collection = await collect(source, options, spool);
  const { documents, lengths, ids, codebook } = collection;
  const { terms, df, order } = inByteOrder(collection.terms, collection.df);
  const plans = planParts(df, documents, options.memoryBytes ?? DEFAULT_MEMORY_BYTES);
  const head: IndexHead = {
    analyzer: options.analyzer,
    documents,
    tokens: lengths.reduce((sum, length) => sum + length, 0),
    ids: shareStrings(ids),
    idRanks: ranksOfIds(ids),
    lengths: shareCopy(Uint32Array, lengths),
    terms,
    df,
    codebook,
    starts: listStarts(df, documents, plans),
    partEnds: plans.map(plan => plan.to),
  };
  await sink.head(head);
  const task = (options.progress ?? silentProgress).start('invert', plans.length * documents, 'documents');
  for (const [number, plan] of plans.entries()) {
    const maker = new PartMaker(plan, df, order, documents, codebook);
    for await (const spooled of spool.replay()) {
      options.signal?.throwIfAborted();
      maker.add(spooled);
      task.update(number * documents + spooled.first + spooled.bags.counts.length);
    }
    await sink.part(maker.finish());
  }
  task.finish();
  return head;
}

interface Collection {
  readonly documents: number;
  readonly ids: PackedStrings;
  readonly lengths: Uint32Array;
  /** Terms in order of arrival, and the documents that hold each. */
  readonly terms: StringTable;
  readonly df: Uint32Array;
  readonly codebook: Codebook;
}

/** Analyzes all documents into the spool. */
async function collect(
  source: Documents,
  { analyzer, threads = 1, codes, progress = silentProgress, signal }: BuildOptions,
  spool: BagSpool,
): Promise<Collection> {
  const task = progress.start('analyze', undefined, 'documents');
  const ids = new StringPacker();
  const pairs = new PairCounter();
  let [lengths, df] = [new Uint32Array(1024), new Uint32Array(1024)];
  let documents = 0;
  let terms = new StringTable();
  const analysis =
    'folder' in source
      ? analyzeCorpus(source.folder, ids, { analyzer, threads, signal })
      : analyzeTexts(textsOf(source, ids, signal), analyzer, threads);
  for await (const analyzed of analysis) {
    const { bags } = analyzed;
    terms = analyzed.terms;
    lengths = withRoom(lengths, documents + bags.lengths.length);
    lengths.set(bags.lengths, documents);
    df = withRoom(df, terms.size);
    for (let i = 0; i < bags.terms.length; i++) df[bags.terms[i]!]!++;
    countPairs(bags, pairs);
    await spool.append(documents, bags);
    documents += bags.lengths.length;
    task.update(documents);
  }
  task.finish();
  if (documents === 0) throw new InputError('collection', 'holds no documents: nothing to index');
  return {
    documents,
    ids: ids.packed(),
    lengths: lengths.subarray(0, documents),
    terms,
    df: df.subarray(0, terms.size),
    codebook: pairs.codebook(codes),
  };
}

/** The texts of batches, whose ids are kept. */
async function* textsOf(
  batches: DocumentBatches,
  ids: StringPacker,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly string[]> {
  for await (const batch of batches) {
    signal?.throwIfAborted();
    for (const id of batch.ids) ids.push(id);
    yield batch.texts;
  }
}

function countPairs({ lengths, counts, tfs }: Bags, pairs: PairCounter): void {
  let at = 0;
  for (let i = 0; i < counts.length; i++) {
    const length = lengths[i]!;
    for (const end = at + counts[i]!; at < end; at++) pairs.count(tfs[at]!, length);
  }
}

/** Terms and their document frequencies in byte order, and `order[i]`: the number that term i had before. */
function inByteOrder(table: StringTable, df: Uint32Array) {
  const unsorted = table.packed();
  const order = packedOrder(unsorted);
  const bytes = shared(Uint8Array, unsorted.bytes.length);
  const ends = shared(Uint32Array, order.length);
  const sortedDf = shared(Uint32Array, order.length);
  let at = 0;
  for (let i = 0; i < order.length; i++) {
    const term = order[i]!;
    const from = term === 0 ? 0 : unsorted.ends[term - 1]!;
    bytes.set(unsorted.bytes.subarray(from, unsorted.ends[term]), at);
    at += unsorted.ends[term]! - from;
    ends[i] = at;
    sortedDf[i] = df[term]!;
  }
  return { terms: { bytes, ends }, df: sortedDf, order };
}

function ranksOfIds(ids: PackedStrings): Uint32Array {
  const order = packedOrder(ids);
  const ranks = shared(Uint32Array, order.length);
  const duplicates: string[] = [];
  for (let rank = 0; rank < order.length; rank++) {
    ranks[order[rank]!] = rank;
    if (rank === 0) continue;
    const [before, id] = [idBytes(ids, order[rank - 1]!), order[rank]!];
    if (compareWith(ids, id, before) === 0) duplicates.push(Buffer.from(before).toString('utf8'));
  }
  if (duplicates.length > 0)
    throw new InputError(
      duplicates
        .slice(0, 50)
        .map(id => ({ where: `document '${id}'`, message: 'this id occurs more than once' })),
    );
  return ranks;
}

function idBytes(ids: PackedStrings, i: number): Uint8Array {
  return ids.bytes.subarray(i === 0 ? 0 : ids.ends[i - 1]!, ids.ends[i]);
}

function shareStrings(strings: PackedStrings): PackedStrings {
  return { bytes: shareCopy(Uint8Array, strings.bytes), ends: shareCopy(Uint32Array, strings.ends) };
}
