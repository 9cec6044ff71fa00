/** Simulated ladders with a planted law: six sizes, four budgets, seeded noise. For tests, benches, and planning an experiment before paying for it. */
import { Rng } from '../base/index.ts';
import type { Points } from './points.ts';

/** Parameters of the published ladder, 125M to 7B. */
export const LADDER_SIZES = [
  125_311_488, 355_985_408, 760_470_528, 1_315_950_592, 2_651_837_440, 6_658_859_008,
];
/** Tokens per parameter: the span of arXiv 2508.17400. */
export const LADDER_RATIOS = [20, 60, 180, 500];

export interface LadderOptions {
  /** The noiseless target of a model with N parameters trained on D tokens with C = 6ND FLOPs. */
  readonly truth: (n: number, d: number, c: number) => number;
  /** Standard deviation of the noise: added for scores, of the logarithm for losses. */
  readonly noise: number;
  readonly seed: number | string;
  readonly target: 'ndcg_at_10' | 'loss';
  /** One input (FLOPs) or two (parameters, tokens). */
  readonly axes: 1 | 2;
  /** A loss column for the two-step law, with noise of 1% unless told otherwise. */
  readonly loss?: (n: number, d: number) => number;
  readonly lossNoise?: number;
}

export function simulatedLadder(options: LadderOptions): Points {
  const rng = Rng.from(options.seed, 'ladder');
  const cells = LADDER_SIZES.flatMap(n =>
    LADDER_RATIOS.map(ratio => ({ n, d: n * ratio, c: 6 * n * n * ratio })),
  );
  const column = (name: string, value: (cell: (typeof cells)[number]) => number) => ({
    name,
    values: Float64Array.from(cells, value),
  });
  const { loss, lossNoise = 0.01 } = options;
  const losses = loss && column('loss', ({ n, d }) => loss(n, d) * Math.exp(lossNoise * rng.normal()));
  const scatter =
    options.target === 'loss' ? (y: number, e: number) => y * Math.exp(e) : (y: number, e: number) => y + e;
  return {
    source: 'simulated ladder',
    axes:
      options.axes === 1
        ? [column('flops', cell => cell.c)]
        : [column('params', cell => cell.n), column('tokens', cell => cell.d)],
    target: column(options.target, ({ n, d, c }) =>
      scatter(options.truth(n, d, c), options.noise * rng.normal()),
    ),
    ...(losses && { loss: losses }),
    models: cells.map(({ n, d }) => `${(n / 1e6).toFixed(0)}m-${Math.round(d / n)}x`),
    families: cells.map(() => 'mpt'),
    size: Float64Array.from(cells, cell => cell.n),
    compute: Float64Array.from(cells, cell => cell.c),
  };
}

/** One planted law of every form, over the ladder's span; `four` is the point at four times the largest compute. */
export const PLANTED = {
  'log-linear': {
    target: 'ndcg_at_10',
    axes: 1,
    truth: (_n: number, _d: number, c: number) => 0.4 + 0.04 * Math.log10(c / 1e20),
  },
  power: {
    target: 'ndcg_at_10',
    axes: 1,
    truth: (_n: number, _d: number, c: number) => 0.62 - 0.17 * (c / 1e20) ** -0.12,
  },
  sigmoid: {
    target: 'ndcg_at_10',
    axes: 1,
    truth: (_n: number, _d: number, c: number) => 0.58 / (1 + Math.exp(-0.7 * (Math.log10(c) - 19.5))),
  },
  chinchilla: {
    target: 'loss',
    axes: 2,
    truth: (n: number, d: number) => 1.8172 + 482.01 / n ** 0.3478 + 2085.43 / d ** 0.3658,
  },
  contrastive: {
    target: 'loss',
    axes: 2,
    truth: (n: number, d: number) => ((3e7 / n) ** (0.35 / 0.4) + 3e8 / d) ** 0.4 + 0.2,
  },
  'two-step': {
    target: 'ndcg_at_10',
    axes: 2,
    loss: (n: number, d: number) => 1.8172 + 482.01 / n ** 0.3478 + 2085.43 / d ** 0.3658,
    truth: (n: number, d: number) =>
      0.62 / (1 + Math.exp(3 * (1.8172 + 482.01 / n ** 0.3478 + 2085.43 / d ** 0.3658 - 2.6))),
  },
} as const;
