/** Reading and analyzing a whole collection, piece by piece, in as many threads as there are. */
import {
  awaitedLater,
  type FoundProblems,
  InputError,
  mapOrdered,
  type PackedStrings,
  Problems,
  type Progress,
  withRoom,
} from '../base/index.ts';
import { readCorpusBlocks } from '../collections/index.ts';
import type { Analyzed, AnalyzedLines } from './analysisThread.ts';
import type { DocumentBatch } from './bags.ts';
import { PairCounter } from './codes.ts';
import type { Crew } from './indexing.ts';
import { StringPacker } from './intern.ts';
import { shareCopy, shareStrings } from './shared.ts';
import type { BagSpool } from './spool.ts';
import { unpack } from './strings.ts';
import { mergeTerms, type RankedIds, type Terms, type Vocabulary } from './vocabulary.ts';

export type DocumentBatches = AsyncIterable<DocumentBatch> | Iterable<DocumentBatch>;

/** A collection: its documents, or the folder to read them from, which several threads then do together. */
export type Documents = DocumentBatches | { readonly folder: string };

/** All of a collection but its bags, which are in the spool. */
export interface Collection {
  readonly ids: PackedStrings;
  /** Under way when the rest is ready, since counting postings can begin without. Fails with an `InputError` where ids repeat, or something was wrong before. */
  readonly idRanks: Promise<Uint32Array>;
  readonly lengths: Uint32Array;
  readonly terms: Terms;
  readonly pairs: PairCounter;
}

export interface CollectOptions {
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/** Analyzes all documents into the spool. What is wrong with them comes to light with `idRanks`, all at once. */
export async function collect(
  source: Documents,
  spool: BagSpool,
  crew: Crew,
  { progress, signal }: CollectOptions,
): Promise<Collection> {
  const task = progress.start('analyze', undefined, 'documents');
  const collector = new CollectionBuilder('folder' in source ? source.folder : 'collection');
  const pieces = 'folder' in source ? linesOf(source.folder, crew, signal) : textsOf(source, crew, signal);
  for await (const piece of pieces) {
    const first = collector.documents;
    collector.add(piece);
    await spool.append(first, piece.bags);
    task.update(collector.documents);
  }
  task.finish();
  return collector.finish(crew);
}

/** A piece of a collection; with lines, if it was read from a file. */
interface AnalyzedPiece extends Analyzed {
  readonly ids: PackedStrings;
  readonly from?: { readonly path: string; readonly lines: Uint32Array; readonly problems: FoundProblems };
}

async function* textsOf(
  batches: DocumentBatches,
  crew: Crew,
  signal: AbortSignal | undefined,
): AsyncGenerator<AnalyzedPiece> {
  const analyze = async ({ ids, texts }: DocumentBatch): Promise<AnalyzedPiece> => {
    signal?.throwIfAborted();
    const packer = new StringPacker();
    for (const id of ids) packer.push(id);
    return { ...(await crew.run('texts', texts)), ids: packer.packed() };
  };
  yield* mapOrdered(batches, piecesInFlight(crew), analyze);
}

async function* linesOf(
  folder: string,
  crew: Crew,
  signal: AbortSignal | undefined,
): AsyncGenerator<AnalyzedPiece> {
  const blocks = readCorpusBlocks(folder, { signal });
  yield* mapOrdered(blocks, piecesInFlight(crew), async block => {
    const { path } = block;
    const { lines, problems, ...analyzed }: AnalyzedLines = await crew.run('lines', block, [
      block.bytes.buffer as ArrayBuffer,
    ]);
    return { ...analyzed, from: { path, lines, problems } };
  });
}

/** How many pieces are given to a crew at once: enough that no thread waits for the next. */
function piecesInFlight(crew: Crew): number {
  return 3 * crew.size + 1;
}

class CollectionBuilder {
  documents = 0;
  readonly #ids = new StringPacker();
  #lengths = new Uint32Array(1024);
  readonly #vocabularies = new Map<number, Vocabulary>();
  readonly #pairs = new PairCounter();
  readonly #flatPairs = new Map<number, Float64Array>();
  readonly #problems = new Problems();
  readonly #where: string;
  /** Of documents from a file. */
  #path: string | undefined;
  #lines = new Uint32Array(1024);

  /** `where` is what an error calls a collection without documents. */
  constructor(where: string) {
    this.#where = where;
  }

  add({ bags, vocabulary, pairs, ids, from }: AnalyzedPiece): void {
    const documents = this.documents + bags.lengths.length;
    this.#lengths = withRoom(this.#lengths, documents);
    this.#lengths.set(bags.lengths, this.documents);
    this.#ids.pushAll(ids);
    // a thread need not have made its pieces in the order of the collection: the largest vocabulary is its last
    const known = this.#vocabularies.get(vocabulary.thread);
    if (known === undefined || known.size < vocabulary.size)
      this.#vocabularies.set(vocabulary.thread, vocabulary);
    this.#flatPairs.set(pairs.thread, pairs.flat);
    this.#pairs.addOthers(pairs.others);
    if (from !== undefined) {
      this.#path = from.path;
      this.#problems.absorb(from.problems);
      this.#lines = withRoom(this.#lines, documents);
      this.#lines.set(from.lines, this.documents);
    }
    this.documents = documents;
  }

  async finish(crew: Crew): Promise<Collection> {
    const ids = shareStrings(this.#ids.packed());
    const sorting = Promise.all(
      [...this.#vocabularies.values()].map(vocabulary => crew.run('sortTerms', vocabulary)),
    );
    const idRanks = awaitedLater(this.#rank(ids, crew));
    const terms = mergeTerms(await sorting);
    for (const flat of this.#flatPairs.values()) this.#pairs.addFlat(flat);
    const lengths = shareCopy(Uint32Array, this.#lengths.subarray(0, this.documents));
    return { ids, idRanks, lengths, terms, pairs: this.#pairs };
  }

  async #rank(ids: PackedStrings, crew: Crew): Promise<Uint32Array> {
    const { ranks, repeats } = await crew.run('rankIds', ids);
    this.#refuse(ids, repeats);
    return ranks;
  }

  #refuse(ids: PackedStrings, repeats: RankedIds['repeats']): void {
    const [problems, lines] = [this.#problems, this.#lines];
    for (const [first, again] of repeats) {
      const id = unpack(ids, again);
      if (this.#path === undefined) problems.add(`document '${id}'`, 'this id occurs more than once');
      else
        problems.add(`${this.#path}:${lines[again]}`, `id '${id}' was used on line ${lines[first]} already`);
    }
    problems.throwIfAny();
    if (this.documents === 0) throw new InputError(this.#where, 'holds no documents: nothing to index');
  }
}
