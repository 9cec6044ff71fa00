/** From a table and a few options to a complete choice of fit, with what had to be assumed said aloud. */
import { InputError } from '../base/index.ts';
import type { Direction, FormName } from './law.ts';
import {
  axesOf,
  type Choice,
  defaultHuber,
  fitStage,
  lawFor,
  type Model,
  modelOfStage,
  type Search,
} from './model.ts';
import { ceilingOf, checkPoints, directionOf, type Points, type TargetKind, targetKindOf } from './points.ts';
import { fitTwoStep } from './two-step.ts';

export interface ChoiceOptions {
  readonly form: FormName;
  readonly target?: TargetKind;
  readonly direction?: Direction;
  /** The score of a model that knows nothing; sigmoid and two-step only. Default 0. */
  readonly floor?: number;
  readonly delta?: number;
  readonly starts?: number;
}

export interface Chosen {
  readonly points: Points;
  readonly choice: Choice;
  readonly warnings: readonly string[];
}

/** Checks the points, and settles what kind of target this is, whether it rises or falls, and how residuals are judged. */
export function choose(raw: Points, options: ChoiceOptions): Chosen {
  const { form } = options;
  if (raw.axes.length !== axesOf(form))
    throw new InputError(
      raw.source,
      axesOf(form) === 2
        ? `the form ${form} needs parameters and tokens: name their columns with --params and --tokens`
        : `the form ${form} has one input: name its column with --x`,
    );
  const guess =
    options.target === undefined ? targetKindOf(raw) : { kind: options.target, assumption: undefined };
  const { kind } = guess;
  const { points, warnings } = checkPoints(raw, kind);
  const direction = options.direction ?? defaultDirection(form, kind, points);
  const floor = options.floor ?? 0;
  if (floor >= ceilingOf(kind))
    throw new InputError('--floor', `${floor} is not below the ceiling of ${ceilingOf(kind)}`);
  const choice: Choice = {
    form,
    kind,
    direction,
    floor,
    huber: defaultHuber(kind, options.delta),
    ...(options.starts !== undefined && { starts: options.starts }),
  };
  return {
    points,
    choice,
    warnings: [...(guess.assumption ? [guess.assumption] : []), ...warnings, ...unitWarnings(points)],
  };
}

function defaultDirection(form: FormName, kind: TargetKind, points: Points): Direction {
  if (form === 'contrastive') return 'falling';
  if (form === 'chinchilla' && kind === 'loss') return 'falling';
  return directionOf(points.compute, points.target.values);
}

/** Parameters or tokens in millions or billions still fit, but A, B and every FLOPs figure then carry that unit. */
function unitWarnings(points: Points): string[] {
  if (points.axes.length < 2) return [];
  return points.axes
    .filter(({ values }) => values.every(value => value < 1e5))
    .map(
      ({ name }) =>
        `'${name}' stays below 1e5: are these counts, or millions or billions? A and B depend on it`,
    );
}

/** Fits a choice to points; undefined where no start has a finite objective. */
export function fitModel(points: Points, choice: Choice, search: Search = {}): Model | undefined {
  if (choice.form === 'two-step') return fitTwoStep(points, choice, search);
  const law = lawFor(choice.form, points, choice);
  const data = { axes: points.axes.map(axis => axis.values), y: points.target.values };
  const stage = fitStage(law, data, choice.huber, choice, search);
  return stage && modelOfStage(stage, points, choice);
}
