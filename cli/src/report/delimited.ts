/**
 * Rows as CSV (RFC 4180, with line feeds): a line of field names, then a line a row, as the server writes whole results.
 * Texts are in quotes, everything else is bare; amounts and failure counts have a fraction digit at least.
 */
import type { Field, ReportEntry } from '@storelens/contract';
import { numberText } from './json-row.js';

export type Cell = string | number | boolean | null | undefined | object;
export type Row = Readonly<Record<string, Cell>>;

/** Text that a spreadsheet would run as a formula begins with one of these. */
const formula = /^[=+\-@\t\r]/;

/** Not to be left bare. */
const risky = /^[=+\-@\t\r]|[",\r\n]/;

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
      // Some service may have a text where the report has none.
      return typeof value === 'string' && risky.test(value) && !numberText.test(value)
        ? cell(value, 'text', raw)
        : text;
  }
}

/** The line of field names. */
export function csvHead(names: readonly string[]): string {
  return `${names.map((name) => (risky.test(name) ? cell(name, 'text', true) : name)).join(',')}\n`;
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

/** Whether rows that are grouped carry a field. */
const isGrouped = (
  { name, role, alwaysReturned, ungroupedOnly }: Field,
  groupby: readonly string[],
): boolean =>
  alwaysReturned === true || (role === 'measure' && ungroupedOnly !== true) || groupby.includes(name);

/**
 * The columns of a file, which its first line fixes: keys of the first page, and of reports whose rows may leave keys out
 * (details of single events) those that a later row may have.
 */
export class CsvColumns {
  readonly #entry: ReportEntry;
  #names: readonly string[] = [];
  #known: ReadonlySet<string> = new Set();
  /** Keys of later rows that have no column. */
  readonly lost = new Set<string>();

  constructor(entry: ReportEntry) {
    this.#entry = entry;
  }

  /**
   * The names of the columns, `groupby` being what was asked for. Without rows, and without groups, those that rows have on
   * every service: identifiers and measures.
   */
  begin(rows: readonly Row[], groupby: readonly string[] | undefined): readonly string[] {
    const { fields, kind } = this.#entry;
    const names = new Set(rows.flatMap((row) => Object.keys(row)));
    for (const field of fields) {
      const sure =
        kind !== 'grouped' ||
        (rows.length === 0 &&
          (groupby === undefined
            ? field.role === 'id' || field.role === 'measure'
            : isGrouped(field, groupby)));
      if (sure) names.add(field.name);
    }
    this.#names = [...names];
    this.#known = names;
    return this.#names;
  }

  /** The names of the columns. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Takes note of what a row has beyond the columns. */
  look(row: Row): void {
    for (const name of Object.keys(row)) if (!this.#known.has(name)) this.lost.add(name);
  }
}
