/**
 * Correlations between scores of the same models (in-context learning against retrieval), plain and with a common cause taken out,
 * and which score predicts another best for a family it has not seen.
 */
import { InputError, Rng } from '../base/index.ts';
import {
  CORRELATIONS,
  type CorrelationKind,
  correlation,
  fisherInterval,
  groupRows,
  leastSquares,
  mean,
  percentileInterval,
  resampleGroups,
} from '../stats/index.ts';

/** Named columns over the same models; undefined where a model has no value. */
export interface ScoreTable {
  readonly source: string;
  readonly models: readonly string[];
  readonly families: readonly string[];
  readonly columns: Readonly<Record<string, readonly (number | undefined)[]>>;
}

export interface CorrelateOptions {
  readonly x: readonly string[];
  readonly y: readonly string[];
  /** Column whose logarithm is taken out, such as FLOPs. */
  readonly partial?: string;
  readonly level: number;
  /** Bootstrap resamples over models; 0 for none. */
  readonly resamples: number;
  readonly seed: number;
}

export interface CorrelationValue {
  readonly value: number;
  /** By Fisher's z; null where there are too few models. Counts the models as independent. */
  readonly low: number | null;
  readonly high: number | null;
  /** Percentiles over resampled families (models, with fewer than five families); null where too many resamples have no correlation. */
  readonly bootstrap: { readonly low: number; readonly high: number } | null;
}

export interface PairReport {
  readonly x: string;
  readonly y: string;
  readonly n: number;
  readonly families: number;
  readonly pearson: CorrelationValue | null;
  readonly spearman: CorrelationValue | null;
  readonly kendall: CorrelationValue | null;
  /** The same with ln of a column taken out. */
  readonly partial: {
    readonly given: string;
    readonly n: number;
    readonly pearson: CorrelationValue | null;
    readonly spearman: CorrelationValue | null;
    readonly kendall: CorrelationValue | null;
  } | null;
}

const FEWEST = 3;
/** With fewer families than this, resampling them says nothing: models are resampled instead. */
const FAMILIES_TO_RESAMPLE = 5;

/** Every x against every y, over the models that have both. */
export function correlateAll(table: ScoreTable, options: CorrelateOptions): PairReport[] {
  return options.x.flatMap(x => options.y.map(y => correlatePair(table, x, y, options)));
}

function column(table: ScoreTable, name: string): readonly (number | undefined)[] {
  const found = table.columns[name];
  if (found === undefined) throw new InputError(table.source, `has no column '${name}'`);
  return found;
}

/** Rows that have a number in every one of these columns. */
function completeRows(table: ScoreTable, names: readonly string[]): number[] {
  const columns = names.map(name => column(table, name));
  return table.models.flatMap((_, row) => (columns.every(c => c[row] !== undefined) ? [row] : []));
}

function take(table: ScoreTable, name: string, rows: readonly number[]): Float64Array {
  const values = column(table, name);
  return Float64Array.from(rows, row => values[row]!);
}

function correlatePair(table: ScoreTable, x: string, y: string, options: CorrelateOptions): PairReport {
  const rows = completeRows(table, [x, y]);
  if (rows.length < FEWEST)
    throw new InputError(
      table.source,
      `only ${rows.length} models have both '${x}' and '${y}': at least ${FEWEST} are needed`,
    );
  const { partial } = options;
  const families = new Set(rows.map(row => table.families[row]));
  const plain = three(table, x, y, rows, [], options);
  const given = partial === undefined ? undefined : completeRows(table, [x, y, partial]);
  return {
    x,
    y,
    n: rows.length,
    families: families.size,
    ...plain,
    partial:
      given === undefined
        ? null
        : {
            given: `ln ${partial}`,
            n: given.length,
            ...three(table, x, y, given, [logColumn(table, partial!, given)], options),
          },
  };
}

function logColumn(table: ScoreTable, name: string, rows: readonly number[]): Float64Array {
  const values = take(table, name, rows);
  const bad = values.find(value => !(value > 0));
  if (bad !== undefined)
    throw new InputError(
      table.source,
      `'${name}' holds ${bad}: its logarithm is taken out, so it must be above 0`,
    );
  return values.map(Math.log);
}

type Three = Pick<PairReport, CorrelationKind>;

function three(
  table: ScoreTable,
  x: string,
  y: string,
  rows: readonly number[],
  controls: readonly Float64Array[],
  options: CorrelateOptions,
): Three {
  const xs = take(table, x, rows);
  const ys = take(table, y, rows);
  const labels = rows.map(row => table.families[row] || table.models[row]!);
  const groups = new Set(labels).size >= FAMILIES_TO_RESAMPLE ? groupRows(labels) : rows.map((_, i) => [i]);
  const report = (kind: CorrelationKind): CorrelationValue | null => {
    const value = correlation(kind, xs, ys, controls);
    if (value === undefined) return null;
    const fisher = fisherInterval(kind, value, xs.length, controls.length, options.level);
    const rng = Rng.from(options.seed, 'correlate', kind, x, y, controls.length);
    const bootstrap = resampled(kind, xs, ys, controls, groups, options, rng);
    return { value, low: fisher?.low ?? null, high: fisher?.high ?? null, bootstrap };
  };
  return Object.fromEntries(CORRELATIONS.map(kind => [kind, report(kind)])) as Three;
}

function resampled(
  kind: CorrelationKind,
  x: Float64Array,
  y: Float64Array,
  controls: readonly Float64Array[],
  groups: readonly (readonly number[])[],
  { resamples, level }: CorrelateOptions,
  rng: Rng,
): { low: number; high: number } | null {
  const values: number[] = [];
  for (let i = 0; i < resamples; i++) {
    const rows = resampleGroups(groups, rng);
    const pick = (column: Float64Array) => Float64Array.from(rows, row => column[row]!);
    const value = correlation(kind, pick(x), pick(y), controls.map(pick));
    if (value !== undefined) values.push(value);
  }
  return resamples > 0 && values.length >= 0.9 * resamples ? percentileInterval(values, level) : null;
}

export interface TaskRank {
  readonly task: string;
  readonly n: number;
  readonly families: number;
  /** Root mean square error of a line from the task to the target, each family predicted from the others. */
  readonly error: number;
}

/** Ranks columns by how well a straight line in them predicts the target for a family that the line has not seen. */
export function rankTasks(table: ScoreTable, tasks: readonly string[], target: string): TaskRank[] {
  return tasks
    .flatMap(task => {
      const rows = completeRows(table, [task, target]);
      const errors = leaveFamilyOut(
        take(table, task, rows),
        take(table, target, rows),
        familyLabels(table, rows),
      );
      if (errors === undefined) return [];
      const families = new Set(familyLabels(table, rows)).size;
      return [{ task, n: rows.length, families, error: Math.sqrt(mean(errors.map(e => e * e))) }];
    })
    .sort((a, b) => a.error - b.error);
}

/** The family of every row, or the model where it has none. */
export function familyLabels(table: ScoreTable, rows: readonly number[]): string[] {
  return rows.map(row => table.families[row] || table.models[row]!);
}

/** Errors (predicted - actual) of every row, predicted by a line through the other families; undefined with fewer than three families. */
export function leaveFamilyOut(
  x: Float64Array,
  y: Float64Array,
  families: readonly string[],
): Float64Array | undefined {
  const names = new Set(families);
  if (names.size < 3) return undefined;
  const errors = new Float64Array(x.length);
  for (const family of names) {
    const inside = families.flatMap((name, row) => (name === family ? [row] : []));
    const others = families.flatMap((name, row) => (name === family ? [] : [row]));
    const fit = leastSquares(
      [new Float64Array(others.length).fill(1), Float64Array.from(others, row => x[row]!)],
      Float64Array.from(others, row => y[row]!),
    );
    if (fit === undefined) return undefined;
    for (const row of inside) errors[row] = fit.coefficients[0]! + fit.coefficients[1]! * x[row]! - y[row]!;
  }
  return errors;
}
