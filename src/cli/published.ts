import { type Command, Option } from 'commander';
import { InputError, writeFileAtomic } from '../base/index.ts';
import { addCommand, emit } from './command.ts';
import type { Io } from './io.ts';
import { addRowFilter, loadTable, PUBLISHED, type RowFilter } from './tables.ts';
import { formatTable } from './text-table.ts';
import { collect } from './values.ts';

interface Options extends RowFilter {
  readonly column?: readonly string[];
  readonly format: 'table' | 'csv';
  readonly output?: string;
  readonly json?: boolean;
}

/** What a terminal has room for. */
const SHOWN = ['model', 'family', 'type', 'params', 'tokens', 'flops', 'beir13', 'beir14', 'hellaswag'];

export function registerPublished(program: Command, io: Io): void {
  const command = addCommand(program, {
    name: 'published',
    summary: 'list the published results that isoflop ships, each with its source and caveats',
    details:
      'One row a model: parameters, training tokens and FLOPs (6ND) where a source gives them, nDCG@10 on each BEIR collection, in-context\n' +
      'scores of the backbone. Scores are fractions. --csv and --json give all columns, --column chooses some.',
    examples: [
      'isoflop published --where study=luo2024',
      'isoflop published --family SGPT-msmarco --format csv -o sgpt.csv',
      'isoflop published --where type=encoder --column model --column params --column beir14 --column caveats',
    ],
  });
  addRowFilter(command)
    .option('--column <name>', 'only this column; may be given several times', collect)
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'csv']).default('table'))
    .option('-o, --output <file>', 'write CSV to this file instead')
    .action((options: Options) => run(options, io));
}

async function run(options: Options, io: Io): Promise<void> {
  const { columnIndex, formatCsv, ofFamilies } = await import('../data/index.ts');
  const table = ofFamilies(await loadTable(PUBLISHED, options.where), options.family);
  const names =
    options.column ??
    (options.format === 'table' && !options.json && !options.output ? SHOWN : table.columns);
  const indexes = names.map(name => columnIndex(table, name));
  const rows = table.rows.map(({ cells }) => indexes.map(index => cells[index]!));
  if (rows.length === 0) throw new InputError(PUBLISHED, 'no row is left');
  if (options.output !== undefined) return writeFileAtomic(options.output, formatCsv(names, rows));
  const objects = rows.map(row => Object.fromEntries(names.map((name, i) => [name, typed(name, row[i]!)])));
  emit(io, options, { kind: 'isoflop-published', rows: objects }, () =>
    options.format === 'csv' ? formatCsv(names, rows) : `${formatTable(names, rows)}\n\n${rows.length} rows`,
  );
}

const WORDS = new Set(['model', 'family', 'type', 'study', 'base', 'source', 'caveats']);

/** Numbers as numbers, empty cells as null. */
function typed(name: string, cell: string): string | number | null {
  if (cell === '') return null;
  return WORDS.has(name) ? cell : Number(cell);
}
