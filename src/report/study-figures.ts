/** The figures of a study's report, as Vega-Lite specifications with a caption and a text for those who cannot see them. */
import type { TopLevelSpec } from 'vega-lite';
import { conventionText } from './axes.ts';
import { PRINT, type Theme } from './figure.ts';
import { iclFigure } from './icl-figure.ts';
import { heldOutLossFigure, lossFigure } from './loss-figures.ts';
import {
  computeAxis,
  fitOf,
  flopsBy,
  isHeldOut,
  lawLayers,
  logAxis,
  type Mark,
  markLayers,
  marksOf,
  predictionLayers,
  referenceLayers,
  referencesOf,
  scoreAxis,
  scoreOf,
  sizeColours,
} from './marks.ts';
import { correlationText, flopsText, holdoutText, lawText, percentText, scoreText } from './numbers.ts';
import type { StudyResults } from './results.ts';

export interface Figure {
  /** Name of its files, and its anchor. */
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  /** What is to be seen, in words and numbers. */
  readonly alt: string;
  readonly spec: TopLevelSpec;
}

/** Makes a figure, or nothing where the results hold nothing to draw. */
export type FigureMaker = (results: StudyResults, theme: Theme) => Figure | undefined;

/** Every figure that the results have the numbers for, the law first. */
export function studyFigures(results: StudyResults, theme: Theme = PRINT): Figure[] {
  const makers: readonly FigureMaker[] = [
    computeFigure,
    ratioFigure,
    collectionsFigure,
    iclFigure,
    lossFigure,
    heldOutLossFigure,
    conventionsFigure,
  ];
  return makers.flatMap(make => make(results, theme) ?? []);
}

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

const MEAN = 'mean nDCG@10';

/** Checkpoints at their compute, their law, and what they are compared with. */
function computePanel(results: StudyResults, target: string, convention: string) {
  const report = fitOf(results, target, convention)?.report;
  const flops = flopsBy(convention);
  const marks = marksOf(
    results,
    flops,
    ({ finetuned }) => scoreOf(finetuned, target),
    checkpoint => isHeldOut(report, flops(checkpoint)),
  );
  const span = marks.map(mark => mark.x);
  return { report, marks, span };
}

function panelLayers(
  results: StudyResults,
  target: string,
  convention: string,
  theme: Theme,
  { yTitle = MEAN, legend = true } = {},
) {
  const { report, marks, span } = computePanel(results, target, convention);
  const axes = { x: computeAxis(convention, span), y: scoreAxis(yTitle) };
  return [
    ...lawLayers(report, span, axes, theme),
    ...referenceLayers(referencesOf(results, target), axes, theme),
    ...predictionLayers(report, axes, theme),
    ...markLayers(marks, axes, sizeColours(results), theme, legend),
  ];
}

function computeFigure(results: StudyResults, theme: Theme): Figure | undefined {
  const convention = results.conventions[0];
  if (convention === undefined) return undefined;
  const { marks } = computePanel(results, 'mean', convention);
  if (marks.length === 0) return undefined;
  const fit = fitOf(results, 'mean', convention);
  const percent = percentText(results.level);
  const law = fit ? lawText(fit) : '';
  const title = 'Retrieval against pretraining compute';
  return {
    id: 'ndcg-flops',
    title,
    caption:
      `Mean nDCG@10 of every checkpoint after finetuning, zero-shot on ${inMean(results)}, against pretraining FLOPs (${conventionText(convention)}). ` +
      `Bars and the shaded band of the law are ${percent} intervals; lines join the token budgets of one size. ` +
      [law, fit && holdoutText(fit), fit?.report?.holdout ? HELD_OUT : ''].filter(Boolean).join(' '),
    alt: `${spanText(marks, 'FLOPs')} ${law}`,
    spec: {
      $schema: SCHEMA,
      width: 520,
      height: 330,
      layer: panelLayers(results, 'mean', convention, theme),
    },
  };
}

const HELD_OUT = 'Diamonds were left out of the fit; ticks with dotted bars are what it predicted for them.';

function inMean({ collections }: StudyResults): string {
  const names = collections.filter(collection => collection.inMean).map(({ title }) => title);
  return names.length > 3 ? `${names.length} collections` : names.join(', ').replace(/, ([^,]*)$/, ' and $1');
}

function spanText(marks: readonly Mark[], unit: string): string {
  const sorted = [...marks].sort((a, b) => a.x - b.x);
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  return (
    `${marks.length} checkpoints, from ${first.name} (${flopsText(first.x)} ${unit}, ${first.shown}) ` +
    `to ${last.name} (${flopsText(last.x)} ${unit}, ${last.shown}).`
  );
}

function ratioFigure(results: StudyResults, theme: Theme): Figure | undefined {
  const marks = marksOf(
    results,
    ({ tokens, params }) => tokens / params,
    ({ finetuned }) => finetuned?.mean,
  );
  if (marks.length === 0) return undefined;
  const axes = {
    x: logAxis(
      'pretraining tokens per parameter',
      marks.map(mark => mark.x),
      12, // all sizes may share their smallest and largest ratio: no point on the frame, and the last tick, a rounded one, within it
    ),
    y: scoreAxis(MEAN),
  };
  return {
    id: 'ndcg-tokens-per-parameter',
    title: 'Retrieval against tokens per parameter',
    caption: `The same checkpoints against pretraining tokens per parameter, embeddings included: what a longer run of one size is worth. About 20 is the optimum for loss of Hoffmann et al. (2022). Bars are ${percentText(results.level)} intervals.`,
    alt: spanText(marks, 'tokens per parameter'),
    spec: {
      $schema: SCHEMA,
      width: 520,
      height: 300,
      layer: [
        ...referenceLayers(referencesOf(results, 'mean'), axes, theme),
        ...markLayers(marks, axes, sizeColours(results), theme),
      ],
    },
  };
}

function collectionsFigure(results: StudyResults, theme: Theme): Figure | undefined {
  const convention = results.conventions[0];
  if (convention === undefined) return undefined;
  const shown = results.collections.filter(
    ({ name }) => computePanel(results, name, convention).marks.length > 0,
  );
  if (shown.length === 0) return undefined;
  const laws = shown.flatMap(({ name, title }) => {
    const fit = fitOf(results, name, convention);
    return fit && fit.report?.coefficients == null ? [`${title}: ${lawText(fit)}`] : [];
  });
  return {
    id: 'collections',
    title: 'Every collection by itself',
    caption: `nDCG@10 of every checkpoint after finetuning, by collection, with its own law where the data determine one. ${laws.join(' ')}`,
    alt: shown.map(({ name, title }) => `${title}: ${rangeText(results, name, convention)}`).join('; '),
    spec: {
      $schema: SCHEMA,
      columns: Math.min(3, shown.length),
      concat: shown.map(({ name, title, queries, inMean }) => ({
        title: { text: title, subtitle: `${queries} queries${inMean ? '' : ', not in the mean'}` },
        width: 225,
        height: 180,
        layer: panelLayers(results, name, convention, theme, { yTitle: 'nDCG@10' }),
      })),
    },
  };
}

function rangeText(results: StudyResults, target: string, convention: string): string {
  const values = computePanel(results, target, convention).marks.map(mark => mark.y);
  return `${scoreText(Math.min(...values))} to ${scoreText(Math.max(...values))}`;
}

/** The convention of the main axis beside the second one, each with its own law. */
function conventionsFigure(results: StudyResults, theme: Theme): Figure | undefined {
  const conventions = results.conventions
    .filter(convention => computePanel(results, 'mean', convention).marks.length > 0)
    .slice(0, 2);
  if (conventions.length < 2) return undefined;
  const laws = conventions.map(convention => {
    const fit = fitOf(results, 'mean', convention);
    const trend = results.trends.find(found => found.convention === convention);
    const rank = trend && ` Spearman ${correlationText({ ...trend.spearman, bootstrap: null })}.`;
    return `${conventionText(convention)}: ${fit ? lawText(fit) : 'no fit.'}${rank ?? ''}`;
  });
  return {
    id: 'conventions',
    title: 'Two ways of counting FLOPs',
    caption: `The same scores against FLOPs by two conventions: a law's coefficients belong to the convention it was fitted with. ${laws.join(' ')}`,
    alt: laws.join(' '),
    spec: {
      $schema: SCHEMA,
      hconcat: conventions.map(convention => ({
        title: conventionText(convention),
        width: 300,
        height: 240,
        layer: panelLayers(results, 'mean', convention, theme),
      })),
    },
  };
}
