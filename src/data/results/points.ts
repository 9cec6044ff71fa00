/** From a table of text to the numbers that fits and correlations take: columns chosen by name, every bad cell reported. */
import { InputError, Problems } from '../../base/index.ts';
import type { Table } from './csv.ts';

/** Which column plays which part. Names are those of the table's own header. */
export interface Roles {
  /** One input for the forms in C, or parameters and tokens for those in N and D. */
  readonly x?: string;
  readonly params?: string;
  readonly tokens?: string;
  readonly flops?: string;
  readonly y: string;
  readonly loss?: string;
  readonly model?: string;
  readonly family?: string;
  /** Take what is missing of N, D and C from the other two by C = 6ND. */
  readonly derive?: boolean;
  /** Only rows of these families. */
  readonly families?: readonly string[];
}

export interface NamedColumn {
  readonly name: string;
  readonly values: Float64Array;
}

/** The rows of a table that have all the numbers asked for; has the shape of scaling's `Points`. */
export interface TablePoints {
  readonly source: string;
  readonly axes: readonly NamedColumn[];
  readonly target: NamedColumn;
  readonly loss?: NamedColumn;
  readonly models: readonly string[];
  readonly families: readonly string[];
  readonly size: Float64Array;
  readonly compute: Float64Array;
  readonly notes: readonly string[];
}

/** FLOPs of training N parameters on D tokens, by Kaplan's approximation. */
const SIX = 6;

/** The index of a column, or an `InputError` that lists what there is and the nearest name. */
export function columnIndex({ source, columns }: Table, name: string): number {
  const exact = columns.indexOf(name);
  if (exact >= 0) return exact;
  const loose = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const near = columns.filter(column => loose(column) === loose(name));
  if (near.length > 0) throw new InputError(source, `has no column '${name}'; did you mean '${near[0]}'?`);
  const shown = columns.slice(0, 20).join(', ');
  throw new InputError(
    source,
    `has no column '${name}'; it has ${shown}${columns.length > 20 ? ` and ${columns.length - 20} more` : ''}`,
  );
}

/** A cell as a number: undefined where it is empty, a problem where it is anything but a finite decimal number. */
function numberIn(cell: string, where: string, name: string, problems: Problems): number | undefined {
  const text = cell.trim();
  if (text === '') return undefined;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  const hint = /^[\d.]+\s*[kmbt]$/i.test(text)
    ? ': write it out, as in 7e9'
    : /^\d+(,\d+)+$/.test(text)
      ? ': no thousands separators, and a point for decimals'
      : ': leave the cell empty where there is no value';
  problems.add(where, `'${name}' holds '${text.slice(0, 40)}', not a number${hint}`);
  return undefined;
}

/** Cells of a column as numbers; undefined where a cell is empty. */
export function numbersIn(table: Table, name: string, problems: Problems): (number | undefined)[] {
  const index = columnIndex(table, name);
  return table.rows.map(({ line, cells }) =>
    numberIn(cells[index]!, `${table.source}:${line}`, name, problems),
  );
}

/** Cells of a column as text, or `otherwise` by row where the table has no such column. */
export function wordsIn(
  table: Table,
  name: string | undefined,
  fallback: string,
  otherwise: (line: number) => string,
): string[] {
  const wanted = name ?? (table.columns.includes(fallback) ? fallback : undefined);
  if (wanted === undefined) return table.rows.map(({ line }) => otherwise(line));
  const index = columnIndex(table, wanted);
  return table.rows.map(({ line, cells }) => cells[index]!.trim() || otherwise(line));
}

/** Only the rows whose family is one of those named. */
export function ofFamilies(table: Table, families: readonly string[] | undefined, column?: string): Table {
  if (families === undefined || families.length === 0) return table;
  const index = columnIndex(table, column ?? 'family');
  const rows = table.rows.filter(({ cells }) => families.includes(cells[index]!.trim()));
  const known = [...new Set(table.rows.map(({ cells }) => cells[index]!.trim()))].filter(name => name !== '');
  for (const family of families) {
    if (!known.includes(family))
      throw new InputError(
        table.source,
        `has no family '${family}'; it has ${known.slice(0, 40).join(', ')}`,
      );
  }
  return { ...table, rows };
}

type Cells = (number | undefined)[];

/** Chooses the columns and the complete rows. Reports every cell that is not a number, with its line. */
export function selectPoints(whole: Table, roles: Roles): TablePoints {
  const table = ofFamilies(whole, roles.families, roles.family);
  const problems = new Problems();
  const read = (name: string | undefined) =>
    name === undefined ? undefined : numbersIn(table, name, problems);
  const names = {
    params: roles.params ?? impliedName(table, 'params'),
    tokens: roles.tokens ?? impliedName(table, 'tokens'),
    flops: roles.flops ?? impliedName(table, 'flops'),
  };
  // a column that nobody named helps where it can and is no one's fault where it holds text
  const help = (named: string | undefined, name: string | undefined) =>
    named === undefined && name !== undefined ? numbersIn(table, name, new Problems()) : read(name);
  const cells = {
    params: help(roles.params, names.params),
    tokens: help(roles.tokens, names.tokens),
    flops: help(roles.flops, names.flops),
  };
  const derived = roles.derive ? deriveMissing(cells) : [];
  const axes = inputsOf(table, roles, names, cells, read);
  const target = { name: roles.y, cells: read(roles.y)! };
  const loss = roles.loss === undefined ? undefined : { name: roles.loss, cells: read(roles.loss)! };
  problems.throwIfAny();
  const needed = [...axes, target, ...(loss ? [loss] : [])];
  const kept = table.rows.flatMap((_, row) =>
    needed.every(column => column.cells[row] !== undefined) ? [row] : [],
  );
  if (kept.length === 0)
    throw new InputError(
      table.source,
      `no row has a value in all of ${needed.map(c => `'${c.name}'`).join(', ')}`,
    );
  const take = (column: { name: string; cells: Cells }): NamedColumn => ({
    name: column.name,
    values: Float64Array.from(kept, row => column.cells[row]!),
  });
  const compute = Float64Array.from(kept, row => computeAt(axes, cells, row));
  const models = wordsIn(table, roles.model, 'model', line => `line ${line}`);
  const families = wordsIn(table, roles.family, 'family', () => '');
  return {
    source: table.source,
    axes: axes.map(take),
    target: take(target),
    ...(loss && { loss: take(loss) }),
    models: kept.map(row => models[row]!),
    families: kept.map(row => families[row]!),
    size: sizeOf(kept, cells.params, compute),
    compute,
    notes: [...derived, ...leftOutNote(table, kept, needed)],
  };
}

/** Our own column names are understood without being named. */
function impliedName(table: Table, name: string): string | undefined {
  return table.columns.includes(name) ? name : undefined;
}

/** The largest model is the one with the most parameters; where any row lacks them, the one with the most compute. */
function sizeOf(kept: readonly number[], params: Cells | undefined, compute: Float64Array): Float64Array {
  const known = params !== undefined && kept.every(row => params[row] !== undefined);
  return known ? Float64Array.from(kept, row => params[row]!) : compute;
}

function leftOutNote(
  table: Table,
  kept: readonly number[],
  needed: readonly { name: string; cells: Cells }[],
): string[] {
  const out = table.rows.length - kept.length;
  if (out === 0) return [];
  const why = needed
    .map(({ name, cells }) => ({ name, empty: cells.filter(cell => cell === undefined).length }))
    .filter(({ empty }) => empty > 0)
    .map(({ name, empty }) => `'${name}' is empty in ${empty}`);
  return [`${out} of ${table.rows.length} rows were left out: ${why.join(', ')}`];
}

/** Fills in tokens or FLOPs from the other two, in place; says what it did. */
function deriveMissing(cells: {
  params: Cells | undefined;
  tokens: Cells | undefined;
  flops: Cells | undefined;
}): string[] {
  const notes: string[] = [];
  const fill = (target: 'tokens' | 'flops', rule: string, value: (n: number, other: number) => number) => {
    const other = target === 'tokens' ? cells.flops : cells.tokens;
    if (cells.params === undefined || other === undefined) return;
    let filled = 0;
    cells[target] = cells.params.map((n, row) => {
      const known = cells[target]?.[row];
      if (known !== undefined || n === undefined || other[row] === undefined) return known;
      filled++;
      return value(n, other[row]!);
    });
    if (filled > 0) notes.push(`${target} of ${filled} rows were derived by ${rule}`);
  };
  fill('tokens', 'D = C / (6N)', (n, c) => c / (SIX * n));
  fill('flops', 'C = 6ND', (n, d) => SIX * n * d);
  return notes;
}

function inputsOf(
  table: Table,
  roles: Roles,
  names: { params: string | undefined; tokens: string | undefined; flops: string | undefined },
  cells: { params: Cells | undefined; tokens: Cells | undefined; flops: Cells | undefined },
  read: (name: string | undefined) => Cells | undefined,
): { name: string; cells: Cells }[] {
  if (roles.x !== undefined) {
    const own = table.columns.includes(roles.x) ? read(roles.x) : undefined;
    const flops = roles.x === 'flops' || roles.x === names.flops ? cells.flops : undefined;
    if ((flops ?? own) === undefined && roles.x === 'flops' && cells.params && cells.tokens)
      throw new InputError(
        table.source,
        "has no column 'flops'; add --derive to take C = 6ND from parameters and tokens",
      );
    if ((flops ?? own) === undefined) columnIndex(table, roles.x); // throws, naming what there is
    return [{ name: roles.x, cells: (flops ?? own)! }];
  }
  if (cells.params === undefined)
    throw new InputError(table.source, 'the number of parameters is missing: name its column with --params');
  if (cells.tokens === undefined) throw new InputError(table.source, missingTokens(names));
  return [
    { name: names.params ?? 'params', cells: cells.params },
    { name: names.tokens ?? 'tokens', cells: cells.tokens },
  ];
}

function missingTokens({ params, flops }: { params: string | undefined; flops: string | undefined }): string {
  const name = 'the number of training tokens is missing: name its column with --tokens';
  return flops === undefined
    ? `${name}, or name that of the training FLOPs with --flops and add --derive to take D = C / (6N)`
    : `${name}, or add --derive to take D = C / (6N) from '${flops}' and '${params}'`;
}

/** Compute of a row: its FLOPs where known, else 6ND of its inputs, else the single input itself. */
function computeAt(
  axes: readonly { cells: Cells }[],
  cells: { params: Cells | undefined; tokens: Cells | undefined; flops: Cells | undefined },
  row: number,
): number {
  if (axes.length === 1) return axes[0]!.cells[row]!;
  const flops = cells.flops?.[row];
  if (flops !== undefined && flops > 0) return flops;
  return SIX * axes[0]!.cells[row]! * axes[1]!.cells[row]!;
}

/** Chosen columns as numbers, with the models and families they belong to; has the shape of scaling's `ScoreTable`. */
export interface SelectedColumns {
  readonly source: string;
  readonly models: readonly string[];
  readonly families: readonly string[];
  readonly columns: Readonly<Record<string, readonly (number | undefined)[]>>;
}

/** Reads these columns of every row; cells may be empty, text is refused with its line. */
export function selectColumns(
  whole: Table,
  names: readonly string[],
  roles: { readonly model?: string; readonly family?: string; readonly families?: readonly string[] } = {},
): SelectedColumns {
  const table = ofFamilies(whole, roles.families, roles.family);
  const problems = new Problems();
  const columns = Object.fromEntries(
    [...new Set(names)].map(name => [name, numbersIn(table, name, problems)]),
  );
  problems.throwIfAny();
  return {
    source: table.source,
    models: wordsIn(table, roles.model, 'model', line => `line ${line}`),
    families: wordsIn(table, roles.family, 'family', () => ''),
    columns,
  };
}

/** Only the rows in which each of these columns holds that text: `study=luo2024`. */
export function whereRows(table: Table, conditions: readonly string[] | undefined): Table {
  let rest = table;
  for (const condition of conditions ?? []) {
    const equals = condition.indexOf('=');
    if (equals < 1)
      throw new InputError(`--where ${condition}`, 'expected COLUMN=TEXT, such as type=decoder');
    const index = columnIndex(rest, condition.slice(0, equals));
    const wanted = condition.slice(equals + 1);
    const rows = rest.rows.filter(({ cells }) => cells[index]!.trim() === wanted);
    if (rows.length === 0) throw new InputError(rest.source, `no row has ${condition}`);
    rest = { ...rest, rows };
  }
  return rest;
}
