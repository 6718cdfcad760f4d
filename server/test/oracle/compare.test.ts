/** The embedded engine's answers are the oracle's, byte for byte, while batches arrive; invalid requests are refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reports } from '@storelens/contract';
import { startServer } from '../harness.js';
import { wrongRefusal } from './compare.js';
import { now } from './generate-data.js';
import type { Mistake } from './generate-invalid.js';
import { compareServer } from './run.js';
import { analyticsBase, Wire } from './wire.js';

test('300 random valid and 150 invalid requests are answered as the oracle says', async (t) => {
  await compareServer(t, { valid: 300, invalid: 150, batchEvery: 20 });
});

test('in the form of 2022, 100 random valid and 60 invalid requests are answered so, too', async (t) => {
  await compareServer(t, { valid: 100, invalid: 60, batchEvery: 10, shape: '2022' });
});

test('a filter may have 50 levels and 500 terms, and no more', async () => {
  const server = await startServer({ now });
  try {
    const report = reports.reviews;
    assert.ok(report);
    const { token } = await server.account({
      products: [{ kind: 'app', id: '9NBLGGGZ5QDR', name: 'Contoso Demo' }],
    });
    const wire = new Wire(server.url, token);
    const query = (filter: string): string =>
      `applicationId=9NBLGGGZ5QDR&filter=${encodeURIComponent(filter)}`;
    const levels = (count: number): string => query(`${'('.repeat(count)}rating eq 5${')'.repeat(count)}`);
    const terms = (count: number): string =>
      query(Array.from({ length: count }, () => "deviceScreenResolution ne 'x'").join(' or '));
    for (const fits of [levels(50), terms(500)]) {
      const got = await wire.get(`${analyticsBase}reviews?${fits}`);
      assert.equal(got.status, 200, got.body);
    }
    for (const beyond of [levels(51), terms(501)]) {
      const got = await wire.get(`${analyticsBase}reviews?${beyond}`);
      const mistake: Mistake = { report, kind: 'too much', query: beyond, status: 400, names: ['filter'] };
      assert.equal(wrongRefusal(mistake, got), undefined, got.body);
    }
    wire.close();
  } finally {
    await server.close();
  }
});

test('the comparison notices a wrong refusal', () => {
  const report = reports.installs;
  assert.ok(report);
  const mistake: Mistake = { report, kind: 'bad page size', query: 'top=0', status: 400, names: ['top'] };
  const answered = (data: readonly string[], status = 400) => ({
    status,
    notice: undefined,
    location: undefined,
    body: JSON.stringify({
      ...{ code: 'BadRequest', data: [], details: [] },
      innererror: {
        ...{ code: 'InvalidQueryParameters', data, details: [] },
        message: 'One or More Query Parameters has invalid values.',
        source: 'AnalyticsAPI',
      },
      ...{ message: 'The calling client sent a bad request to the service.', source: 'AnalyticsAPI' },
    }),
  });
  assert.equal(wrongRefusal(mistake, answered(['top parameter must be at least 1'])), undefined);
  assert.match(wrongRefusal(mistake, answered(['top'], 500)) ?? '', /status 400/);
  assert.match(wrongRefusal(mistake, answered([])) ?? '', /empty/);
  assert.match(wrongRefusal(mistake, answered(['skip is odd'])) ?? '', /names none of top/);
  const loose = { ...answered(['top']), body: answered(['top']).body.replace('"details":[],', '') };
  assert.match(wrongRefusal(mistake, loose) ?? '', /envelope/);
});
