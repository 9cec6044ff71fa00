/** Statistical warnings about a fit: no trend, rows of one model that hang together, few models to resample. */
import { groupRows, incompleteBeta, mean } from '../stats/index.ts';
import { logLinear } from './log-linear.ts';
import { minimize } from './minimize.ts';
import type { Model } from './model.ts';
import { huberProblem } from './objective.ts';
import { dispersionOf } from './profile.ts';

const CLUSTERED = 0.01;
const NO_TREND = 0.05;
const FEW_MODELS = 8;

/** P(F > f) for Fisher's F with d1 and d2 degrees of freedom. */
function fTail(f: number, d1: number, d2: number): number {
  return f > 0 ? incompleteBeta(d2 / (d2 + d1 * f), d2 / 2, d1 / 2) : 1;
}

/** What the user should know before believing the intervals. */
export function diagnose(model: Model): string[] {
  return [trendWarning(model), clusterWarning(model)].filter(warning => warning !== undefined);
}

/** Does the law do better than one constant? By the drop in dispersion, which F judges. */
function trendWarning(model: Model): string | undefined {
  const stage = model.stages.at(-1)!;
  const { y } = stage.data;
  const p = stage.law.lower.length;
  const { lambda, degreesOfFreedom } = dispersionOf(model.residuals, stage.huber.delta, p);
  if (!(lambda > 0) || degreesOfFreedom < 1) return undefined;
  const flat = { ...stage.law.setting, axisNames: ['nothing'], scales: [1] };
  const constant = {
    ...logLinear(flat),
    lower: Float64Array.of(-1e300, 0),
    upper: Float64Array.of(1e300, 0),
  };
  const problem = huberProblem(constant, [new Float64Array(y.length)], y, stage.huber);
  const best = minimize(problem, Float64Array.of(mean(y), 0));
  if (best === undefined) return undefined;
  const f = (2 * (best.value - stage.solution.minimum.value)) / lambda / (p - 1);
  const chance = fTail(f, p - 1, degreesOfFreedom);
  return chance > NO_TREND
    ? `the law is no clear improvement on a constant (p = ${chance.toPrecision(2)}): there may be no trend to extrapolate`
    : undefined;
}

/** One-way analysis of variance of the residuals by model. */
function clusterWarning({ points, residuals }: Model): string | undefined {
  const groups = groupRows(points.models);
  const n = residuals.length;
  const between = groups.length - 1;
  const within = n - groups.length;
  if (between < 1 || within < 1) return undefined;
  const centre = mean(residuals);
  let [betweenSum, withinSum] = [0, 0];
  for (const rows of groups) {
    const average = mean(rows.map(row => residuals[row]!));
    betweenSum += rows.length * (average - centre) ** 2;
    for (const row of rows) withinSum += (residuals[row]! - average) ** 2;
  }
  const f = betweenSum / between / (withinSum / within);
  return withinSum > 0 && fTail(f, between, within) < CLUSTERED
    ? 'residuals of rows of the same model hang together, so the rows are not independent and profile intervals are too narrow: use --interval bootstrap'
    : undefined;
}

export function bootstrapWarning(models: number, failed: number, resamples: number): string[] {
  const warnings: string[] = [];
  if (models < FEW_MODELS)
    warnings.push(`a bootstrap over ${models} models is too coarse to trust its intervals`);
  if (failed > resamples / 20) warnings.push(`${failed} of ${resamples} resamples could not be refitted`);
  return warnings;
}
