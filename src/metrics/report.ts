/** What an evaluation says: means with their intervals, ties, and what sets two runs apart. */
import { Rng } from '../base/index.ts';
import { bootstrapMeans, holm, mean, pairedBootstrap, randomisationTest } from '../stats/index.ts';
import type { Evaluation } from './evaluate.ts';
import type { Measure } from './measures.ts';

export interface ResampleOptions {
  readonly seed: number;
  /** Bootstrap resamples. */
  readonly resamples: number;
  /** Coverage of intervals, such as 0.95. */
  readonly level: number;
}

type ByMeasure<T> = Readonly<Record<string, T>>;

export interface Summary {
  readonly run: string;
  /** Means over the queries that count. */
  readonly measures: ByMeasure<number>;
  /** How many queries count. */
  readonly queries: number;
  /** Judged queries that the run lacks; with `missing: 'drop'` they are not among `queries`. */
  readonly missingQueries: number;
  /** Queries of the run that nobody judged. */
  readonly unjudgedQueries: number;
  readonly selfHitsRemoved: number;
  /** Percentile bootstrap over queries. */
  readonly intervals: { readonly level: number; readonly measures: ByMeasure<readonly [number, number]> };
  /** Mean share of documents with a tied score, and the expected measures over the orderings of ties. */
  readonly ties?: { readonly rate: number; readonly expected: ByMeasure<number> };
  readonly perQuery?: readonly ({ readonly query: string } & ByMeasure<number | string>)[];
}

/** The means of an evaluation, unrounded. */
export function summarise(evaluation: Evaluation, options: ResampleOptions, perQuery: boolean): Summary {
  const { measures, values, expected, queryIds } = evaluation;
  const named = <T>(items: readonly T[]): ByMeasure<T> =>
    Object.fromEntries(measures.map(({ name }, m) => [name, items[m]!]));
  const rng = Rng.from(options.seed, 'intervals');
  const intervals = bootstrapMeans(values, rng, options.resamples, options.level);
  return {
    run: evaluation.run,
    measures: named(values.map(mean)),
    queries: queryIds.length,
    missingQueries: evaluation.missing.length,
    unjudgedQueries: evaluation.unjudged.length,
    selfHitsRemoved: evaluation.removed,
    intervals: {
      level: options.level,
      measures: named(intervals.map(({ low, high }) => [low, high] as const)),
    },
    ...(expected && { ties: { rate: mean(evaluation.tieRates), expected: named(expected.map(mean)) } }),
    ...(perQuery && { perQuery: queryRows(evaluation) }),
  };
}

function queryRows({ measures, queryIds, values }: Evaluation): NonNullable<Summary['perQuery']> {
  return queryIds.map((query, i) => ({
    query,
    ...Object.fromEntries(measures.map(({ name }, m) => [name, values[m]![i]!])),
  }));
}

export interface CompareOptions extends ResampleOptions {
  /** `randomisation`: exchange the two values of random queries; `bootstrap`: resample queries. */
  readonly test: 'randomisation' | 'bootstrap';
  readonly permutations: number;
}

export interface Comparison {
  readonly measure: string;
  readonly a: string;
  readonly b: string;
  readonly queries: number;
  /** Mean of a - b, with its bootstrap interval. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided. */
  readonly pValue: number;
  /** After Holm's correction over every comparison of the list. */
  readonly adjusted: number;
}

/** Every pair of runs under every measure, over the queries that both have values for. */
export function compareRuns(evaluations: readonly Evaluation[], options: CompareOptions): Comparison[] {
  const tests = evaluations.flatMap((a, i) =>
    evaluations
      .slice(i + 1)
      .flatMap(b => a.measures.map((measure, m) => comparePair(a, b, measure, m, options))),
  );
  const adjusted = holm(tests.map(({ pValue }) => pValue));
  return tests.map((comparison, i) => ({ ...comparison, adjusted: adjusted[i]! }));
}

function comparePair(
  a: Evaluation,
  b: Evaluation,
  measure: Measure,
  m: number,
  options: CompareOptions,
): Omit<Comparison, 'adjusted'> {
  const placeInB = new Map(b.queryIds.map((id, i) => [id, i]));
  const common = a.queryIds.flatMap((id, i) => (placeInB.has(id) ? [[i, placeInB.get(id)!] as const] : []));
  const [ours, theirs] = [common.map(([i]) => a.values[m]![i]!), common.map(([, j]) => b.values[m]![j]!)];
  const stream = (use: string) => Rng.from(options.seed, use, measure.name, a.run, b.run);
  const boot = pairedBootstrap(ours, theirs, stream('bootstrap'), options.resamples, options.level);
  const pValue =
    options.test === 'bootstrap'
      ? boot.pValue
      : randomisationTest(ours, theirs, stream('randomisation'), options.permutations);
  return { measure: measure.name, a: a.run, b: b.run, queries: common.length, ...boot, pValue };
}
