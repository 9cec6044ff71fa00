import type { Command } from 'commander';
import type { CorrelationValue, PairReport, TaskRank } from '../scaling/index.ts';
import { addCommand, emit } from './command.ts';
import { show } from './fit-text.ts';
import type { Io } from './io.ts';
import { addRowFilter, loadTable, PUBLISHED, type RowFilter } from './tables.ts';
import { formatTable } from './text-table.ts';
import { collect, integer, positive } from './values.ts';

interface Options extends RowFilter {
  readonly x: readonly string[];
  readonly y: readonly string[];
  readonly partial?: string;
  readonly level: number;
  readonly resamples: number;
  readonly seed: number;
  readonly json?: boolean;
}

export function registerCorrelate(program: Command, io: Io): void {
  const command = addCommand(program, {
    name: 'correlate',
    summary: 'correlate scores of the same models, plain and with compute taken out',
    details:
      "TABLE is a CSV file, or 'published'. Every --x is set against every --y: Pearson, Spearman and Kendall, with Fisher intervals and\n" +
      'a bootstrap over families. With --partial flops the logarithm of that column is taken out: two scores that both follow compute\n' +
      'correlate for that reason alone. With three families or more the --x are ranked by how well a line in them predicts --y for a\n' +
      "family left out. For 'published', --x icl and --y beir stand for all in-context scores and all collections.",
    examples: [
      'isoflop correlate points.csv --x hellaswag --x lambada --y ndcg_at_10 --partial flops',
      'isoflop correlate published --where study=luo2024 --where type=decoder --x icl --y beir13 --partial flops',
    ],
  });
  addRowFilter(command)
    .argument('<table>', "CSV file, or 'published'")
    .requiredOption('--x <column>', 'a score; may be given several times', collect)
    .requiredOption('--y <column>', 'the score to set it against; may be given several times', collect)
    .option('--partial <column>', 'take out the logarithm of this column, such as flops')
    .option('--level <share>', 'coverage of the intervals', positive, 0.95)
    .option('--resamples <count>', 'bootstrap resamples over families; 0 for none', integer(0), 1000)
    .option('--seed <number>', 'seed of the bootstrap', integer(0), 17)
    .action((source: string, options: Options) => run(source, options, io));
}

async function run(source: string, options: Options, io: Io): Promise<void> {
  const { selectColumns, expandGroups } = await import('../data/index.ts');
  const { correlateAll, rankTasks } = await import('../scaling/index.ts');
  const table = await loadTable(source, options.where);
  const grouped = (names: readonly string[]) => (source === PUBLISHED ? expandGroups(table, names) : names);
  const [x, y] = [grouped(options.x), grouped(options.y)];
  const partial = options.partial === undefined ? [] : [options.partial];
  const families = options.family && { families: options.family };
  const scores = selectColumns(table, [...x, ...y, ...partial], { ...families });
  const pairs = correlateAll(scores, { ...options, x, y });
  const ranking = y.map(target => ({ target, tasks: rankTasks(scores, x, target) }));
  const { level, resamples, seed } = options;
  const result = {
    kind: 'isoflop-correlation',
    source,
    level,
    bootstrap: { resamples, seed },
    pairs,
    ranking,
  };
  emit(io, options, result, () =>
    [
      pairText(pairs),
      ...ranking.flatMap(r => (r.tasks.length > 1 ? [rankText(r.target, r.tasks)] : [])),
    ].join('\n\n'),
  );
}

function valueText(value: CorrelationValue | null): string {
  if (value === null) return 'not defined';
  const interval = value.low === null ? '' : ` (${value.low.toFixed(2)} to ${value.high!.toFixed(2)})`;
  return `${value.value.toFixed(3)}${interval}`;
}

function pairText(pairs: readonly PairReport[]): string {
  const given = pairs.find(pair => pair.partial !== null)?.partial?.given;
  const columns = ['x', 'y', 'models', 'families', 'Pearson', 'Spearman', 'Kendall'];
  const extra = given === undefined ? [] : [`Pearson given ${given}`, `Spearman given ${given}`];
  return formatTable(
    [...columns, ...extra],
    pairs.map(pair => [
      ...[pair.x, pair.y, String(pair.n), String(pair.families)],
      ...[valueText(pair.pearson), valueText(pair.spearman), valueText(pair.kendall)],
      ...(pair.partial ? [valueText(pair.partial.pearson), valueText(pair.partial.spearman)] : []),
    ]),
  );
}

function rankText(target: string, tasks: readonly TaskRank[]): string {
  const rows = tasks.map(({ task, n, families, error }) => [task, String(n), String(families), show(error)]);
  return `predicting ${target} for a family left out, by a straight line:\n${formatTable(['task', 'models', 'families', 'root mean square error'], rows)}`;
}
