/** Rows of text in columns two blanks apart; a column whose cells (but for the header) all begin like numbers is set flush right. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, c) => Math.max(title.length, ...rows.map(row => row[c]?.length ?? 0)));
  const right = header.map((_, c) => rows.length > 0 && rows.every(row => /^([-+.\d]|$)/.test(row[c] ?? '')));
  const line = (cells: readonly string[]) =>
    widths
      .map((width, c) => (right[c] ? (cells[c] ?? '').padStart(width) : (cells[c] ?? '').padEnd(width)))
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(row => `${line(row)}\n`).join('');
}
