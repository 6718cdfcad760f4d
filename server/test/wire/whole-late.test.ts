/** A whole result that breaks off in its midst, as a client sees it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { startServer } from '../harness.js';

const app = '9NBLGGGZ5QDR';
const target = `/v1.0/my/analytics/installs?applicationId=${app}&startDate=2026-01-01&endDate=2026-02-28`;

test('an answer that takes too long breaks off and does not end as if it were complete', {
  timeout: 60_000,
}, async () => {
  const brief = await startServer({
    now: Date.parse('2026-03-01T12:00:00Z'),
    args: ['--stream-seconds', '5'],
  });
  try {
    const own = await brief.account({ products: [{ kind: 'app', id: app, name: 'Contoso Demo' }] });
    // 25 MB as CSV: more than sockets buffer.
    const rows = Array.from({ length: 40_000 }, (_, index) => ({
      timestamp: `2026-02-${String(1 + (index % 28)).padStart(2, '0')}T08:00:00Z`,
      applicationId: app,
      packageVersion: `${index}.${'1234567890'.repeat(60)}`,
    }));
    await own.ingest('installs', rows);
    const response = await fetch(`${brief.url}${target}`, {
      headers: { authorization: `Bearer ${own.token}`, accept: 'text/csv', 'accept-encoding': 'identity' },
    });
    assert.equal(response.status, 200);
    await setTimeout(5500);
    await assert.rejects(response.arrayBuffer(), /terminated/);
    assert.equal((await own.get(`${target}&top=1`)).status, 200);
  } finally {
    await brief.close();
  }
});
