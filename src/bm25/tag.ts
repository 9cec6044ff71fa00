/** How results of BM25 are named and written down. */
import { runSeparator } from '../data/index.ts';
import type { AnalyzerName } from './analyzer.ts';
import { type Bm25Index, documentId } from './build.ts';
import { type Bm25Parameters, describeParameters } from './scoring.ts';

/** The name of a run: analyzer and parameters, without blanks. */
export function runTag(analyzer: AnalyzerName, parameters: Bm25Parameters): string {
  return `bm25,${analyzer},${describeParameters(parameters)}`;
}

/** What divides the columns of a run over this index: a blank unless an id holds white space. */
export function separatorOf(index: Bm25Index): ' ' | '\t' {
  const { bytes } = index.ids;
  // White space is a byte up to 0x20 or part of a longer character: most indexes have neither, and no id is looked at.
  if (!bytes.some(byte => byte <= 0x20 || byte >= 0x80)) return ' ';
  return runSeparator(allIds(index));
}

function* allIds(index: Bm25Index): Generator<string> {
  for (let document = 0; document < index.documents; document++) yield documentId(index, document);
}
