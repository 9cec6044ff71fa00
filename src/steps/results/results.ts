/** From a study's artifacts to its results. */
import type { Overlap } from '../../data/index.ts';
import type { CollectionInfo, LossCurve, OverlapInfo, StudyResults, TaskInfo } from '../../report/index.ts';
import type { CollectionScores } from '../kinds/evaluate.ts';
import { checkpointResult, retrievalScores } from './checkpoints.ts';
import type { CheckpointInput, LogLine, StudyInputs } from './inputs.ts';
import type { ResultsParams } from './params.ts';
import { bySize, correlations, fits, trends } from './science.ts';

export function studyResults(inputs: StudyInputs, params: ResultsParams): StudyResults {
  const { study, title, description, scaling, caveats, deviations } = params;
  const checkpoints = inputs.checkpoints.map(input => checkpointResult(input, params)).sort(bySize);
  return {
    kind: 'isoflop-results',
    version: 1,
    study,
    title,
    description,
    level: scaling.level,
    scaling: { form: scaling.form, resamples: scaling.resamples, seed: scaling.seed },
    conventions: scaling.conventions,
    collections: params.collections.map(collection => collectionInfo(collection, inputs)),
    tasks: taskInfos(inputs.checkpoints),
    checkpoints,
    references: [...inputs.references].map(([name, scores]) => ({
      name,
      scores: retrievalScores(name, scores, params),
      sources: params.referenceSources[name] ?? [],
    })),
    curves: curves(inputs),
    trends: trends(checkpoints, scaling),
    fits: fits(checkpoints, params),
    correlations: correlations(checkpoints, scaling),
    overlap: overlapInfo(inputs.overlap),
    caveats,
    deviations,
  };
}

function collectionInfo(
  { name, title, inMean }: ResultsParams['collections'][number],
  { checkpoints, references }: StudyInputs,
): CollectionInfo {
  const all = [
    ...checkpoints.flatMap(({ finetuned, zeroShot }) => [finetuned, zeroShot]),
    ...references.values(),
  ];
  const scores = all
    .map(map => map.get(name))
    .find((found): found is CollectionScores => found !== undefined);
  return {
    name,
    title,
    split: scores?.split ?? '',
    documents: scores?.documents ?? 0,
    queries: scores?.queries ?? 0,
    inMean,
  };
}

function taskInfos(checkpoints: readonly CheckpointInput[]): TaskInfo[] {
  const first = checkpoints.find(({ icl }) => icl !== undefined)?.icl;
  return (first?.tasks ?? []).map(({ name, type, shots, items, chance }) => ({
    name,
    type,
    shots,
    items,
    chance,
  }));
}

/** Texts that are named for each set; the step's own file names all. */
const NAMED = 10;

function overlapInfo(overlap: Overlap | undefined): OverlapInfo | null {
  if (overlap === undefined) return null;
  const sets = overlap.sets.map(({ standing, ...counts }) => ({
    ...counts,
    standing: standing.length,
    examples: standing.slice(0, NAMED).map(({ id }) => id),
  }));
  return { ...overlap, sets };
}

/** Points of a line in the figure; more cannot be told apart. */
const CURVE_POINTS = 200;

function curves({ logs, checkpoints }: StudyInputs): LossCurve[] {
  return [...logs].map(([rung, lines]) => ({
    rung,
    params: checkpoints.find(checkpoint => checkpoint.rung === rung)?.facts.params ?? 0,
    lines: [...new Set(lines.map(({ segment }) => segment))].map(branch => {
      const own = lines.filter(({ segment }) => segment === branch);
      return { branch, train: thin(own.filter(isStep)), heldOut: own.filter(isHeldOut).map(point) };
    }),
  }));
}

const isStep = ({ type }: LogLine) => type === 'step';
const isHeldOut = ({ type }: LogLine) => type === 'heldOut';
const point = ({ tokens, lossNats }: LogLine) => ({ tokens, lossNats });

/** Means of consecutive steps, at most `CURVE_POINTS` of them. */
function thin(lines: readonly LogLine[]): { tokens: number; lossNats: number }[] {
  const every = Math.ceil(lines.length / CURVE_POINTS);
  return Array.from({ length: Math.ceil(lines.length / every) || 0 }, (_, i) => {
    const group = lines.slice(i * every, (i + 1) * every);
    const sum = group.reduce((total, { lossNats }) => total + lossNats, 0);
    return { tokens: group.at(-1)!.tokens, lossNats: sum / group.length };
  });
}
