import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import Database from 'libsql';
import { type Registry, RegistryDiskError } from './index.js';
import { openLibsqlRegistry, RegistryLockedError } from './libsql.js';

function temporaryFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'storelens-registry-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data', 'registry.db');
}

/** A registry of its own; hooks run in the order they are added, so it is closed before its folder goes. */
async function openTemporary(context: TestContext): Promise<{ file: string; registry: Registry }> {
  const folder = mkdtempSync(join(tmpdir(), 'storelens-registry-'));
  const file = join(folder, 'data', 'registry.db');
  const registry = await openLibsqlRegistry(file);
  context.after(async () => {
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { file, registry };
}

/** A process of its own that opens the registry as `registry` and runs `body`. */
function registryProcess(file: string, body: string): ChildProcess {
  const module = new URL('./libsql.js', import.meta.url).href;
  const script = `const { openLibsqlRegistry } = await import(${JSON.stringify(module)});
    const registry = await openLibsqlRegistry(${JSON.stringify(file)}); ${body}`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

function linesOf(child: ChildProcess) {
  assert.ok(child.stdout);
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
}

test('values come back as they were given, placeholders in any order', async (context) => {
  const { registry } = await openTemporary(context);
  assert.deepEqual(
    await registry.get('SELECT $2 AS b, $1 AS a, $1 AS c, typeof($1) AS kind, $3 AS n', [
      1_785_589_200_123,
      'text ü',
      null,
    ]),
    { b: 'text ü', a: 1_785_589_200_123, c: 1_785_589_200_123, kind: 'integer', n: null },
  );
  assert.equal(await registry.get('SELECT 1 AS one WHERE 1 = 0'), undefined);
});

test('file, log and folder are for their owner only', async (context) => {
  const { file, registry } = await openTemporary(context);
  await registry.all('CREATE TABLE t (a INTEGER)');
  const folder = join(file, '..');
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]);
  assert.deepEqual(modes, [
    ['registry.db', 0o600],
    ['registry.db-wal', 0o600],
  ]);
});

test('a transaction is whole or nothing, and others wait for it', async (context) => {
  const { registry } = await openTemporary(context);
  await registry.all('CREATE TABLE t (a INTEGER PRIMARY KEY)');
  const order: string[] = [];
  const first = registry.transaction(async (queries) => {
    await queries.all('INSERT INTO t VALUES (1)');
    await new Promise((resolve) => setImmediate(resolve));
    // A refused statement that the work survives does not spoil the commit.
    await assert.rejects(queries.all('INSERT INTO t VALUES (1)'), { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' });
    order.push('transaction');
    return 'result';
  });
  const read = registry.all('SELECT a FROM t').then((rows) => {
    order.push('read');
    return rows;
  });
  assert.equal(await first, 'result');
  assert.deepEqual(await read, [{ a: 1 }]);
  assert.deepEqual(order, ['transaction', 'read']);

  const refused = registry.transaction(async (queries) => {
    await queries.all('INSERT INTO t VALUES (2)');
    throw new Error('changed my mind');
  });
  await assert.rejects(refused, /changed my mind/);
  assert.deepEqual(await registry.all('SELECT a FROM t'), [{ a: 1 }]);
});

test('misuse of transactions is refused instead of waiting for itself', async (context) => {
  const { registry } = await openTemporary(context);
  await assert.rejects(
    registry.transaction(() => registry.all('SELECT 1')),
    TypeError,
  );
  const leaked = await registry.transaction(async (queries) => queries);
  await assert.rejects(leaked.all('SELECT 1'), TypeError);
  await registry.close();
  await registry.close();
  await assert.rejects(registry.all('SELECT 1'), /closed/);
});

test('a long transaction lets other work run and holds little memory', async (context) => {
  const { registry } = await openTemporary(context);
  await registry.all('CREATE TABLE t (a INTEGER PRIMARY KEY)');
  let turns = 0;
  let over = false;
  const count = () => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const before = process.memoryUsage().rss;
  await registry.transaction(async (queries) => {
    for (let row = 0; row < 20_000; row += 1) await queries.all('INSERT INTO t VALUES ($1)', [row]);
  });
  over = true;
  assert.ok(turns >= 100, `${turns} turns`);
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 60_000_000, `grew by ${grown} bytes`);
});

test('foreign keys are enforced', async (context) => {
  const { registry } = await openTemporary(context);
  await registry.all('CREATE TABLE parent (id TEXT PRIMARY KEY)');
  await registry.all('CREATE TABLE child (id TEXT REFERENCES parent (id))');
  await assert.rejects(registry.all("INSERT INTO child VALUES ('x')"), {
    code: 'SQLITE_CONSTRAINT_FOREIGNKEY',
  });
});

test('after a busy statement the registry commits again', async (context) => {
  const { file, registry } = await openTemporary(context);
  await registry.all('CREATE TABLE t (a INTEGER)');
  const otherFile = join(file, '..', 'other.db');
  const other = new Database(otherFile);
  context.after(() => other.close());
  other.prepare('CREATE TABLE q (a INTEGER)').all();
  other.prepare('BEGIN IMMEDIATE').all();

  await registry.all(`ATTACH DATABASE '${otherFile}' AS other`);
  await assert.rejects(registry.all('INSERT INTO other.q VALUES (1)'), { code: 'SQLITE_BUSY' });
  await registry.transaction((queries) => queries.all('INSERT INTO t VALUES (1)'));

  await registry.all(`ATTACH DATABASE '${otherFile}' AS other`);
  await assert.rejects(
    registry.transaction(async () => 'never begun'),
    { code: 'SQLITE_BUSY' },
  );
  await registry.transaction((queries) => queries.all('INSERT INTO t VALUES (3)'));
  assert.deepEqual(await registry.all('SELECT a FROM t'), [{ a: 1 }, { a: 3 }]);
});

test('a full disk refuses a statement and nothing else', async (context) => {
  const { registry } = await openTemporary(context);
  await registry.all('CREATE TABLE t (a TEXT)');
  await registry.all('INSERT INTO t VALUES ($1)', ['kept']);
  // Less than the file has: the pages that there are stay, and none is added.
  await registry.all('PRAGMA max_page_count = 1');
  const large = 'x'.repeat(100_000);
  await assert.rejects(registry.all('INSERT INTO t VALUES ($1)', [large]), RegistryDiskError);
  await assert.rejects(
    registry.transaction((queries) => queries.all('INSERT INTO t VALUES ($1)', [large])),
    RegistryDiskError,
  );
  assert.deepEqual(await registry.all('SELECT a FROM t'), [{ a: 'kept' }]);
  await registry.all('PRAGMA max_page_count = 1000000');
  await registry.all('INSERT INTO t VALUES ($1)', [large]);
  assert.equal((await registry.get('SELECT count(*) AS n FROM t'))?.n, 2);
});

test('a log that the disk has no room to take in is read at the next start', {
  skip: process.platform === 'win32' && 'no limits of file sizes',
}, async (context) => {
  const file = temporaryFile(context);
  const setUp = await openLibsqlRegistry(file);
  await setUp.all('CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)');
  for (let id = 0; id < 10; id += 1) {
    await setUp.all('INSERT INTO t VALUES ($1, $2)', [id, 'x'.repeat(200_000)]);
  }
  await setUp.close();
  // The last pages lie beyond what this process may write to a file; its log does not.
  const module = new URL('./libsql.js', import.meta.url).href;
  const script = `const { openLibsqlRegistry } = await import(${JSON.stringify(module)});
    const registry = await openLibsqlRegistry(${JSON.stringify(file)});
    await registry.all("UPDATE t SET a = 'short' WHERE id = 9");
    await registry.close();
    console.log('closed');`;
  const writer = spawn(
    'sh',
    ['-c', `trap '' XFSZ; ulimit -f 2000; exec "$0" --input-type=module -e "$1"`, process.execPath, script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(writer, 'exit');
  assert.equal((await linesOf(writer).next()).value, 'closed');
  await exited;
  const registry = await openLibsqlRegistry(file);
  context.after(() => registry.close());
  assert.equal((await registry.get('SELECT a FROM t WHERE id = 9'))?.a, 'short');
});

test('a second server on the folder is told so, also while the first is idle', async (context) => {
  const file = temporaryFile(context);
  const holder = registryProcess(file, 'console.log("open"); process.stdin.resume();');
  const exited = once(holder, 'exit');
  context.after(() => holder.kill('SIGKILL'));
  await linesOf(holder).next();
  await assert.rejects(openLibsqlRegistry(file), (error) => {
    assert.ok(error instanceof RegistryLockedError);
    assert.match(error.message, /another Storelens server uses the data folder .*registry-/);
    return true;
  });
  holder.kill('SIGKILL');
  await exited;
  await (await openLibsqlRegistry(file)).close();
});

test('a second registry in the same process is refused and does not harm the first', async (context) => {
  const { file, registry } = await openTemporary(context);
  await registry.all('CREATE TABLE t (a INTEGER)');
  await assert.rejects(openLibsqlRegistry(file), RegistryLockedError);
  await registry.all('INSERT INTO t VALUES (1)');
  assert.deepEqual(await registry.all('SELECT a FROM t'), [{ a: 1 }]);
});

test('what was acknowledged survives kill -9 of the writer, what was not is whole or absent', async (context) => {
  const file = temporaryFile(context);
  const setUp = await openLibsqlRegistry(file);
  await setUp.all('CREATE TABLE t (batch INTEGER, part INTEGER)');
  await setUp.close();
  let last = -1;
  for (let round = 0; round < 5; round += 1) {
    const writer = registryProcess(
      file,
      `for (let batch = ${last + 1}; ; batch += 1) {
         await registry.transaction(async (queries) => {
           for (const part of [0, 1, 2]) {
             await queries.all('INSERT INTO t VALUES ($1, $2)', [batch, part]);
             await new Promise((resolve) => setImmediate(resolve));
           }
         });
         await new Promise((resolve) => process.stdout.write(batch + '\\n', resolve));
       }`,
    );
    const exited = once(writer, 'exit');
    const lines = linesOf(writer);
    for (let count = 0; count < 10 + round * 7; count += 1) await lines.next();
    writer.kill('SIGKILL');
    await exited;
    for (let line = await lines.next(); !line.done; line = await lines.next()) last = Number(line.value);

    const registry = await openLibsqlRegistry(file);
    const batches = await registry.all(
      'SELECT batch, count(*) AS parts FROM t GROUP BY batch ORDER BY batch',
    );
    await registry.close();
    assert.ok(batches.length >= last + 1, `${last + 1} acknowledged, ${batches.length} stored`);
    assert.ok(batches.every((row, index) => row.batch === index && row.parts === 3));
    last = batches.length - 1;
  }
});
