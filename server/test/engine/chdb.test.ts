import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openChdb } from '../../src/engine/chdb.js';
import { engineSuite, suiteLimits } from './suite.js';

const module = JSON.stringify(new URL('../../src/engine/chdb.js', import.meta.url).href);

/** Opens a folder in another process and gives the message of the error that comes of it. */
function openElsewhere(folder: string, ...nodeOptions: readonly string[]): string {
  const script = `const { openChdb } = await import(${module});
    await openChdb({ folder: ${JSON.stringify(folder)}, sessions: 1, queueLength: 1 })
      .then((engine) => engine.close(), (error) => console.log(error.message));`;
  const { stdout } = spawnSync(process.execPath, [...nodeOptions, '--input-type=module', '--eval', script]);
  return stdout.toString().trim();
}

describe('embedded engine', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'storelens-chdb-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  engineSuite('chdb', () => openChdb({ folder: join(folder, "it's", 'engine'), ...suiteLimits }));

  test('keeps its data in the folder, and the folder to one process', async () => {
    const own = join(folder, 'own');
    const first = await openChdb({ folder: own, sessions: 1, queueLength: 1 });
    await first.command({ account: 'a', sql: 'CREATE TABLE t (a String) ENGINE = MergeTree ORDER BY a' });
    assert.equal(
      openElsewhere(own),
      `Cannot open the engine folder ${own}: process ${process.pid} seems to have it open; stop that one first`,
    );
    await first.close();
    const second = await openChdb({ folder: own, sessions: 1, queueLength: 1 });
    const tables = await second.query({ account: 'a', sql: 'SHOW TABLES', format: 'TSV' });
    assert.equal(Buffer.from(tables).toString(), 't\n');
    await second.close();
    assert.equal(openElsewhere(own), '');
  });

  test('an answer has nothing of an earlier query that failed half way', async () => {
    const engine = await openChdb({ folder: join(folder, 'half'), sessions: 1, queueLength: 1 });
    const ask = (sql: string) => engine.query({ account: 'a', sql, format: 'TSV' });
    await assert.rejects(ask('SELECT throwIf(number = 200000) FROM numbers(300000)'));
    assert.equal(Buffer.from(await ask('SELECT 5')).toString(), '5\n');
    await engine.close();
  });

  test('the caches of the engine are bounded to what a small machine can spare', async () => {
    const engine = await openChdb({ folder: join(folder, 'caches'), sessions: 2, queueLength: 1 });
    const sql = `SELECT name, toUInt64(value) FROM system.server_settings
      WHERE name IN ('mark_cache_size', 'primary_index_cache_size', 'index_mark_cache_size',
        'query_condition_cache_size', 'compiled_expression_cache_size', 'uncompressed_cache_size')`;
    const rows = Buffer.from(await engine.query({ account: 'a', sql, format: 'TSV' }))
      .toString()
      .trim()
      .split('\n');
    assert.equal(rows.length, 6);
    const total = rows.reduce((sum, row) => sum + Number(row.split('\t')[1]), 0);
    assert.ok(total < 400e6, rows.join(', '));
    await engine.close();
  });

  const ownPriority = getPriority() !== 0 && 'this process was given a priority of its own';
  test('inserts and merges are nicer than reads', { skip: ownPriority }, async () => {
    const engine = await openChdb({ folder: join(folder, 'nice'), sessions: 2, queueLength: 1 });
    const sql = `SELECT getSetting('os_threads_nice_value_query') AS nice`;
    await engine.command({ account: 'a', sql: `CREATE TABLE own ENGINE = Log AS ${sql}` });
    const ask = async (sql: string) =>
      Number(Buffer.from(await engine.query({ account: 'a', sql, format: 'TSV' })).toString());
    const [reads, writes] = [await ask(sql), await ask('SELECT nice FROM own')];
    const merges = await ask(
      `SELECT value FROM system.server_settings WHERE name = 'os_threads_nice_value_merge_mutate'`,
    );
    // Not 0: threads that an insert has started would stay as nice as they are.
    assert.ok(reads > 0, String(reads));
    assert.deepEqual([writes > reads, merges], [true, writes]);
    await engine.close();
  });

  test('no question waits for the engine to compile it', async () => {
    const engine = await openChdb({ folder: join(folder, 'compiled'), sessions: 1, queueLength: 1 });
    const ask = async (sql: string) =>
      Buffer.from(await engine.query({ account: 'a', sql, format: 'TSV' })).toString();
    for (let count = 0; count < 6; count += 1)
      await ask(
        'SELECT number % 7 AS n, sum(number) + max(number) FROM numbers(100000) GROUP BY n ORDER BY n',
      );
    assert.equal(await ask(`SELECT sum(value) FROM system.events WHERE event = 'CompileFunction'`), '0\n');
    await engine.close();
  });

  test('refuses a folder whose path the engine would take for a pattern', async () => {
    const pattern = join(folder, 'a*b', 'engine');
    await assert.rejects(openChdb({ folder: pattern, ...suiteLimits }), /its path has one of the characters/);
  });

  test('names the way out where the native library is missing', () => {
    const hook = `export async function resolve(name, context, next) {
      if (name === 'chdb') throw new Error('not here');
      return next(name, context);
    }`;
    const url = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(url(hook))});`;
    const message = openElsewhere(folder, '--import', url(register));
    assert.match(message, /^The embedded engine does not run here .*: set STORELENS_CLICKHOUSE_URL [^\n]*$/);
  });
});
