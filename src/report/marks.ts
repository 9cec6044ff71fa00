/** The layers that a study's figures are put together from: checkpoints with error bars, laws with bands, reference lines. */
import { type FitReport, loadFit, predictFrom } from '../scaling/index.ts';
import { conventionText, logSteps, sizeText, ticksOf } from './axes.ts';
import { COLOURS, type Theme } from './figure.ts';
import { flopsText, scoreText } from './numbers.ts';
import type { CheckpointResult, Estimate, RetrievalScores, StudyFit, StudyResults } from './results.ts';

/** A checkpoint at its place in a figure. */
export interface Mark {
  readonly name: string;
  readonly size: string;
  readonly params: number;
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
  readonly role: 'measured' | 'held out';
  readonly tokens: string;
  readonly flops: string;
  readonly shown: string;
}

export const ROLES = ['measured', 'held out'] as const;

/** Checkpoints that were pretrained and have the score asked for. */
export function marksOf(
  results: StudyResults,
  x: (checkpoint: CheckpointResult) => number | undefined,
  y: (checkpoint: CheckpointResult) => Estimate | null | undefined,
  heldOut: (checkpoint: CheckpointResult) => boolean = () => false,
): Mark[] {
  return results.checkpoints.flatMap(checkpoint => {
    const [place, score] = [x(checkpoint), y(checkpoint)];
    if (checkpoint.tokens <= 0 || place === undefined || !Number.isFinite(place) || !score) return [];
    return [
      {
        name: checkpoint.name,
        size: sizeText(checkpoint.params),
        params: checkpoint.params,
        x: place,
        y: score.value,
        low: score.low,
        high: score.high,
        role: heldOut(checkpoint) ? ('held out' as const) : ('measured' as const),
        tokens: sizeText(checkpoint.tokens),
        flops: flopsText(checkpoint.flops[results.conventions[0]!] ?? Number.NaN),
        shown: `${scoreText(score.value)} (${scoreText(score.low)} to ${scoreText(score.high)})`,
      },
    ];
  });
}

/** FLOPs by a convention; undefined where none were spent or it was not counted so. */
export function flopsBy(convention: string): (checkpoint: CheckpointResult) => number | undefined {
  return ({ flops }) => {
    const found = Object.hasOwn(flops, convention) ? flops[convention]! : 0;
    return found > 0 ? found : undefined;
  };
}

/** The score of a collection, or the mean. */
export function scoreOf(scores: RetrievalScores | null, target: string): Estimate | undefined {
  if (scores === null) return undefined;
  if (target === 'mean') return scores.mean;
  return Object.hasOwn(scores.collections, target) ? scores.collections[target] : undefined;
}

/** Was the row at this compute left out of the fit? */
export function isHeldOut(report: FitReport | null | undefined, compute: number | undefined): boolean {
  if (!report?.holdout || compute === undefined || report.points.compute.includes(compute)) return false;
  return report.holdout.rows.some(row => row.compute === compute);
}

export function fitOf(results: StudyResults, target: string, convention: string): StudyFit | undefined {
  return results.fits.find(fit => fit.target === target && fit.convention === convention);
}

/** Sizes in ascending order with their colours: black stays with what is no model. */
export function sizeColours(results: StudyResults): { domain: string[]; range: string[] } {
  const sizes = [...new Set(results.checkpoints.map(({ params }) => params))].sort((a, b) => a - b);
  const palette = COLOURS.filter(colour => colour !== '#000000');
  const domain = [...new Set(sizes.map(sizeText))];
  return { domain, range: domain.map((_, i) => palette[i % palette.length]!) };
}

export function computeAxis(convention: string, values: readonly number[]) {
  return logAxis(`pretraining FLOPs (${conventionText(convention)})`, values);
}

export function logAxis(title: string, values: readonly number[], padding = 0) {
  const ticks = values.length > 0 ? ticksOf(values) : {};
  return {
    field: 'x',
    type: 'quantitative' as const,
    scale: { type: 'log' as const, nice: false, padding },
    axis: { title, grid: false, ...ticks },
  };
}

export function scoreAxis(title: string) {
  return {
    type: 'quantitative' as const,
    scale: { zero: false },
    axis: { title, tickCount: 6 },
  };
}

/** An encoding that the layers of one figure share. */
export interface Axes {
  readonly x: object;
  readonly y: object;
}

/** Error bars and points, coloured by size; a faint line joins the budgets of a size. */
export function markLayers(
  marks: readonly Mark[],
  { x, y }: Axes,
  colours: { domain: string[]; range: string[] },
  theme: Theme,
  legend = true,
) {
  const color = {
    field: 'size',
    type: 'nominal' as const,
    sort: null,
    scale: colours,
    legend: legend ? { title: 'parameters', symbolOpacity: 1 } : null,
  };
  const held = marks.some(mark => mark.role === 'held out');
  const data = { values: marks };
  return [
    {
      data,
      mark: { type: 'line' as const, strokeWidth: 1, opacity: 0.45 },
      encoding: { x, y: { ...y, field: 'y' }, color },
    },
    {
      data,
      mark: { type: 'rule' as const, strokeWidth: 1.2 },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
    },
    {
      data,
      mark: {
        type: 'point' as const,
        filled: true,
        size: 75,
        opacity: 1,
        stroke: theme.paper,
        strokeWidth: 0.8,
      },
      encoding: {
        x,
        y: { ...y, field: 'y' },
        color,
        shape: {
          field: 'role',
          type: 'nominal' as const,
          scale: { domain: [...ROLES], range: ['circle', 'diamond'] },
          legend: held && legend ? { title: null } : null,
        },
        tooltip: [
          { field: 'name', type: 'nominal' as const, title: 'checkpoint' },
          { field: 'shown', type: 'nominal' as const, title: 'value' },
          { field: 'tokens', type: 'nominal' as const, title: 'tokens' },
          { field: 'flops', type: 'nominal' as const, title: 'FLOPs' },
        ],
      },
    },
  ];
}

/** The law with its band over the span of some compute; nothing where the fit is not identified. */
export function lawLayers(
  report: FitReport | null | undefined,
  span: readonly number[],
  { x, y }: Axes,
  theme: Theme,
) {
  const curve = curveOf(report, span);
  if (curve.length === 0) return [];
  const band = curve.filter(({ low, high }) => low !== null && high !== null);
  return [
    {
      data: { values: band },
      mark: { type: 'area' as const, color: theme.ink, opacity: 0.11 },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
    },
    {
      data: { values: curve },
      mark: { type: 'line' as const, color: theme.ink, strokeWidth: 1.8 },
      encoding: { x, y: { ...y, field: 'y' } },
    },
  ];
}

interface CurvePoint {
  readonly x: number;
  readonly y: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** Curves by fit: profile intervals take a while, and each figure is drawn for print and for the page. */
const curves = new WeakMap<FitReport, { readonly span: string; readonly curve: readonly CurvePoint[] }>();

function curveOf(report: FitReport | null | undefined, span: readonly number[]): readonly CurvePoint[] {
  if (!report || report.coefficients === null || span.length === 0) return [];
  if (Object.keys(report.points.axes).length > 1) return []; // a law in parameters and tokens is no line over compute
  const known = curves.get(report);
  if (known?.span === span.join()) return known.curve;
  const steps = logSteps(span, 1.4);
  const rows = predictFrom(
    loadFit(report, 'results'),
    steps.map(step => [step]),
  );
  const curve = rows.map(({ value, low, high }, i) => ({ x: steps[i]!, y: value, low, high }));
  curves.set(report, { span: span.join(), curve });
  return curve;
}

/** What the fit said of the rows it had not seen: a tick and the interval of one measurement. */
export function predictionLayers(report: FitReport | null | undefined, { x, y }: Axes, theme: Theme) {
  const rows = (report?.holdout?.rows ?? []).filter(row => isHeldOut(report, row.compute));
  if (rows.length === 0) return [];
  const values = rows.map(row => ({
    x: row.compute,
    y: row.predicted,
    low: row.low,
    high: row.high,
    name: row.model,
    shown: `predicted ${scoreText(row.predicted)}, measured ${scoreText(row.actual)}`,
  }));
  const bounded = values.filter(({ low, high }) => low !== null && high !== null);
  return [
    {
      data: { values: bounded },
      mark: { type: 'rule' as const, color: theme.soft, strokeWidth: 1.2, strokeDash: [2, 2] },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
    },
    {
      data: { values },
      mark: {
        type: 'tick' as const,
        orient: 'horizontal' as const,
        size: 18,
        thickness: 2.2,
        opacity: 1,
        color: theme.ink,
      },
      encoding: {
        x,
        y: { ...y, field: 'y' },
        tooltip: [
          { field: 'name', type: 'nominal' as const, title: 'held out' },
          { field: 'shown', type: 'nominal' as const, title: 'nDCG@10' },
        ],
      },
    },
  ];
}

interface Reference {
  readonly label: string;
  readonly y: number;
}

/** BM25, and rungs that were finetuned without pretraining. */
export function referencesOf(results: StudyResults, target: string): Reference[] {
  const systems = results.references.map(({ name, scores }) => ({
    label: name.replace(/ \(.*\)$/, ''),
    score: scoreOf(scores, target),
  }));
  const rungs = results.checkpoints.filter(({ tokens, finetuned }) => tokens === 0 && finetuned);
  const untrained = rungs.map(({ finetuned }, i) => ({
    label:
      untrainedLabel(
        i,
        rungs.map(rung => rung.params),
      ) ?? '',
    score: scoreOf(finetuned, target),
  }));
  return [...systems, ...untrained].flatMap(({ label, score }) =>
    score === undefined ? [] : [{ label, y: score.value }],
  );
}

/** These lines lie close together: the first is labelled for all. */
function untrainedLabel(i: number, sizes: readonly number[]): string | undefined {
  if (i > 0) return undefined;
  const ends = [Math.min(...sizes), Math.max(...sizes)].map(sizeText);
  return `untrained, ${[...new Set(ends)].join(' to ')}`;
}

/** Dashed lines across the figure, named at its left edge. */
export function referenceLayers(references: readonly Reference[], { y }: Axes, theme: Theme) {
  if (references.length === 0) return [];
  const data = { values: references };
  return [
    {
      data,
      mark: { type: 'rule' as const, color: theme.soft, strokeDash: [5, 4], strokeWidth: 1 },
      encoding: { y: { ...y, field: 'y' } },
    },
    {
      data,
      mark: {
        type: 'text' as const,
        color: theme.soft,
        align: 'left' as const,
        baseline: 'bottom' as const,
        dx: 4,
        dy: -2,
        fontSize: 11,
        limit: 220,
      },
      encoding: {
        x: { value: 0 },
        y: { ...y, field: 'y' },
        text: { field: 'label', type: 'nominal' as const },
      },
    },
  ];
}
