/** Texts to bags whose terms are numbered by one table: in this thread, or in several. */
import { openPool } from '../base/index.ts';
import { withRoom } from '../data/index.ts';
import { type AnalyzerName, analyzerNamed } from './analyzer.ts';
import type { AnalyzedTexts } from './analyzeWorker.ts';
import { BagMaker, type Bags } from './bags.ts';
import { StringTable } from './intern.ts';

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
  return threads > 1 ? inThreads(texts, analyzer, threads) : inThisThread(texts, analyzer);
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

async function* inThreads(texts: Texts, analyzer: AnalyzerName, threads: number): AsyncGenerator<Analyzed> {
  const worker = new URL('./analyzeWorker.js', import.meta.url);
  const pool = openPool<readonly string[], AnalyzedTexts>(worker, { workers: threads, workerData: analyzer });
  try {
    const numbering = new Numbering();
    const ahead: Promise<Analyzed>[] = [];
    for await (const batch of texts) {
      // Bags are renumbered on arrival: a worker's come in the order it made them, which need not be the order of the batches.
      const running = pool.run(batch).then(analyzed => numbering.adopt(analyzed));
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

  adopt({ worker, bags, newTerms }: AnalyzedTexts): Analyzed {
    const numbers = this.#numbers.get(worker) ?? { map: new Uint32Array(1024), size: 0 };
    this.#numbers.set(worker, numbers);
    numbers.map = withRoom(numbers.map, numbers.size + newTerms.length);
    for (const term of newTerms) numbers.map[numbers.size++] = this.#terms.intern(term, 0, term.length);
    const { map } = numbers;
    const { terms } = bags;
    for (let i = 0; i < terms.length; i++) terms[i] = map[terms[i]!]!;
    return { bags, terms: this.#terms };
  }
}
