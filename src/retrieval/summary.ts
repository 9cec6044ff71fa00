/** Results of several collections as one table. */
import { textTable } from '../base/index.ts';

export interface ResultRow {
  readonly task: string;
  readonly split: string;
  readonly documents: number;
  readonly queries: number;
  /** Means by measure. */
  readonly measures: Readonly<Record<string, number>>;
  /** Of nDCG@10, by the bootstrap over queries. */
  readonly interval: readonly [number, number];
  /** nDCG@10 expected over the orders of equal scores. */
  readonly expectedOverTies: number;
  /** Collections this is the unweighted mean of: 12 for CQADupStack, else 1. */
  readonly members: number;
}

export interface ResultSummary {
  readonly model: string;
  /** Coverage of the intervals. */
  readonly level: number;
  readonly rows: readonly ResultRow[];
  /** nDCG@10 over all rows, each counted once; only if there are several. */
  readonly mean?: { readonly value: number; readonly low: number; readonly high: number };
}

const SHOWN = ['nDCG@10', 'R@100', 'AP', 'RR@10'] as const;
const digits = (value: number) => value.toFixed(4);

export function summaryText({ model, level, rows, mean }: ResultSummary): string {
  const [main, ...wanted] = SHOWN;
  const others = wanted.filter(name => rows.every(({ measures }) => name in measures)); // fewer with a small k
  const interval = `${Number((100 * level).toPrecision(6))}% interval`;
  const range = (low: number, high: number) => `${digits(low)} .. ${digits(high)}`;
  const cells = rows.map(row => [
    row.members > 1 ? `${row.task} (mean of ${row.members})` : row.task,
    row.split,
    String(row.documents),
    String(row.queries),
    digits(row.measures[main]!),
    range(...row.interval),
    ...others.map(name => digits(row.measures[name]!)),
    digits(row.expectedOverTies),
  ]);
  const blanks = others.map(() => '');
  if (mean)
    cells.push([
      `mean of ${rows.length}`,
      '',
      '',
      '',
      digits(mean.value),
      range(mean.low, mean.high),
      ...blanks,
      '',
    ]);
  const header = ['collection', 'split', 'documents', 'queries', main, interval, ...others, 'over ties'];
  return `${model}\n${textTable(header, cells)}\n`;
}
