/** Reading back what `fit -o` wrote: the object is checked, the model is rebuilt from its points, and both must agree. */

import { z } from 'zod';
import { InputError } from '../base/index.ts';
import type { Bootstrap } from './bootstrap.ts';
import { fitModel } from './choose.ts';
import { INTERVAL_METHODS } from './fit.ts';
import { type Prediction, predictorOf } from './intervals.ts';
import { FORMS } from './law.ts';
import type { Choice, Model } from './model.ts';
import { type Points, TARGET_KINDS } from './points.ts';

const numbers = z.array(z.number());
const words = z.array(z.string());

/** The fields that a prediction needs; the rest of the report is for people and passes unchecked. */
const schema = z.object({
  kind: z.literal('isoflop-fit'),
  version: z.literal(1),
  form: z.enum(FORMS),
  formula: z.string(),
  direction: z.enum(['rising', 'falling']),
  identified: z.boolean(),
  coefficients: z.record(z.string(), z.object({ value: z.number() })).nullable(),
  objective: z.number(),
  huberDelta: z.number().positive(),
  residuals: z.enum(['log', 'plain']),
  interval: z.object({ method: z.enum(INTERVAL_METHODS), level: z.number() }),
  bootstrap: z
    .object({
      resamples: z.number(),
      seed: z.number(),
      over: z.enum(['models', 'models and queries']),
      models: z.number(),
      failed: z.number(),
      draws: z.array(numbers).nullable(),
    })
    .nullable(),
  flopsConvention: z.string(),
  warnings: words,
  target: z.object({ column: z.string(), kind: z.enum(TARGET_KINDS), floor: z.number() }),
  points: z.object({
    source: z.string(),
    models: words,
    families: words,
    axes: z.record(z.string(), numbers),
    target: numbers,
    loss: z.object({ column: z.string(), values: numbers }).nullable(),
    size: numbers,
    compute: numbers,
  }),
});

export type FitFile = z.infer<typeof schema>;

/** A fit that was read back, ready to predict. */
export interface LoadedFit {
  readonly file: FitFile;
  readonly model: Model;
}

/** Checks the parsed JSON of a fit file and rebuilds its model. `name` stands for the file in messages. */
export function loadFit(value: unknown, name: string): LoadedFit {
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new InputError(
      parsed.error.issues.map(issue => ({
        where: `${name}: ${issue.path.join('.')}`,
        message: issue.message,
      })),
    );
  const file = parsed.data;
  if (file.coefficients === null)
    throw new InputError(
      name,
      `holds a fit that is not identified: ${file.warnings[0] ?? 'no reason given'}`,
    );
  const points = pointsOf(file, name);
  const choice: Choice = {
    form: file.form,
    kind: file.target.kind,
    direction: file.direction,
    floor: file.target.floor,
    huber: { residuals: file.residuals, delta: file.huberDelta },
  };
  const from = Object.values(file.coefficients).map(coefficient => coefficient.value);
  const model = fitModel(points, choice, { from });
  const off = model === undefined ? Number.POSITIVE_INFINITY : Math.abs(model.objective - file.objective);
  if (model === undefined || !(off <= 1e-6 * Math.abs(file.objective) + 1e-12))
    throw new InputError(
      name,
      'its coefficients and its points do not belong together: was it edited? Fit again',
    );
  return { file, model };
}

function pointsOf({ points, target }: FitFile, name: string): Points {
  const n = points.models.length;
  const lengths = [
    points.families,
    ...Object.values(points.axes),
    points.target,
    points.size,
    points.compute,
  ];
  if (lengths.some(list => list.length !== n) || (points.loss && points.loss.values.length !== n))
    throw new InputError(`${name}: points`, 'lists of different lengths: was it edited? Fit again');
  return {
    source: name,
    axes: Object.entries(points.axes).map(([axis, values]) => ({
      name: axis,
      values: Float64Array.from(values),
    })),
    target: { name: target.column, values: Float64Array.from(points.target) },
    ...(points.loss && { loss: { name: points.loss.column, values: Float64Array.from(points.loss.values) } }),
    models: points.models,
    families: points.families,
    size: Float64Array.from(points.size),
    compute: Float64Array.from(points.compute),
  };
}

export interface PredictionRow extends Prediction {
  /** The inputs, by column. */
  readonly at: Readonly<Record<string, number>>;
  /** The input over the largest one fitted (for two inputs, of their product). */
  readonly reach: number;
}

/** Predicts at raw points (one value an axis) with the interval method and level of the fit. */
export function predictFrom(
  { file, model }: LoadedFit,
  points: readonly (readonly number[])[],
): PredictionRow[] {
  const { method, level } = file.interval;
  const sample = method === 'bootstrap' ? sampleOf(file, model) : undefined;
  const predict = predictorOf(model, level, sample);
  const names = model.points.axes.map(axis => axis.name);
  const largest = model.points.models.reduce(
    (most, _, row) => Math.max(most, productAt(model.points, row)),
    0,
  );
  return points.map(point => ({
    at: Object.fromEntries(names.map((name, i) => [name, point[i]!])),
    ...predict(point),
    reach: point.reduce((product, x) => product * x, 1) / largest,
  }));
}

/** The resamples of a fit whose intervals are the bootstrap's, from the coefficients it drew. */
function sampleOf({ bootstrap }: FitFile, { law, points }: Model): Bootstrap {
  const draws = bootstrap?.draws;
  if (!bootstrap || !draws?.every(draw => draw.length === law.coefficients.length))
    throw new InputError(points.source, 'asks for bootstrap intervals but holds no resamples: fit again');
  return { ...bootstrap, thetas: draws.map(draw => law.fromCoefficients(draw)) };
}

function productAt({ axes }: Points, row: number): number {
  return axes.reduce((product, axis) => product * axis.values[row]!, 1);
}
