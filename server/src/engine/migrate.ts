/**
 * Brings the engine's tables up to date: applies the files of `schema/` in the order of their names and keeps the
 * list of applied steps in the engine itself, in the table `schemaSteps`. A file is never edited after a release;
 * each of its statements can be repeated, so a step that was cut off is simply applied again.
 */
import { readdir, readFile } from 'node:fs/promises';
import type { Engine } from './index.js';

/** Account under which schema calls run: they belong to none. */
const account = '';

/** The SQL files lie beside this module's source; the compiler does not copy them to `dist`. */
const schemaFolder = new URL('../../../src/engine/schema/', import.meta.url);

/** One step: its file name without `.sql` and its text with placeholders. */
export interface SchemaStep {
  readonly name: string;
  readonly sql: string;
}

/**
 * Durable parts and the memory of deduplication tokens. 10,000 blocks is far beyond the retries of a batch: the
 * ledger, not this memory, decides what is a duplicate.
 */
const dedup = 'non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1';

/** Fills in the placeholders of a schema file: `{merge_tree:<table>}` and `{dedup}`; any other is refused. */
export function renderSchema(sql: string): string {
  return sql.replace(/\{([^{}]*)\}/g, (placeholder, name: string) => {
    if (/^merge_tree:[A-Za-z]\w*$/.test(name)) return 'MergeTree()';
    if (name === 'dedup') return dedup;
    throw new Error(`unknown placeholder ${placeholder} in a schema file`);
  });
}

/**
 * Splits a file into statements, which end with a `;`. Comments (`--`, and between slashes and asterisks) are
 * dropped; a `;` in quotes or in a comment ends nothing.
 */
export function splitStatements(sql: string): readonly string[] {
  const statements: string[] = [];
  let statement = '';
  // A quoted text or name, a comment, the end of a statement, or a stretch of anything else.
  const tokens = /'(?:[^'\\]|\\.|'')*'|`[^`]*`|"[^"]*"|--[^\n]*|\/\*[\s\S]*?\*\/|;|[^'`"\-/;]+|[\s\S]/g;
  for (const [token] of sql.matchAll(tokens)) {
    if (token.startsWith('--') || token.startsWith('/*')) statement += ' ';
    else if (token !== ';') statement += token;
    else {
      statements.push(statement.trim());
      statement = '';
    }
  }
  if (statement.trim() !== '')
    throw new Error(`a statement of a schema file does not end with ';': ${statement.trim()}`);
  return statements.filter((text) => text !== '');
}

/** Reads the steps that this program knows, in the order in which they are applied. */
export async function readSchema(folder: URL = schemaFolder): Promise<readonly SchemaStep[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  return await Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -'.sql'.length),
      sql: await readFile(new URL(file, folder), 'utf8'),
    })),
  );
}

/**
 * Applies the steps that the engine's list lacks. Throws an Error if the list has a step that this program does
 * not know: then a newer Storelens made the tables, and this one would misread them.
 */
export async function migrateEngine(engine: Engine, steps?: readonly SchemaStep[]): Promise<void> {
  const known = steps ?? (await readSchema());
  await engine.command({
    account,
    sql: renderSchema(
      `CREATE TABLE IF NOT EXISTS schemaSteps (name String, appliedAt DateTime('UTC'))
ENGINE = {merge_tree:schemaSteps} ORDER BY name SETTINGS {dedup}`,
    ),
  });
  const listed = await engine.query({ account, sql: 'SELECT DISTINCT name FROM schemaSteps', format: 'TSV' });
  const applied = new Set(Buffer.from(listed).toString('utf8').split('\n').filter(Boolean));
  const unknown = Array.from(applied).filter((name) => !known.some((step) => step.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `The ${engine.kind} engine was made by a newer Storelens (schema step ${unknown.sort().join(', ')}): ` +
        'start that version, or give this one a data folder or database of its own.',
    );
  }
  for (const { name, sql } of known) {
    if (applied.has(name)) continue;
    for (const statement of splitStatements(renderSchema(sql)))
      await engine.command({ account, sql: statement });
    await engine.command({
      account,
      sql: 'INSERT INTO schemaSteps (name, appliedAt) SELECT {name:String}, now()',
      params: { name },
      // Without a token an equal block counts as a repetition and is dropped.
      settings: { insert_deduplication_token: name, async_insert: 0 },
    });
  }
}
