/** Rows as CSV (RFC 4180, with line feeds): a line of field names, then a line a row. */

export type Cell = string | number | boolean | null | undefined | object;
export type Row = Readonly<Record<string, Cell>>;

/** Text that a spreadsheet would run as a formula begins with one of these. */
const formula = /^[=+\-@\t\r]/;

/** A cell; `raw` leaves text as it is, otherwise what a spreadsheet would run gets a leading `'`. */
export function csvCell(value: Cell, raw: boolean): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string')
    return typeof value === 'object' ? csvCell(JSON.stringify(value), raw) : String(value);
  const harmless = !raw && formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** A line of cells. */
export function csvLine(cells: readonly Cell[], raw: boolean): string {
  return `${cells.map((cell) => csvCell(cell, raw)).join(',')}\n`;
}
