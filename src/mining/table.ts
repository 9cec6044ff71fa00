/** The statistics of a mining run for people. */
import { REASONS, type Reason } from './select.ts';
import type { MiningSettings } from './settings.ts';
import type { MiningReport, Summary } from './statistics.ts';

const ROWS = ['count', 'mean', 'std', 'min', 'p5', 'p25', 'median', 'p75', 'p95', 'max'] as const;

const REASON_TEXTS: Readonly<Record<Reason, string>> = {
  relevant: 'relevant for the query',
  empty: 'without text',
  duplicateOfRelevant: 'duplicates of a relevant text',
  duplicate: 'duplicates of a better-ranked candidate',
  maxScore: 'above the highest score',
  minScore: 'below the lowest score',
  absoluteMargin: 'within the absolute margin of a positive',
  relativeMargin: 'within the relative margin of a positive',
};

export function miningText(report: MiningReport, settings: MiningSettings): string {
  return [...scoreTable(report), '', ...passedOver(report), ...shortQueries(report, settings)].join('\n');
}

function scoreTable({ positive, negative, difference, rank }: MiningReport): string[] {
  const columns: readonly (readonly [string, Summary | null, number])[] = [
    ['positive', positive, 3],
    ['negative', negative, 3],
    ['difference', difference, 3],
    ['rank', rank, 1],
  ];
  const cell = (summary: Summary | null, row: (typeof ROWS)[number], digits: number) => {
    if (summary === null) return '-';
    return row === 'count' ? thousands(summary.count) : summary[row].toFixed(digits);
  };
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(8) + cells.map(text => text.padStart(12)).join('');
  return [
    line(
      'score',
      columns.map(([name]) => name),
    ),
    ...ROWS.map(row =>
      line(
        row,
        columns.map(([, summary, digits]) => cell(summary, row, digits)),
      ),
    ),
  ];
}

function passedOver({ candidates, skipped }: MiningReport): string[] {
  const share = (n: number) => `${((100 * n) / Math.max(1, candidates)).toFixed(2)}%`;
  const reasons = REASONS.filter(reason => skipped[reason] > 0).map(
    reason => `  ${thousands(skipped[reason])} (${share(skipped[reason])}) ${REASON_TEXTS[reason]}`,
  );
  const end = reasons.length > 0 ? '; passed over:' : '; none passed over';
  return [`${thousands(candidates)} candidates within the ranks${end}`, ...reasons];
}

function shortQueries(report: MiningReport, { negatives, short }: MiningSettings): string[] {
  const { queries, written, dropped, padded, unranked } = report;
  const outcome = {
    'pad-random': `made up with ${thousands(padded)} random documents`,
    keep: 'kept with what they have',
    drop: `dropped (${thousands(dropped)})`,
    error: 'refused',
  }[short];
  return [
    report.short === 0
      ? `every query has ${negatives} negatives`
      : `${thousands(report.short)} queries with fewer than ${negatives} eligible candidates: ${outcome}`,
    ...(unranked > 0 ? [`${thousands(unranked)} of these have no candidate at all`] : []),
    `${thousands(written)} of ${thousands(queries)} queries written`,
  ];
}

function thousands(n: number): string {
  return n.toLocaleString('en-US');
}
