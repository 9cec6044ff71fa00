/** Evaluations as tables for people. */
import { textTable } from '../base/index.ts';
import type { Comparison, Summary } from './report.ts';

const digits = (value: number) => value.toFixed(4);

/** One table for each run, then the comparisons, then what the numbers rest on. */
export function evaluationText(summaries: readonly Summary[], comparisons: readonly Comparison[]): string {
  const parts = summaries.map(summary => summaryText(summary, summaries.length > 1));
  if (comparisons.length > 0) parts.push(comparisonText(comparisons));
  return parts.join('\n');
}

function summaryText(summary: Summary, named: boolean): string {
  const { ties, intervals } = summary;
  const level = `${Number((100 * intervals.level).toPrecision(6))}% interval`;
  const rows = Object.entries(summary.measures).map(([name, value]) => {
    const [low, high] = intervals.measures[name]!;
    const cells = [name, digits(value), `${digits(low)} .. ${digits(high)}`];
    return ties ? [...cells, digits(ties.expected[name]!)] : cells;
  });
  const header = ['measure', 'mean', level, ...(ties ? ['over ties'] : [])];
  const title = named ? `${summary.run}\n` : '';
  return `${perQueryText(summary)}${title}${textTable(header, rows)}${footnote(summary)}\n`;
}

function perQueryText({ perQuery, measures }: Summary): string {
  if (perQuery === undefined) return '';
  const names = Object.keys(measures);
  const rows = perQuery.map(row => [row.query, ...names.map(name => digits(Number(row[name])))]);
  return `${textTable(['query', ...names], rows)}\n`;
}

function footnote(summary: Summary): string {
  const notes = [`${summary.queries} queries`];
  if (summary.missingQueries > 0) notes.push(`${summary.missingQueries} judged ones not in the run`);
  if (summary.unjudgedQueries > 0) notes.push(`${summary.unjudgedQueries} of the run not judged`);
  if (summary.selfHitsRemoved > 0) notes.push(`${summary.selfHitsRemoved} self-hits removed`);
  if (summary.ties) notes.push(`tie rate ${digits(summary.ties.rate)}`);
  return notes.join(', ');
}

function comparisonText(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(c => [
    c.measure,
    `${c.a} - ${c.b}`,
    digits(c.difference),
    `${digits(c.low)} .. ${digits(c.high)}`,
    digits(c.pValue),
    digits(c.adjusted),
  ]);
  return textTable(
    ['measure', 'runs', 'difference', 'interval', 'p', `p (Holm, ${comparisons.length} tests)`],
    rows,
  );
}
