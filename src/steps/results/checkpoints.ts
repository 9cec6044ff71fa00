/** Scores of one checkpoint, with intervals. */
import { InputError, Rng } from '../../base/index.ts';
import { type FlopsConvention, flopsPerToken } from '../../models/index.ts';
import type { CheckpointResult, Estimate, RetrievalScores, TaskScore } from '../../report/index.ts';
import { mean, normalQuantile, percentileInterval } from '../../stats/index.ts';
import type { CollectionScores } from '../kinds/evaluate.ts';
import type { IclScores, IclTaskScore, Measured } from '../kinds/icl.ts';
import type { CheckpointInput } from './inputs.ts';
import type { ResultsParams } from './params.ts';

export const MEASURE = 'nDCG@10';

export function checkpointResult(
  { name, rung, sources, config, facts, finetuned, zeroShot, icl }: CheckpointInput,
  params: ResultsParams,
): CheckpointResult {
  const { tokens, heldOutLossNats, heldOutBitsPerByte } = facts;
  const flops = (convention: FlopsConvention) => flopsPerToken(config, convention) * tokens;
  const { level } = params.scaling;
  return {
    name,
    rung,
    params: facts.params,
    paramsNonEmbedding: facts.paramsNonEmbedding,
    tokens,
    epochs: facts.epochs,
    flops: Object.fromEntries(params.scaling.conventions.map(convention => [convention, flops(convention)])),
    heldOut:
      heldOutLossNats === null || heldOutBitsPerByte === null
        ? null
        : { lossNats: heldOutLossNats, bitsPerByte: heldOutBitsPerByte },
    finetuned: finetuned.size > 0 ? retrievalScores(name, finetuned, params) : null,
    zeroShot: zeroShot.size > 0 ? retrievalScores(name, zeroShot, params) : null,
    icl: Object.fromEntries((icl?.tasks ?? []).map(task => [task.name, taskScore(task, level)])),
    iclMean: icl ? iclMean(icl, level) : null,
    ...(sources && { sources }),
  };
}

/** nDCG@10 of every collection, and of their mean. A mean over some of the collections is refused. */
export function retrievalScores(
  owner: string,
  scores: ReadonlyMap<string, CollectionScores>,
  { collections, scaling }: ResultsParams,
): RetrievalScores {
  const missing = collections.filter(({ name }) => !scores.has(name));
  if (missing.length > 0)
    throw new InputError(owner, `has no scores on ${missing.map(({ name }) => name).join(', ')}`);
  const counted = collections.filter(({ inMean }) => inMean).map(({ name }) => scores.get(name)!);
  return {
    collections: Object.fromEntries(
      collections.map(({ name }) => [name, ownEstimate(scores.get(name)!)] as const),
    ),
    mean: meanOverCollections(counted.map(queryValues), scaling),
  };
}

function ownEstimate({ measures, intervals }: CollectionScores): Estimate {
  const [low, high] = intervals[MEASURE]!;
  return { value: measures[MEASURE]!, low, high };
}

const queryValues = ({ perQuery }: CollectionScores): readonly number[] => perQuery[MEASURE]!;

/** Mean over collections of means over queries; queries are drawn anew inside each collection. */
function meanOverCollections(
  collections: readonly (readonly number[])[],
  { level, resamples, seed }: ResultsParams['scaling'],
): Estimate {
  const rng = Rng.from(seed, 'mean over collections');
  const drawn = Array.from({ length: resamples }, () =>
    mean(collections.map(values => resampledMean(values, rng))),
  );
  return { value: mean(collections.map(mean)), ...percentileInterval(drawn, level) };
}

function resampledMean(values: readonly number[], rng: Rng): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[rng.int(values.length)]!;
  return sum / values.length;
}

/** A normal interval around a mean of items. */
function estimate({ value, standardError }: Measured, level: number, least: number, most: number): Estimate {
  const reach = normalQuantile(0.5 + level / 2) * standardError;
  return { value, low: Math.max(least, value - reach), high: Math.min(most, value + reach) };
}

function taskScore({ accuracy, bitsPerByte }: IclTaskScore, level: number): TaskScore {
  return {
    accuracy: estimate(accuracy, level, 0, 1),
    bitsPerByte: bitsPerByte && estimate(bitsPerByte, level, 0, Number.MAX_VALUE),
  };
}

/** Accuracy above chance, rescaled so that guessing is 0 and perfection 1, averaged over tasks; and mean bits per byte. */
function iclMean({ tasks }: IclScores, level: number): CheckpointResult['iclMean'] {
  if (tasks.length === 0) return null;
  const above = tasks.map(({ accuracy, chance }) => ({
    value: (accuracy.value - chance) / (1 - chance),
    standardError: accuracy.standardError / (1 - chance),
  }));
  const bits = tasks.flatMap(({ bitsPerByte }) => bitsPerByte ?? []);
  if (bits.length === 0) return null;
  return {
    accuracy: estimate(average(above), level, -Number.MAX_VALUE, 1),
    bitsPerByte: estimate(average(bits), level, 0, Number.MAX_VALUE),
  };
}

function average(parts: readonly Measured[]): Measured {
  const variance = parts.reduce((sum, { standardError }) => sum + standardError ** 2, 0);
  return { value: mean(parts.map(({ value }) => value)), standardError: Math.sqrt(variance) / parts.length };
}
