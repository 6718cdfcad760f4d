/** More report requests than the server takes: a bounded line, quick refusals that say when to come back, no collapse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { startServer, type TestAnswer } from '../harness.js';

test('a flood is refused with 503 and Retry-After at once, while those in line are answered', {
  timeout: 60_000,
}, async (context) => {
  const server = await startServer({ args: ['--sessions', '1', '--queue-length', '2'] });
  context.after(() => server.close());
  const account = await server.account({ products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'Demo' }] });
  const days = Array.from({ length: 28 }, (_, index) => `2026-01-${String(index + 1).padStart(2, '0')}`);
  await account.ingest(
    'installs',
    days.map((day) => ({ timestamp: `${day}T08:00:00Z`, applicationId: '9NBLGGGZ5QDR', market: 'US' })),
  );
  const { engine, metrics } = server.app.parts;
  const meter = async (name: string) => {
    const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.slice(name.length) ?? 0);
  };
  const ask = (day: string | undefined) =>
    account.get(`/v1.0/my/analytics/installs?applicationId=9NBLGGGZ5QDR&startDate=${day}&endDate=2026-01-31`);
  const assertRefused = ({ status, headers, text }: TestAnswer) => {
    assert.equal(status, 503, text);
    assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  };

  let blocked = true;
  const blocking = engine
    .query({
      account: account.accountId,
      sql: 'SELECT sum(sleepEachRow(0.1)) FROM numbers(30)',
      format: 'TSV',
      settings: { max_block_size: 1 },
    })
    .finally(() => {
      blocked = false;
    });
  const inLine = [ask(days[0]), ask(days[1])];
  while ((await meter('storelens_engine_queries_waiting')) !== 2) await setImmediate();
  const flood = Array.from({ length: 200 }, (_, index) => ask(days[2 + (index % 26)]));
  for (const refused of await Promise.all(flood)) assertRefused(refused);
  assert.ok(blocked, 'they were refused while the session was taken');
  assert.equal(await meter('storelens_engine_queries_waiting'), 2, 'the line did not grow');
  await blocking;
  for (const [index, answer] of (await Promise.all(inLine)).entries()) {
    assert.equal(answer.status, 200, answer.text);
    assert.equal((answer.json as { TotalCount: number }).TotalCount, 28 - index);
  }

  // With the session free a flood is answered in part; who was let in is not refused half-way, so work is not lost.
  const crowd = await Promise.all(Array.from({ length: 200 }, (_, index) => ask(days[2 + (index % 26)])));
  const answered = crowd.filter(({ status }) => status === 200);
  assert.ok(answered.length >= 3, `${answered.length} answered`);
  for (const answer of crowd) if (answer.status !== 200) assertRefused(answer);
  assert.equal((await ask(days[27])).status, 200);
  assert.equal(await meter('storelens_engine_queries_waiting'), 0);
});
