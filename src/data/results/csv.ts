/** CSV as RFC 4180 has it: quoted fields, doubled quotes, CRLF or LF; comma, semicolon or tab, told from the header. */
import { InputError, Problems, readInputText } from '../../base/index.ts';

export { csvCell, formatCsv } from '../../base/index.ts';

export interface CsvRow {
  /** Line of the file on which the row begins, counted from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A table of text: a header of distinct names and rows of the same width. */
export interface Table {
  readonly source: string;
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

const MAX_BYTES = 256 << 20;

/** Reads a CSV file. Every ragged row, empty or repeated header is reported at once. */
export async function readTable(path: string): Promise<Table> {
  return parseTable(await readInputText(path, MAX_BYTES), path);
}

export function parseTable(text: string, source: string): Table {
  const rows = parseCsv(text, source);
  const [header, ...body] = rows.filter(row => row.cells.some(cell => cell.trim() !== ''));
  if (header === undefined) throw new InputError(source, 'is empty: expected a header and rows');
  const columns = header.cells.map(cell => cell.trim());
  const problems = new Problems();
  columns.forEach((name, i) => {
    if (name === '') problems.add(`${source}:${header.line}`, `column ${i + 1} has no name`);
    else if (columns.indexOf(name) < i)
      problems.add(`${source}:${header.line}`, `two columns are named '${name}': rename one`);
  });
  for (const { line, cells } of body) {
    if (cells.length !== columns.length)
      problems.add(
        `${source}:${line}`,
        `expected ${columns.length} cells as in the header, found ${cells.length}`,
      );
  }
  problems.throwIfAny();
  return { source, columns, rows: body };
}

/** The character that separates the cells: of comma, semicolon and tab the one most frequent in the first line, outside quotes. */
function separatorOf(text: string): string {
  const end = text.search(/[\r\n]/);
  const first = (end < 0 ? text : text.slice(0, end)).replace(/"[^"]*"/g, '');
  const count = (mark: string) => first.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

function parseCsv(text: string, source: string): CsvRow[] {
  const separator = separatorOf(text);
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let [at, line, rowLine] = [0, 1, 1];
  while (at < text.length) {
    const cell = text[at] === '"' ? quotedCell(text, at, `${source}:${line}`) : bareCell(text, at, separator);
    cells.push(cell.value);
    line += cell.value.split('\n').length - 1;
    at = cell.end;
    if (text[at] === separator) {
      at++;
      if (at < text.length) continue;
      cells.push('');
    }
    if (text[at] !== undefined && text[at] !== '\n' && text[at] !== '\r')
      throw new InputError(`${source}:${line}`, 'text after the closing quote of a cell');
    rows.push({ line: rowLine, cells });
    cells = [];
    at += text.startsWith('\r\n', at) ? 2 : 1;
    line++;
    rowLine = line;
  }
  return rows;
}

function bareCell(text: string, start: number, separator: string): { value: string; end: number } {
  let end = start;
  while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r') end++;
  return { value: text.slice(start, end), end };
}

function quotedCell(text: string, start: number, where: string): { value: string; end: number } {
  let value = '';
  for (let at = start + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new InputError(where, 'a quoted cell is never closed');
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    at = quote + 2;
  }
}
