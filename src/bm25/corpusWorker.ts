/** The thread that takes documents out of lines of a corpus and analyzes them (see analysis.ts): reading JSON is a tenth of the work. */
import { workerData } from 'piscina';
import { type FoundProblems, Problems } from '../base/index.ts';
import { type CorpusBlock, corpusRecords, docText } from '../data/index.ts';
import { AnalysisThread, type AnalyzedTexts } from './analysisThread.ts';
import type { AnalyzerName } from './analyzer.ts';
import { StringPacker } from './intern.ts';
import type { PackedStrings } from './strings.ts';

export interface AnalyzedLines extends AnalyzedTexts {
  readonly ids: PackedStrings;
  /** The line of each document. */
  readonly lines: Uint32Array;
  readonly problems: FoundProblems;
}

const thread = new AnalysisThread(workerData as AnalyzerName);

export default function run(block: CorpusBlock): AnalyzedLines {
  const problems = new Problems();
  const records = corpusRecords(block, problems);
  const packer = new StringPacker();
  for (const { id, title, text } of records) {
    packer.push(id);
    thread.add(docText(title, text));
  }
  const { bytes, ends } = packer.packed();
  const ids = { bytes: new Uint8Array(bytes), ends: ends.slice() }; // copies, since a view is sent with all it is a view of
  return {
    ...thread.take(),
    ids,
    lines: Uint32Array.from(records, ({ line }) => line),
    problems: problems.found(),
  };
}
