/**
 * How well a law predicts what it has not seen: leave the largest out, at one cut-off or several, against two baselines that
 * any law has to beat: the last value, and a straight line in log compute.
 */
import { mean } from '../stats/index.ts';
import { type ChoiceOptions, choose, fitModel } from './choose.ts';
import { type Predictor, predictorOf } from './intervals.ts';
import { FORMS, type FormName } from './law.ts';
import { axesOf, type Choice, fitStage, lawFor, type Model, sizeOf } from './model.ts';
import { type Points, takePoints } from './points.ts';

export interface Naive {
  /** The value of the row with the most compute among those fitted. */
  readonly last: number;
  /** A straight line in log compute through the rows fitted; null where they all have the same compute. */
  readonly logLinear: number | null;
}

export interface HoldoutRow {
  readonly model: string;
  readonly family: string;
  readonly compute: number;
  /** Parameters where the table has them, else compute. */
  readonly size: number;
  readonly actual: number;
  readonly predicted: number;
  /** Interval for one measurement: the law's own uncertainty and the scatter of the points. */
  readonly low: number | null;
  readonly high: number | null;
  /** Interval of the law alone. */
  readonly law: { readonly low: number | null; readonly high: number | null };
  readonly naive: Naive;
}

/** The row with the most compute among those left out, and all of them. */
export interface Holdout extends HoldoutRow {
  readonly leftOut: number;
  readonly fittedOn: number;
  readonly rows: readonly HoldoutRow[];
}

/** Rows of the largest model: those of the largest size, and any other row of a model among them. */
export function largestRows({ size, models }: Points): number[] {
  const most = size.reduce((a, b) => Math.max(a, b));
  const names = new Set(models.filter((_, row) => size[row] === most));
  return models.flatMap((model, row) => (size[row] === most || names.has(model) ? [row] : []));
}

/** All rows but those given. */
export function otherRows(points: Points, rows: readonly number[]): number[] {
  const out = new Set(rows);
  return points.models.flatMap((_, row) => (out.has(row) ? [] : [row]));
}

/** What the two baselines, fed with `fitted`, say of a point with that compute. */
export function naiveOf(fitted: Points, choice: Choice): (compute: number) => Naive {
  const largest = fitted.compute.reduce(
    (best, value, row) => (value > fitted.compute[best]! ? row : best),
    0,
  );
  const last = fitted.target.values[largest]!;
  const spread = fitted.compute.some(value => value !== fitted.compute[0]);
  const onCompute = { ...fitted, axes: [{ name: 'compute', values: fitted.compute }] };
  const line = { ...choice, form: 'log-linear' as const };
  const law = lawFor('log-linear', onCompute, line);
  const stage =
    spread && fitStage(law, { axes: [fitted.compute], y: fitted.target.values }, choice.huber, line);
  return compute => {
    if (!stage) return { last, logLinear: null };
    const value = new Float64Array(1);
    law.evaluate(stage.solution.minimum.theta, law.prepare([[compute]]), value);
    return { last, logLinear: value[0]! };
  };
}

/** Predicts the rows left out by a model that was fitted to the rest. */
export function judge(model: Model, leftOut: Points, predict: Predictor): Holdout {
  const naive = naiveOf(model.points, model.choice);
  const rows = leftOut.models.map((name, row): HoldoutRow => {
    const point = leftOut.axes.map(axis => axis.values[row]!);
    const { value, low, high, measurement } = predict(point);
    return {
      model: name,
      family: leftOut.families[row]!,
      compute: leftOut.compute[row]!,
      size: leftOut.size[row]!,
      actual: leftOut.target.values[row]!,
      predicted: value,
      low: measurement.low,
      high: measurement.high,
      law: { low, high },
      naive: naive(leftOut.compute[row]!),
    };
  });
  const farthest = leftOut.compute.reduce((best, v, row) => (v > leftOut.compute[best]! ? row : best), 0);
  return { ...rows[farthest]!, leftOut: rows.length, fittedOn: model.points.models.length, rows };
}

export interface Rollout {
  /** How many of the largest sizes were left out. */
  readonly sizesLeftOut: number;
  readonly fittedOn: number;
  readonly predicted: number;
  /** The most compute left out over the most compute fitted. */
  readonly reach: number;
  /** Mean absolute errors over the rows left out. */
  readonly error: number;
  readonly naive: { readonly last: number; readonly logLinear: number | null };
  /** Share of the rows left out that lie in their measurement interval. */
  readonly covered: number;
}

/** Leaves out the largest 1, 2, ... sizes, as long as the rest still outnumbers the coefficients. */
export function rollouts(points: Points, choice: Choice, most: number, level: number): Rollout[] {
  const sizes = [...new Set(points.size)].sort((a, b) => b - a);
  const results: Rollout[] = [];
  for (let k = 1; k <= Math.min(most, sizes.length - 1); k++) {
    const cut = sizes[k - 1]!;
    const rows = points.models.flatMap((_, row) => (points.size[row]! >= cut ? [row] : []));
    const rest = takePoints(points, otherRows(points, rows));
    const model =
      rest.models.length > sizeOf(choice.form) + 1 && varies(rest) ? fitModel(rest, choice) : undefined;
    if (model === undefined) break;
    const holdout = judge(model, takePoints(points, rows), predictorOf(model, level));
    results.push(summarise(holdout, k, reachOf(points, rows)));
  }
  return results;
}

/** Is there anything to fit: do all inputs and the target vary? */
export function varies(points: Points): boolean {
  return [...points.axes, points.target].every(({ values }) => values.some(v => v !== values[0]));
}

function reachOf({ compute, models }: Points, rows: readonly number[]): number {
  const out = new Set(rows);
  let [inside, outside] = [0, 0];
  models.forEach((_, row) => {
    if (out.has(row)) outside = Math.max(outside, compute[row]!);
    else inside = Math.max(inside, compute[row]!);
  });
  return outside / inside;
}

function summarise(holdout: Holdout, sizesLeftOut: number, reach: number): Rollout {
  const { rows } = holdout;
  const error = (value: (row: HoldoutRow) => number) =>
    mean(rows.map(row => Math.abs(value(row) - row.actual)));
  const within = ({ low, high, actual }: HoldoutRow) =>
    (low === null || low <= actual) && (high === null || actual <= high);
  return {
    sizesLeftOut,
    fittedOn: holdout.fittedOn,
    predicted: rows.length,
    reach,
    error: error(row => row.predicted),
    naive: {
      last: error(row => row.naive.last),
      logLinear: rows.some(row => row.naive.logLinear === null)
        ? null
        : error(row => row.naive.logLinear as number),
    },
    covered: mean(rows.map(row => (within(row) ? 1 : 0))),
  };
}

export interface Comparison {
  readonly name: FormName | 'last value' | 'log-linear baseline';
  /** Mean over the cut-offs of the mean absolute hold-out error. */
  readonly error: number;
  readonly cutoffs: number;
}

/** Forms ranked by hold-out error over the same cut-offs, the two baselines among them. */
function compareForms(points: Points, choices: readonly Choice[], most: number, level: number): Comparison[] {
  const all = choices.map(choice => ({ choice, results: rollouts(points, choice, most, level) }));
  const cutoffs = Math.min(...all.map(({ results }) => results.length));
  if (!(cutoffs > 0)) return [];
  const first = all[0]!.results.slice(0, cutoffs);
  const table: Comparison[] = all.map(({ choice, results }) => ({
    name: choice.form,
    error: mean(results.slice(0, cutoffs).map(result => result.error)),
    cutoffs,
  }));
  table.push({ name: 'last value', error: mean(first.map(result => result.naive.last)), cutoffs });
  const lines = first.flatMap(({ naive }) => (naive.logLinear === null ? [] : [naive.logLinear]));
  if (lines.length === cutoffs && !choices.some(choice => choice.form === 'log-linear'))
    table.push({ name: 'log-linear baseline', error: mean(lines), cutoffs });
  return table.sort((a, b) => a.error - b.error);
}

/** Compares every form that the table has the inputs for. */
export function compareAll(
  raw: Points,
  options: Omit<ChoiceOptions, 'form'>,
  most: number,
  level = 0.95,
): Comparison[] {
  const forms = FORMS.filter(
    form => axesOf(form) === raw.axes.length && (form !== 'two-step' || raw.loss !== undefined),
  );
  const chosen = forms.map(form => choose(raw, { ...options, form }));
  return compareForms(
    chosen[0]!.points,
    chosen
      .filter(({ choice }) => choice.form !== 'contrastive' || choice.kind === 'loss')
      .map(({ choice }) => choice),
    most,
    level,
  );
}
