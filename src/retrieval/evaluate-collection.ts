/** Zero-shot retrieval of one collection, from texts to measures: with nothing on the disk where the collection is in memory. */
import { InputError, Rng } from '../base/index.ts';
import { type Hit, type Run, RunBuilder } from '../data/index.ts';
import {
  type Evaluation,
  evaluate,
  type Measure,
  measure,
  type ResampleOptions,
  type Summary,
  summarise,
} from '../metrics/index.ts';
import { bootstrapSumOfMeans, mean } from '../stats/index.ts';
import { Bm25Retriever, type Bm25RetrieverOptions } from './bm25-retriever.ts';
import type { Collection } from './collection.ts';
import { type DenseOptions, DenseRetriever } from './dense-retriever.ts';
import type { Effects, RankOptions, Retriever } from './retriever.ts';

export interface EvaluationSettings extends ResampleOptions {
  /** Documents kept of each query. */
  readonly k: number;
  /** Default: MTEB's, as far as k documents go. */
  readonly measures: readonly Measure[];
}

/** MTEB's cut-offs. */
export const CUTOFFS = [1, 3, 5, 10, 20, 100, 1000] as const;

/** MTEB's measures at its cut-offs, and AP and RR over the whole ranking. */
export const BEIR_MEASURES: readonly Measure[] = [
  ...(['nDCG', 'AP', 'R', 'P', 'RR'] as const).flatMap(kind => CUTOFFS.map(k => measure(kind, k))),
  measure('AP'),
  measure('RR'),
];

export const MAIN_MEASURE = measure('nDCG', 10);

/** Those measures that k documents a query are enough for: R@1000 of a hundred would be another number under its name. */
export function measuresWithin(k: number, measures: readonly Measure[]): readonly Measure[] {
  return measures.filter(({ cutoff }) => !Number.isFinite(cutoff) || cutoff <= k);
}

export const DEFAULT_EVALUATION: EvaluationSettings = {
  k: 1000,
  measures: BEIR_MEASURES,
  seed: 17,
  resamples: 1000,
  level: 0.95,
};

export interface CollectionResult {
  readonly collection: Collection;
  readonly documents: number;
  readonly run: Run;
  /** One value a query and measure, and the expected one over the orders of equal scores. */
  readonly evaluation: Evaluation;
  /** Means with bootstrap intervals over queries. */
  readonly summary: Summary;
}

/** Ranks a collection's documents for all judged queries and scores the ranking. */
export async function evaluateCollection(
  retriever: Retriever,
  collection: Collection,
  settings: Partial<EvaluationSettings>,
  effects: Effects & Pick<RankOptions, 'scratch' | 'corpusHash'>,
): Promise<CollectionResult> {
  const { k = DEFAULT_EVALUATION.k } = settings;
  const whole = { ...DEFAULT_EVALUATION, measures: measuresWithin(k, BEIR_MEASURES), ...settings };
  const beyond = whole.measures.filter(asked => !measuresWithin(k, whole.measures).includes(asked));
  if (beyond.length > 0)
    throw new InputError(
      'k',
      `${k} documents a query are too few for ${beyond.map(({ name }) => name).join(', ')}`,
    );
  const { hits, documents } = await retriever.rank(collection, { ...effects, k: whole.k });
  const run = runOf(retriever.tag, collection.queries.ids, hits);
  const evaluation = evaluate(collection.qrels, run, whole.measures, { missing: 'zero', ties: true });
  return { collection, documents, run, evaluation, summary: summarise(evaluation, whole, false) };
}

function runOf(tag: string, queryIds: readonly string[], hits: readonly (readonly Hit[])[]): Run {
  const builder = new RunBuilder(tag);
  hits.forEach((list, q) => {
    builder.addRanking(
      queryIds[q]!,
      list.map(({ id }) => id),
      list.map(({ score }) => score),
    );
  });
  return builder.build();
}

/** Evaluates a model directory: an embedder with its own prefixes and lengths (which `options.settings` override), or any MPT checkpoint. */
export async function evaluateEmbedder(
  modelDir: string,
  collection: Collection,
  options: DenseOptions & Partial<EvaluationSettings>,
  effects: Effects & Pick<RankOptions, 'scratch' | 'corpusHash'>,
): Promise<CollectionResult> {
  const retriever = await DenseRetriever.open(modelDir, options);
  try {
    return await evaluateCollection(retriever, collection, evaluationPart(options), effects);
  } finally {
    await retriever.release();
  }
}

/** Evaluates BM25 on a collection. */
export async function evaluateBm25(
  collection: Collection,
  options: Bm25RetrieverOptions & Partial<EvaluationSettings>,
  effects: Effects & Pick<RankOptions, 'scratch' | 'corpusHash'>,
): Promise<CollectionResult> {
  return evaluateCollection(new Bm25Retriever(options), collection, evaluationPart(options), effects);
}

function evaluationPart(options: Partial<EvaluationSettings>): Partial<EvaluationSettings> {
  const keys = Object.keys(DEFAULT_EVALUATION) as (keyof EvaluationSettings)[];
  return Object.fromEntries(keys.filter(key => options[key] !== undefined).map(key => [key, options[key]]));
}

export interface MeanResult {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The mean of a measure over groups of collections, each counted once, and so every member of a group (CQADupStack's forums) within it.
 * Values stand by group, member and query; the interval resamples the queries of every collection.
 */
export function meanOverGroups(
  groups: readonly (readonly ArrayLike<number>[])[],
  { seed, resamples, level }: ResampleOptions,
): MeanResult {
  const weights = groups.flatMap(members => members.map(() => 1 / (groups.length * members.length)));
  const columns = groups.flat();
  const value = columns.reduce((sum, column, i) => sum + weights[i]! * mean(column), 0);
  const rng = Rng.from(seed, 'mean over collections');
  return { value, ...bootstrapSumOfMeans(columns, weights, rng, resamples, level) };
}
