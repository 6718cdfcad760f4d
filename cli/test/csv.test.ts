/** One rule for CSV: a page that the command writes and a whole result that the server writes are the same bytes. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { client, contoso, prepare, secret, serve } from './served.js';
import { shell } from './transcript.js';

const app = '9NBLGGGZ5QDR';
const texts = ['=1+1', '+1', '-1', '@x', '\tx', '\rx', "'=1", 'a,"b"\nc', 'x=1', '', 'ä\u{1f600}'];

test('a page of the command has the bytes of the server’s whole result', async (context) => {
  const { place } = await serve(context);
  await prepare(place);
  const send = async (dataset: string, rows: readonly object[]) => {
    await writeFile(
      join(place.folder, `${dataset}.ndjson`),
      rows.map((row) => JSON.stringify(row)).join('\n'),
    );
    const { code, err } = await shell(named, `storelens ingest ${dataset} ${dataset}.ndjson`);
    assert.equal(code, 0, err);
  };
  const named = {
    ...place,
    environment: {
      ...place.environment,
      STORELENS_TENANT_ID: contoso,
      STORELENS_CLIENT_ID: client,
      STORELENS_CLIENT_SECRET: secret,
    },
  };
  const timestamp = '2026-02-01T08:00:00Z';
  await send(
    'acquisitions',
    texts.map((orderName, index) => ({
      ...{ timestamp, applicationId: app, market: 'US', orderName, quantity: index + 1 },
    })),
  );
  await send('failures', [
    { timestamp, applicationId: app, deviceId: 'one', source: 'app', failureName: 'a!b', failureHash: 'h1' },
    {
      timestamp,
      applicationId: app,
      deviceId: 'two',
      source: 'app',
      failureName: 'c!d',
      failureHash: 'h2',
      market: 'DE',
    },
  ]);
  await send(
    'reviews',
    texts.map((reviewText, index) => ({
      ...{ timestamp, applicationId: app, id: randomUUID(), reviewText, rating: 5, isRevised: index === 1 },
    })),
  );
  await send('campaigns', [
    { date: '2026-02-01', applicationId: app, campaignId: '-4', lineId: '1', currencyCode: 'USD', spend: 10 },
    {
      date: '2026-02-02',
      applicationId: app,
      campaignId: '5',
      lineId: '1',
      currencyCode: 'USD',
      spend: 0.25,
    },
  ]);
  const range = '--since 2026-01-01 --until 2026-03-01';
  for (const asked of [
    `appacquisitions --app ${app}`,
    `failurehits --app ${app}`,
    `failurehits --app ${app} --level week --groupby failureName`,
    `reviews --app ${app}`,
    'promotion',
    `funnel --app ${app}`,
  ]) {
    for (const raw of ['', ' --raw']) {
      const line = `storelens report ${asked} ${range} --format csv${raw}`;
      const page = await shell(named, line);
      const whole = await shell(named, `${line} --all`);
      assert.deepEqual([page.code, whole.code], [0, 0], page.err + whole.err);
      assert.ok(whole.out.split('\n').length > 2, `${asked} has rows`);
      assert.equal(page.out, whole.out, asked);
    }
  }
});
