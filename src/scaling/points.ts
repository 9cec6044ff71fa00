/** A table of measured models, as the fits take it: inputs, target, and who belongs with whom. */
import { InputError } from '../base/index.ts';
import { spearman } from '../stats/index.ts';
import type { Direction } from './law.ts';

export interface Column {
  readonly name: string;
  readonly values: Float64Array;
}

export interface Points {
  /** Where the table came from, for messages. */
  readonly source: string;
  /** The inputs of the law: one column of FLOPs (or the like), or parameters and tokens. All above 0. */
  readonly axes: readonly Column[];
  readonly target: Column;
  /** The loss between (N, D) and the target, for the two-step law. */
  readonly loss?: Column;
  /** Rows of one model belong together: they are resampled and left out as one. */
  readonly models: readonly string[];
  readonly families: readonly string[];
  /** By what the largest model is found: parameters where known, else compute. */
  readonly size: Float64Array;
  /** Pretraining compute, the axis of the log-linear baseline. */
  readonly compute: Float64Array;
}

/** Scores in 0..1, scores in 0..100, or a loss (any positive number, the smaller the better). */
export const TARGET_KINDS = ['fraction', 'percent', 'loss'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

export function takePoints(points: Points, rows: readonly number[]): Points {
  const numbers = (values: Float64Array) => Float64Array.from(rows, row => values[row]!);
  const column = ({ name, values }: Column) => ({ name, values: numbers(values) });
  const words = (values: readonly string[]) => rows.map(row => values[row]!);
  return {
    source: points.source,
    axes: points.axes.map(column),
    target: column(points.target),
    ...(points.loss && { loss: column(points.loss) }),
    models: words(points.models),
    families: words(points.families),
    size: numbers(points.size),
    compute: numbers(points.compute),
  };
}

/** Does the target rise or fall with compute? By the sign of Spearman's correlation. */
export function directionOf(x: Float64Array, y: Float64Array): Direction {
  return (spearman(x, y) ?? 0) < 0 ? 'falling' : 'rising';
}

const LOSS_NAME =
  /(^|[^a-z])(loss|nll|xent|cross.?entropy|entropy|ppl|perplexity|bpb|bits|error|err)([^a-z]|$)/i;
const SCORE_NAME =
  /ndcg|mrr|map|recall|precision|acc|f1|score|beir|mteb|hellaswag|mmlu|arc|piqa|lambada|winogr|icl|exact|^em$/i;

/** What kind of number the target is, and what was assumed in saying so. Throws where percentages and fractions are mixed. */
export function targetKindOf(points: Points): { kind: TargetKind; assumption: string | undefined } {
  const { name, values } = points.target;
  const known = LOSS_NAME.test(name) ? 'loss' : SCORE_NAME.test(name) ? 'score' : undefined;
  if (known === 'loss') return { kind: 'loss', assumption: undefined };
  if (known === undefined && directionOf(points.compute, values) === 'falling')
    return {
      kind: 'loss',
      assumption: `'${name}' falls with compute and is taken as a loss (--target loss)`,
    };
  const most = values.reduce((a, b) => Math.max(a, b));
  if (most <= 1.5) {
    const assumption = known ? undefined : `'${name}' is taken as a score in 0..1 (--target fraction)`;
    return { kind: 'fraction', assumption };
  }
  refuseMixture(points);
  return {
    kind: 'percent',
    assumption: `'${name}' reaches ${most} and is taken as a percentage (--target percent)`,
  };
}

/** A column with values above 1.5 is in percent; then values in 0..1 are most likely fractions. */
function refuseMixture({ source, target, models }: Points): void {
  const odd = [...target.values.keys()].filter(row => target.values[row]! > 0 && target.values[row]! <= 1);
  if (odd.length === 0) return;
  const rows = odd.slice(0, 5).map(row => `${models[row]} (${target.values[row]})`);
  throw new InputError(
    source,
    `'${target.name}' mixes percentages and fractions: ${rows.join(', ')}${odd.length > 5 ? ' and more' : ''} lie in 0..1, others above it; bring all to one unit, or say which with --target`,
  );
}

/** Refuses what no law can be fitted to; returns what is odd but can be fitted. */
export function checkPoints(points: Points, kind: TargetKind): { points: Points; warnings: string[] } {
  const { source, target, axes } = points;
  if (target.values.length < 2)
    throw new InputError(source, `${target.values.length} usable rows: a law needs several models`);
  for (const { name, values } of [...axes, ...(points.loss ? [points.loss] : [])]) {
    const bad = values.findIndex(value => !(value > 0 && Number.isFinite(value)));
    if (bad >= 0)
      throw new InputError(
        source,
        `'${name}' holds ${values[bad]} (${points.models[bad]}): only numbers above 0 have a logarithm`,
      );
    if (isConstant(values))
      throw new InputError(source, `all ${values.length} values of '${name}' are equal: nothing to fit`);
  }
  if (isConstant(target.values))
    throw new InputError(
      source,
      `all ${target.values.length} values of '${target.name}' are equal: nothing to fit`,
    );
  return refuseImpossible(dropRepeats(points), kind);
}

function isConstant(values: Float64Array): boolean {
  return values.every(value => value === values[0]);
}

function refuseImpossible(
  { points, warnings }: { points: Points; warnings: string[] },
  kind: TargetKind,
): { points: Points; warnings: string[] } {
  const { source, target } = points;
  const bad = target.values.find(value => !Number.isFinite(value) || (kind === 'loss' && value <= 0));
  if (bad !== undefined)
    throw new InputError(
      source,
      `'${target.name}' holds ${bad}: ${kind === 'loss' ? 'a loss is above 0' : 'not a number'}`,
    );
  const ceiling = ceilingOf(kind);
  const above = target.values.filter(value => value > ceiling).length;
  if (above > 0)
    throw new InputError(
      source,
      `${above} values of '${target.name}' are above ${ceiling}, the most a ${kind} can be; is the unit right (--target)?`,
    );
  if (kind !== 'loss' && target.values.some(value => value < 0))
    warnings.push(
      `'${target.name}' has values below 0: rescaled scores may, but the ceiling of ${ceiling} is then a guess`,
    );
  return { points, warnings };
}

/** The largest value a target of this kind can have. */
export function ceilingOf(kind: TargetKind): number {
  return { fraction: 1, percent: 100, loss: Number.POSITIVE_INFINITY }[kind];
}

/** A row that repeats another in everything adds no evidence: kept once, with a warning. */
function dropRepeats(points: Points): { points: Points; warnings: string[] } {
  const seen = new Map<string, number>();
  const repeats: string[] = [];
  const kept = points.models.flatMap((model, row) => {
    const columns = [...points.axes, points.target, ...(points.loss ? [points.loss] : [])];
    const key = JSON.stringify([model, ...columns.map(column => column.values[row])]);
    if (seen.has(key)) {
      repeats.push(model);
      return [];
    }
    seen.set(key, row);
    return [row];
  });
  if (repeats.length === 0) return { points, warnings: [] };
  const shown = [...new Set(repeats)].slice(0, 5).join(', ');
  return {
    points: takePoints(points, kept),
    warnings: [`${repeats.length} rows repeat another row in everything and were left out: ${shown}`],
  };
}
