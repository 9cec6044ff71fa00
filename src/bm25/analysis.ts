/** Texts to bags whose terms are numbered by one table: in this thread, or in several. */
import { InputError, openPool, Problems, type WorkerPool } from '../base/index.ts';
import { type CorpusBlock, readCorpusBlocks, UniqueIds, withRoom } from '../data/index.ts';
import type { AnalyzedTexts } from './analysisThread.ts';
import { type AnalyzerName, analyzerNamed } from './analyzer.ts';
import { BagMaker, type Bags } from './bags.ts';
import type { AnalyzedLines } from './corpusWorker.ts';
import { type StringPacker, StringTable } from './intern.ts';
import type { PackedStrings } from './strings.ts';

/** Bags of consecutive documents, in order, and the terms met so far. */
export interface Analyzed {
  readonly bags: Bags;
  readonly terms: StringTable;
}

export type Texts = AsyncIterable<readonly string[]> | Iterable<readonly string[]>;

/** About how many postings are handed on at a time. */
const POSTINGS = 1 << 20;

/** Analyzes batches of texts in `threads` threads of their own; one means this thread. */
export function analyzeTexts(
  texts: Texts,
  analyzer: AnalyzerName,
  threads: number,
): AsyncGenerator<Analyzed> {
  return threads > 1 ? textsInThreads(texts, analyzer, threads) : inThisThread(texts, analyzer);
}

async function* inThisThread(texts: Texts, analyzer: AnalyzerName): AsyncGenerator<Analyzed> {
  const maker = new BagMaker(analyzerNamed(analyzer));
  const { terms } = maker;
  for await (const batch of texts) {
    for (const text of batch) {
      maker.add(text);
      if (maker.postings >= POSTINGS) yield { bags: maker.take(), terms };
    }
  }
  yield { bags: maker.take(), terms };
}

async function* textsInThreads(
  texts: Texts,
  analyzer: AnalyzerName,
  threads: number,
): AsyncGenerator<Analyzed> {
  const worker = new URL('./analyzeWorker.js', import.meta.url);
  const pool = openPool<readonly string[], AnalyzedTexts>(worker, { workers: threads, workerData: analyzer });
  const numbering = new Numbering();
  yield* inOrder(pool, threads, texts, batch =>
    pool.run(batch).then(({ bags, ...analyzed }) => numbering.adopt(bags, analyzed)),
  );
}

/**
 * Analyzes the corpus of a folder in threads that also read its lines, and keeps the documents' ids. What is wrong with the whole file is
 * collected; once something is, nothing more is yielded, and the `InputError` with all of it ends the iteration.
 */
export async function* analyzeCorpus(
  folder: string,
  ids: StringPacker,
  { analyzer, threads, signal }: { analyzer: AnalyzerName; threads: number; signal: AbortSignal | undefined },
): AsyncGenerator<Analyzed> {
  const worker = new URL('./corpusWorker.js', import.meta.url);
  const pool = openPool<CorpusBlock, AnalyzedLines>(worker, { workers: threads, workerData: analyzer });
  const [numbering, unique, problems] = [new Numbering(), new UniqueIds(), new Problems()];
  const analyzed = inOrder(pool, threads, readCorpusBlocks(folder, { signal }), async block => {
    const { bags, ...rest } = await pool.run(block, [block.bytes.buffer as ArrayBuffer]);
    return { ...numbering.adopt(bags, rest), ...rest, path: block.path };
  });
  let path = folder;
  for await (const block of analyzed) {
    path = block.path;
    problems.absorb(block.problems);
    addIds(unique, block.ids, block.lines, path, problems);
    if (problems.count > 0) continue;
    ids.pushAll(block.ids);
    yield block;
  }
  problems.throwIfAny();
  if (unique.size === 0) throw new InputError(path, 'holds no documents');
}

function addIds(
  unique: UniqueIds,
  { bytes, ends }: PackedStrings,
  lines: Uint32Array,
  path: string,
  problems: Problems,
): void {
  for (let i = 0, from = 0; i < ends.length; from = ends[i++]!)
    unique.addBytes({ bytes, from, to: ends[i]! }, path, lines[i]!, problems);
}

/** Gives the pieces of a collection to threads, a few ahead of what is asked for, and yields the answers in the order of the pieces. */
async function* inOrder<Piece, Answer>(
  pool: Pick<WorkerPool<never, unknown>, 'close'>,
  threads: number,
  pieces: AsyncIterable<Piece> | Iterable<Piece>,
  answer: (piece: Piece) => Promise<Answer>,
): AsyncGenerator<Answer> {
  try {
    const ahead: Promise<Answer>[] = [];
    for await (const piece of pieces) {
      const running = answer(piece);
      running.catch(() => undefined); // reported where it is awaited
      ahead.push(running);
      if (ahead.length > 3 * threads) yield await ahead.shift()!;
    }
    for (const running of ahead) yield await running;
  } finally {
    await pool.close();
  }
}

/** One numbering of terms for the bags of all workers. */
class Numbering {
  readonly #terms = new StringTable();
  /** For each worker, the number here of each of its terms. */
  readonly #numbers = new Map<number, { map: Uint32Array<ArrayBuffer>; size: number }>();

  /** Renumbers bags on arrival: a worker's come in the order it made them, which need not be the order of the pieces. */
  adopt(bags: Bags, { worker, newTerms: { units, ends } }: Omit<AnalyzedTexts, 'bags'>): Analyzed {
    const numbers = this.#numbers.get(worker) ?? { map: new Uint32Array(1024), size: 0 };
    this.#numbers.set(worker, numbers);
    numbers.map = withRoom(numbers.map, numbers.size + ends.length);
    for (let i = 0, from = 0; i < ends.length; from = ends[i++]!)
      numbers.map[numbers.size++] = this.#terms.intern(units, from, ends[i]!);
    const { map } = numbers;
    const { terms } = bags;
    for (let i = 0; i < terms.length; i++) terms[i] = map[terms[i]!]!;
    return { bags, terms: this.#terms };
  }
}
