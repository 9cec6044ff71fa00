/** A run scored against judgements: per query, in the mean, and over the orderings of ties. */
import { InputError, InternalError } from '../base/index.ts';
import { IdTable, type Qrels, type Run } from '../trec/index.ts';
import type { Measure } from './measures.ts';
import { expectedScore, tieGroups } from './ties.ts';
import { type RankedGrades, ratio, scoreRanking } from './values.ts';

export interface EvaluateOptions {
  /**
   * Judged queries that the run lacks: counted as 0 (trec_eval -c), or left out of the mean (pytrec_eval, trec_eval without -c). DEVIATION: zero is
   * the default, where BEIR's evaluation leaves them out.
   */
  readonly missing?: 'zero' | 'drop' | undefined;
  /** Leave out a document whose id is the query's. Off unless the collection's rules say so: never for ids that collide by accident. */
  readonly removeSelf?: boolean | undefined;
  /** Also compute the expected value over the orderings of equal scores. */
  readonly ties?: boolean | undefined;
}

export interface Evaluation {
  readonly run: string;
  readonly measures: readonly Measure[];
  /** The judged queries, in the order of the judgements; with `missing: 'drop'` only those in the run. */
  readonly queryIds: readonly string[];
  /** By measure, then by query. */
  readonly values: readonly Float64Array[];
  /** The same, expected over ties; only if asked for. */
  readonly expected?: readonly Float64Array[];
  /** Share of each query's retrieved documents whose score another of them shares; 0 where none was retrieved. */
  readonly tieRates: Float64Array;
  /** Judged queries that are not in the run. */
  readonly missing: readonly string[];
  /** Queries of the run without judgements: they count for nothing. */
  readonly unjudged: readonly string[];
  /** Documents left out by `removeSelf`. */
  readonly removed: number;
}

/** Scores a run. Throws an `InputError` if run and judgements share no query. */
export function evaluate(
  qrels: Qrels,
  run: Run,
  measures: readonly Measure[],
  options: EvaluateOptions = {},
): Evaluation {
  const placeOf = new Map(run.queryIds.map((id, q) => [id, q]));
  const missing = [...qrels.keys()].filter(id => !placeOf.has(id));
  if (missing.length === qrels.size) throw noCommonQuery(qrels, run);
  const queryIds =
    options.missing === 'drop' ? [...qrels.keys()].filter(id => placeOf.has(id)) : [...qrels.keys()];
  const columns = () => measures.map(() => new Float64Array(queryIds.length));
  const [values, expected, tieRates] = [columns(), columns(), new Float64Array(queryIds.length)];
  let removed = 0;
  queryIds.forEach((id, i) => {
    const place = placeOf.get(id);
    if (place === undefined) return; // stays 0
    const ranking = rank(run, place, qrels.get(id)!, options.removeSelf === true);
    removed += ranking.removed;
    measures.forEach((measure, m) => {
      values[m]![i] = scoreRanking(measure, ranking);
    });
    tieRates[i] = tieRate(ranking.scores);
    if (options.ties !== true) return;
    const groups = tieRates[i] === 0 ? undefined : tieGroups(ranking, ranking.scores);
    measures.forEach((measure, m) => {
      expected[m]![i] = groups ? expectedScore(measure, ranking, groups) : values[m]![i]!;
    });
  });
  const unjudged = run.queryIds.filter(id => !qrels.has(id));
  const result = { run: run.name, measures, queryIds, values, tieRates, missing, unjudged, removed };
  return options.ties === true ? { ...result, expected } : result;
}

function noCommonQuery(qrels: Qrels, run: Run): InputError {
  const [judged] = qrels.keys();
  return new InputError(
    run.name,
    `none of its ${run.queryIds.length} queries has judgements: '${run.queryIds[0]}' here, '${judged}' there. Do both belong to one collection?`,
  );
}

interface Ranking extends RankedGrades {
  readonly scores: Float64Array;
  readonly removed: number;
}

function rank(run: Run, q: number, judged: ReadonlyMap<string, number>, removeSelf: boolean): Ranking {
  const found = run.findAll(q, idTable(judged.keys()));
  const isSelf = removeSelf ? run.findAll(q, idTable([run.queryIds[q]!])) : undefined;
  const judgedGrades = Int32Array.from(judged.values());
  const rows = run.ranked(q);
  const rowScores = run.scores;
  const scores = new Float64Array(rows.length);
  const places: number[] = [];
  const grades: number[] = [];
  let place = 0;
  for (let i = 0; i < rows.length; i++) {
    if (isSelf !== undefined && isSelf[i]! >= 0) continue;
    if (found[i]! >= 0) {
      places.push(place);
      grades.push(judgedGrades[found[i]!]!);
    }
    scores[place++] = rowScores[rows[i]!]!;
  }
  return {
    retrieved: place,
    places: Int32Array.from(places),
    grades: Int32Array.from(grades),
    ideal: judgedGrades.filter(grade => grade > 0).sort((a, b) => b - a),
    scores: scores.subarray(0, place),
    removed: scores.length - place,
  };
}

function idTable(ids: Iterable<string>): IdTable {
  const table = new IdTable();
  for (const id of ids) table.add(id);
  return table;
}

function tieRate(scores: Float64Array): number {
  let tied = 0;
  let from = 0; // where the current stretch of equal scores begins
  for (let i = 1; i <= scores.length; i++) {
    if (i < scores.length && scores[i] === scores[from]) continue;
    if (i - from > 1) tied += i - from;
    from = i;
  }
  return ratio(tied, scores.length);
}

/** The column of a measure. */
export function valuesOf(evaluation: Evaluation, measure: Measure): Float64Array {
  const m = evaluation.measures.findIndex(({ name }) => name === measure.name);
  if (m < 0) throw new InternalError(`${measure.name} was not evaluated`);
  return evaluation.values[m]!;
}
