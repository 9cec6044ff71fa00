/** Plain text for people: tables. */

/**
 * Rows of cells as lines, columns two spaces apart; the last column is never padded. `right` lists the columns to align at their
 * right edge, as numbers are.
 */
export function alignColumns(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  const pad = (cell: string, i: number) =>
    right.includes(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!);
  return rows.map(row => row.map(pad).join('  ').trimEnd());
}
