/** Options shared by the commands that read a table of models, and what they load. */
import { type Command, Option } from 'commander';
import { collect } from './values.ts';

export interface TableOptions extends RowFilter {
  readonly x?: string;
  readonly params?: string;
  readonly tokens?: string;
  readonly flops?: string;
  readonly loss?: string;
  readonly y: string;
  readonly model?: string;
  readonly familyColumn?: string;
  readonly derive?: boolean;
  readonly convention?: string;
}

/** The table that the word `published` stands for. */
export const PUBLISHED = 'published';

/** Which rows of a table a command looks at. */
export interface RowFilter {
  readonly family?: readonly string[];
  readonly where?: readonly string[];
}

export function addRowFilter(command: Command): Command {
  return command
    .option('--family <name>', 'only rows of this family; may be given several times', collect)
    .option(
      '--where <column=text>',
      'only rows in which a column holds that text; may be given several times',
      collect,
    );
}

export function addTableOptions(command: Command): Command {
  return addRowFilter(command)
    .option('--x <column>', 'the input of a law in one variable, such as flops')
    .option('--params <column>', 'parameters N of each model (default: the column params)')
    .option('--tokens <column>', 'training tokens D of each model (default: the column tokens)')
    .option('--flops <column>', 'training FLOPs C of each model (default: the column flops)')
    .option('--model <column>', 'names of the models (default: the column model)')
    .option('--family-column <column>', 'families of the models (default: the column family)')
    .option('--derive', 'take what is missing of N, D and C from the other two by C = 6ND')
    .addOption(
      new Option('--convention <name>', 'how the FLOPs were counted; goes into the output').choices([
        '6nd',
        '6nd-nonembedding',
        'palm',
        'chinchilla',
        'executed',
        'not stated',
      ]),
    );
}

/** The convention to record: that given, 6ND where FLOPs were derived or are the published table's, else not known. */
export function conventionOf(source: string, options: TableOptions): string {
  return options.convention ?? (options.derive || source === PUBLISHED ? '6nd' : 'not stated');
}

/** The rows that a command works on. */
export async function loadPoints(source: string, options: TableOptions) {
  const { selectPoints } = await import('../data/index.ts');
  const { familyColumn, family, where: _, ...roles } = options;
  return selectPoints(await loadTable(source, options.where), {
    ...roles,
    ...(familyColumn !== undefined && { family: familyColumn }),
    ...(family !== undefined && { families: family }),
  });
}

/** A CSV file or the published table, only the rows that fulfil the conditions. */
export async function loadTable(source: string, where?: readonly string[]) {
  const { readTable, publishedTable, whereRows } = await import('../data/index.ts');
  return whereRows(source === PUBLISHED ? publishedTable() : await readTable(source), where);
}
