/** What the threads that analyze have in common: terms numbered on their own, the new ones sent along with the bags. */
import { threadId } from 'node:worker_threads';
import { type AnalyzerName, analyzerNamed } from './analyzer.ts';
import { BagMaker, type Bags } from './bags.ts';

export interface AnalyzedTexts {
  readonly worker: number;
  readonly bags: Bags;
  /** Terms that this thread had not met before, in the order of their numbers, end to end as UTF-16: term i ends at `ends[i]`. */
  readonly newTerms: { readonly units: Uint16Array; readonly ends: Uint32Array };
}

export class AnalysisThread {
  readonly #maker: BagMaker;
  #known = 0;

  constructor(analyzer: AnalyzerName) {
    this.#maker = new BagMaker(analyzerNamed(analyzer));
  }

  add(text: string): void {
    this.#maker.add(text);
  }

  /** Everything added since the last `take`. */
  take(): AnalyzedTexts {
    const newTerms = this.#maker.terms.since(this.#known);
    this.#known += newTerms.ends.length;
    return { worker: threadId, bags: this.#maker.take(), newTerms };
  }
}
