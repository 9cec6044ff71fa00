/** Writing CSV as RFC 4180 has it. */

/** A cell as CSV text: quoted where it has to be. */
export function csvCell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Lines of CSV with a final newline. */
export function formatCsv(
  columns: readonly string[],
  rows: readonly (readonly (string | number | null | undefined)[])[],
): string {
  return [columns, ...rows].map(cells => `${cells.map(csvCell).join(',')}\n`).join('');
}
