/** A law fitted to a table: what every later step (intervals, hold-out, bootstrap, prediction) works on. */
import { InternalError } from '../base/index.ts';
import { chinchilla } from './chinchilla.ts';
import { contrastive } from './contrastive.ts';
import { type Direction, type FittableLaw, type FormName, geometricMean, type Law } from './law.ts';
import { logLinear } from './log-linear.ts';
import { type Minimum, minimize, type Problem } from './minimize.ts';
import type { Huber } from './objective.ts';
import { ceilingOf, type Points, type TargetKind } from './points.ts';
import { powerLaw } from './power.ts';
import { allowedRise, dispersionOf } from './profile.ts';
import { sigmoid } from './sigmoid.ts';
import { type Observations, problemOf, type Solution, solve } from './solve.ts';

/** Everything that decides a fit besides its points. */
export interface Choice {
  readonly form: FormName;
  readonly kind: TargetKind;
  readonly direction: Direction;
  readonly floor: number;
  readonly huber: Huber;
  /** At most so many starts, spread evenly over the grid; all of it by default. */
  readonly starts?: number;
}

/** One minimisation of a fit: the two-step law has two of them, every other form one. */
export interface Stage {
  readonly law: FittableLaw;
  readonly data: Observations;
  readonly huber: Huber;
  readonly solution: Solution;
}

export interface Model {
  readonly choice: Choice;
  readonly points: Points;
  /** From the inputs to the target. */
  readonly law: Law;
  readonly theta: Float64Array;
  readonly stages: readonly Stage[];
  /** Sum of the stages' objectives. */
  readonly objective: number;
  /** A problem in all of theta whose rise above its minimum measures how much worse a fit is; for the intervals. */
  readonly joint: Problem;
  readonly minimum: Minimum;
  /** A few thetas far apart, from which profiles look for branches that lie away from the best fit. */
  readonly elsewhere: readonly Float64Array[];
  /** By how much `joint` may rise within an interval of that level. */
  rise(level: number): number;
  /** Residuals of the target, in the stage's kind (plain or logarithmic). */
  readonly residuals: Float64Array;
  readonly degreesOfFreedom: number;
}

/** Huber's delta for losses, on logarithms: Hoffmann et al.'s 1e-3. */
export const LOSS_DELTA = 1e-3;
/** For scores in 0..1, on plain residuals: one point. Residuals up to that act as least squares, larger ones by their sign. */
export const SCORE_DELTA = 0.01;

export function defaultHuber(kind: TargetKind, delta?: number): Huber {
  if (kind === 'loss') return { residuals: 'log', delta: delta ?? LOSS_DELTA };
  return { residuals: 'plain', delta: delta ?? SCORE_DELTA * ceilingOf(kind) };
}

/** How many inputs a form has. */
export function axesOf(form: FormName): 1 | 2 {
  return form === 'chinchilla' || form === 'contrastive' || form === 'two-step' ? 2 : 1;
}

/** How many coefficients a form has. */
export function sizeOf(form: FormName): number {
  return { 'log-linear': 2, power: 3, sigmoid: 3, chinchilla: 5, contrastive: 5, 'two-step': 8 }[form];
}

/** The law of a one-stage form, written for these points. */
export function lawFor(form: FormName, points: Points, choice: Omit<Choice, 'form'>): FittableLaw {
  const setting = {
    direction: choice.direction,
    axisNames: points.axes.map(axis => axis.name),
    scales: points.axes.map(axis => geometricMean(axis.values)),
    ceiling: ceilingOf(choice.kind),
    floor: choice.floor,
  };
  switch (form) {
    case 'log-linear':
      return logLinear(setting);
    case 'power':
      return powerLaw(setting);
    case 'sigmoid':
      return sigmoid(setting);
    case 'chinchilla':
      return chinchilla(setting);
    case 'contrastive':
      return contrastive(setting);
    case 'two-step':
      throw new InternalError('the two-step law is fitted in two stages');
  }
}

export interface Search {
  readonly onStart?: (done: number, of: number) => void;
  /** Coefficients to begin from instead of the form's own starts, in the law's order: for a fit that is known already. */
  readonly from?: readonly number[];
}

/** The best fit of a one-stage form; undefined where no start has a finite objective. */
export function fitStage(
  law: FittableLaw,
  data: Observations,
  huber: Huber,
  choice: Choice,
  { onStart, from }: Search = {},
): Stage | undefined {
  const all = from ? [law.fromCoefficients(from)] : law.starts(law.prepare(data.axes), data.y);
  const count = Math.min(choice.starts ?? all.length, all.length);
  const starts = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
  const solution = solve(law, data, huber, starts, done => onStart?.(done, count));
  return solution && { law, data, huber, solution };
}

/** Residuals at a stage's minimum. */
export function residualsOf({ solution }: Stage): Float64Array {
  const found = solution.problem.detail(solution.minimum.theta);
  if (found === undefined) throw new InternalError('a minimum has finite residuals');
  return found.residuals.slice();
}

const ELSEWHERE = 10;

/** Some of the form's own starts, spread evenly. */
export function elsewhereOf({ law, data }: Stage): Float64Array[] {
  const starts = law.starts(law.prepare(data.axes), data.y);
  const count = Math.min(ELSEWHERE, starts.length);
  return Array.from({ length: count }, (_, i) => starts[Math.floor(((i + 0.5) * starts.length) / count)]!);
}

export function modelOfStage(stage: Stage, points: Points, choice: Choice): Model {
  const { law, huber, solution } = stage;
  const residuals = residualsOf(stage);
  const p = law.lower.length;
  const dispersion = dispersionOf(residuals, huber.delta, p);
  return {
    choice,
    points,
    law,
    theta: solution.minimum.theta,
    stages: [stage],
    objective: solution.minimum.value,
    joint: solution.problem,
    minimum: solution.minimum,
    elsewhere: elsewhereOf(stage),
    rise: level => allowedRise(dispersion, level),
    residuals,
    degreesOfFreedom: dispersion.degreesOfFreedom,
  };
}

/** The observations of a stage with other rows or other targets, minimised from where the stage ended: a bootstrap refit. */
export function refitStage(stage: Stage, data: Observations): Minimum | undefined {
  const problem = problemOf(stage.law, data, stage.huber);
  return minimize(problem, stage.solution.minimum.theta, { valueTolerance: 1e-9 });
}
