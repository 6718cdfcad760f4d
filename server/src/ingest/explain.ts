/**
 * The second pass over a refused batch: reads the spooled rows again and says what is wrong with them, by row and
 * field. Streams; stops at one hundred problems.
 */
import { createReadStream } from 'node:fs';
import type { DatasetEntry } from '@storelens/contract';
import { csvRows } from './csv-rows.js';
import { jsonRows } from './json-rows.js';
import type { RowFormat } from './media.js';
import { RowRules } from './row-rules.js';
import type { Facts } from './rules.js';

/** Most problems that one answer lists. */
export const maxProblems = 100;

/** Problems of the rows in a file, as `row 17: field: problem`, at most one hundred; empty if the rows are good. */
export async function explainRows(
  file: string,
  entry: DatasetEntry,
  format: RowFormat,
  facts: Facts,
): Promise<string[]> {
  const rules = new RowRules(entry, facts);
  const body = createReadStream(file);
  const rows = format === 'csv' ? csvRows(body) : jsonRows(body, format);
  const found: string[] = [];
  let number = 0;
  try {
    for await (const row of rows) {
      number += 1;
      const problems = 'entries' in row ? rules.problems(row.entries) : [row.problem];
      for (const problem of problems) {
        found.push(`row ${number}: ${problem}`);
        if (found.length === maxProblems) return found;
      }
    }
  } finally {
    body.destroy();
  }
  return found;
}
