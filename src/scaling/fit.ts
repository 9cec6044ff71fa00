/** The whole of a fit: minimise, audit, intervals, bootstrap, hold-out; and the one object that says it all. */
import { InputError, StepError } from '../base/index.ts';
import { type Audit, auditStage } from './audit.ts';
import { bootstrap, bootstrapInterval, type QueryScores } from './bootstrap.ts';
import { type ChoiceOptions, type Chosen, choose, fitModel } from './choose.ts';
import { bootstrapWarning, diagnose } from './diagnose.ts';
import { type Holdout, judge, largestRows, otherRows, type Rollout, rollouts, varies } from './holdout.ts';
import { type CoefficientInterval, coefficientIntervals, noiseOf, predictorOf } from './intervals.ts';
import type { Direction, FormName } from './law.ts';
import { type Model, sizeOf } from './model.ts';
import { type Points, type TargetKind, takePoints } from './points.ts';

export const INTERVAL_METHODS = ['profile', 'bootstrap'] as const;
export type IntervalMethod = (typeof INTERVAL_METHODS)[number];

export interface FitOptions extends ChoiceOptions {
  /** `largest`: fit without the largest model and predict it. `auto`: fit all, and judge by a second fit without it. */
  readonly holdout: 'largest' | 'auto' | 'none';
  /** `auto`: the profile, but the bootstrap for the two-step law, whose steps share the noise of the measured losses. */
  readonly interval: IntervalMethod | 'auto';
  readonly level: number;
  readonly resamples: number;
  readonly seed: number;
  /** Largest sizes to leave out one after the other; 0 for none. */
  readonly rollouts: number;
  /** How the FLOPs of the table were counted. */
  readonly convention: string;
  readonly queries?: QueryScores;
}

/** What is done unless told otherwise. */
export const FIT_DEFAULTS = {
  holdout: 'auto',
  interval: 'auto',
  level: 0.95,
  resamples: 1000,
  seed: 17,
  rollouts: 0,
  convention: 'not stated',
} as const satisfies Omit<FitOptions, 'form'>;

export interface FitHooks {
  readonly onStart?: (done: number, of: number) => void;
  readonly onResample?: (done: number, of: number) => void;
}

/** The object that `isoflop fit --json` prints and `-o` writes; docs/formats.md describes every field. */
export interface FitReport {
  readonly kind: 'isoflop-fit';
  readonly version: 1;
  readonly form: FormName;
  readonly formula: string;
  readonly direction: Direction;
  readonly identified: boolean;
  readonly coefficients: Readonly<Record<string, CoefficientInterval>> | null;
  readonly meanings: Readonly<Record<string, string>>;
  readonly objective: number;
  readonly n: number;
  readonly huberDelta: number;
  readonly residuals: 'log' | 'plain';
  readonly starts: number;
  readonly convergedShare: number;
  readonly audit: readonly Audit[];
  /** Scatter of the points about the law: a standard deviation, of ln(target) where residuals are logarithmic. */
  readonly noise: number;
  readonly interval: { readonly method: IntervalMethod; readonly level: number };
  readonly bootstrap: BootstrapReport | null;
  readonly holdout: Holdout | null;
  readonly rollouts: readonly Rollout[];
  readonly warnings: readonly string[];
  readonly flopsConvention: string;
  readonly target: { readonly column: string; readonly kind: TargetKind; readonly floor: number };
  /** Geometric means by which the inputs are scaled, by column. */
  readonly scales: Readonly<Record<string, number>>;
  readonly points: PointsReport;
}

export interface BootstrapReport {
  readonly over: 'models' | 'models and queries';
  readonly models: number;
  readonly resamples: number;
  readonly failed: number;
  readonly seed: number;
  readonly coefficients: Readonly<
    Record<string, { readonly low: number | null; readonly high: number | null }>
  >;
  /** The coefficients of every resample, in the order of `coefficients`; kept where the intervals are the bootstrap's. */
  readonly draws: readonly (readonly number[])[] | null;
}

/** The rows that were fitted, so that a prediction can be made and checked from the report alone. */
export interface PointsReport {
  readonly source: string;
  readonly models: readonly string[];
  readonly families: readonly string[];
  readonly axes: Readonly<Record<string, readonly number[]>>;
  readonly target: readonly number[];
  readonly loss: { readonly column: string; readonly values: readonly number[] } | null;
  readonly size: readonly number[];
  readonly compute: readonly number[];
}

/** Fits `form` to the points and reports. Throws `InputError` for tables that no law can be fitted to. */
export function fit(raw: Points, options: FitOptions, hooks: FitHooks = {}): FitReport {
  return fitAll(raw, options, hooks).report;
}

/** Options with the interval method decided. */
type Settled = FitOptions & { readonly interval: IntervalMethod };

function intervalMethod({ interval, form, resamples }: FitOptions): IntervalMethod {
  if (interval !== 'auto') return interval;
  return form === 'two-step' && resamples > 0 ? 'bootstrap' : 'profile';
}

/** The same, with the fitted model for those who go on from it. */
export function fitAll(
  raw: Points,
  asked: FitOptions,
  hooks: FitHooks = {},
): { model: Model; report: FitReport } {
  const options: Settled = { ...asked, interval: intervalMethod(asked) };
  if (!(options.level > 0 && options.level < 1))
    throw new InputError(
      '--level',
      `${options.level} is no coverage: give a share between 0 and 1, such as 0.95`,
    );
  const chosen = choose(raw, options);
  const left = options.holdout === 'largest' ? largestRows(chosen.points) : [];
  const points = takePoints(chosen.points, otherRows(chosen.points, left));
  const enough = points.models.length > 1 && varies(points);
  const model = enough ? fitModel(points, chosen.choice, hooks) : undefined;
  if (model === undefined)
    throw new StepError(
      'fit',
      `no ${options.form} law has a finite objective on these ${points.models.length} rows`,
    );
  const { holdout, warnings } = holdoutOf(model, chosen, left, options);
  const report = reportOf(model, chosen.points, options, hooks, holdout, [...chosen.warnings, ...warnings]);
  return { model, report };
}

/** The hold-out of the largest model: by this fit where it was left out of it, by a second one otherwise. */
function holdoutOf(
  model: Model,
  { points, choice }: Chosen,
  left: readonly number[],
  options: Settled,
): { holdout: Holdout | null; warnings: string[] } {
  if (options.holdout === 'none') return { holdout: null, warnings: [] };
  const rows = left.length > 0 ? left : largestRows(points);
  const out = takePoints(points, rows);
  const rest = takePoints(points, otherRows(points, rows));
  const needed = sizeOf(choice.form) + 1;
  if (rest.models.length < needed || !varies(rest)) {
    const why = `no hold-out: without ${out.models.length} rows of the largest model, ${rest.models.length} remain, and ${choice.form} needs ${needed} that differ`;
    return { holdout: null, warnings: [why] };
  }
  const judged = left.length > 0 ? model : fitModel(rest, choice);
  if (judged === undefined) return { holdout: null, warnings: ['no hold-out: the rest cannot be fitted'] };
  const sample = options.interval === 'bootstrap' ? bootstrap(judged, options) : undefined;
  const holdout = judge(judged, out, predictorOf(judged, options.level, sample));
  return { holdout, warnings: [...holdoutFaults(judged, left), ...baselineWarning(holdout)] };
}

function holdoutFaults(judged: Model, left: readonly number[]): string[] {
  if (left.length > 0) return []; // the same fit: its faults are the report's own
  const faults = judged.stages.flatMap(stage => auditStage(stage).faults);
  return faults.map(fault => `the hold-out's fit is not identified: ${fault}`);
}

function baselineWarning({ actual, predicted, naive }: Holdout): string[] {
  const error = (value: number) => Math.abs(value - actual);
  const better = [
    ...(error(naive.last) < error(predicted) ? ['the last value'] : []),
    ...(naive.logLinear !== null && error(naive.logLinear) < error(predicted) ? ['a log-linear line'] : []),
  ];
  if (better.length === 0) return [];
  return [`on the held-out model ${better.join(' and ')} predicted better than this law`];
}

/** `table` is all of the points, `model` is fitted to those that were not left out. */
function reportOf(
  model: Model,
  table: Points,
  options: Settled,
  hooks: FitHooks,
  holdout: Holdout | null,
  earlier: readonly string[],
): FitReport {
  const { choice, points, law } = model;
  const audit = model.stages.map(auditStage);
  const faults = audit.flatMap(a => a.faults);
  const profile = faults.length === 0 ? coefficientIntervals(model, options.level) : undefined;
  if (profile !== undefined) faults.push(...boundlessness(model, profile));
  const resampled =
    faults.length === 0 && options.resamples > 0 ? bootstrapReport(model, options, hooks) : null;
  return {
    kind: 'isoflop-fit',
    version: 1,
    form: choice.form,
    formula: law.formula,
    direction: choice.direction,
    identified: faults.length === 0,
    coefficients:
      faults.length === 0 && profile !== undefined
        ? named(model, k => withMethod(profile[k]!, resampled, law.coefficients[k]!.name, options.interval))
        : null,
    meanings: named(model, k => law.coefficients[k]!.meaning),
    objective: model.objective,
    n: points.models.length,
    huberDelta: choice.huber.delta,
    residuals: choice.huber.residuals,
    starts: audit.reduce((sum, a) => sum + a.starts, 0),
    convergedShare: Math.min(...audit.map(a => a.convergedShare)),
    audit,
    noise: noiseOf(model),
    interval: { method: options.interval, level: options.level },
    bootstrap: resampled,
    holdout,
    rollouts: rollouts(table, choice, options.rollouts, options.level),
    warnings: [
      ...faults.map(fault => `not identified: ${fault}`),
      ...earlier,
      ...auditWarnings(audit),
      ...(profile === undefined ? [] : limitWarnings(model, profile)),
      ...diagnose(model),
      ...(choice.form === 'two-step' && options.interval === 'profile' ? [TWO_STEP_PROFILE] : []),
      ...(resampled ? bootstrapWarning(resampled.models, resampled.failed, resampled.resamples) : []),
    ],
    flopsConvention: options.convention,
    target: { column: points.target.name, kind: choice.kind, floor: choice.floor },
    scales: Object.fromEntries(law.setting.axisNames.map((name, i) => [name, law.setting.scales[i]!])),
    points: pointsReport(points),
  };
}

function named<T>({ law }: Model, value: (k: number) => T): Record<string, T> {
  return Object.fromEntries(law.coefficients.map(({ name }, k) => [name, value(k)]));
}

function withMethod(
  profile: CoefficientInterval,
  resampled: BootstrapReport | null,
  name: string,
  method: IntervalMethod,
): CoefficientInterval {
  if (method === 'profile' || resampled === null) return profile;
  return { value: profile.value, ...resampled.coefficients[name]!, limits: [] };
}

/** A coefficient that may take any value it is allowed to is not determined. */
function boundlessness({ law }: Model, intervals: readonly CoefficientInterval[]): string[] {
  return intervals.flatMap((interval, k) => {
    const open = (side: 'low' | 'high') => interval[side] === null || interval.limits.includes(side);
    return open('low') && open('high') ? [`the data bound ${law.coefficients[k]!.name} on neither side`] : [];
  });
}

function limitWarnings({ law }: Model, intervals: readonly CoefficientInterval[]): string[] {
  return intervals.flatMap((interval, k) =>
    (['low', 'high'] as const)
      .filter(side => interval[side] === null || interval.limits.includes(side))
      .map(side => {
        const { name } = law.coefficients[k]!;
        const end = interval[side];
        const where = end === null ? 'anything' : `its limit ${Number(end.toPrecision(6))}`;
        return `the data do not bound ${name} ${side === 'low' ? 'below' : 'above'}: its interval reaches ${where}`;
      }),
  );
}

const FEW_CONVERGED = 0.05;

const TWO_STEP_PROFILE =
  'profile intervals of the two-step law count its steps as independent and are wider than they say (98.7% measured for 95%): --interval bootstrap is closer';

function auditWarnings(audits: readonly Audit[]): string[] {
  return audits.flatMap(({ convergedShare, atBounds }) => [
    ...(convergedShare < FEW_CONVERGED
      ? [
          `only ${(100 * convergedShare).toFixed(1)}% of the starts reached the best objective: it may not be the best there is`,
        ]
      : []),
    ...(atBounds.length > 0 ? [`at the edge of what is allowed: ${atBounds.join(', ')}`] : []),
  ]);
}

function bootstrapReport(model: Model, options: Settled, hooks: FitHooks): BootstrapReport {
  const sample = bootstrap(model, {
    resamples: options.resamples,
    seed: options.seed,
    ...(options.queries && { queries: options.queries }),
    onResample: done => hooks.onResample?.(done, options.resamples),
  });
  const { over, models, resamples, failed, seed } = sample;
  const interval = (k: number) =>
    bootstrapInterval(sample, theta => model.law.toCoefficients(theta)[k]!, options.level) ?? {
      low: null,
      high: null,
    };
  const draws = sample.thetas.map(theta => [...model.law.toCoefficients(theta)]);
  const kept = options.interval === 'bootstrap' ? draws : null;
  return { over, models, resamples, failed, seed, coefficients: named(model, interval), draws: kept };
}

function pointsReport({ source, models, families, axes, target, loss, size, compute }: Points): PointsReport {
  return {
    source,
    models,
    families,
    axes: Object.fromEntries(axes.map(({ name, values }) => [name, [...values]])),
    target: [...target.values],
    loss: loss ? { column: loss.name, values: [...loss.values] } : null,
    size: [...size],
    compute: [...compute],
  };
}
