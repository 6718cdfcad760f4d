/** Report queries of clients that have gone: what still waits in line is not run. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { startServer } from '../harness.js';

test('a query whose client goes while it waits is dropped, and nobody else suffers', {
  timeout: 60_000,
}, async (context) => {
  const server = await startServer({ args: ['--sessions', '1'] });
  context.after(() => server.close());
  const account = await server.account({ products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'Demo' }] });
  const { engine, metrics } = server.app.parts;
  const meter = async (name: string) => {
    const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.slice(name.length) ?? 0);
  };
  const until = async (name: string, value: number) => {
    while ((await meter(name)) !== value) await setImmediate();
  };
  const target = (day: string) =>
    `/v1.0/my/analytics/installs?applicationId=9NBLGGGZ5QDR&startDate=${day}&endDate=2026-01-31`;
  const open = (): Socket => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => {});
    context.after(() => socket.destroy());
    return socket;
  };
  const ask = (day: string) =>
    `GET ${target(day)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${account.token}\r\n\r\n`;

  let blocked = true;
  const blocking = engine
    .query({
      account: account.accountId,
      sql: 'SELECT sum(sleepEachRow(0.1)) FROM numbers(40)',
      format: 'TSV',
      settings: { max_block_size: 1 },
    })
    .finally(() => {
      blocked = false;
    });
  const going = [open(), open()];
  going[0]?.write(ask('2026-01-01'));
  await until('storelens_engine_queries_waiting', 1);
  // The same query, for somebody who stays.
  const staying = account.get(target('2026-01-01'));
  // The second of these waits behind the first on its connection as well.
  going[1]?.write(ask('2026-01-02') + ask('2026-01-03'));
  await until('storelens_engine_queries_waiting', 4);
  for (const socket of going) socket.destroy();
  await until('storelens_engine_call_duration_seconds_count{verb="query",outcome="unavailable"}', 3);
  assert.ok(blocked, 'they left while the session was taken');
  await blocking;
  const answer = await staying;
  assert.equal(answer.status, 200, answer.text);
  assert.equal(
    await meter('storelens_engine_call_duration_seconds_count{verb="query",outcome="unavailable"}'),
    3,
  );
});
