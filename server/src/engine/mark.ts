/**
 * The mark by which an engine is known again: an id in a table of its own. Whose mark it is, is not known here.
 */
import type { Engine } from './index.js';
import { renderSchema } from './migrate.js';

/** Account under which these calls run: they belong to none. */
const account = '';

/** The id that was written; undefined if there is none. */
export async function readMark(engine: Engine): Promise<string | undefined> {
  await engine.command({
    account,
    sql: renderSchema(
      'CREATE TABLE IF NOT EXISTS installation (id String) ENGINE = {merge_tree:installation} ORDER BY id SETTINGS {dedup}',
    ),
  });
  const bytes = await engine.query({ account, sql: 'SELECT any(id) FROM installation', format: 'TSV' });
  return Buffer.from(bytes).toString('utf8').trim() || undefined;
}

/** Writes the id, once and for all. */
export async function writeMark(engine: Engine, id: string): Promise<void> {
  await engine.command({
    account,
    sql: 'INSERT INTO installation (id) SELECT {id:String}',
    params: { id },
    settings: { insert_deduplication_token: id, async_insert: 0 },
  });
}
