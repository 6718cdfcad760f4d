/**
 * The second pass over a refused Parquet file: the engine finds its bad rows, and their values are held against the
 * same rules as those of other bodies. A file that cannot be read tells so here.
 */
import type { DatasetEntry } from '@storelens/contract';
import { type Engine, EngineError } from '../engine/index.js';
import { Failure } from '../failure.js';
import { maxProblems } from './explain.js';
import { jsonTypeOf } from './json-language.js';
import {
  type ParquetReading,
  type ParquetValue,
  parquetSelection,
  parquetStructure,
} from './parquet-columns.js';
import { RowRules } from './row-rules.js';
import type { Facts } from './rules.js';
import { statementOf } from './statement.js';
import type { Entry, Value } from './values.js';

const kinds: Readonly<Record<string, Value['kind']>> = {
  integer: 'number',
  amount: 'number',
  boolean: 'boolean',
};

/** A row's number, its values as text, null where they are none, and the names of columns that are no UTF-8. */
type FoundRow = readonly [row: number, texts: readonly (string | null)[], wrong: readonly string[]];

/** What stands for a count of days or ticks in messages; the count itself if no calendar has it. */
function timeText(count: string, { counts }: ParquetValue): string {
  const milliseconds =
    counts === 'days' ? Number(count) * 86_400_000 : Number(count) / ((counts ?? 1) / 1000);
  // Four digits of a year are what rules are written for.
  if (!(Math.abs(milliseconds) < 253_402_300_800_000)) return count;
  const text = new Date(Math.floor(milliseconds)).toISOString();
  return counts === 'days' ? text.slice(0, 10) : text;
}

function entryOf(one: ParquetValue, text: string): Entry {
  const given = one.counts === undefined ? text : timeText(text, one);
  return [one.column.name, { kind: kinds[jsonTypeOf(one.column)] ?? 'text', text: given }];
}

/** Engine errors that say nothing about the file. */
function isOwn(error: EngineError): boolean {
  return error.kind === 'unavailable';
}

/**
 * Problems of the rows in a file, as `row 17: field: problem`, at most one hundred; empty if the rows are good. Throws
 * Failure `invalid-body` if the engine cannot read the file, and `too-large` if it takes more memory than it may.
 */
export async function explainParquet(
  engine: Engine,
  file: string,
  entry: DatasetEntry,
  parquet: ParquetReading,
  facts: Facts,
): Promise<string[]> {
  const { bad, params = {} } = statementOf(entry, parquet, facts, { accountId: '', seq: 0 });
  const wrong = parquet.values.map(({ column, wrong: sql = 'false' }) => `if(${sql}, '${column.name}', '')`);
  const texts = parquet.values.map(({ text, column, type }) => {
    const given = type === undefined ? 'NULL' : `if(isNull(r.${column.name}), NULL, ${text})`;
    return `CAST(${given}, 'Nullable(String)')`;
  });
  const selection = [
    parquetSelection(parquet),
    'rowNumberInAllBlocks() + 1 AS rowNumber',
    `[${texts.join(', ')}] AS texts`,
    `[${wrong.join(', ')}] AS wrongs`,
  ];
  const sql = `SELECT rowNumber, texts, arrayFilter(one -> one != '', wrongs)
FROM (SELECT ${selection.join(', ')} FROM batch_file AS r) AS i
WHERE ifNull(${bad}, true) LIMIT ${maxProblems}`;
  const used = Object.entries(params).filter(([name]) => sql.includes(`{${name}:`));
  let bytes: Uint8Array;
  try {
    bytes = await engine.queryFile({
      account: '',
      sql,
      params: Object.fromEntries(used),
      format: 'JSONCompactEachRow',
      file,
      inputFormat: 'Parquet',
      structure: parquetStructure(parquet),
      settings: {
        ...parquet.settings,
        // Rows are counted in their order, before any is left out.
        max_threads: 1,
        input_format_parquet_preserve_order: 1,
        output_format_json_quote_64bit_integers: 0,
      },
    });
  } catch (error) {
    if (!(error instanceof EngineError) || isOwn(error)) throw error;
    if (error.kind === 'too-large') {
      throw new Failure('too-large', ['The file needs more memory than the engine has; send smaller ones.']);
    }
    throw new Failure('invalid-body', ['The body is not a Parquet file that can be read.'], { cause: error });
  }
  const rules = new RowRules(entry, facts);
  const found: string[] = [];
  for (const line of Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean)) {
    const [row, values, noText] = JSON.parse(line) as FoundRow;
    const entries = parquet.values.flatMap((one, index) => {
      const text = values[index];
      return text === null || text === undefined ? [] : [entryOf(one, text)];
    });
    const problems = rules.problems(entries);
    for (const name of noText) {
      if (!problems.some((problem) => problem.startsWith(`${name}:`))) problems.push(`${name}: not UTF-8`);
    }
    // Days that the footer claims are the only thing that rows are held to and no rule knows.
    if (problems.length === 0)
      problems.push(`${entry.time}: outside of what the footer of the file says of it`);
    for (const problem of problems) {
      found.push(`row ${row}: ${problem}`);
      if (found.length === maxProblems) return found;
    }
  }
  return found;
}
