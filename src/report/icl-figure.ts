/** In-context learning against retrieval: is what a model can do without finetuning a sign of what it will retrieve with it? */
import type { PairReport } from '../scaling/index.ts';
import type { Theme } from './figure.ts';
import { markLayers, marksOf, scoreAxis, sizeColours } from './marks.ts';
import { correlationText } from './numbers.ts';
import type { CheckpointResult, Estimate, StudyResults } from './results.ts';
import type { Figure } from './study-figures.ts';

interface Panel {
  readonly title: string;
  readonly axis: string;
  readonly value: (icl: NonNullable<CheckpointResult['iclMean']>) => Estimate;
}

const PANELS: readonly Panel[] = [
  {
    title: 'Accuracy',
    axis: 'mean accuracy above chance, rescaled',
    value: ({ accuracy }) => accuracy,
  },
  {
    title: 'Bits per byte of the gold answer',
    axis: 'mean bits per byte (smaller is better)',
    value: ({ bitsPerByte }) => bitsPerByte,
  },
];

export function iclFigure(results: StudyResults, theme: Theme): Figure | undefined {
  const panels = PANELS.map(panel => ({ panel, marks: panelMarks(results, panel) })).filter(
    ({ marks }) => marks.length > 0,
  );
  if (panels.length === 0) return undefined;
  const { tasks, correlations } = results;
  const said = correlations.map(pairText).join(' ');
  return {
    id: 'icl-ndcg',
    title: 'In-context learning against retrieval',
    caption: `Means over ${tasks.length} in-context tasks of the pretrained checkpoints against mean nDCG@10 of the embedders finetuned from them. ${said}`,
    alt: `${panels[0]!.marks.length} checkpoints. ${said}`,
    spec: {
      $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
      hconcat: panels.map(({ panel, marks }) => ({
        title: panel.title,
        width: 300,
        height: 240,
        layer: markLayers(
          marks,
          {
            x: {
              field: 'x',
              type: 'quantitative',
              scale: { zero: false },
              axis: { title: panel.axis, tickCount: 6, grid: false },
            },
            y: scoreAxis('mean nDCG@10'),
          },
          sizeColours(results),
          theme,
        ),
      })),
    },
  };
}

function panelMarks(results: StudyResults, { value }: Panel) {
  return marksOf(
    results,
    ({ iclMean }) => (iclMean ? value(iclMean).value : undefined),
    ({ finetuned }) => finetuned?.mean,
  );
}

/** One pair of columns in words: plain, and with compute taken out. */
export function pairText({ x, y, n, pearson, spearman, partial }: PairReport): string {
  const plain = `Pearson ${correlationText(pearson)}, Spearman ${correlationText(spearman)}`;
  const rest =
    partial === null
      ? ''
      : `; with ${partial.given} taken out Pearson ${correlationText(partial.pearson)}, Spearman ${correlationText(partial.spearman)}`;
  return `${x} and ${y}, ${n} checkpoints: ${plain}${rest}.`;
}
