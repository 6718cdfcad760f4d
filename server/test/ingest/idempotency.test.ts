/** One batch, one count: repeated keys, at the same time too, other bodies, voided and forgotten keys. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Bench, event, ndjson, noon, post, problems, products, startBench } from './posting.js';

let bench: Bench;

before(async () => {
  bench = await startBench();
});

after(() => bench.server.close());

async function countOf(userId: string): Promise<unknown> {
  const [row] = await bench.rows(`SELECT count() AS count FROM usage WHERE userId = '${userId}'`);
  return row?.count;
}

const key = (name: string) => ({ 'idempotency-key': name });

test('the same key again is a duplicate, in any encoding of the same body', async () => {
  const body = ndjson([
    { ...event, userId: 'again' },
    { ...event, userId: 'again' },
  ]);
  const first = await bench.post('usage', body, key('Again/1'));
  assert.deepEqual(first.json, { dataset: 'usage', accepted: 2, batch: 'Again/1', duplicate: false });
  for (const [again, headers] of [
    [body, {}],
    [gzipSync(body), { 'content-encoding': 'gzip' }],
  ] as const) {
    const answer = await bench.post('usage', again, { ...key('Again/1'), ...headers });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { dataset: 'usage', accepted: 2, batch: 'Again/1', duplicate: true });
  }
  assert.equal(await countOf('again'), 2);
});

test('another body under the same key is a conflict', async () => {
  await bench.post('usage', [{ ...event, userId: 'conflict' }], key('conflict'));
  const answer = await bench.post('usage', [{ ...event, userId: 'other' }], key('conflict'));
  assert.equal(answer.status, 409);
  assert.deepEqual(problems(answer), [
    "Idempotency-Key 'conflict' was used for another body of dataset usage.",
  ]);
  assert.equal(await countOf('other'), 0);
});

test('a key belongs to its account and dataset', async () => {
  const other = await bench.server.account({ products });
  await bench.post('usage', [{ ...event, userId: 'own' }], key('own'));
  const elsewhere = await post(
    bench.server,
    other.token,
    'usage',
    [{ ...event, userId: 'else' }],
    key('own'),
  );
  assert.equal((elsewhere.json as { duplicate: boolean }).duplicate, false, elsewhere.text);
  const dataset = await bench.post('installs', [{ ...event, userId: 'own' }], key('own'));
  assert.equal((dataset.json as { duplicate: boolean }).duplicate, false, dataset.text);
});

test('equal bodies without a key are batches of their own', async () => {
  const rows = [{ ...event, userId: 'equal' }];
  const [one, two] = [await bench.post('usage', rows), await bench.post('usage', rows)];
  assert.notEqual((one.json as { batch: string }).batch, (two.json as { batch: string }).batch);
  assert.equal(await countOf('equal'), 2);
});

test('the same batch twelve times at once counts once', async () => {
  const rows = Array.from({ length: 500 }, () => ({ ...event, userId: 'at once' }));
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => bench.post('usage', rows, key('at-once'))),
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    answers.map(() => 200),
  );
  assert.equal(answers.filter(({ json }) => !(json as { duplicate: boolean }).duplicate).length, 1);
  assert.equal(await countOf('at once'), 500);
});

test('different bodies under one key at once: one is stored, the others are conflicts', async () => {
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      bench.post('usage', [{ ...event, userId: 'race', deviceId: `${index}` }], key('race')),
    ),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409, 409, 409]);
  assert.equal(await countOf('race'), 1);
});

test('a refused batch leaves its key free', async () => {
  // The scanner lets a bad day pass, so this batch takes a number that becomes void.
  const bad = await bench.post('usage', [{ ...event, timestamp: '2024-02-31T00:00:00Z' }], key('free'));
  assert.equal(bad.status, 400);
  const good = await bench.post('usage', [{ ...event, userId: 'free' }], key('free'));
  assert.equal((good.json as { duplicate: boolean }).duplicate, false, good.text);
  assert.equal(await countOf('free'), 1);
});

test('a key is remembered for thirty days', async () => {
  const { server } = bench;
  const rows = [{ ...event, userId: 'month' }];
  await bench.post('usage', rows, key('month'));
  const day = 86_400_000;
  const again = async () => (await post(server, operatorKey, 'usage', rows, operator)).json;
  const operatorKey = await server.operatorKey();
  const operator = { ...key('month'), 'storelens-tenant': bench.account.tenantId };
  server.setTime(noon + 30 * day);
  await server.app.parts.ingest.purge();
  assert.equal(((await again()) as { duplicate: boolean }).duplicate, true);
  server.setTime(noon + 30 * day + 1);
  await server.app.parts.ingest.purge();
  assert.equal(((await again()) as { duplicate: boolean }).duplicate, false);
  server.setTime(noon);
});
