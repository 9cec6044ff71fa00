/** A study's tables as CSV files. */
import { formatCsv } from '../base/index.ts';
import type { Raw, StudyTable } from './table-fields.ts';

/** CSV text. Columns of one name are numbered apart. */
export function tableCsv({ columns, rows }: StudyTable): string {
  return formatCsv(
    distinct(columns.flatMap(({ csv }) => csv)),
    rows.map(row => row.flatMap(({ raw }) => raw.map(inert))),
  );
}

/**
 * Text that a spreadsheet would take for a formula gets an apostrophe in front, which it hides.
 * Numbers stay as they are, negative ones too.
 */
function inert(value: Raw): Raw {
  return typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
}

function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map(name => {
    let free = name;
    for (let i = 2; taken.has(free); i++) free = `${name}_${i}`;
    taken.add(free);
    return free;
  });
}
