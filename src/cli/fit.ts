import { type Command, Option } from 'commander';
import { prettyJson, writeFileAtomic } from '../base/index.ts';
import type { FitOptions, FitReport, FormName, IntervalMethod, TargetKind } from '../scaling/index.ts';
import { addCommand, emit } from './command.ts';
import { comparisonText, fitText } from './fit-text.ts';
import type { Io } from './io.ts';
import { addTableOptions, conventionOf, loadPoints, loadTable, type TableOptions } from './tables.ts';
import { integer, number, positive } from './values.ts';

interface Options extends TableOptions {
  readonly form: FormName;
  readonly target?: TargetKind;
  readonly floor: number;
  readonly delta?: number;
  readonly starts?: number;
  readonly holdout: 'largest' | 'auto' | 'none';
  readonly interval: IntervalMethod | 'auto';
  readonly level: number;
  readonly resamples: number;
  readonly seed: number;
  readonly rollouts: number;
  readonly compare?: boolean;
  readonly perQuery?: string;
  readonly output?: string;
  readonly figure?: string;
  readonly json?: boolean;
}

const FORM_NAMES = ['log-linear', 'power', 'sigmoid', 'chinchilla', 'contrastive', 'two-step'];

export function registerFit(program: Command, io: Io): void {
  const command = addCommand(program, {
    name: 'fit',
    summary: 'fit a scaling law to a table of models, with an audit, intervals and a hold-out test',
    details:
      "TABLE is a CSV file with a header, or the word 'published' for the results that isoflop ships. Columns may have any name.\n" +
      'Forms in one variable (log-linear, power, sigmoid) take --x; forms in parameters and tokens (chinchilla, contrastive, two-step)\n' +
      'take --params and --tokens. The fit minimises the summed Huber loss: on logarithms with delta 0.001 for losses, on plain values\n' +
      'with delta 0.01 for scores. --holdout largest fits without the largest model and predicts it.',
    examples: [
      'isoflop fit points.csv --form power --x flops --y ndcg_at_10 --holdout largest',
      'isoflop fit runs.csv --form chinchilla --params N --tokens D --y loss -o FIT.json',
      'isoflop fit published --family SGPT-msmarco --family udever-bloom --form power --x flops --y beir14 --figure fit.svg',
    ],
  }).argument('<table>', "CSV file, or 'published'");
  addTableOptions(command)
    .requiredOption('--y <column>', 'the target: a score or a loss')
    .addOption(new Option('--form <form>', 'the law').choices(FORM_NAMES).makeOptionMandatory())
    .option('--loss <column>', 'the loss between (N, D) and the target, for two-step')
    .addOption(
      new Option('--target <kind>', 'what the target is (default: told from its name and values)').choices([
        'fraction',
        'percent',
        'loss',
      ]),
    )
    .option('--floor <score>', 'score of a model that knows nothing, for sigmoid and two-step', number, 0)
    .option('--delta <number>', "Huber's delta", positive)
    .option('--starts <count>', 'use at most so many of the starts', integer(1))
    .addOption(
      new Option('--holdout <which>', 'fit without the largest model and predict it (auto: in a second fit)')
        .choices(['largest', 'auto', 'none'])
        .default('auto'),
    )
    .option('--rollouts <count>', 'also leave out the largest 1, 2, ... sizes, up to so many', integer(0), 0)
    .option(
      '--compare',
      'rank the forms by hold-out error over the roll-outs (3 unless --rollouts says more)',
    )
    .addOption(
      new Option('--interval <method>', 'where intervals come from (auto: profile; bootstrap for two-step)')
        .choices(['auto', 'profile', 'bootstrap'])
        .default('auto'),
    )
    .option('--level <share>', 'coverage of the intervals', positive, 0.95)
    .option('--resamples <count>', 'bootstrap resamples over models; 0 for none', integer(0), 1000)
    .option('--seed <number>', 'seed of the bootstrap', integer(0), 17)
    .option(
      '--per-query <file>',
      'CSV of per-query scores (model, query, the target): resample queries inside models',
    )
    .option('-o, --output <file>', 'write the fit as JSON, for isoflop predict')
    .option('--figure <file>', 'draw points, law and band to FILE.svg or FILE.png')
    .action((table: string, options: Options) => run(table, options, io));
}

async function run(source: string, options: Options, io: Io): Promise<void> {
  const { fit, compareAll } = await import('../scaling/index.ts');
  const points = await loadPoints(source, options);
  if (options.compare) {
    const comparison = compareAll(points, options, Math.max(3, options.rollouts));
    return emit(io, options, { kind: 'isoflop-comparison', comparison }, () => comparisonText(comparison));
  }
  const queries = options.perQuery && (await loadQueries(options.perQuery, options.y));
  const settings: FitOptions = {
    ...options,
    convention: conventionOf(source, options),
    ...(queries && { queries }),
  };
  const fitted = fit(points, settings, hooksOf(io));
  const report: FitReport = { ...fitted, warnings: [...points.notes, ...fitted.warnings] };
  if (options.output) await writeFileAtomic(options.output, prettyJson(report));
  if (options.figure) await draw(report, options.figure);
  emit(io, options, report, () => fitText(report));
}

async function loadQueries(path: string, score: string) {
  const { perQueryScores } = await import('../data/index.ts');
  return perQueryScores(await loadTable(path), score);
}

async function draw(report: FitReport, path: string): Promise<void> {
  const { scalingFigure, writeFigure } = await import('../report/index.ts');
  await writeFigure(scalingFigure(report), path);
}

/** Progress of the two long parts of a fit. */
function hooksOf(io: Io) {
  const tasks = new Map<string, ReturnType<Io['progress']['start']>>();
  const show = (label: string, unit: string) => (done: number, of: number) => {
    io.signal.throwIfAborted();
    const task = tasks.get(label) ?? io.progress.start(label, of, unit);
    tasks.set(label, task);
    if (done < of) return task.update(done);
    task.finish();
    tasks.delete(label);
  };
  return { onStart: show('fit', 'starts'), onResample: show('bootstrap', 'resamples') };
}
