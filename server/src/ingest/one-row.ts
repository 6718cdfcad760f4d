/** A single row as JSON text, held against everything that a batch of one row would be. */
import type { DatasetEntry } from '@storelens/contract';
import type { AccountProducts } from '../products/index.js';
import { parseRow } from './json-row.js';
import { jsonScanner } from './json-scanner.js';
import { RowRules } from './row-rules.js';
import { factsOf } from './rules.js';

/** What is wrong with a row, as `field: problem`; empty if nothing is. The row may be spread over lines. */
export function rowProblems(
  entry: DatasetEntry,
  json: string,
  now: number,
  products: AccountProducts,
): readonly string[] {
  const row = parseRow(json);
  if (!('entries' in row)) return [row.problem];
  const problems = new RowRules(entry, factsOf(now, products)).problems(row.entries);
  if (problems.length > 0) return problems;
  // Stricter about syntax and UTF-8 than what explains.
  const scanner = jsonScanner(entry, 'array');
  scanner.push(Buffer.from(`[${json}]`));
  const { problem } = scanner.end();
  return problem === undefined ? [] : [problem.text];
}
