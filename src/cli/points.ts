import type { Command } from 'commander';
import { writeFileAtomic } from '../base/index.ts';
import { addCommand, emit } from './command.ts';
import type { Io } from './io.ts';
import { collect } from './values.ts';

interface Options {
  readonly models?: string;
  readonly mean?: readonly string[];
  readonly name?: string;
  readonly output?: string;
  readonly json?: boolean;
}

export function registerPoints(program: Command, io: Io): void {
  addCommand(program, {
    name: 'points',
    summary: 'join result files of MTEB, BEIR and lm-eval into one points table',
    details:
      'RESULTS are MTEB model folders, or single JSON files of MTEB, BEIR or lm-evaluation-harness. --models names a CSV file with model and\n' +
      'any of family, params, tokens, flops, config (path of a Hugging Face config.json, from which parameters are counted). --mean adds the\n' +
      'mean over a set of collections (beir13, beir14, beir15) and refuses a model that lacks one of them.',
    examples: [
      'isoflop points results/* --models models.csv --mean beir14 -o points.csv',
      'isoflop points beir.json --name my/model --json',
    ],
  })
    .argument('<results...>', 'folders or JSON files')
    .option('--models <file>', 'CSV of facts about the models')
    .option('--mean <set>', 'add the mean over this set; may be given several times', collect)
    .option('--name <model>', 'the model that all these results belong to')
    .option('-o, --output <file>', 'write the CSV to this file')
    .action((paths: readonly string[], options: Options) => run(paths, options, io));
}

async function run(paths: readonly string[], options: Options, io: Io): Promise<void> {
  const { formatCsv, joinResults, readResults, readTable } = await import('../data/index.ts');
  const results = [];
  const task = io.progress.start('read results', paths.length, 'files');
  for (const [i, path] of paths.entries()) {
    io.signal.throwIfAborted();
    results.push(await readResults(path, options.name));
    task.update(i + 1);
  }
  task.finish();
  const table = await joinResults(results, {
    ...(options.models !== undefined && { models: await readTable(options.models) }),
    ...(options.mean !== undefined && { means: options.mean }),
  });
  const csv = formatCsv(table.columns, table.rows);
  if (options.output !== undefined) await writeFileAtomic(options.output, csv);
  const rows = table.rows.map(row => Object.fromEntries(table.columns.map((name, i) => [name, row[i]!])));
  emit(io, options, { kind: 'isoflop-points', rows }, () =>
    options.output === undefined ? csv : `${table.rows.length} models written to ${options.output}`,
  );
}
