/** BM25 as a retriever: an index in memory or in a file, searched by threads that share it. */
import { join } from 'node:path';
import { exists, type Json } from '../base/index.ts';
import {
  type AnalyzerName,
  type Bm25Index,
  type Bm25Parameters,
  buildIndex,
  documentId,
  documentsNamed,
  openIndex,
  parametersOf,
  prepare,
  runTag,
  searchBatch,
  writeIndex,
} from '../bm25/index.ts';
import type { Hit } from '../data/index.ts';
import type { Collection } from './collection.ts';
import type { Ranked, RankOptions, Retriever } from './retriever.ts';

export interface Bm25RetrieverOptions {
  readonly analyzer?: AnalyzerName;
  /** What is not said is the default: Lucene's variant, k1 0.9, b 0.4. */
  readonly parameters?: Partial<Bm25Parameters>;
  readonly threads?: number | undefined;
}

export class Bm25Retriever implements Retriever {
  readonly tag: string;
  readonly identity: Json;
  readonly #analyzer: AnalyzerName;
  readonly #parameters: Bm25Parameters;
  readonly #threads: number;

  constructor({ analyzer = 'english', parameters = {}, threads = 1 }: Bm25RetrieverOptions = {}) {
    this.#analyzer = analyzer;
    this.#parameters = parametersOf(parameters);
    this.#threads = threads;
    this.tag = runTag(analyzer, this.#parameters);
    this.identity = { analyzer, ...this.#parameters };
  }

  async rank(collection: Collection, options: RankOptions): Promise<Ranked> {
    const { queries, removeSelf, task } = collection;
    const index = await this.#index(collection, options);
    const selves = removeSelf ? documentsNamed(index, queries.ids) : undefined;
    const asked = queries.texts.map((text, i) => ({ text, without: selves?.[i] }));
    const hits: Hit[][] = [];
    const progress = options.progress.start(`search ${task}`, asked.length, 'queries');
    const batch = { threads: this.#threads, signal: options.signal };
    for await (const answer of searchBatch(prepare(index, this.#parameters), asked, options.k, batch)) {
      hits.push(
        Array.from(answer.documents, (document, i) => ({
          id: documentId(index, document),
          score: answer.scores[i]!,
        })),
      );
      progress.update(hits.length);
    }
    progress.finish();
    return { hits, documents: index.documents };
  }

  async #index(collection: Collection, options: RankOptions): Promise<Bm25Index> {
    const { scratch, corpusHash = '', progress, signal } = options;
    const building = { analyzer: this.#analyzer, threads: this.#threads, progress, signal };
    const documents = collection.documents(signal);
    if (scratch === undefined) return buildIndex(documents, building);
    const path = join(scratch, `${this.#analyzer}-${corpusHash.slice(0, 16)}.bm25`);
    if (!(await exists(path))) await writeIndex(path, documents, building);
    return openIndex(path);
  }

  async release(): Promise<void> {}
}
