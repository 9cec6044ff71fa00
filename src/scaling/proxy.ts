/** In-context scores as a stand-in for retrieval: a line from one score (or the mean of several) to nDCG, judged on unseen families. */
import { InputError } from '../base/index.ts';
import { leastSquares, mean, studentTQuantile } from '../stats/index.ts';
import { familyLabels, leaveFamilyOut, type ScoreTable } from './correlate.ts';

/** The mean of all the tasks asked for, over models that have every one of them. */
export const MEAN_OF_TASKS = 'mean of tasks';

export interface ProxyCandidate {
  readonly task: string;
  readonly n: number;
  readonly families: number;
  /** Root mean square error over families left out; null with fewer than three families. */
  readonly leftOutError: number | null;
}

export interface ProxyFit {
  readonly task: string;
  readonly tasks: readonly string[];
  readonly target: string;
  readonly intercept: number;
  readonly slope: number;
  readonly n: number;
  readonly families: number;
  readonly leftOutError: number | null;
  /** Of predicting every left-out family by the mean of the others: what a useful proxy has to beat. */
  readonly meanError: number | null;
  readonly candidates: readonly ProxyCandidate[];
  readonly warnings: readonly string[];
  predict(score: number, level: number): { value: number; low: number; high: number };
  /** Smallest and largest score seen. */
  readonly range: readonly [number, number];
}

interface Data {
  readonly task: string;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly families: readonly string[];
}

/** Fits every candidate and keeps the one with the least left-out error (with few families: the only or the first). */
export function fitProxy(table: ScoreTable, tasks: readonly string[], target: string): ProxyFit {
  const names = tasks.length > 1 ? [...tasks, MEAN_OF_TASKS] : tasks;
  const all = names.map(task => dataOf(table, task, tasks, target));
  const usable = all.filter(data => data.x.length >= 4 && lineOf(data) !== undefined);
  const judged = usable.map(data => ({ data, error: leftOut(data) }));
  const best = judged.reduce<(typeof judged)[number] | undefined>(
    (kept, next) =>
      (next.error ?? Infinity) < (kept?.error ?? Infinity) || kept === undefined ? next : kept,
    undefined,
  );
  if (best === undefined)
    throw new InputError(table.source, `no task has at least 4 models that also have '${target}'`);
  const { data, error } = best;
  const line = lineOf(data)!;
  const families = new Set(data.families).size;
  const meanError = leftOutMean(data);
  const [intercept, slope] = line.coefficients as unknown as [number, number];
  const spread = Math.max(line.sigma, error ?? 0);
  return {
    task: data.task,
    tasks: data.task === MEAN_OF_TASKS ? tasks : [data.task],
    target,
    intercept,
    slope,
    n: data.x.length,
    families,
    leftOutError: error ?? null,
    meanError: meanError ?? null,
    candidates: judged.map(candidate => ({
      task: candidate.data.task,
      n: candidate.data.x.length,
      families: new Set(candidate.data.families).size,
      leftOutError: candidate.error ?? null,
    })),
    warnings: warningsOf(error, meanError, families),
    range: [Math.min(...data.x), Math.max(...data.x)],
    predict(score, level) {
      const value = intercept + slope * score;
      const half =
        studentTQuantile((1 + level) / 2, line.degreesOfFreedom) *
        spread *
        Math.hypot(1, line.leverage([1, score]));
      return { value, low: value - half, high: value + half };
    },
  };
}

function dataOf(table: ScoreTable, task: string, tasks: readonly string[], target: string): Data {
  const parts = task === MEAN_OF_TASKS ? tasks : [task];
  const columns = [...parts, target].map(name => {
    const found = table.columns[name];
    if (found === undefined) throw new InputError(table.source, `has no column '${name}'`);
    return found;
  });
  const rows = table.models.flatMap((_, row) =>
    columns.every(column => column[row] !== undefined) ? [row] : [],
  );
  return {
    task,
    x: Float64Array.from(rows, row => mean(columns.slice(0, -1).map(column => column[row]!))),
    y: Float64Array.from(rows, row => columns.at(-1)![row]!),
    families: familyLabels(table, rows),
  };
}

function lineOf({ x, y }: Data) {
  return leastSquares([new Float64Array(x.length).fill(1), x], y);
}

function leftOut({ x, y, families }: Data): number | undefined {
  const errors = leaveFamilyOut(x, y, families);
  return errors && Math.sqrt(mean(errors.map(e => e * e)));
}

/** Root mean square error of predicting every family by the mean of the others. */
function leftOutMean({ y, families }: Data): number | undefined {
  const names = new Set(families);
  if (names.size < 3) return undefined;
  const errors = families.map((family, row) => {
    const others = y.filter((_, other) => families[other] !== family);
    return mean(others) - y[row]!;
  });
  return Math.sqrt(mean(errors.map(e => e * e)));
}

function warningsOf(error: number | undefined, meanError: number | undefined, families: number): string[] {
  if (error === undefined || meanError === undefined)
    return [
      `${families} families cannot show whether the proxy carries over to a family it has not seen: at least 3 are needed`,
    ];
  return error < meanError
    ? []
    : ['on families it has not seen the proxy predicts no better than the mean of the others'];
}
