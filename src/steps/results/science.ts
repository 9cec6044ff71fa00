/** Laws, trends and correlations of a ladder. */
import { InputError, StepError } from '../../base/index.ts';
import type { CheckpointResult, Estimate, StudyFit, Trend } from '../../report/index.ts';
import {
  type CorrelationValue,
  correlateAll,
  FIT_DEFAULTS,
  type FitOptions,
  fit,
  type PairReport,
  type Points,
} from '../../scaling/index.ts';
import type { ResultsParams } from './params.ts';

type Scaling = ResultsParams['scaling'];

/** By size, then by tokens: the order of checkpoints everywhere. */
export const bySize = (a: CheckpointResult, b: CheckpointResult): number =>
  a.params - b.params || a.tokens - b.tokens;

/** Checkpoints that were pretrained and finetuned: the points of the law. */
function points(checkpoints: readonly CheckpointResult[]): readonly CheckpointResult[] {
  return checkpoints.filter(({ tokens, finetuned }) => tokens > 0 && finetuned !== null);
}

/** Rank correlation of compute with mean nDCG@10, for each convention. */
export function trends(checkpoints: readonly CheckpointResult[], scaling: Scaling): Trend[] {
  const rows = points(checkpoints);
  if (rows.length < 4) return [];
  const columns = {
    'nDCG@10': rows.map(({ finetuned }) => finetuned!.mean.value),
    ...flopsColumns(rows, scaling),
  };
  const table = { ...tableOf(rows), columns };
  const options = { x: [...scaling.conventions], y: ['nDCG@10'], ...resampling(scaling) };
  return correlateAll(table, options).flatMap(({ x, n, spearman }) =>
    spearman ? [{ convention: x, n, spearman: withInterval(spearman) }] : [],
  );
}

const tableOf = (rows: readonly CheckpointResult[]) => ({
  source: 'the ladder',
  models: rows.map(({ name }) => name),
  families: rows.map(({ name }) => name), // one ladder, one family: checkpoints are resampled
});

const resampling = ({ level, resamples, seed }: Scaling) => ({ level, resamples, seed });

function flopsColumns(rows: readonly CheckpointResult[], { conventions }: Scaling): Record<string, number[]> {
  return Object.fromEntries(conventions.map(name => [name, rows.map(({ flops }) => flops[name]!)]));
}

function withInterval({ value, low, high, bootstrap }: CorrelationValue): Estimate {
  return { value, low: bootstrap?.low ?? low ?? -1, high: bootstrap?.high ?? high ?? 1 };
}

/** In-context scores against retrieval, with log FLOPs taken out beside. Both rise with compute, so the plain numbers flatter. */
export function correlations(checkpoints: readonly CheckpointResult[], scaling: Scaling): PairReport[] {
  const rows = points(checkpoints).filter(({ iclMean }) => iclMean !== null);
  if (rows.length < 4) return [];
  const tasks = Object.keys(rows[0]!.icl);
  const columns: Record<string, (number | undefined)[]> = {
    flops: rows.map(({ flops }) => flops[scaling.conventions[0]!]!),
    'nDCG@10': rows.map(({ finetuned }) => finetuned!.mean.value),
    'ICL accuracy above chance': rows.map(({ iclMean }) => iclMean!.accuracy.value),
    'ICL bits per byte': rows.map(({ iclMean }) => iclMean!.bitsPerByte.value),
    ...Object.fromEntries(tasks.map(task => [task, rows.map(({ icl }) => icl[task]?.accuracy.value)])),
  };
  const x = Object.keys(columns).filter(name => name !== 'flops' && name !== 'nDCG@10');
  return correlateAll(
    { ...tableOf(rows), columns },
    { x, y: ['nDCG@10'], partial: 'flops', ...resampling(scaling) },
  );
}

/** The law of the mean with the largest rung held out first, then every collection's, the other conventions', and the held-out loss's. */
export function fits(
  checkpoints: readonly CheckpointResult[],
  { scaling, collections }: { scaling: Scaling; collections: readonly { readonly name: string }[] },
): StudyFit[] {
  const rows = points(checkpoints);
  const [main, ...others] = scaling.conventions;
  const scoreFit = (
    target: string,
    convention: string,
    value: (row: CheckpointResult) => number,
    options = {},
  ) => tryFit(rows, target, convention, value, { ...base(scaling), convention, ...options });
  const meanOf = (row: CheckpointResult) => row.finetuned!.mean.value;
  const otherForm = scaling.form === 'log-linear' ? 'power' : 'log-linear';
  return [
    scoreFit('mean', main!, meanOf, { holdout: 'largest' }),
    scoreFit('mean', main!, meanOf, { holdout: 'largest', form: otherForm }),
    ...others.map(convention => scoreFit('mean', convention, meanOf, { holdout: 'largest' })),
    ...collections.map(({ name }) => scoreFit(name, main!, row => row.finetuned!.collections[name]!.value)),
    scoreFit('heldOutLoss', main!, row => row.heldOut?.lossNats ?? Number.NaN, {
      form: 'power',
      target: 'loss',
    }),
  ];
}

function base({ form, level, resamples, seed }: Scaling): FitOptions {
  return { ...FIT_DEFAULTS, form, target: 'fraction', level, resamples, seed };
}

function tryFit(
  rows: readonly CheckpointResult[],
  target: string,
  convention: string,
  value: (row: CheckpointResult) => number,
  options: FitOptions,
): StudyFit {
  try {
    return {
      target,
      convention,
      report: fit(tableFor(rows, target, convention, value), options),
      reason: null,
    };
  } catch (error) {
    if (error instanceof InputError || error instanceof StepError)
      return { target, convention, report: null, reason: error.message };
    throw error;
  }
}

function tableFor(
  rows: readonly CheckpointResult[],
  target: string,
  convention: string,
  value: (row: CheckpointResult) => number,
): Points {
  const flops = Float64Array.from(rows, row => row.flops[convention]!);
  return {
    source: 'the ladder',
    axes: [{ name: 'flops', values: flops }],
    target: {
      name: target === 'heldOutLoss' ? 'held-out loss' : 'ndcg_at_10',
      values: Float64Array.from(rows, value),
    },
    models: rows.map(({ rung }) => rung),
    families: rows.map(({ rung }) => rung),
    size: Float64Array.from(rows, ({ params }) => params),
    compute: flops,
  };
}
