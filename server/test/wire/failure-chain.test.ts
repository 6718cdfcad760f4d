/** The chain that clients walk, on ingested rows: hits give a hash, details an id, the stack its frames. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestAccount, type TestServer } from '../harness.js';

const base = '/v1.0/my/analytics';
const ids = { app: '9NBLGGGZ5QDR', desktop: '10238467886765136388', driver: '18430592857500421' };
let server: TestServer;
let account: TestAccount;

before(async () => {
  server = await startServer({ now: Date.parse('2018-05-31T12:34:56Z') });
  account = await server.account({
    products: [
      { kind: 'app', id: ids.app, name: 'Contoso Demo' },
      { kind: 'desktop', id: ids.desktop, name: 'Contoso Desk' },
      { kind: 'driver', id: ids.driver, name: 'Contoso Driver' },
    ],
  });
});
after(() => server.close());

interface Page {
  readonly Value: readonly Record<string, unknown>[];
  readonly TotalCount: number;
}

async function rows(target: string): Promise<Page['Value']> {
  const answer = await account.get(`${base}/${target}`);
  assert.equal(answer.status, 200, answer.text);
  const { Value, TotalCount } = answer.json as Page;
  assert.equal(Value.length, TotalCount);
  return Value;
}

const failed = (source: string, deviceId: string, more: object = {}) => ({
  timestamp: '2018-05-31T09:11:25.250Z',
  source,
  deviceId,
  exception: { code: '0xc0000005' },
  frames: [
    { image: 'Contoso.exe', function: 'Contoso.MainPage.DoWork', offset: 604 },
    { image: 'kernel32.dll', offset: '0x1A' },
  ],
  ...more,
});

test('programmes with stacks: hits, details, stack', async () => {
  for (const { source, path, applicationId, lookup } of [
    { source: 'app', path: '', applicationId: ids.app, lookup: 'cabId' },
    { source: 'desktop', path: 'desktop/', applicationId: ids.desktop, lookup: 'cabIdHash' },
  ]) {
    await account.ingest('failures', [
      failed(source, 'one', { applicationId }),
      failed(source, 'two', { applicationId }),
      failed(source, 'two', { applicationId, failureName: 'ANOTHER' }),
    ]);
    const hits = await rows(
      `${path}failurehits?applicationId=${applicationId}&groupby=failureName,failureHash`,
    );
    assert.deepEqual(
      hits.map(({ eventCount }) => eventCount),
      [1, 2],
    );
    const { failureHash } = hits[1] ?? {};
    const details = await rows(
      `${path}failuredetails?applicationId=${applicationId}&failureHash=${failureHash}`,
    );
    assert.deepEqual(
      details.map(({ date, cabDownloadable }) => [date, cabDownloadable]),
      [
        ['2018-05-31 09:11:25', false],
        ['2018-05-31 09:11:25', false],
      ],
    );
    const stack = await rows(
      `${path}stacktrace?applicationId=${applicationId}&${lookup}=${details[0]?.[lookup]}`,
    );
    assert.deepEqual(stack, [
      { level: '0', image: 'Contoso.exe', function: 'Contoso.MainPage.DoWork', offset: '0x25C' },
      { level: '1', image: 'kernel32.dll', function: '', offset: '0x1A' },
    ]);
  }
});

test('programmes of drivers and hardware: hits, details', async () => {
  for (const { source, product } of [
    { source: 'driver', product: `applicationId=${ids.driver}&` },
    { source: 'ihvdriver', product: '' },
    { source: 'hardware', product: '' },
  ]) {
    const applicationId = product === '' ? undefined : ids.driver;
    await account.ingest('failures', [
      failed(source, 'one', { applicationId, failureName: '0x109_18_2_Load' }),
    ]);
    const hits = await rows(`${source}/failurehits?${product}groupby=failureHash`);
    assert.deepEqual(
      hits.map(({ eventCount }) => eventCount),
      [1],
      source,
    );
    const details = await rows(`${source}/failuredetails?${product}failureHash=${hits[0]?.failureHash}`);
    assert.deepEqual(
      details.map(({ failureName }) => failureName),
      ['0x109_18_2_Load'],
      source,
    );
    const file = await account.get(
      `${base}/${source}/cabdownload?${product}cabIdHash=${details[0]?.cabIdHash}`,
    );
    assert.equal(file.status, 404, file.text);
    assert.match(file.text, /came without a crash file/);
  }
});
