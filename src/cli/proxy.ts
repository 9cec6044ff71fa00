import type { Command } from 'commander';
import { InputError } from '../base/index.ts';
import type { ProxyFit } from '../scaling/index.ts';
import { addCommand, emit } from './command.ts';
import { show } from './fit-text.ts';
import type { Io } from './io.ts';
import { addRowFilter, loadTable, PUBLISHED, type RowFilter } from './tables.ts';
import { formatTable } from './text-table.ts';
import { collect, positive } from './values.ts';

interface Options extends RowFilter {
  readonly icl: readonly string[];
  readonly y: string;
  readonly score?: readonly string[];
  readonly level: number;
  readonly json?: boolean;
}

export function registerProxy(program: Command, io: Io): void {
  const command = addCommand(program, {
    name: 'proxy',
    summary: 'predict retrieval (nDCG@10) from in-context scores',
    details:
      'Fits a line from each in-context score (and from their mean) to --y, keeps the one that predicts families left out best, and\n' +
      'predicts models from --score TASK=VALUE. The interval uses the larger of the scatter about the line and the left-out error.',
    examples: [
      'isoflop proxy published --where study=luo2024 --where type=decoder --icl hellaswag --y beir13 --score hellaswag=0.79',
      'isoflop proxy points.csv --icl lambada_openai --icl piqa --y ndcg_at_10 --score lambada_openai=0.6 --score piqa=0.72',
    ],
  });
  addRowFilter(command)
    .argument('<table>', "CSV file, or 'published'")
    .requiredOption('--icl <column>', 'an in-context score; may be given several times', collect)
    .requiredOption('--y <column>', 'the retrieval score to predict')
    .option(
      '--score <task=value>',
      'a score of the model to predict; one for each --icl of the proxy that is kept',
      collect,
    )
    .option('--level <share>', 'coverage of the interval', positive, 0.95)
    .action((source: string, options: Options) => run(source, options, io));
}

async function run(source: string, options: Options, io: Io): Promise<void> {
  const { selectColumns, expandGroups } = await import('../data/index.ts');
  const { fitProxy } = await import('../scaling/index.ts');
  const table = await loadTable(source, options.where);
  const tasks = source === PUBLISHED ? expandGroups(table, options.icl) : options.icl;
  const scores = selectColumns(table, [...tasks, options.y], {
    ...(options.family && { families: options.family }),
  });
  const proxy = fitProxy(scores, tasks, options.y);
  const { predict, ...facts } = proxy;
  const at = options.score && scoreOf(proxy, options.score);
  const outside = at !== undefined && (at < proxy.range[0] || at > proxy.range[1]);
  const warnings = [
    ...proxy.warnings,
    ...(outside
      ? [`the score ${show(at)} lies outside those seen (${proxy.range.map(show).join(' to ')})`]
      : []),
  ];
  const prediction =
    at === undefined ? null : { score: at, level: options.level, ...predict(at, options.level) };
  emit(io, options, { kind: 'isoflop-proxy', ...facts, warnings, prediction }, () =>
    textOf(proxy, prediction, warnings),
  );
}

/** The mean of the scores that the proxy rests on. */
function scoreOf({ tasks }: ProxyFit, given: readonly string[]): number {
  const scores = new Map(
    given.map(text => {
      const [task, value] = [
        text.slice(0, text.lastIndexOf('=')),
        Number(text.slice(text.lastIndexOf('=') + 1)),
      ];
      if (task === '' || !Number.isFinite(value))
        throw new InputError(`--score ${text}`, 'expected TASK=VALUE, such as hellaswag=0.79');
      return [task, value] as const;
    }),
  );
  const missing = tasks.filter(task => !scores.has(task));
  if (missing.length > 0) throw new InputError('--score', `the proxy needs ${missing.join(', ')} as well`);
  return tasks.reduce((sum, task) => sum + scores.get(task)!, 0) / tasks.length;
}

function textOf(
  proxy: ProxyFit,
  prediction: { score: number; value: number; low: number; high: number; level: number } | null,
  warnings: readonly string[],
): string {
  const error = (value: number | null) => (value === null ? 'not known' : show(value));
  const candidates = proxy.candidates.map(c => [
    c.task,
    String(c.n),
    String(c.families),
    error(c.leftOutError),
  ]);
  return [
    `${proxy.target} = ${show(proxy.intercept)} + ${show(proxy.slope)} * ${proxy.task}   (${proxy.n} models, ${proxy.families} families)`,
    `error on a family left out: ${error(proxy.leftOutError)}; of the mean of the others: ${error(proxy.meanError)}`,
    '',
    formatTable(['candidate', 'models', 'families', 'left-out error'], candidates),
    ...(prediction
      ? [
          '',
          `at ${show(prediction.score)}: ${show(prediction.value)}, ${100 * prediction.level}% interval ${show(prediction.low)} to ${show(prediction.high)}`,
        ]
      : []),
    ...(warnings.length > 0 ? ['', ...warnings.map(warning => `warning: ${warning}`)] : []),
  ].join('\n');
}
