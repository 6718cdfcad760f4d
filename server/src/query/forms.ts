/**
 * The forms in which a whole result is written: how the engine prints the columns of a row. NDJSON prints rows as pages
 * do, to the byte. CSV is what spreadsheets open: text in quotes, the rest bare, and text that a spreadsheet would run
 * as a formula behind an apostrophe. Parquet has typed columns: text as UTF-8, counts as 64-bit integers, amounts and
 * failure counts as decimals with six places, days as dates, times as timestamps in UTC.
 */
import type { EngineSettings, EngineStream } from '../engine/index.js';
import type { Printed } from './plan.js';
import { decimalText, rowTemplate } from './row-text.js';
import type { Columns } from './sql-writer.js';

/** A form of whole results; `raw-csv` is CSV whose text stands as it is stored. */
export type Form = 'ndjson' | 'csv' | 'raw-csv' | 'parquet';

/** First characters that make a spreadsheet run a text. */
const running = "'^[=+\\\\-@\\\\t\\\\r]'";

function csvColumns(guarded: boolean): Columns {
  return ({ type }, value) => {
    // A date of the whole range.
    if (value === 'NULL') return "''";
    if (type === 'decimal') return decimalText(value);
    if (type !== 'text' || !guarded) return value;
    return `concat(if(match(${value}, ${running}), '''', ''), ${value})`;
  };
}

const parquetColumns: Columns = ({ type, nullable }, value) => {
  switch (type) {
    case 'text':
      return nullable ? `nullIf(toString(${value}), '')` : `toString(${value})`;
    case 'instant':
      return `toString(${value})`;
    case 'integer':
      return `toInt64(${value})`;
    case 'decimal':
      return `toDecimal128(${value}, 6)`;
    case 'boolean':
      return `toBool(${value})`;
    // A file that never expires has a bound text in place of a time.
    case 'time':
      return `CAST(toDateTime64OrNull(toString(${value}), 3, 'UTC') AS Nullable(DateTime64(3, 'UTC')))`;
    case 'date':
      return `CAST(${value} AS Nullable(Date32))`;
    case 'hour':
      return `CAST(${value} AS Nullable(DateTime64(3, 'UTC')))`;
  }
};

/** How a form prints the values of a row. */
export function columnsOfForm(form: Form): Columns | undefined {
  switch (form) {
    case 'ndjson':
      return undefined;
    case 'csv':
      return csvColumns(true);
    case 'raw-csv':
      return csvColumns(false);
    case 'parquet':
      return parquetColumns;
  }
}

/** What stands before the first row. */
export function headOf(form: Form, fields: readonly Printed[]): string {
  return form === 'csv' || form === 'raw-csv' ? `${fields.map(({ name }) => name).join(',')}\n` : '';
}

const quoted = new Set(['text', 'instant']);

/** The engine's format of a form, and its settings. */
export function formatOf(
  form: Form,
  fields: readonly Printed[],
): { readonly format: EngineStream['format']; readonly settings: EngineSettings } {
  if (form === 'parquet') {
    return {
      format: 'Parquet',
      settings: {
        output_format_parquet_row_group_size: 100_000,
        output_format_parquet_string_as_string: 1,
        output_format_parquet_compression_method: 'zstd',
      },
    };
  }
  const csv = fields.map(({ name, type }) => `\${${name}:${quoted.has(type) ? 'CSV' : 'Raw'}}`).join(',');
  return {
    format: 'Template',
    settings: {
      format_template_row_format: `${form === 'ndjson' ? rowTemplate(fields) : csv}\n`,
      format_template_rows_between_delimiter: '',
      output_format_json_quote_64bit_integers: 0,
      output_format_json_escape_forward_slashes: 0,
    },
  };
}

/**
 * Whether an answer has no rows, by its first piece: text has none then, and a Parquet file is its footer alone, between
 * the marks of four bytes at both ends, with the footer's length before the last.
 */
export function isEmpty(form: Form, { done, value }: IteratorResult<Uint8Array, unknown>): boolean {
  if (done === true) return true;
  if (form !== 'parquet' || value.length < 12) return false;
  const file = Buffer.from(value.buffer, value.byteOffset, value.length);
  return (
    file.toString('latin1', file.length - 4) === 'PAR1' &&
    file.readUInt32LE(file.length - 8) === file.length - 12
  );
}
