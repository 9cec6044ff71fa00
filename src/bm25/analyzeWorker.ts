/** The thread that analyzes texts into bags (see analysis.ts). */
import { workerData } from 'piscina';
import { AnalysisThread, type AnalyzedTexts } from './analysisThread.ts';
import type { AnalyzerName } from './analyzer.ts';

const thread = new AnalysisThread(workerData as AnalyzerName);

export default function run(texts: readonly string[]): AnalyzedTexts {
  for (const text of texts) thread.add(text);
  return thread.take();
}
