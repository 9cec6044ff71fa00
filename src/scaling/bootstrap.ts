/**
 * The bootstrap over models (rows of one model stay together) and, where per-query scores exist, over queries inside it: each
 * resample draws the queries anew, the same ones for every model, then the models, and refits from the best fit.
 */
import { InputError, Rng } from '../base/index.ts';
import { groupRows, mean, percentileInterval, resampleGroups } from '../stats/index.ts';
import { type Model, refitStage, type Stage } from './model.ts';
import { takeRows } from './solve.ts';

/** Scores of every model on the same queries, by data set; the table's target is the mean over data sets of the means over queries. */
export interface QueryScores {
  readonly datasets: readonly string[];
  /** scores[model][dataset][query], queries in one order for all models. */
  readonly scores: ReadonlyMap<string, readonly Float64Array[]>;
}

export interface BootstrapOptions {
  readonly resamples: number;
  readonly seed: number;
  readonly queries?: QueryScores;
  readonly onResample?: (done: number) => void;
}

export interface Bootstrap {
  readonly resamples: number;
  readonly seed: number;
  /** What was drawn: models, or models and the queries inside them. */
  readonly over: 'models' | 'models and queries';
  /** How many different models there are to draw from. */
  readonly models: number;
  /** Resamples whose refit failed (too few distinct points, no finite objective); they are left out. */
  readonly failed: number;
  /** theta of every refit that succeeded. */
  readonly thetas: readonly Float64Array[];
}

export function bootstrap(model: Model, options: BootstrapOptions): Bootstrap {
  const { points } = model;
  const groups = groupRows(points.models);
  if (options.queries !== undefined) checkQueries(model, options.queries);
  const rng = Rng.from(options.seed, 'bootstrap');
  const thetas: Float64Array[] = [];
  for (let i = 0; i < options.resamples; i++) {
    const y = options.queries ? resampleQueries(model, options.queries, rng) : points.target.values;
    const theta = refit(model, resampleGroups(groups, rng), y);
    if (theta !== undefined) thetas.push(theta);
    options.onResample?.(i + 1);
  }
  return {
    resamples: options.resamples,
    seed: options.seed,
    over: options.queries ? 'models and queries' : 'models',
    models: groups.length,
    failed: options.resamples - thetas.length,
    thetas,
  };
}

/** theta of the law fitted to these rows, with `y` as the target of the whole table. */
function refit(model: Model, rows: readonly number[], y: Float64Array): Float64Array | undefined {
  const parts: number[] = [];
  for (const [i, stage] of model.stages.entries()) {
    const isTarget = i === model.stages.length - 1;
    const theta = refitRows(stage, rows, isTarget ? y : stage.data.y);
    if (theta === undefined) return undefined;
    parts.push(...theta);
  }
  return Float64Array.from(parts);
}

function refitRows(stage: Stage, rows: readonly number[], y: Float64Array): Float64Array | undefined {
  const data = takeRows({ axes: stage.data.axes, y }, rows);
  const distinct = new Set(Array.from(data.y, (_, i) => data.axes.map(axis => axis[i]).join(' '))).size;
  if (distinct < stage.law.lower.length) return undefined;
  return refitStage(stage, data)?.theta;
}

/** Targets of all rows after drawing queries with replacement, the same draw for every model. */
function resampleQueries(model: Model, { scores }: QueryScores, rng: Rng): Float64Array {
  const first = scores.values().next().value!;
  const draws = first.map(dataset => Uint32Array.from(dataset, () => rng.int(dataset.length)));
  return Float64Array.from(model.points.models, name => {
    const own = scores.get(name)!;
    return mean(draws.map((draw, d) => mean(Array.from(draw, query => own[d]![query]!))));
  });
}

/** Per-query scores must belong to the very numbers that were fitted. */
function checkQueries({ points }: Model, { scores }: QueryScores): void {
  points.models.forEach((name, row) => {
    const own = scores.get(name);
    if (own === undefined) throw new InputError(points.source, `no per-query scores for the model '${name}'`);
    const average = mean(own.map(mean));
    const stated = points.target.values[row]!;
    if (Math.abs(average - stated) > 1e-4 * Math.max(1, Math.abs(stated)))
      throw new InputError(
        points.source,
        `'${name}' has ${points.target.name} ${stated}, but its per-query scores average ${average}`,
      );
  });
}

/** Percentile interval over the resamples of a quantity; undefined where fewer than half of them succeeded. */
export function bootstrapInterval(
  sample: Bootstrap,
  quantity: (theta: Float64Array) => number,
  level: number,
): { low: number; high: number } | undefined {
  const values = sample.thetas.map(quantity).filter(Number.isFinite);
  return values.length * 2 > sample.resamples ? percentileInterval(values, level) : undefined;
}
