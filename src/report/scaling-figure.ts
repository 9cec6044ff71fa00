/** The figure of a scaling fit: measured points, the law with its band, the largest model held out, log compute with its convention. */
import type { TopLevelSpec } from 'vega-lite';
import { type FitReport, type HoldoutRow, loadFit, predictFrom } from '../scaling/index.ts';
import { conventionText, logSteps, sizeText, ticksOf } from './axes.ts';
import { COLOURS } from './figure.ts';

export interface ScalingFigureOptions {
  readonly title?: string;
  readonly width?: number;
  readonly height?: number;
  /** Half-lengths of the points' error bars (a standard error, say), one a fitted point. */
  readonly errors?: readonly number[];
}

interface Curve {
  readonly x: number;
  readonly y: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly group: string;
}

/** More lines than this say nothing. */
const MOST_CURVES = 7;

/** Draws from the report alone. Throws where the fit is not identified: there is no law to draw. */
export function scalingFigure(report: FitReport, options: ScalingFigureOptions = {}): TopLevelSpec {
  const marks = measured(report, options);
  const curves = isJoint(report) ? curvesInTwo(report) : curveInOne(report);
  const groups = groupsOf(report, marks);
  const scales = encodings(report, marks, curves);
  const colour = groups && {
    color: {
      field: 'group',
      type: 'nominal' as const,
      scale: { domain: groups },
      legend: { title: isJoint(report) ? 'parameters' : null },
    },
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width: options.width ?? 440,
    height: options.height ?? 300,
    title: { text: options.title ?? `${report.target.column} against compute`, subtitle: subtitleOf(report) },
    layer: [
      {
        data: { values: curves.filter(curve => curve.low !== null && curve.high !== null) },
        mark: { type: 'area', color: COLOURS[0]!, opacity: 0.15 },
        encoding: { x: scales.x, y: { ...scales.y, field: 'low' }, y2: { field: 'high' } },
      },
      {
        data: { values: curves },
        mark: { type: 'line', color: isJoint(report) ? '#888888' : COLOURS[0]!, strokeWidth: 1.8 },
        encoding: {
          x: scales.x,
          y: { ...scales.y, field: 'y' },
          ...(isJoint(report) && { detail: { field: 'group' }, ...colour }),
        },
      },
      ...intervalLayers(marks, scales),
      pointLayer(marks, scales, colour),
    ],
  };
}

/** A law in parameters and tokens, as against one in compute alone. */
function isJoint({ points }: FitReport): boolean {
  return Object.keys(points.axes).length > 1;
}

type Scales = ReturnType<typeof encodings>;

function encodings(report: FitReport, marks: readonly Mark[], curves: readonly Curve[]) {
  const { points, flopsConvention, target } = report;
  const label = isJoint(report) ? 'compute' : Object.keys(points.axes)[0]!;
  const title = /flop|compute|^c$/i.test(label)
    ? `pretraining FLOPs (${conventionText(flopsConvention)})`
    : label;
  return {
    x: {
      field: 'x',
      type: 'quantitative' as const,
      scale: { type: 'log' as const, nice: false },
      axis: { title, grid: false, ...ticksOf([...marks, ...curves].map(mark => mark.x)) },
    },
    y: {
      type: 'quantitative' as const,
      scale: { zero: false },
      axis: { title: target.column, tickCount: 6 },
    },
  };
}

/** What colours tell apart: sizes under a joint law, families otherwise; nothing where there is one or too many. */
function groupsOf(report: FitReport, marks: readonly Mark[]): string[] | undefined {
  const groups = isJoint(report)
    ? allSizes(report).map(sizeText)
    : [...new Set(marks.map(mark => mark.group))];
  return groups.length > 1 && groups.length <= MOST_CURVES ? groups : undefined;
}

/** Error bars, the interval of what was held out, and a tick where it was predicted. */
function intervalLayers(marks: readonly Mark[], { x, y }: Scales) {
  return [
    {
      data: { values: marks.filter(mark => mark.low !== null) },
      mark: { type: 'rule' as const, strokeWidth: 1.2, color: '#222222' },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
    },
    {
      data: { values: marks.filter(mark => mark.predicted !== null) },
      mark: {
        type: 'tick' as const,
        orient: 'horizontal' as const,
        size: 18,
        thickness: 2,
        color: '#222222',
      },
      encoding: { x, y: { ...y, field: 'predicted' } },
    },
  ];
}

function pointLayer(marks: readonly Mark[], { x, y }: Scales, colour: object | undefined) {
  const held = marks.some(mark => mark.role === 'held out');
  return {
    data: { values: marks },
    mark: {
      type: 'point' as const,
      filled: true,
      size: 60,
      opacity: 1,
      stroke: 'white',
      strokeWidth: 0.6,
      color: '#222222',
    },
    encoding: {
      x,
      y: { ...y, field: 'y' },
      shape: {
        field: 'role',
        type: 'nominal' as const,
        scale: { domain: ['fitted', 'held out'], range: ['circle', 'diamond'] },
        legend: held ? { title: null } : null,
      },
      ...colour,
    },
  };
}

interface Mark {
  readonly x: number;
  readonly y: number;
  readonly group: string;
  readonly model: string;
  readonly role: 'fitted' | 'held out';
  readonly predicted: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** The points fitted and, where they were left out of the fit, those of the largest model with what was predicted. */
function measured(report: FitReport, { errors }: ScalingFigureOptions): Mark[] {
  const { points } = report;
  const fitted = points.target.map((y, row): Mark => {
    const error = errors?.[row];
    return {
      x: points.compute[row]!,
      y,
      group: isJoint(report) ? sizeText(sizesOf(report)[row]!) : points.families[row]!,
      model: points.models[row]!,
      role: 'fitted',
      predicted: null,
      low: error === undefined ? null : y - error,
      high: error === undefined ? null : y + error,
    };
  });
  return [
    ...fitted,
    ...heldOut(report).map(
      (row): Mark => ({
        x: row.compute,
        y: row.actual,
        group: isJoint(report) ? sizeText(row.size) : row.family,
        model: row.model,
        role: 'held out',
        predicted: row.predicted,
        low: row.low,
        high: row.high,
      }),
    ),
  ];
}

function allCompute(report: FitReport): number[] {
  return [...report.points.compute, ...heldOut(report).map(row => row.compute)];
}

function curveInOne(report: FitReport): Curve[] {
  const steps = logSteps(allCompute(report), 1.6);
  return predictFrom(
    loadFit(report, 'figure'),
    steps.map(x => [x]),
  ).map((row, i) => ({
    x: steps[i]!,
    y: row.value,
    low: row.low,
    high: row.high,
    group: 'law',
  }));
}

/** For a law in parameters and tokens: one line a size, over the compute that its rows span. */
function curvesInTwo(report: FitReport): Curve[] {
  const fitted = loadFit(report, 'figure');
  const sizes = allSizes(report);
  const every = Math.ceil(sizes.length / MOST_CURVES);
  const places = [
    ...report.points.compute.map((compute, row) => ({ compute, size: sizesOf(report)[row]! })),
    ...heldOut(report),
  ];
  return sizes
    .filter((_, i) => (sizes.length - 1 - i) % every === 0)
    .flatMap(params => {
      const own = places.filter(({ size }) => size === params).map(({ compute }) => compute);
      const steps = logSteps(own, 2.5);
      const rows = predictFrom(
        fitted,
        steps.map(compute => [params, compute / (6 * params)]),
      );
      return rows.map((row, i) => ({
        x: steps[i]!,
        y: row.value,
        low: null,
        high: null,
        group: sizeText(params),
      }));
    });
}

/** Rows that the fit has not seen: none where the hold-out came from a second fit. */
function heldOut({ holdout, points }: FitReport): readonly HoldoutRow[] {
  return holdout && !points.models.includes(holdout.model) ? holdout.rows : [];
}

function allSizes(report: FitReport): number[] {
  return [...new Set([...sizesOf(report), ...heldOut(report).map(row => row.size)])].sort((a, b) => a - b);
}

/** Parameters of every fitted row, the first axis of a joint law. */
function sizesOf({ points }: FitReport): readonly number[] {
  return Object.values(points.axes)[0]!;
}

function subtitleOf(report: FitReport): string[] {
  const { form, formula, interval } = report;
  const percent = `${100 * interval.level}%`;
  const lines = isJoint(report) ? 'one line a size' : `${percent} ${interval.method} band of the law`;
  const [held] = heldOut(report);
  const rest = held ? `; held out: ${report.holdout!.model}, with its ${percent} interval` : '';
  return [`${form}: ${formula}`, `${lines}${rest}`];
}
