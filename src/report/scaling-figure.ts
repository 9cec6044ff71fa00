/** The figure of a scaling fit: measured points, the law with its band, the largest model held out, log compute with its convention. */
import type { TopLevelSpec } from 'vega-lite';
import { type FitReport, loadFit, predictFrom } from '../scaling/index.ts';

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
  readonly curve: string;
}

/** How a convention is written in print. */
const CONVENTIONS: Readonly<Record<string, string>> = {
  '6nd': '6ND',
  '6nd-nonembedding': '6ND, without embeddings',
  palm: 'PaLM count',
  chinchilla: "Chinchilla's count",
  executed: 'executed matrix products',
  'not stated': 'convention not stated',
};

const STEPS = 80;
/** More lines than this say nothing. */
const MOST_CURVES = 7;

/** Draws from the report alone. Throws where the fit is not identified: there is no law to draw. */
export function scalingFigure(report: FitReport, options: ScalingFigureOptions = {}): TopLevelSpec {
  const { points, flopsConvention, target } = report;
  const [axisName] = Object.keys(points.axes);
  const oneAxis = Object.keys(points.axes).length === 1;
  const marks = measured(report, options);
  const curves = oneAxis ? curveInOne(report) : curvesInTwo(report);
  const label = oneAxis ? axisName! : 'compute';
  const xTitle = /flop|compute|^c$/i.test(label)
    ? `pretraining FLOPs (${CONVENTIONS[flopsConvention] ?? flopsConvention})`
    : label;
  const families = [...new Set(marks.map(mark => mark.family))];
  const lines = [...new Set(curves.map(curve => curve.curve))];
  const colour = families.length > 1 && families.length <= MOST_CURVES ? 'family' : undefined;
  const x = (field: string) => ({
    field,
    type: 'quantitative' as const,
    scale: { type: 'log' as const, nice: false },
    axis: { title: xTitle, grid: false, ...ticksOf([...marks, ...curves].map(mark => mark.x)) },
  });
  const y = {
    type: 'quantitative' as const,
    scale: { zero: false },
    axis: { title: target.column, tickCount: 6 },
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width: options.width ?? 440,
    height: options.height ?? 300,
    title: { text: options.title ?? `${target.column} against compute`, subtitle: subtitleOf(report) },
    layer: [
      {
        data: { values: curves.filter(curve => curve.low !== null && curve.high !== null) },
        mark: { type: 'area', color: '#0072B2', opacity: 0.15 },
        encoding: { x: x('x'), y: { ...y, field: 'low' }, y2: { field: 'high' } },
      },
      {
        data: { values: curves },
        mark: { type: 'line', color: '#0072B2', strokeWidth: 1.8 },
        encoding: {
          x: x('x'),
          y: { ...y, field: 'y' },
          ...(lines.length > 1 && {
            color: { field: 'curve', type: 'nominal', sort: lines, legend: { title: 'parameters' } },
          }),
        },
      },
      {
        data: { values: marks.filter(mark => mark.low !== null) },
        mark: { type: 'rule', strokeWidth: 1.2, color: '#D55E00' },
        encoding: { x: x('x'), y: { ...y, field: 'low' }, y2: { field: 'high' } },
      },
      {
        data: { values: marks.filter(mark => mark.predicted !== null) },
        mark: { type: 'point', shape: 'cross', size: 60, color: '#D55E00', filled: true },
        encoding: { x: x('x'), y: { ...y, field: 'predicted' } },
      },
      {
        data: { values: marks },
        mark: {
          type: 'point',
          filled: true,
          size: 55,
          opacity: 0.9,
          stroke: 'white',
          strokeWidth: 0.6,
          color: '#222222',
        },
        encoding: {
          x: x('x'),
          y: { ...y, field: 'y' },
          shape: {
            field: 'role',
            type: 'nominal',
            scale: { domain: ['fitted', 'held out'], range: ['circle', 'diamond'] },
            legend: marks.some(mark => mark.role === 'held out') ? { title: null } : null,
          },
          ...(colour && { color: { field: colour, type: 'nominal', legend: { title: null } } }),
        },
      },
    ],
    resolve: { scale: { color: 'independent', shape: 'shared' } },
  };
}

interface Mark {
  readonly x: number;
  readonly y: number;
  readonly family: string;
  readonly model: string;
  readonly role: 'fitted' | 'held out';
  readonly predicted: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** The points fitted and, where they were left out of the fit, those of the largest model with what was predicted. */
function measured(report: FitReport, { errors }: ScalingFigureOptions): Mark[] {
  const { points, holdout } = report;
  const fitted = points.target.map((y, row): Mark => {
    const error = errors?.[row];
    return {
      x: points.compute[row]!,
      y,
      family: points.families[row]!,
      model: points.models[row]!,
      role: 'fitted',
      predicted: null,
      low: error === undefined ? null : y - error,
      high: error === undefined ? null : y + error,
    };
  });
  if (!holdout || points.models.includes(holdout.model)) return fitted;
  return [
    ...fitted,
    ...holdout.rows.map(
      (row): Mark => ({
        x: row.compute,
        y: row.actual,
        family: row.family,
        model: row.model,
        role: 'held out',
        predicted: row.predicted,
        low: row.low,
        high: row.high,
      }),
    ),
  ];
}

/** Equal steps in the logarithm from the smallest to the largest compute of all marks, a little beyond on both sides. */
function logSteps(values: readonly number[], beyond: number): number[] {
  const least = Math.log(Math.min(...values) / beyond);
  const most = Math.log(Math.max(...values) * beyond);
  return Array.from({ length: STEPS + 1 }, (_, i) => Math.exp(least + ((most - least) * i) / STEPS));
}

/** Ticks at powers of ten, or at 1, 2 and 5 times them where fewer than three would show, labelled with exponents. */
function ticksOf(values: readonly number[]): { values: number[]; labelExpr: string } {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const within = (factors: readonly number[]) => {
    const decades = Math.ceil(Math.log10(most)) - Math.floor(Math.log10(least)) + 1;
    return Array.from({ length: decades }, (_, i) => Math.floor(Math.log10(least)) + i)
      .flatMap(power => factors.map(factor => ({ at: Number(`${factor}e${power}`), factor, power })))
      .filter(({ at }) => at >= least * 0.999 && at <= most * 1.001);
  };
  const decades = within([1]);
  const ticks = decades.length >= 3 ? decades : within([1, 2, 5]);
  const labels = ticks.map(({ at, factor, power }) => {
    const exponent = String(power).replace(/[-0-9]/g, c => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(c)]!);
    return `'${at.toExponential(0)}': '${factor === 1 ? '' : `${factor}·`}10${exponent}'`;
  });
  return {
    values: ticks.map(tick => tick.at),
    labelExpr: `({${labels.join(', ')}})[format(datum.value, '.0e')]`,
  };
}

function allCompute({ points, holdout }: FitReport): number[] {
  return [...points.compute, ...(holdout?.rows.map(row => row.compute) ?? [])];
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
    curve: 'law',
  }));
}

/** For a law in parameters and tokens: one line a size, over the compute that its rows span. */
function curvesInTwo(report: FitReport): Curve[] {
  const fitted = loadFit(report, 'figure');
  const sizes = [...new Set(Object.values(report.points.axes)[0]!)].sort((a, b) => a - b);
  const every = Math.ceil(sizes.length / MOST_CURVES);
  return sizes
    .filter((_, i) => (sizes.length - 1 - i) % every === 0)
    .flatMap(params => {
      const own = report.points.compute.filter(
        (_, row) => Object.values(report.points.axes)[0]![row] === params,
      );
      const steps = logSteps(own, 3);
      const rows = predictFrom(
        fitted,
        steps.map(compute => [params, compute / (6 * params)]),
      );
      return rows.map((row, i) => ({
        x: steps[i]!,
        y: row.value,
        low: null,
        high: null,
        curve: short(params),
      }));
    });
}

function short(params: number): string {
  return params >= 1e9
    ? `${Number((params / 1e9).toPrecision(3))}B`
    : `${Number((params / 1e6).toPrecision(3))}M`;
}

function subtitleOf({ form, formula, holdout, interval, points }: FitReport): string[] {
  const held = holdout && !points.models.includes(holdout.model);
  return [
    `${form}: ${formula}`,
    `${100 * interval.level}% ${interval.method} band of the law${held ? `; held out: ${holdout.model}, with its ${100 * interval.level}% interval` : ''}`,
  ];
}
