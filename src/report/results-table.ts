/** A study's results in the terminal: every checkpoint, what it is compared with, the law, and a plot; at most 100 columns. */
import { alignColumns, compact } from '../base/index.ts';
import { conventionText, sizeText } from './axes.ts';
import { flopsBy, marksOf } from './marks.ts';
import {
  correlationText,
  flopsText,
  holdoutText,
  lawText,
  NONE,
  overlapSentence,
  percentText,
  scoreText,
} from './numbers.ts';
import type { CheckpointResult, Estimate, StudyResults } from './results.ts';
import { plotText } from './text-plot.ts';

const WIDTH = 100;
/** Of names in the table; the rest of a longer one is left out. */
const NAME_WIDTH = 34;

/** Text with a final newline, for people; nothing in it steers a terminal. */
export function resultsTable(results: StudyResults): string {
  const { study, title, level } = results;
  const parts = [
    wrapped(`${study}: ${title}`),
    table(results),
    notes(level),
    findings(results),
    plot(results),
    results.caveats.map(caveat => wrapped(`note: ${caveat}`)).join('\n'),
  ];
  return `${parts
    .filter(part => part !== '')
    .map(part => part.trimEnd())
    .join('\n\n')}\n`.replace(/[^\P{Cc}\n]/gu, '');
}

function table({ checkpoints, references, conventions }: StudyResults): string {
  const [convention] = conventions;
  const head = ['checkpoint', 'tokens', 'FLOPs', 'loss', 'nDCG@10', 'zero-shot', 'ICL', 'bits/B'];
  const rows = checkpoints.map(row => checkpointRow(row, convention));
  const numbers = head.map((_, i) => i).slice(1);
  return [
    ...alignColumns([head, ...rows], numbers),
    ...references.map(({ name, scores }) => wrapped(`${name}: ${plusMinus(scores.mean)}`)),
  ].join('\n');
}

function checkpointRow(row: CheckpointResult, convention: string | undefined): string[] {
  const { name, tokens, heldOut, finetuned, zeroShot, iclMean } = row;
  const flops = convention === undefined ? undefined : flopsBy(convention)(row);
  return [
    clipped(name),
    sizeText(tokens),
    flops === undefined ? NONE : flopsText(flops),
    heldOut ? heldOut.lossNats.toFixed(3) : NONE,
    plusMinus(finetuned?.mean),
    zeroShot ? scoreText(zeroShot.mean.value) : NONE,
    iclMean ? scoreText(iclMean.accuracy.value) : NONE,
    iclMean ? scoreText(iclMean.bitsPerByte.value) : NONE,
  ];
}

/** The value and half the length of its interval. */
function plusMinus(estimate: Estimate | undefined): string {
  if (!estimate) return NONE;
  return `${scoreText(estimate.value)} ±${scoreText((estimate.high - estimate.low) / 2)}`;
}

function clipped(name: string): string {
  const letters = [...name];
  return letters.length <= NAME_WIDTH ? name : `${letters.slice(0, NAME_WIDTH - 1).join('')}…`;
}

function notes(level: number): string {
  return wrapped(
    `loss: held-out pretraining loss in nats per token; nDCG@10: mean after finetuning, ± half its ${percentText(level)} interval; ` +
      'zero-shot: the same without finetuning; ICL: mean accuracy above chance, and bits per byte of the gold answer.',
  );
}

function findings(results: StudyResults): string {
  const { trends, fits } = results;
  const [law] = fits;
  const overlap = overlapSentence(results);
  const held = law && holdoutText(law);
  const lines = [
    ...trends.map(
      ({ convention, n, spearman }) =>
        `Spearman of FLOPs (${conventionText(convention)}) and nDCG@10 over ${n} checkpoints: ${correlationText({ ...spearman, bootstrap: null })}.`,
    ),
    ...(law ? [`Law (${conventionText(law.convention)}): ${lawText(law)}`] : []),
    ...(held ? [held] : []),
    ...(overlap === undefined ? [] : [overlap]),
  ];
  return lines.map(wrapped).join('\n');
}

/** Mean nDCG@10 over the decimal logarithm of FLOPs; the line goes from point to point. */
function plot(results: StudyResults): string {
  const [convention] = results.conventions;
  if (convention === undefined) return '';
  const marks = marksOf(results, flopsBy(convention), ({ finetuned }) => finetuned?.mean);
  if (marks.length < 2) return '';
  return plotText(
    marks.map(({ x, y }) => ({ x: Math.log10(x), y })),
    {
      xLabel: `log10 FLOPs (${conventionText(convention)}), ${compact(marks.length)} checkpoints`,
      yLabel: 'mean nDCG@10',
      width: 72,
      height: 10,
    },
  );
}

/** Lines of at most 100 characters, broken at blanks; a longer word is cut. */
function wrapped(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap(pieces)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= WIDTH) line = longer;
    else {
      lines.push(line);
      line = `  ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

function pieces(word: string): string[] {
  return word.match(new RegExp(`.{1,${WIDTH - 2}}`, 'gu')) ?? [];
}
