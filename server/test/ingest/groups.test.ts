/**
 * Small batches that come in share inserts: each once and whole under its own number, with an answer and a refusal of its
 * own, also when engine or registry fail on the way. Real registry and engine.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { datasets } from '@storelens/contract';
import { EngineError } from '../../src/engine/index.js';
import { Failure } from '../../src/failure.js';
import type { AcceptedBatch } from '../../src/ingest/index.js';
import type { Product } from '../../src/products/index.js';
import { guid, type MadeBench, openMade } from './made-bench.js';
import { event, ndjson, products } from './posting.js';
import { type SharedEngine, shareEngine } from './shared-engine.js';

let shared: SharedEngine;
let folder: string;
let bench: MadeBench;
let fault: 'before' | 'after' | 'no finish' | undefined;
let inserts: number;
/** Batches of each group that began. */
let sizes: number[];

before(async () => {
  shared = await shareEngine();
});

after(() => shared.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-groups-'));
  fault = undefined;
  inserts = 0;
  sizes = [];
  bench = await openMade(
    folder,
    {
      engine: (engine) => ({
        ...engine,
        async insert(batch) {
          inserts += 1;
          if (fault === 'before') throw new EngineError('unavailable', 'the engine is away', undefined);
          await engine.insert(batch);
          if (fault === 'after') throw new EngineError('unavailable', 'the answer is lost', undefined);
        },
      }),
      ledger: (ledger) => ({
        ...ledger,
        async beginAll(requests) {
          sizes.push(requests.length);
          return await ledger.beginAll(requests);
        },
        async finishAll(written, next) {
          if (next !== undefined && next.length > 0) sizes.push(next.length);
          if (fault === 'no finish') throw new Error('no room');
          return await ledger.finishAll(written, next);
        },
      }),
    },
    shared.engine,
  );
});

afterEach(async () => {
  await bench.close();
  await shared.empty();
  await rm(folder, { recursive: true, force: true });
});

const all: readonly Product[] = products.map((product) => ({ parentId: null, ...product }));

function post(
  key: string,
  body: string,
  contentType = 'application/x-ndjson',
  dataset = 'usage',
  known = all,
) {
  const entry = datasets[dataset];
  assert.ok(entry);
  return bench.ingest.accept({
    dataset: entry,
    accountId: 'a',
    products: { find: () => undefined, ofKind: (kind) => known.filter((one) => one.kind === kind) },
    body: Readable.from([Buffer.from(body)]),
    contentType,
    contentEncoding: undefined,
    idempotencyKey: key,
  });
}

/** Rows that name their batch and their place in it. */
function rowsOf(key: string, count: number): readonly object[] {
  return Array.from({ length: count }, (_, index) => ({ ...event, userId: key, deviceId: `${index}` }));
}

/** A body with the same rows in one of several forms. */
function bodyOf(form: number, key: string, count: number): readonly [body: string, contentType: string] {
  const rows = rowsOf(key, count);
  switch (form % 5) {
    case 0:
      return [ndjson(rows), 'application/x-ndjson'];
    case 1:
      return [`\ufeff\n${ndjson(rows).trim().replaceAll('\n', '\r\n\r\n')}`, 'application/x-ndjson'];
    case 2:
      return [`\ufeff [\n${rows.map((row) => JSON.stringify(row)).join(' ,\n')}]\r\n `, 'application/json'];
    case 3: {
      const lines = rows.map((_, index) => `${key},${event.timestamp},${event.applicationId},${index}\r\n`);
      return [`\ufeffuserId,timestamp,applicationId,deviceId\r\n${lines.join('')}\r\n\n`, 'text/csv'];
    }
    default: {
      const lines = rows.map((_, index) => `\n${event.timestamp},"${event.applicationId}",${index},"${key}"`);
      return [`"timestamp",applicationId,deviceId,userId${lines.join('')}`, 'text/csv'];
    }
  }
}

async function query(sql: string): Promise<string> {
  const bytes = await bench.engine.query({ account: 'a', sql, format: 'TSV' });
  return Buffer.from(bytes).toString('utf8').trim();
}

/** Rows of each batch, which have one number and all places; `wrong` otherwise. */
async function stored(): Promise<Record<string, number | 'wrong'>> {
  const lines = await query(
    `SELECT userId, count(), uniqExact(seq), uniqExact(deviceId), max(toUInt32(deviceId)) FROM usage
WHERE seq <= ${await bench.ledger.snapshot('a')} GROUP BY userId ORDER BY userId`,
  );
  return Object.fromEntries(
    lines.split('\n').flatMap((line) => {
      const [key, ...counts] = line.split('\t');
      const [rows = 0, numbers, places, last = -1] = counts.map(Number);
      if (key === undefined || key === '') return [];
      return [[key, numbers === 1 && places === rows && last === rows - 1 ? rows : 'wrong']];
    }),
  );
}

async function settled(): Promise<void> {
  assert.deepEqual(await bench.ledger.unfinished(), []);
  assert.deepEqual(await readdir(join(folder, 'spool')), []);
}

const failsWith = (code: string) => (error: unknown) => error instanceof Failure && error.code === code;

test('64 writers, batches in all forms: each once and whole, few inserts', async () => {
  const sizes = Object.fromEntries(
    Array.from({ length: 64 * 3 }, (_, number) => [`k${number}`, 1 + ((number * 7) % 40)]),
  );
  const answers: AcceptedBatch[] = [];
  const write = async (writer: number) => {
    for (const number of [writer, writer + 64, writer + 128]) {
      const key = `k${number}`;
      answers.push(await post(key, ...bodyOf(writer, key, sizes[key] ?? 0)));
    }
  };
  await Promise.all(Array.from({ length: 64 }, (_, writer) => write(writer)));
  assert.deepEqual(Object.fromEntries(answers.map(({ batch, accepted }) => [batch, accepted])), sizes);
  assert.ok(answers.every(({ duplicate }) => !duplicate));
  assert.deepEqual(await stored(), sizes);
  assert.equal(await bench.ledger.snapshot('a'), 192);
  // One alone and one with the others, for each of three forms and three rounds.
  assert.ok(inserts <= 24, `${inserts} inserts`);
  await settled();
});

test('writers that send again and again do not make groups of one', async () => {
  const write = async (writer: number) => {
    for (let round = 0; round < 8; round += 1) {
      const key = `k${writer}-${round}`;
      await post(key, ndjson(rowsOf(key, 2)));
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
  assert.equal(Object.keys(await stored()).length, 16 * 8);
  // The first comes alone, and on a busy machine one may come late.
  assert.ok(sizes.filter((size) => size === 1).length <= 3, `groups of ${sizes.join(', ')}`);
  await settled();
});

test('one that is refused names its own rows and harms no other', async () => {
  const bad = { ...event, timestamp: '2024-02-31T00:00:00Z' };
  const expected = new Map<string, string | number>();
  const posts = Array.from({ length: 24 }, (_, number) => {
    const key = `k${number}`;
    const rows = [...rowsOf(key, 3 + number)];
    if (number % 10 === 3) rows.splice(number % 3, 0, bad);
    expected.set(key, number % 10 === 3 ? `row ${1 + (number % 3)}` : rows.length);
    return post(key, ndjson(rows));
  });
  const results = await Promise.allSettled(posts);
  const found = results.map((result, number) => {
    if (result.status === 'fulfilled') return [`k${number}`, result.value.accepted];
    assert.ok(result.reason instanceof Failure, String(result.reason));
    assert.equal(result.reason.data.length, 1);
    return [`k${number}`, /^row \d+/.exec(result.reason.data[0] ?? '')?.[0]];
  });
  assert.deepEqual(new Map(found as [string, string][]), expected);
  const good = [...expected].filter(([, rows]) => typeof rows === 'number');
  assert.deepEqual(await stored(), Object.fromEntries(good.sort()));
  assert.ok(inserts < 24, `${inserts} inserts`);
  await settled();
  assert.equal((await post('k3', ndjson(rowsOf('k3', 2)))).duplicate, false, 'its key is free');
});

test('a batch from before a product was there refuses nobody but itself', async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, number) =>
      post(`k${number}`, ndjson(rowsOf(`k${number}`, 2)), undefined, undefined, number === 8 ? [] : all),
    ),
  );
  assert.deepEqual(
    results.map(({ status }) => status === 'fulfilled'),
    [true, true, true, true, true, true, true, true, false],
  );
  assert.equal(Object.keys(await stored()).length, 8);
  await settled();
});

test('the same key in one group: once, duplicates and conflicts', async () => {
  const body = ndjson(rowsOf('same', 3));
  const others = Array.from({ length: 8 }, (_, number) =>
    post(`k${number}`, ndjson(rowsOf(`k${number}`, 1))),
  );
  const same = Array.from({ length: 6 }, () => post('same', body));
  const other = [1, 2].map(() => post('same', ndjson(rowsOf('other', 3))));
  const answers = await Promise.all(same);
  assert.equal(answers.filter(({ duplicate }) => !duplicate).length, 1);
  assert.ok(answers.every(({ accepted }) => accepted === 3));
  for (const one of other) await assert.rejects(one, failsWith('conflict'));
  await Promise.all(others);
  assert.equal((await stored()).same, 3);
  assert.equal(Object.keys(await stored()).length, 9);
  await settled();
});

test('in a dataset whose rows replace others the later line and the later batch win', async () => {
  const review = (text: number) => ({ ...event, id: guid(1), rating: 1, reviewText: `${text}` });
  await Promise.all(
    [1, 2, 3].map((number) =>
      post(
        `k${number}`,
        ndjson([review(number), review(number + 1), review(number + 2)]),
        undefined,
        'reviews',
      ),
    ),
  );
  const newest = `SELECT argMax(reviewText, (seq, line)), max(seq), count() FROM reviews`;
  assert.equal(await query(newest), '5\t3\t9');
  assert.equal(await query(`SELECT argMax(reviewText, (seq, line)) FROM reviews WHERE seq <= 2`), '4');
});

for (const lost of ['before', 'after', 'no finish'] as const) {
  for (const way of ['retry', 'housekeeping', 'start'] as const) {
    test(`a group that broke (${lost}) is settled by ${way}: each once`, async () => {
      const keys = Array.from({ length: 12 }, (_, number) => `k${number}`);
      const send = (key: string) => post(key, ...bodyOf(key.length % 2, key, 4));
      fault = lost;
      const broken = await Promise.allSettled(keys.map(send));
      assert.ok(broken.every(({ status }) => status === 'rejected'));
      assert.deepEqual(await stored(), {});
      assert.equal(await bench.ledger.snapshot('a'), 0);
      fault = undefined;
      if (way === 'housekeeping') await bench.ingest.purge();
      if (way === 'start') await bench.restart();
      const answers = await Promise.all(keys.map(send));
      // What nobody was told of is no duplicate, unless it was stored without a sender.
      if (way !== 'retry') assert.ok(answers.every(({ duplicate }) => duplicate));
      assert.deepEqual(await stored(), Object.fromEntries(keys.map((key) => [key, 4]).sort()));
      assert.equal(await query('SELECT count() FROM usage'), '48');
      await settled();
    });
  }
}

for (const lost of ['before', 'after'] as const) {
  test(`a group whose rows a loss of power tore (${lost}) is given up, and stored once when it comes again`, async () => {
    const keys = Array.from({ length: 12 }, (_, number) => `k${number}`);
    const send = (key: string) => post(key, ndjson(rowsOf(key, 4)));
    fault = lost;
    await Promise.allSettled(keys.map(send));
    const spool = join(folder, 'spool');
    const torn = (await readdir(spool)).filter((name) => name.endsWith('.rows'));
    assert.ok(torn.length > 0);
    for (const [index, name] of torn.entries()) {
      const path = join(spool, name);
      // To its half, which is good JSON up to the last line, or to nothing.
      await truncate(path, index % 2 === 0 ? (await stat(path)).size >> 1 : 0);
    }
    fault = undefined;
    // On a server an insert may be under way for a while after its sender has gone.
    await bench.restart(16 * 60_000);
    assert.equal(await query('SELECT count() FROM usage'), '0');
    await settled();
    const answers = await Promise.all(keys.map(send));
    assert.ok(answers.every(({ duplicate }) => !duplicate));
    assert.deepEqual(await stored(), Object.fromEntries(keys.map((key) => [key, 4]).sort()));
    assert.equal(await query('SELECT count() FROM usage'), '48');
    await settled();
  });
}
