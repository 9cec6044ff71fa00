/** What a thread keeps while it analyzes documents: its terms, numbered on their own, and what it has counted. */
import { threadId } from 'node:worker_threads';
import { type FoundProblems, type PackedStrings, Problems } from '../base/index.ts';
import { type CorpusBlock, corpusRecords, docText } from '../collections/index.ts';
import { type AnalyzerName, analyzerNamed } from './analyzer.ts';
import { BagMaker, type Bags } from './bags.ts';
import { PairCounter, type PairCounts } from './codes.ts';
import { StringPacker } from './intern.ts';
import type { Vocabulary } from './vocabulary.ts';

export interface Analyzed {
  readonly bags: Bags;
  /** All that the thread has met so far, not in these bags alone. */
  readonly vocabulary: Vocabulary;
  readonly pairs: PairCounts;
}

export interface AnalyzedLines extends Analyzed {
  readonly ids: PackedStrings;
  /** The line of each document. */
  readonly lines: Uint32Array;
  readonly problems: FoundProblems;
}

export class AnalysisThread {
  readonly #maker: BagMaker;
  readonly #pairs = new PairCounter();

  constructor(analyzer: AnalyzerName) {
    this.#maker = new BagMaker(analyzerNamed(analyzer), threadId);
  }

  texts(texts: readonly string[]): Analyzed {
    for (const text of texts) this.#maker.add(text);
    return this.#take();
  }

  /** Documents from lines of a corpus. */
  lines(block: CorpusBlock): AnalyzedLines {
    const problems = new Problems();
    const records = corpusRecords(block, problems);
    const packer = new StringPacker();
    for (const { id, title, text } of records) {
      packer.push(id);
      this.#maker.add(docText(title, text));
    }
    const { bytes, ends } = packer.packed();
    return {
      ...this.#take(),
      ids: { bytes: new Uint8Array(bytes), ends: ends.slice() }, // copies, since a view is sent with all it is a view of
      lines: Uint32Array.from(records, ({ line }) => line),
      problems: problems.found(),
    };
  }

  #take(): Analyzed {
    const bags = this.#maker.take();
    const { lengths, counts, tfs } = bags;
    for (let i = 0, at = 0; i < counts.length; i++) {
      for (const end = at + counts[i]!; at < end; at++) this.#pairs.count(tfs[at]!, lengths[i]!);
    }
    return { bags, vocabulary: this.#maker.vocabulary(), pairs: this.#pairs.take() };
  }
}
