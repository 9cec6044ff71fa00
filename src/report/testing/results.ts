/** Made-up results with a planted law, for tests of the report and for looking at it. No number here was measured. */
import { Rng } from '../../base/index.ts';
import { correlateAll, FIT_DEFAULTS, type FitReport, fit, type Points } from '../../scaling/index.ts';
import type {
  CheckpointResult,
  CollectionInfo,
  Estimate,
  LossCurve,
  RetrievalScores,
  StudyFit,
  StudyResults,
  TaskInfo,
} from '../results.ts';

const SIZES = [98_304, 262_144, 655_360, 1_572_864];
const BUDGETS = [20, 60, 200];
const CONVENTIONS = ['6nd', 'palm'] as const;
const LEVEL = 0.95;

const COLLECTIONS: readonly CollectionInfo[] = [
  {
    name: 'wordnet-siblings',
    title: 'WordNet siblings',
    split: 'test',
    documents: 12_000,
    queries: 600,
    inMean: true,
  },
  {
    name: 'wordnet-entries',
    title: 'WordNet entries',
    split: 'test',
    documents: 9_000,
    queries: 500,
    inMean: true,
  },
];

const TASKS: readonly TaskInfo[] = [
  { name: 'hypernyms', type: 'multiple_choice', shots: 0, items: 400, chance: 0.25 },
  { name: 'last-word', type: 'language_modeling', shots: 0, items: 300, chance: 0 },
];

const around = (value: number, half: number): Estimate => ({ value, low: value - half, high: value + half });

function scores(mean: number, rng: Rng): RetrievalScores {
  const [a, b] = [mean * 1.2 + 0.004 * rng.normal(), mean * 0.8 + 0.004 * rng.normal()];
  return {
    collections: { 'wordnet-siblings': around(a, 0.018), 'wordnet-entries': around(b, 0.016) },
    mean: around((a + b) / 2, 0.012),
  };
}

function checkpointOf(params: number, ratio: number, rng: Rng): CheckpointResult {
  const tokens = params * ratio;
  const c = 6 * params * tokens;
  const lossNats = 2.1 + 60 / params ** 0.3 + 250 / Math.max(1, tokens) ** 0.4;
  const retrieval = scores(ratio === 0 ? 0.06 : 0.5 - 0.3 * (c / 1e13) ** -0.14, rng);
  const known = 1 / (1 + Math.exp(2 * (lossNats - 3.4)));
  const rung = `mpt-${Math.round(params / 1000)}k`;
  return {
    name: ratio === 0 ? `${rung} untrained` : `${rung} at ${ratio} tokens a parameter`,
    rung,
    params,
    paramsNonEmbedding: Math.round(params * 0.6),
    tokens,
    epochs: tokens / 30e6,
    flops: { '6nd': c, palm: c * (1.3 - 0.1 * Math.log10(params / 1e5)) },
    heldOut: ratio === 0 ? null : { lossNats, bitsPerByte: lossNats / 2.3 },
    finetuned: retrieval,
    zeroShot: ratio === BUDGETS[0] ? scores(0.03, rng) : null,
    icl: {
      hypernyms: {
        accuracy: around(0.25 + 0.5 * known + 0.01 * rng.normal(), 0.04),
        bitsPerByte: around(2.4 - known, 0.05),
      },
      'last-word': { accuracy: around(0.4 * known, 0.03), bitsPerByte: null },
    },
    iclMean:
      ratio === 0
        ? null
        : {
            accuracy: around(0.53 * known + 0.01 * rng.normal(), 0.03),
            bitsPerByte: around(2.4 - known + 0.02 * rng.normal(), 0.05),
          },
  };
}

function pointsOf(
  checkpoints: readonly CheckpointResult[],
  convention: string,
  name: string,
  value: (checkpoint: CheckpointResult) => number,
): Points {
  const rows = checkpoints.filter(({ tokens }) => tokens > 0);
  const compute = Float64Array.from(rows, ({ flops }) => flops[convention]!);
  return {
    source: 'made up',
    axes: [{ name: 'flops', values: compute }],
    target: { name, values: Float64Array.from(rows, value) },
    models: rows.map(row => row.name),
    families: rows.map(row => row.rung),
    size: Float64Array.from(rows, ({ params }) => params),
    compute,
  };
}

function fitOf(points: Points, convention: string): FitReport {
  const options = {
    ...FIT_DEFAULTS,
    form: 'power',
    holdout: 'largest',
    resamples: 100,
    starts: 100,
    convention,
  };
  return fit(points, options as Parameters<typeof fit>[1]);
}

function fitsOf(checkpoints: readonly CheckpointResult[]): StudyFit[] {
  const targets = ['mean', ...COLLECTIONS.map(({ name }) => name)];
  const score = (target: string) => (row: CheckpointResult) =>
    target === 'mean' ? row.finetuned!.mean.value : row.finetuned!.collections[target]!.value;
  const loss = pointsOf(checkpoints, '6nd', 'held_out_loss', row => row.heldOut!.lossNats);
  return [
    ...CONVENTIONS.flatMap(convention =>
      targets.map(target => ({
        target,
        convention,
        report: fitOf(pointsOf(checkpoints, convention, 'ndcg_at_10', score(target)), convention),
        reason: null,
      })),
    ),
    { target: 'heldOutLoss', convention: '6nd', report: fitOf(loss, '6nd'), reason: null },
  ];
}

function curveOf(params: number, rng: Rng): LossCurve {
  const at = (tokens: number, decayed: number) =>
    2.1 + 60 / params ** 0.3 + 250 / tokens ** 0.4 - 0.08 * decayed;
  const most = params * BUDGETS.at(-1)!;
  const line = (branch: string, from: number, to: number, decay: boolean) => {
    const steps = Array.from({ length: 60 }, (_, i) => from + ((to - from) * (i + 1)) / 60);
    const loss = (tokens: number) => at(tokens, decay ? (tokens - from) / (to - from) : 0);
    return {
      branch,
      train: steps.map(tokens => ({ tokens, lossNats: loss(tokens) + 0.03 * rng.normal() })),
      heldOut: [30, 60].map(i => ({ tokens: steps[i - 1]!, lossNats: loss(steps[i - 1]!) })),
    };
  };
  return {
    rung: `mpt-${Math.round(params / 1000)}k`,
    params,
    lines: [
      line('trunk', 0, most * 0.9, false),
      ...BUDGETS.map(ratio => line(`${ratio}x`, params * ratio * 0.8, params * ratio, true)),
    ],
  };
}

/** Four sizes, three budgets and an untrained rung. */
export function exampleResults(seed = 1): StudyResults {
  const rng = Rng.from(seed, 'example results');
  const trained = SIZES.flatMap(params => BUDGETS.map(ratio => checkpointOf(params, ratio, rng)));
  const checkpoints = [checkpointOf(SIZES[0]!, 0, rng), ...trained];
  const table = {
    source: 'made up',
    models: trained.map(({ name }) => name),
    families: trained.map(() => ''),
    columns: {
      icl_accuracy: trained.map(({ iclMean }) => iclMean!.accuracy.value),
      icl_bits_per_byte: trained.map(({ iclMean }) => iclMean!.bitsPerByte.value),
      ndcg_at_10: trained.map(({ finetuned }) => finetuned!.mean.value),
      flops: trained.map(({ flops }) => flops['6nd']!),
    },
  };
  return {
    kind: 'isoflop-results',
    version: 1,
    study: 'example',
    title: 'A made-up study',
    description: 'Numbers from a planted power law, to look at the report with. Nothing here was measured.',
    level: LEVEL,
    conventions: [...CONVENTIONS],
    collections: COLLECTIONS,
    tasks: TASKS,
    checkpoints,
    references: [{ name: 'BM25 (lucene, k1 0.9, b 0.4, english)', scores: scores(0.41, rng) }],
    curves: SIZES.map(params => curveOf(params, rng)),
    trends: CONVENTIONS.map(convention => ({
      convention,
      n: trained.length,
      spearman: { value: 0.965, low: 0.87, high: 0.99 },
    })),
    fits: fitsOf(checkpoints),
    correlations: correlateAll(table, {
      x: ['icl_accuracy', 'icl_bits_per_byte'],
      y: ['ndcg_at_10'],
      partial: 'flops',
      level: LEVEL,
      resamples: 200,
      seed: 17,
    }),
    caveats: ['Every number in this report is made up.', 'The smallest rungs see their text several times.'],
    deviations: ['The paper begins at 125M parameters; these models are a thousand times smaller.'],
  };
}
