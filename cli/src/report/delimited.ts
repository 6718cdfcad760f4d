/**
 * Rows as CSV (RFC 4180, with line feeds): a line of field names, then a line a row, as the server writes whole results.
 * Texts are in quotes, everything else is bare; amounts and failure counts have a fraction digit at least.
 */
import type { Field } from '@storelens/contract';

export type Cell = string | number | boolean | null | undefined | object;
export type Row = Readonly<Record<string, Cell>>;

/** Text that a spreadsheet would run as a formula begins with one of these. */
const formula = /^[=+\-@\t\r]/;

/** A cell; `raw` leaves text as it is, otherwise what a spreadsheet would run gets a leading `'`. */
function cell(value: Cell, type: Field['type'], raw: boolean): string {
  if (typeof value === 'object' && value !== null) return cell(JSON.stringify(value), 'text', raw);
  const text = value === null || value === undefined ? '' : String(value);
  switch (type) {
    case 'text':
    case 'instant': {
      const harmless = !raw && type === 'text' && formula.test(text) ? `'${text}` : text;
      return `"${harmless.replaceAll('"', '""')}"`;
    }
    case 'decimal':
      return Number.isInteger(value) ? `${text}.0` : text;
    default:
      return text;
  }
}

/** The line of field names. */
export function csvHead(names: readonly string[]): string {
  return `${names.join(',')}\n`;
}

/** The line of a row, whose fields are of a report; one that the report does not know is text if it holds text. */
export function csvLine(
  row: Row,
  names: readonly string[],
  fields: readonly Pick<Field, 'name' | 'type'>[],
  raw: boolean,
): string {
  const cells = names.map((name) => {
    const value = row[name];
    const type = fields.find((field) => field.name === name)?.type;
    return cell(value, type ?? (typeof value === 'string' ? 'text' : 'integer'), raw);
  });
  return `${cells.join(',')}\n`;
}
