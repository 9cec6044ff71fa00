/** The thread that analyzes texts into bags (see analysis.ts). Its terms are numbered on their own; new ones go along with the bags. */
import { threadId } from 'node:worker_threads';
import { workerData } from 'piscina';
import { type AnalyzerName, analyzerNamed } from './analyzer.ts';
import { BagMaker, type Bags } from './bags.ts';

export interface AnalyzedTexts {
  readonly worker: number;
  readonly bags: Bags;
  /** Terms that this worker had not met before, in the order of their numbers. */
  readonly newTerms: readonly string[];
}

const maker = new BagMaker(analyzerNamed(workerData as AnalyzerName));
let known = 0;

export default function run(texts: readonly string[]): AnalyzedTexts {
  for (const text of texts) maker.add(text);
  const newTerms: string[] = [];
  while (known < maker.terms.size) newTerms.push(maker.terms.at(known++));
  return { worker: threadId, bags: maker.take(), newTerms };
}
