/** How the losses fell: over the tokens of each run, and at the end of each run against its compute. */
import { sizeText } from './axes.ts';
import type { Theme } from './figure.ts';
import {
  computeAxis,
  fitOf,
  flopsBy,
  lawLayers,
  logAxis,
  markLayers,
  marksOf,
  sizeColours,
} from './marks.ts';
import { lawText, shortNumber } from './numbers.ts';
import type { LossCurve, StudyResults } from './results.ts';
import type { Figure } from './study-figures.ts';

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

interface LossPoint {
  readonly x: number;
  readonly y: number;
  readonly size: string;
  readonly rung: string;
  readonly branch: string;
  readonly line: string;
}

function pointsOf(curves: readonly LossCurve[], kind: 'train' | 'heldOut'): LossPoint[] {
  return curves.flatMap(({ rung, params, lines }) =>
    lines.flatMap(line =>
      line[kind]
        .filter(({ tokens }) => tokens > 0) // the axis is logarithmic
        .map(({ tokens, lossNats }) => ({
          x: tokens,
          y: lossNats,
          size: sizeText(params),
          rung,
          branch: line.branch,
          line: JSON.stringify([rung, line.branch]),
        })),
    ),
  );
}

export function lossFigure(results: StudyResults, theme: Theme): Figure | undefined {
  const train = pointsOf(results.curves, 'train');
  const heldOut = pointsOf(results.curves, 'heldOut');
  if (train.length + heldOut.length === 0) return undefined;
  const x = logAxis(
    'pretraining tokens',
    [...train, ...heldOut].map(point => point.x),
  );
  const y = {
    field: 'y',
    type: 'quantitative' as const,
    scale: { zero: false },
    axis: { title: 'loss (nats per token)', tickCount: 6 },
  };
  const color = {
    field: 'size',
    type: 'nominal' as const,
    sort: null,
    scale: sizeColours(results),
    legend: { title: 'parameters', symbolOpacity: 1 },
  };
  const tooltip = [
    { field: 'rung', type: 'nominal' as const, title: 'rung' },
    { field: 'branch', type: 'nominal' as const, title: 'branch' },
    { field: 'x', type: 'quantitative' as const, title: 'tokens', format: '.3s' },
    { field: 'y', type: 'quantitative' as const, title: 'held-out loss', format: '.4f' },
  ];
  const detail = { field: 'line', type: 'nominal' as const };
  return {
    id: 'loss-curves',
    title: 'Pretraining',
    caption:
      'Training loss of single steps, thinned (thin lines), and held-out loss (points), against pretraining tokens. Each size is one trunk at a constant learning rate, with a branch that decays it for every token budget.',
    alt: results.curves.map(curveText).join('; '),
    spec: {
      $schema: SCHEMA,
      width: 520,
      height: 300,
      layer: [
        {
          data: { values: train },
          mark: { type: 'line', strokeWidth: 0.9, opacity: 0.6 },
          encoding: { x, y, color, detail },
        },
        {
          data: { values: heldOut },
          mark: {
            type: 'point',
            filled: true,
            size: 34,
            opacity: 1,
            stroke: theme.paper,
            strokeWidth: 0.5,
          },
          encoding: { x, y, color, detail, tooltip },
        },
      ],
    },
  };
}

function curveText({ rung, lines }: LossCurve): string {
  const ends = lines.flatMap(({ train, heldOut }) => heldOut.at(-1) ?? train.at(-1) ?? []);
  if (ends.length === 0) return `${rung}: no losses`;
  return `${rung}: ${lines.length} lines, lowest last loss ${shortNumber(Math.min(...ends.map(end => end.lossNats)))} nats per token`;
}

export function heldOutLossFigure(results: StudyResults, theme: Theme): Figure | undefined {
  const convention = results.conventions[0];
  if (convention === undefined) return undefined;
  const marks = marksOf(results, flopsBy(convention), ({ heldOut }) =>
    heldOut ? { value: heldOut.lossNats, low: heldOut.lossNats, high: heldOut.lossNats } : undefined,
  );
  if (marks.length === 0) return undefined;
  const fit = fitOf(results, 'heldOutLoss', convention);
  const span = marks.map(mark => mark.x);
  const axes = {
    x: computeAxis(convention, span),
    y: {
      type: 'quantitative' as const,
      scale: { zero: false },
      axis: { title: 'held-out loss (nats per token)', tickCount: 6 },
    },
  };
  const values = marks.map(mark => mark.y);
  return {
    id: 'loss-flops',
    title: 'Held-out loss against pretraining compute',
    caption: `Loss on text that no checkpoint was trained on, at the end of every run. ${fit ? lawText(fit) : ''}`,
    alt: `${marks.length} checkpoints, losses from ${shortNumber(Math.max(...values))} down to ${shortNumber(Math.min(...values))} nats per token.`,
    spec: {
      $schema: SCHEMA,
      width: 520,
      height: 300,
      layer: [
        ...lawLayers(fit?.report, span, axes, theme),
        ...markLayers(
          marks.map(mark => ({ ...mark, shown: `${mark.y.toFixed(4)} nats per token` })),
          axes,
          sizeColours(results),
          theme,
        ),
      ],
    },
  };
}
