/** What evaluation asks of a retriever, whichever it is. */
import type { Json, Progress } from '../base/index.ts';
import type { Hit } from '../data/index.ts';
import type { Collection } from './collection.ts';

export interface Effects {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface RankOptions extends Effects {
  /** Documents kept of each query. */
  readonly k: number;
  /** A folder for what is costly to make (vectors, an index): found there again after an interruption. Undefined: all in memory. */
  readonly scratch?: string | undefined;
  /** Hash of the corpus file, by which things in `scratch` are recognised. */
  readonly corpusHash?: string | undefined;
}

export interface Ranked {
  /** By query, in the collection's order, best first; as many as were found. */
  readonly hits: readonly (readonly Hit[])[];
  readonly documents: number;
}

export interface Retriever {
  /** Names its runs: no white space. */
  readonly tag: string;
  /** Everything that decides its rankings. */
  readonly identity: Json;
  rank(collection: Collection, options: RankOptions): Promise<Ranked>;
  release(): Promise<void>;
}
