/**
 * Makes the engine's side of a batch from a dataset entry: the columns as they are read, the check that is true for
 * a bad row, and the stored values.
 *
 * The engine analyses every function of a statement for a tenth of a millisecond, whatever the number of rows: so
 * nothing stands in it twice (the check names what the stored values repeat), texts are looked at together, and what a
 * file has not is a constant. For one row that is 25 ms instead of 35, which 100,000 rows of a Parquet file feel.
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import type { EngineBatch, EngineParams, EngineSettings } from '../engine/index.js';
import { completedColumns } from './completed-columns.js';
import { jsonTypeOf } from './json-language.js';
import { counted, type ParquetReading, parquetSelection, parquetStructure } from './parquet-columns.js';
import { badColumn, tooLong } from './row-check.js';
import type { Facts } from './rules.js';
import { type Bound, bind, isNullable, type Reading, type Source, stored } from './stored-values.js';

/** Everything of an engine batch but the file, the account and its number. */
export type Statement = Pick<
  EngineBatch,
  'table' | 'columns' | 'expressions' | 'bad' | 'params' | 'format' | 'structure' | 'selection' | 'settings'
>;

/** One that says which rows are bad. */
export type CheckingStatement = Statement & { readonly bad: string };

const jsonTypes: Readonly<Record<string, string>> = {
  text: 'String',
  integer: 'Int64',
  amount: 'Decimal(18, 6)',
  boolean: 'Bool',
};

const readSettings: Readonly<Record<Reading, EngineSettings>> = {
  json: {
    input_format_json_read_numbers_as_strings: 0,
    input_format_json_read_bools_as_strings: 0,
    input_format_json_read_objects_as_strings: 0,
    input_format_json_read_arrays_as_strings: 0,
    input_format_json_read_bools_as_numbers: 0,
    // Otherwise keys behind the last column's are not looked at, and one given twice passes there.
    input_format_json_ignore_unnecessary_fields: 0,
    // Threads parse piece by piece, of 10 MiB if not told otherwise: three for 100,000 rows, so that one of two cores
    // has twice the work of the other (15 pairs of runs: 472 ms instead of 670, on a busy machine).
    min_chunk_bytes_for_parallel_parsing: 1_048_576,
    // null is what a missing key is: the empty value of the type.
    input_format_null_as_default: 1,
  },
  csv: {
    input_format_csv_trim_whitespaces: 0,
    input_format_csv_skip_trailing_empty_lines: 1,
    input_format_csv_allow_variable_number_of_columns: 0,
    format_csv_allow_single_quotes: 0,
    // A cell that reads \N is that text.
    input_format_null_as_default: 0,
  },
};

/** Type of a column as the engine reads it. */
function typeOf(column: Column, reading: Reading): string {
  if (reading === 'csv') return 'String';
  const type = jsonTypes[jsonTypeOf(column)];
  if (type === undefined)
    throw new TypeError(`${column.name}: ${column.type} columns are completed, not read`);
  return isNullable(column) ? `Nullable(${type})` : type;
}

function countedIn(parquet: ParquetReading | undefined, column: Column, facts: Facts, bound: Bound) {
  const value = parquet?.values.find((one) => one.column === column);
  return value === undefined ? undefined : counted(value, facts, bound);
}

/** What differs between batches of rows from outside and rows that were made here. */
interface Rows {
  readonly entry: DatasetEntry;
  readonly reading: Reading;
  /** How a Parquet file becomes what JSON would have given. */
  readonly parquet?: ParquetReading;
  /** Absent for rows that were checked already. */
  readonly facts?: Facts;
  readonly accountId: string;
  /** The commit's number, or those of several by the place of a row; absent if each row carries its own. */
  readonly seq?: number | PlacedNumbers;
}

/** Numbers of the batches of a file, in order, and the place of the first row of each, from 0. */
export interface PlacedNumbers {
  readonly starts: readonly number[];
  readonly seqs: readonly number[];
}

/** SQL of the number of a row. Its start is found by halving, its number by a hash. */
function numberOf(seq: Rows['seq'], bound: Bound): string {
  if (seq === undefined) return 'i.seq';
  if (typeof seq === 'number') return bind(bound, 'seq', 'UInt64', seq);
  const starts = bind(bound, 'starts', 'Array(UInt64)', seq.starts);
  const seqs = bind(bound, 'seqs', 'Array(UInt64)', seq.seqs);
  return `transform(roundDown(rowNumberInAllBlocks(), ${starts}), ${starts}, ${seqs}, toUInt64(0))`;
}

const noneProven: Source['proven'] = new Map();

function assemble({ entry, reading, parquet, facts, accountId, seq }: Rows): CheckingStatement {
  const bound: Bound = {};
  const bad: string[] = [];
  const columns: string[] = ['accountId', 'seq'];
  const expressions: string[] = [bind(bound, 'account', 'String', accountId), numberOf(seq, bound)];
  const structure: string[] = [];
  const absent = new Set(parquet?.absent);
  const source: Source = { entry, reading, facts, absent, proven: parquet?.proven ?? noneProven };
  for (const column of entry.columns) {
    if (column.type === 'object' || column.type === 'list') continue;
    const counts = facts === undefined ? undefined : countedIn(parquet, column, facts, bound);
    const wrong =
      facts === undefined ? undefined : (counts?.bad ?? badColumn({ ...source, facts }, column, bound));
    if (wrong !== undefined) bad.push(wrong);
    const value = counts?.stored ?? stored(source, column, bound);
    columns.push(column.name);
    expressions.push(value);
    structure.push(`${column.name} ${typeOf(column, reading)}`);
    if (column.name === entry.time && column.name !== 'date') {
      columns.push('date');
      expressions.push(`toDate(${value})`);
    }
  }
  if (facts !== undefined) bad.push(...tooLong(source));
  for (const [name, type] of entry.completed === undefined ? [] : completedColumns[entry.completed]) {
    columns.push(name);
    expressions.push(`i.${name}`);
    structure.push(`${name} ${type}`);
  }
  if (seq === undefined) structure.push('seq UInt64');
  if (entry.supersedable) {
    columns.push('supersededBy');
    expressions.push('toUInt64(0)');
  }
  if (entry.replaces !== undefined) {
    columns.push('line');
    expressions.push('toUInt32(rowNumberInAllBlocks() + 1)');
  }
  const params: EngineParams = bound;
  if (parquet !== undefined) {
    return {
      table: entry.name,
      columns,
      expressions,
      bad: ['i.wrong', ...bad].join(' OR '),
      params,
      format: 'Parquet',
      structure: parquetStructure(parquet),
      selection: parquetSelection(parquet),
      settings: parquet.settings,
    };
  }
  return {
    table: entry.name,
    columns,
    expressions,
    bad: bad.length === 0 ? 'false' : bad.join(' OR '),
    params,
    format: reading === 'csv' ? 'CSVWithNames' : 'JSONEachRow',
    structure: structure.join(', '),
    settings: {
      ...readSettings[reading],
      // The number or line of a row hangs on its place in the file, which it has only if one thread reads it.
      ...(entry.replaces === undefined && typeof seq !== 'object' ? {} : { max_threads: 1 }),
      // Threads of its own for parsing cost more than a group of small batches gains by them.
      ...(typeof seq === 'object' ? { input_format_parallel_parsing: 0 } : {}),
    },
  };
}

/** The statement that checks and stores a batch of a dataset under a commit number. */
export function statementOf(
  entry: DatasetEntry,
  source: Reading | ParquetReading,
  facts: Facts,
  { accountId, seq }: { readonly accountId: string; readonly seq: number },
): CheckingStatement {
  const rows = { entry, facts, accountId, seq };
  if (typeof source === 'string') return assemble({ ...rows, reading: source });
  return assemble({ ...rows, reading: 'json', parquet: source });
}

/** The statement that checks and stores several batches of a dataset out of one file. */
export function groupStatementOf(
  entry: DatasetEntry,
  reading: Reading,
  facts: Facts,
  { accountId, numbers }: { readonly accountId: string; readonly numbers: PlacedNumbers },
): Statement {
  return assemble({ entry, reading, facts, accountId, seq: numbers });
}

/** The statement that stores rows that were made here, each with its number under the key `seq`. */
export function madeStatementOf(entry: DatasetEntry, accountId: string): Statement {
  return assemble({ entry, reading: 'json', accountId });
}
