import type { Progress } from '../base/index.ts';
import type { AnalyzerName, Bm25Parameters } from '../bm25/index.ts';
import type { MiningSettings } from './settings.ts';

export interface MineOptions {
  readonly settings: MiningSettings;
  /** Of a BEIR folder: the split whose judgements name the positives. */
  readonly split: string;
  /** Collection that document ids of a file of pairs point into, where the pairs have no texts. */
  readonly corpus?: string | undefined;
  readonly analyzer: AnalyzerName;
  readonly parameters: Bm25Parameters;
  /** An index of the collection; without one it is made, and kept until the run is finished. */
  readonly index?: string | undefined;
  /** A run to take candidates from instead of searching. */
  readonly candidates?: string | undefined;
  /** Where to keep the rankings that were searched for. */
  readonly saveCandidates?: string | undefined;
  /** The document with a query's own id is no candidate for it (default: as the collection's rules say, else it is one). */
  readonly removeSelf?: boolean | undefined;
  readonly threads?: number | undefined;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}
