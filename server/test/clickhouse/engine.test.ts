import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openClickHouse } from '../../src/engine/clickhouse.js';
import { type Engine, type EngineBatch, EngineError } from '../../src/engine/index.js';
import { engineSuite, suiteLimits } from '../engine/suite.js';
import { type ClickHouseServer, clickHouseForTests, freshDatabase } from './server.js';

const unavailable = (error: unknown) => error instanceof EngineError && error.kind === 'unavailable';

/** A relay to a server that cuts each connection once `limit` bytes have gone to the server. */
async function startCutter(target: URL) {
  const sockets = new Set<Socket>();
  const cutter = { limit: Number.POSITIVE_INFINITY };
  const relay = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    let sent = 0;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (chunk) => {
      sent += chunk.length;
      if (sent <= cutter.limit) far.write(chunk);
      else far.end(() => near.destroy());
    });
    far.on('data', (chunk) => near.write(chunk));
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const address = relay.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = new URL(target);
  url.port = String(address.port);
  return {
    url: url.href,
    cut(limit: number) {
      cutter.limit = limit;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      relay.close();
      await once(relay, 'close');
    },
  };
}

describe('ClickHouse server', () => {
  let server: ClickHouseServer;
  let database: ReturnType<typeof freshDatabase>;
  let folder: string;
  const open = (url: string) => openClickHouse({ url, ...suiteLimits });

  before(async () => {
    server = await clickHouseForTests();
    database = freshDatabase(server.url);
    folder = await mkdtemp(join(tmpdir(), 'storelens-clickhouse-'));
  });
  after(async () => {
    await database.drop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  engineSuite('clickhouse', () => open(database.url));

  async function batch(engine: Engine, rows: number): Promise<EngineBatch> {
    await engine.command({
      account: 'a',
      sql: `CREATE OR REPLACE TABLE cut (name String) ENGINE = MergeTree ORDER BY name
SETTINGS non_replicated_deduplication_window = 100`,
    });
    const file = join(folder, 'cut.ndjson');
    await writeFile(file, '{"name":"0123456789012345678901234567890123456789"}\n'.repeat(rows));
    return {
      ...{ account: 'a', table: 'cut', columns: ['name'], expressions: ['assumeNotNull(i.name)'] },
      ...{
        bad: "i.name = 'bad'",
        file,
        format: 'JSONEachRow',
        structure: 'name Nullable(String)',
        token: 'cut',
      },
    };
  }

  async function count(engine: Engine): Promise<string> {
    const bytes = await engine.query({ account: 'a', sql: 'SELECT count() FROM cut', format: 'TSV' });
    return Buffer.from(bytes).toString().trim();
  }

  test('calls a lost connection unavailable and stores nothing of half a batch', async () => {
    const cutter = await startCutter(new URL(database.url));
    const direct = await open(database.url);
    const engine = await open(cutter.url);
    const rows = await batch(direct, 100_000);
    for (const limit of [100_000, 2_000_000, 5_000_000]) {
      cutter.cut(limit);
      await assert.rejects(engine.insert(rows), unavailable);
      assert.equal(await count(direct), '0', `cut after ${limit} bytes`);
    }
    cutter.cut(Number.POSITIVE_INFINITY);
    await engine.insert(rows);
    await engine.insert(rows);
    assert.equal(await count(direct), '100000');
    await engine.close();
    await direct.close();
    await cutter.close();
  });

  test('hears the refusal of a first row although most of the body is still to be sent', async () => {
    const engine = await open(database.url);
    const rows = await batch(engine, 1);
    await writeFile(rows.file, `{"name":"bad"}\n${'{"name":"0123456789"}\n'.repeat(3_000_000)}`);
    await assert.rejects(
      engine.insert(rows),
      (error) => error instanceof EngineError && error.kind === 'refused',
    );
    assert.equal(await count(engine), '0');
    await engine.close();
  });

  test('calls a server that went away unavailable, and says where it was at start', async () => {
    const cutter = await startCutter(new URL(database.url));
    const engine = await open(cutter.url);
    await cutter.close();
    const query = { account: 'a', sql: 'SELECT 1' };
    await assert.rejects(engine.query({ ...query, format: 'TSV' }), unavailable);
    await assert.rejects(engine.command(query), unavailable);
    await assert.rejects(engine.ping(), unavailable);
    await engine.close();
    const { origin, port } = new URL(cutter.url);
    await assert.rejects(open(`http://me:secret@127.0.0.1:${port}/db`), (error) => {
      assert.ok(error instanceof Error);
      assert.ok(error.message.startsWith(`ClickHouse at ${origin} does not answer: `), error.message);
      assert.ok(!error.message.includes('secret'));
      return true;
    });
  });

  test('refuses a URL that it cannot use without repeating it', async () => {
    for (const url of ['secret', 'ftp://a:secret@b/c', 'http://a:secret@b/c?d=e', 'http://a:secret@b/c-d`']) {
      await assert.rejects(open(url), (error) => {
        assert.ok(error instanceof Error);
        assert.match(error.message, /^clickhouse-url .*expected http/);
        assert.ok(!error.message.includes('secret'));
        return true;
      });
    }
  });
});
