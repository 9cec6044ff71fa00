/**
 * From documents to an index, by counting sort: analyze every text into a bag of terms (spooled, while document frequencies are counted), put the
 * terms in byte order, then lay out all lists exactly and fill them, one part at a time. The result depends only on the documents and their order,
 * not on the threads: each numbers terms by itself, and what counts in the end is their byte order.
 */
import { awaitedLater, type PackedStrings, type Progress, silentProgress } from '../base/index.ts';
import { collect, type Documents } from './analysis.ts';
import type { AnalyzerName } from './analyzer.ts';
import type { Codebook } from './codes.ts';
import { Gauge } from './gauge.ts';
import { type Crew, openCrew } from './indexing.ts';
import type { RarePostings } from './invert.ts';
import { emptyPart, listStarts, type Part, type PartPlan, planParts } from './postings.ts';
import { shareCopy } from './shared.ts';
import { BagSpool, divide, type PieceRange } from './spool.ts';
import { unpack } from './strings.ts';
import type { TermNumbers, Terms } from './vocabulary.ts';

export interface BuildOptions {
  readonly analyzer: AnalyzerName;
  /**
   * About how much memory a part of the postings may take while the index is built (default 1 GiB); more goes through a temporary file. While
   * one part is written the next is filled in.
   */
  readonly memoryBytes?: number;
  /** Threads that do the work (default 1: this one). The index does not depend on them. */
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
  const { analyzer, progress = silentProgress, signal } = options;
  const gauge = new Gauge();
  const crew = openCrew({ analyzer, gauge: gauge.cells }, options.threads ?? 1);
  try {
    const { ids, idRanks, lengths, terms, pairs } = await collect(source, spool, crew, { progress, signal });
    const documents = lengths.length;
    const ranges = spool.ranges(crew.size);
    const plans = planParts(terms.df, documents, options.memoryBytes ?? DEFAULT_MEMORY_BYTES);
    const passes = plans.length + (ranges.length > 1 ? 1 : 0);
    const task = progress.start('invert', passes * documents, 'documents');
    const head = await gauge.watch(task, signal, async () => {
      const counting = awaitedLater(countRanges(ranges, terms, crew));
      const head: IndexHead = {
        analyzer,
        documents,
        tokens: lengths.reduce((sum, length) => sum + length, 0),
        ids,
        idRanks: await idRanks,
        lengths,
        terms: terms.terms,
        df: terms.df,
        codebook: pairs.codebook(options.codes),
        starts: listStarts(terms.df, documents, plans),
        partEnds: plans.map(plan => plan.to),
      };
      /** What is ready is written while the next is made. */
      const written = awaitedLater(sink.head(head));
      const { numbers } = terms;
      await fillParts({ head, plans, ranges, numbers, counts: await counting, crew }, sink, written);
      return head;
    });
    task.finish();
    return head;
  } finally {
    await crew.close();
  }
}

/** For each range but the last, of which nobody needs to know, the documents that hold each term. */
function countRanges(
  ranges: readonly PieceRange[],
  { numbers, df: { length: terms } }: Terms,
  crew: Crew,
): Promise<Uint32Array[]> {
  const shares = ranges.length === 2 ? 2 : 1; // or one of two threads would look on
  return Promise.all(
    ranges.slice(0, -1).map(async whole => {
      const [counts, ...others] = await Promise.all(
        divide(whole, shares).map(range => crew.run('countPostings', { range, numbers, terms })),
      );
      for (const other of others) for (let term = 0; term < terms; term++) counts![term]! += other[term]!;
      return counts!;
    }),
  );
}

interface Filling {
  readonly head: IndexHead;
  readonly plans: readonly PartPlan[];
  readonly ranges: readonly PieceRange[];
  readonly numbers: TermNumbers;
  /** See `countRanges`. */
  readonly counts: readonly Uint32Array[];
  readonly crew: Crew;
}

/** Hands the parts to the sink, each while the next is filled in; the first when the head is written. */
async function fillParts(
  { head, plans, ranges, numbers, counts, crew }: Filling,
  sink: IndexSink,
  headWritten: Promise<void>,
): Promise<void> {
  const { df, documents, codebook } = head;
  let written = headWritten;
  for (const plan of plans) {
    const part = emptyPart(plan, documents);
    const rare = await Promise.all(
      ranges.map((range, i) =>
        crew.run('fillPart', {
          range,
          numbers,
          plan,
          part,
          df,
          before: counts.slice(0, i),
          documents,
          codebook,
        }),
      ),
    );
    await written;
    written = awaitedLater(sink.part({ ...part, ...sortedRare(rare.flat()) }));
  }
  await written;
}

function sortedRare(postings: RarePostings): Pick<Part, 'rareAt' | 'rareTfs'> {
  const inOrder = [...postings].sort((a, b) => a.posting - b.posting);
  return {
    rareAt: shareCopy(
      Uint32Array,
      inOrder.map(({ posting }) => posting),
    ),
    rareTfs: shareCopy(
      Uint32Array,
      inOrder.map(({ tf }) => tf),
    ),
  };
}
