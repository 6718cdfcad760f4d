/** Whole results over HTTP: the same rows as pages, typed and quoted as their form says, at a snapshot, cut on demand. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer, type TestAccount, type TestServer } from '../harness.js';

const app = '9NBLGGGZ5QDR';
const base = '/v1.0/my/analytics/';
const all = `${base}installs?applicationId=${app}&startDate=2026-01-01&endDate=2026-02-28`;
const hostile = ['=1+1', '+1', '-1', '@x', '\tx', '\rx', "'=1", 'a,"b"\nc', 'x=1', '', '\u00e4\u{1f600}'];
let server: TestServer;
let account: TestAccount;

before(async () => {
  server = await startServer({ now: Date.parse('2026-03-01T12:00:00Z') });
  account = await server.account({
    products: [
      { kind: 'app', id: app, name: '@Contoso, "Demo"' },
      { kind: 'driver', id: '18430592857500421', name: 'Driver' },
    ],
  });
  const rows = Array.from({ length: 25_000 }, (_, index) => ({
    timestamp: `2026-02-${String(1 + (index % 28)).padStart(2, '0')}T08:00:00Z`,
    applicationId: app,
    market: 'US',
    packageVersion: `1.0.${index}.0`,
  }));
  await account.ingest('installs', rows);
  const orders = hostile.map((orderName) => ({
    timestamp: '2026-02-01T08:00:00Z',
    ...{ applicationId: app, market: 'US', orderName, quantity: 2 },
  }));
  await account.ingest('acquisitions', orders);
  const amounts = { applicationId: app, campaignId: '-4', lineId: '1', currencyCode: 'USD', spend: 10 };
  await account.ingest('campaigns', [{ date: '2026-02-01', ...amounts, clicks: 3 }]);
});
after(() => server.close());

function get(target: string, accept: string, headers: Readonly<Record<string, string>> = {}) {
  return server.request(target, {
    headers: { authorization: `Bearer ${account.token}`, accept, ...headers },
  });
}

/** Rows of all pages, as they are printed. */
async function printed(target: string): Promise<string[]> {
  const rows: string[] = [];
  for (let next: string | null = target; next !== null; ) {
    const page = await account.get(next);
    assert.equal(page.status, 200, page.text);
    const end = page.text.lastIndexOf('],"@nextLink":');
    const texts = page.text.slice('{"Value":['.length, end);
    if (texts !== '') rows.push(...texts.replaceAll('},{', '}\n{').split('\n'));
    const link = (page.json as { '@nextLink': string | null })['@nextLink'];
    next = link === null ? null : `${base}${link}`;
  }
  return rows;
}

/** Fields of CSV lines; quoted ones are marked, so that text and numbers can be told apart. */
function fieldsOf(csv: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, bare = '', end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    row.push(quoted === undefined ? bare : `text ${quoted.replaceAll('""', '"')}`);
    if (end === '\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

test('NDJSON has the rows of all pages, to the byte and in their order, however many they are', async () => {
  const rows = await printed(all);
  assert.equal(rows.length, 25_000);
  const whole = await get(all, 'application/x-ndjson');
  assert.equal(whole.status, 200, whole.text);
  assert.equal(whole.headers.get('content-type'), 'application/x-ndjson; charset=utf-8');
  assert.ok(whole.text === rows.map((row) => `${row}\n`).join(''), 'the same text');
  const byMeasure = `${all}&groupby=packageVersion&orderby=successfulInstallCount,packageVersion%20desc`;
  const sorted = await get(byMeasure, 'application/x-ndjson');
  assert.ok(sorted.text === (await printed(byMeasure)).map((row) => `${row}\n`).join(''));
});

test('CSV has a line of field names, text in quotes and nothing that a spreadsheet would run', async () => {
  const target = `${base}appacquisitions?applicationId=${app}&startDate=2026-02-01&groupby=orderName,applicationName&orderby=orderName`;
  const guarded = await get(target, 'text/csv');
  assert.equal(guarded.headers.get('content-type'), 'text/csv; charset=utf-8; header=present');
  const [head, ...rows] = fieldsOf(guarded.text);
  assert.deepEqual(head, ['date', 'applicationId', 'applicationName', 'orderName', 'acquisitionQuantity']);
  const expected = [...hostile].sort((left, right) => (left < right ? -1 : 1));
  assert.deepEqual(
    rows,
    expected.map((text) => [
      '2026-02-01',
      `text ${app}`,
      'text \'@Contoso, "Demo"',
      `text ${/^[=+\-@\t\r]/.test(text) ? "'" : ''}${text}`,
      '2',
    ]),
  );
  const raw = await get(target, 'text/csv; raw=true');
  assert.equal(raw.headers.get('content-type'), 'text/csv; charset=utf-8; header=present; raw=true');
  const texts = fieldsOf(raw.text).slice(1);
  assert.deepEqual(
    texts.map(([, , , text]) => text),
    expected.map((text) => `text ${text}`),
  );
  assert.equal(texts[0]?.[2], 'text @Contoso, "Demo"');

  const money = await get(`${base}promotion?startDate=2026-02-01`, 'text/csv');
  assert.equal(
    money.text,
    'date,applicationId,campaignId,lineId,currencyCode,spend,impressions,installs,clicks,iapInstalls,activeUsers\n' +
      `2026-02-01,"${app}","'-4","1","USD",10.0,0,0,3,0,0\n`,
  );
});

test('Parquet has typed columns', async () => {
  const read = async (target: string, sql: string): Promise<string> => {
    const response = await fetch(`${server.url}${target}`, {
      headers: { authorization: `Bearer ${account.token}`, accept: 'application/vnd.apache.parquet' },
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/vnd.apache.parquet');
    assert.equal(response.headers.get('content-encoding'), null);
    const file = join(server.folder, 'whole.parquet');
    await writeFile(file, Buffer.from(await response.arrayBuffer()));
    const from = `file('${file}', 'Parquet')`;
    const answer = await server.app.parts.engine.query({
      account: account.accountId,
      sql: sql.replace('whole', () => from),
      format: 'TSVRaw',
    });
    return Buffer.from(answer).toString().trimEnd();
  };
  assert.equal(
    await read(
      all,
      'SELECT count(), sum(successfulInstallCount), min(date), max(date), uniqExact(packageVersion) FROM whole',
    ),
    '25000\t25000\t2026-02-01\t2026-02-28\t25000',
  );
  const types = await read(`${base}promotion?startDate=2026-02-01`, 'DESCRIBE whole');
  assert.deepEqual(
    types.split('\n').map((line) => line.split('\t').slice(0, 2).join(' ')),
    [
      'date Nullable(Date32)',
      ...['applicationId', 'campaignId', 'lineId', 'currencyCode'].map((name) => `${name} String`),
      'spend Decimal(38, 6)',
      ...['impressions', 'installs', 'clicks', 'iapInstalls', 'activeUsers'].map((name) => `${name} Int64`),
    ],
  );
  assert.equal(
    await read(`${base}promotion?startDate=2026-02-01`, 'SELECT campaignId, spend, clicks FROM whole'),
    '-4\t10\t3',
  );
  assert.equal(await read(`${all}&filter=market%20eq%20'DE'`, 'SELECT count() FROM whole'), '0');
});

test('top and skip cut where they are given', async () => {
  const rows = await printed(all);
  const lines = (from: number, to?: number) =>
    rows
      .slice(from, to)
      .map((row) => `${row}\n`)
      .join('');
  assert.equal((await get(`${all}&top=3`, 'application/x-ndjson')).text, lines(0, 3));
  assert.equal((await get(`${all}&top=2&skip=14999`, 'application/x-ndjson')).text, lines(14_999, 15_001));
  assert.equal((await get(`${all}&skip=24990`, 'application/x-ndjson')).text, lines(24_990));
  const beyond = await get(`${all}&top=10001`, 'text/csv');
  assert.equal(beyond.status, 400);
  assert.match(beyond.text, /top parameter cannot be more than 10000/);
});

test('a whole result is read at a snapshot, has a tag, a file name, and codings', async () => {
  const own = await server.account({ products: [{ kind: 'app', id: app, name: 'Demo' }] });
  const row = { timestamp: '2026-02-01T08:00:00Z', applicationId: app, market: 'US' };
  await own.ingest('installs', [row]);
  const ask = (target: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
    server.request(target, {
      method,
      headers: { authorization: `Bearer ${own.token}`, accept: 'text/csv', ...headers },
    });
  const first = await ask(all);
  assert.equal(first.headers.get('vary'), 'Accept, Accept-Encoding');
  assert.equal(
    first.headers.get('content-disposition'),
    'attachment; filename="installs-2026-01-01-2026-02-28.csv"',
  );
  const tag = first.headers.get('etag') ?? '';
  const same = await ask(all, { 'if-none-match': tag });
  assert.deepEqual([same.status, same.text], [304, '']);
  const raw = await ask(all, { accept: 'text/csv;raw=true', 'if-none-match': tag });
  assert.equal(raw.status, 200, 'another form is another answer');
  for (const coding of ['br', 'gzip']) {
    const packed = await ask(all, { 'accept-encoding': coding });
    assert.deepEqual([packed.headers.get('content-encoding'), packed.text], [coding, first.text]);
  }
  const plain = await ask(all, { 'accept-encoding': 'identity' });
  assert.deepEqual([plain.headers.get('content-encoding'), plain.text], [null, first.text]);
  const head = await ask(all, {}, 'HEAD');
  assert.deepEqual([head.status, head.text, head.headers.get('etag')], [200, '', tag]);
  assert.equal((await ask(all, { 'if-none-match': tag }, 'HEAD')).status, 304);

  await own.ingest('installs', [{ ...row, market: 'DE' }]);
  assert.equal((await ask(`${all}&snapshot=1`)).text, first.text);
  const now = await ask(all, { 'if-none-match': tag });
  assert.equal(now.status, 200);
  assert.equal(now.text.split('\n').length, 4);
  const lost = await ask(`${all}&snapshot=77`);
  assert.match(lost.headers.get('storelens-notice') ?? '', /snapshot 77 can no longer be had/);
});

test('reports without pages have whole results, too, and no rows are said to be none', async () => {
  const funnel = await get(`${base}funnel?applicationId=${app}&startDate=2026-02-01`, 'text/csv');
  assert.equal(funnel.text, 'MetricType,UserCount\n"PageView",0\n"Acquisition",0\n"Install",0\n"Usage",0\n');
  const none = await get(`${all}&filter=market%20eq%20'DE'&cabId=1`, 'application/x-ndjson');
  assert.deepEqual([none.status, none.text], [200, '']);
  assert.match(none.headers.get('storelens-notice') ?? '', /cabId is no parameter.*data begins 2026-02-01/);
  for (const accept of ['text/csv', 'application/vnd.apache.parquet']) {
    const same = await get(`${all}&filter=market%20eq%20'DE'&cabId=1`, accept);
    assert.equal(same.headers.get('storelens-notice'), none.headers.get('storelens-notice'), accept);
    const some = await get(`${all}&top=1`, accept);
    assert.equal(some.headers.get('storelens-notice'), null, accept);
  }
  const driver = all.replace(app, '18430592857500421');
  const other = await get(driver, 'text/csv');
  assert.match(other.headers.get('storelens-notice') ?? '', /it is registered as a driver/);
  assert.equal(other.text.split('\n').length, 2, 'the field names alone');
});

test('refusals are those of pages, and so is what nobody asked for in another form', async () => {
  const wrong = await get(`${all}&colour=red`, 'text/csv');
  assert.equal(wrong.status, 400);
  assert.match(wrong.headers.get('content-type') ?? '', /^application\/json/);
  assert.equal((await get(all.replace(app, '9NOSUCHAPP00'), 'text/csv')).status, 403);
  const page = await account.get(`${all}&top=2`);
  for (const accept of [
    '*/*',
    'application/json',
    'text/html,*/*;q=0.8',
    'image/png',
    'application/json;odata=verbose',
  ]) {
    assert.equal((await get(`${all}&top=2`, accept)).text, page.text);
  }
});
