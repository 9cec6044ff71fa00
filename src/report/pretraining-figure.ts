/** The figure of pretraining: loss against tokens, on the batches (smoothed) and on held-out text. */
import type { TopLevelSpec } from 'vega-lite';
import { COLOURS } from './figure.ts';
import type { Point } from './text-plot.ts';

/** One line of the figure. `x` in tokens, `y` in nats a token. */
export interface LossSeries {
  readonly name: string;
  readonly train: readonly Point[];
  readonly heldOut: readonly Point[];
}

export interface LossFigureOptions {
  readonly title?: string;
  readonly width?: number;
  readonly height?: number;
  /** Tokens on a logarithmic axis. */
  readonly logTokens?: boolean;
}

/** Points of a line: more are not to be told apart at the width of a column of print. */
const MOST_POINTS = 400;
/** Of a line's points, how many the mean is taken over on each side. */
const SMOOTHING_SHARE = 0.01;

/**
 * Running means over a window that is centred, and narrower at the ends so that it stays so: a trailing mean would lag behind a falling loss.
 * At most `MOST_POINTS` of them, evenly spread, the last one included.
 */
export function smoothed(points: readonly Point[], share = SMOOTHING_SHARE): Point[] {
  const half = Math.ceil(share * points.length);
  const sums = [0];
  for (const { y } of points) sums.push(sums.at(-1)! + y);
  const count = Math.min(MOST_POINTS, points.length);
  const places = Array.from({ length: count }, (_, i) => Math.round(((i + 1) * points.length) / count - 1));
  return places.map(place => {
    const reach = Math.min(half, place, points.length - 1 - place);
    const [from, to] = [place - reach, place + reach + 1];
    return { x: points[place]!.x, y: (sums[to]! - sums[from]!) / (to - from) };
  });
}

/** Draws every series in a colour of its own: a thin line for the batches, points and a line for held-out text. */
export function lossFigure(series: readonly LossSeries[], options: LossFigureOptions = {}): TopLevelSpec {
  const { title = 'Loss of pretraining', width = 440, height = 300, logTokens = false } = options;
  const names = series.map(({ name }) => name);
  const rows = (kind: 'train' | 'heldOut', own: (one: LossSeries) => readonly Point[]) =>
    series.flatMap(one => own(one).map(({ x, y }) => ({ x, y, name: one.name, kind })));
  const isShown = ({ x, y }: Point): boolean => Number.isFinite(y) && (!logTokens || x > 0);
  const train = rows('train', one => smoothed(one.train)).filter(isShown);
  const heldOut = rows('heldOut', one => one.heldOut).filter(isShown);
  const encoding = {
    x: {
      field: 'x',
      type: 'quantitative' as const,
      scale: logTokens ? { type: 'log' as const, nice: false } : { nice: false },
      axis: { title: 'tokens', format: '~s', tickCount: 6, grid: false },
    },
    y: {
      field: 'y',
      type: 'quantitative' as const,
      scale: { zero: false },
      axis: { title: 'loss, nats a token', tickCount: 6 },
    },
    color: {
      field: 'name',
      type: 'nominal' as const,
      scale: { domain: names, range: names.map((_, i) => COLOURS[i % COLOURS.length]!) },
      legend: names.length > 1 ? { title: null } : null,
    },
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width,
    height,
    title: { text: title, subtitle: ['thin: training batches, smoothed; with points: held-out text'] },
    layer: [
      {
        data: { values: train },
        mark: { type: 'line', strokeWidth: 1, opacity: 0.55 },
        encoding,
      },
      {
        data: { values: heldOut },
        mark: { type: 'line', strokeWidth: 2, point: { size: 36, filled: true } },
        encoding,
      },
    ],
  };
}
