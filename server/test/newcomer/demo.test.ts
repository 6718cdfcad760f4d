/**
 * The demo as its users see it: first starts on an empty folder that are refused or killed while they fill it, one that
 * goes on, later ones that add the hours since, and what all reports then answer, compared with rows generated in one
 * go and counted here.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import type { Row } from '../../src/demo/commerce.js';
import { createGenerators } from '../../src/demo/generate.js';
import { FolderError } from '../../src/demo/index.js';
import { demoApps } from '../../src/demo/publisher.js';
import { startServer, type TestServer } from '../harness.js';

const hour = 3_600_000;
const day = 24 * hour;
/** A process that starts the demo in a folder at a time, and prints its log. */
const filling = `
  const { startServer } = await import(${JSON.stringify(new URL('../harness.js', import.meta.url).href)});
  const [folder, now] = process.argv.slice(1);
  await startServer({ folder, now: Number(now), args: ['--demo'], log: process.stdout });`;

interface Answered {
  readonly Value: readonly Readonly<Record<string, string | number | boolean | null>>[];
  readonly TotalCount: number;
}

/** Asks reports of a running demo. */
async function client(server: TestServer): Promise<(target: string) => Promise<Answered>> {
  const { demo } = server.app;
  assert.ok(demo);
  const granted = await server.request(`/${demo.tenantId}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: demo.clientId,
      client_secret: demo.clientSecret,
      resource: 'https://manage.devcenter.microsoft.com',
    }),
  });
  assert.equal(granted.status, 200, granted.text);
  const authorization = `Bearer ${(granted.json as { access_token: string }).access_token}`;
  return async (target) => {
    const answer = await server.request(`/v1.0/my/analytics/${target}`, { headers: { authorization } });
    assert.equal(answer.status, 200, `${target}: ${answer.text}`);
    return answer.json as Answered;
  };
}

/** Adds up a number of rows under a key. */
function addUp(rows: Iterable<readonly [key: string, amount: number]>): Map<string, number> {
  const sums = new Map<string, number>();
  // In millionths, so that the order of additions does not matter.
  for (const [key, amount] of rows) sums.set(key, (sums.get(key) ?? 0) + Math.round(amount * 1e6));
  return new Map([...sums].filter(([, sum]) => sum !== 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const month = (row: Row) => String(row.timestamp ?? row.date).slice(0, 7);
const text = (value: unknown) => String(value);

/** Compares everything that the reports say of a span with rows generated for it in one go. */
async function compare(server: TestServer, from: number, to: number): Promise<void> {
  const ask = await client(server);
  const generators = createGenerators();
  const rows = (dataset: string) => [...generators.rows(dataset, { from, to, first: true })];
  const range = `startDate=${new Date(from).toISOString().slice(0, 10)}&endDate=${new Date(to).toISOString().slice(0, 10)}`;
  const monthly = `${range}&aggregationLevel=month`;
  // The first bucket is labelled with the start of the range, hence months as texts.
  const bucket = (row: Answered['Value'][number]) => text(row.date).slice(0, 7);
  const [acquired, viewed, installed, used] = ['acquisitions', 'pageviews', 'installs', 'usage'].map(rows);
  const quantity = (row: Row) => Number(row.quantity ?? 1);
  for (const { id } of demoApps) {
    const own = (list: Row[] | undefined) => (list ?? []).filter((row) => row.applicationId === id);
    const inApp = (row: Row) => row.inAppProductId !== undefined;
    const about = `applicationId=${id}&${monthly}`;

    const licences = own(acquired).filter((row) => !inApp(row));
    assert.deepEqual(
      addUp(
        (await ask(`appacquisitions?${about}&groupby=market`)).Value.map((row) => [
          `${bucket(row)} ${row.market}`,
          Number(row.acquisitionQuantity),
        ]),
      ),
      addUp(licences.map((row) => [`${month(row)} ${row.market}`, quantity(row)])),
    );
    const sales = own(acquired).filter(inApp);
    assert.deepEqual(
      addUp(
        (await ask(`inappacquisitions?${about}&groupby=date`)).Value.map((row) => [
          `${bucket(row)} ${row.inAppProductId}`,
          Number(row.acquisitionQuantity),
        ]),
      ),
      addUp(sales.map((row) => [`${month(row)} ${row.inAppProductId}`, quantity(row)])),
    );
    for (const [report, within] of [
      ['appchannelconversions', (row: Row) => !inApp(row)],
      ['inappchannelconversions', inApp],
    ] as const) {
      const { Value } = await ask(`${report}?${about}&groupby=customCampaignId`);
      const campaign = (row: Row) => `${month(row)} ${row.customCampaignId ?? ''}`;
      assert.deepEqual(
        addUp(Value.map((row) => [`${bucket(row)} ${row.customCampaignId}`, Number(row.clickCount)])),
        addUp(
          own(viewed)
            .filter(within)
            .map((row) => [campaign(row), 1]),
        ),
      );
      assert.deepEqual(
        addUp(Value.map((row) => [`${bucket(row)} ${row.customCampaignId}`, Number(row.conversionCount)])),
        addUp(
          own(acquired)
            .filter(within)
            .map((row) => [campaign(row), quantity(row)]),
        ),
      );
    }
    const successes = own(installed).filter((row) => row.successful !== false);
    assert.deepEqual(
      addUp(
        (await ask(`installs?${about}&groupby=packageVersion`)).Value.map((row) => [
          `${bucket(row)} ${row.packageVersion}`,
          Number(row.successfulInstallCount),
        ]),
      ),
      addUp(successes.map((row) => [`${month(row)} ${row.packageVersion}`, 1])),
    );
    const users = (list: Row[]) => new Set(list.flatMap((row) => row.userId ?? [])).size;
    assert.deepEqual(
      (await ask(`funnel?applicationId=${id}&${range}`)).Value.map((row) => [row.MetricType, row.UserCount]),
      [
        ['PageView', users(own(viewed).filter((row) => !inApp(row)))],
        ['Acquisition', users(licences)],
        ['Install', users(successes)],
        ['Usage', users(own(used))],
      ],
    );
    const stars = ['oneStar', 'twoStars', 'threeStars', 'fourStars', 'fiveStars'];
    assert.deepEqual(
      addUp(
        (await ask(`ratings?${about}&groupby=date`)).Value.flatMap((row) =>
          stars.map((key) => [`${bucket(row)} ${key}`, Number(row[key])] as const),
        ),
      ),
      addUp(own(rows('ratings')).map((row) => [`${month(row)} ${stars[Number(row.rating) - 1]}`, 1])),
    );
    const written = own(rows('reviews'));
    const reviews = await ask(`reviews?applicationId=${id}&${range}`);
    assert.equal(reviews.TotalCount, written.length);
    assert.deepEqual(
      new Map(reviews.Value.map((row) => [row.id, row.responseText || undefined])),
      new Map([...reviews.Value].map(({ id }) => [id, written.find((row) => row.id === id)?.responseText])),
    );
  }
  const failed = [
    ...rows('failures'),
    ...[...generators.filed({ from, to, first: true })].map(({ row }) => row),
  ];
  for (const [report, id, version] of [
    ...demoApps.map((app) => ['failurehits', app.id, 'packageVersion'] as const),
    ['desktop/failurehits', '10238467401000020417', 'osVersion'],
    ['driver/failurehits', '14210560882031477', 'driverVersion'],
  ] as const) {
    const { Value } = await ask(
      `${report}?applicationId=${id}&${monthly}&groupby=market,${version}&top=10000`,
    );
    assert.deepEqual(
      addUp(Value.map((row) => [`${bucket(row)} ${row.market} ${row[version]}`, Number(row.eventCount)])),
      addUp(
        failed
          .filter((row) => row.applicationId === id)
          .map((row) => [`${month(row)} ${row.market} ${row[version]}`, 1]),
      ),
      report,
    );
  }
  const ads = (await ask(`adsperformance?${monthly}&groupby=date,applicationId,market`)).Value;
  for (const measure of [
    'requests',
    'impressions',
    'clicks',
    'revenueInAccountCurrency',
    'adProviderRequests',
  ]) {
    assert.deepEqual(
      addUp(ads.map((row) => [`${bucket(row)} ${row.applicationId} ${row.market}`, Number(row[measure])])),
      addUp(
        rows('adperformance').map((row) => [
          `${month(row)} ${row.applicationId} ${row.market}`,
          Number(row[measure]),
        ]),
      ),
      measure,
    );
  }
  const campaigns = (await ask(`promotion?${monthly}&groupby=date,campaignId`)).Value;
  for (const measure of ['spend', 'impressions', 'clicks', 'installs', 'iapInstalls', 'activeUsers']) {
    assert.deepEqual(
      addUp(campaigns.map((row) => [`${bucket(row)} ${row.campaignId}`, Number(row[measure])])),
      addUp(rows('campaigns').map((row) => [`${month(row)} ${row.campaignId}`, Number(row[measure])])),
      measure,
    );
  }
}

/** Starts the demo in a folder at a time, does something with it, and stops it. */
async function withDemo(
  folder: string,
  now: number,
  work: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer({ folder, now, args: ['--demo'] });
  try {
    await work(server);
  } finally {
    await server.close();
  }
}

const noon = Date.parse('2026-11-22T14:20:00Z');
const first = Date.parse('2025-11-22T00:00:00Z');

describe('a demo folder', () => {
  let folder: string;
  let server: TestServer;
  before(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'storelens-demo-')), 'demo');
  });
  after(async () => {
    await server.close();
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  test('a first start whose limits are too small is refused, and names what to raise', async () => {
    await assert.rejects(
      startServer({ folder, now: noon, args: ['--demo', '--max-rows', '1000'] }),
      (error: Error) =>
        error instanceof FolderError &&
        /^The demo .*A batch may have 1000 rows\. Raise max-rows/.test(error.message),
    );
  });

  test('a first start that was killed twice is completed by the next one, with few batches at a time', async (context) => {
    for (let round = 1; round <= 2; round += 1) {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', filling, folder, String(noon)]);
      const ended = once(child, 'exit');
      createInterface(child.stdout).on('line', (line) => {
        if (line.includes('"msg":"demo data"')) child.kill('SIGKILL');
      });
      assert.deepEqual(await ended, [null, 'SIGKILL']);
    }
    const { filling: kept } = JSON.parse(await readFile(join(folder, 'storelens.json'), 'utf8'));
    assert.deepEqual([kept.from, kept.to], [first, Date.parse('2026-11-22T15:00:00Z')]);
    const begun = performance.now();
    server = await startServer({ folder, now: noon, args: ['--demo', '--ingest-queue', '1'] });
    context.diagnostic(`first start: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    await compare(server, first, Date.parse('2026-11-22T15:00:00Z'));
  });

  test('answers every report with rows when it is asked without dates', async () => {
    const ask = await client(server);
    const app = `applicationId=${server.app.demo?.applicationId}`;
    const today = ['appacquisitions', 'funnel', 'inappacquisitions', 'installs'];
    const longer = ['appchannelconversions', 'inappchannelconversions', 'adsperformance', 'promotion'];
    for (const report of [...today, ...longer]) {
      const { Value, TotalCount } = await ask(`${report}?${app}`);
      assert.ok(Value.length > 0 && TotalCount >= Value.length, report);
    }
    // Few people rate or review on any one day.
    for (const report of ['ratings', 'reviews']) {
      assert.ok((await ask(`${report}?${app}&startDate=11/8/2026`)).TotalCount > 0, report);
    }
  });

  test('lets a client walk from the failures to a stack and a file', async () => {
    const ask = await client(server);
    const app = `applicationId=${server.app.demo?.applicationId}`;
    const hits = await ask(
      `failurehits?${app}&startDate=10/23/2026&aggregationLevel=month&groupby=failureHash`,
    );
    const [top] = [...addUp(hits.Value.map((row) => [text(row.failureHash), Number(row.eventCount)]))].sort(
      ([, a], [, b]) => b - a,
    );
    const details = await ask(`failuredetails?${app}&failureHash=${top?.[0]}`);
    const filed = details.Value.filter((row) => row.cabDownloadable === true);
    assert.ok(filed.length > 1 && filed.length < details.TotalCount, `${filed.length} files`);
    for (const { cabId } of filed) {
      const stack = (await ask(`stacktrace?${app}&cabId=${cabId}`)).Value;
      assert.match(text(stack[0]?.function), /^kart::/);
      assert.ok(stack.length >= 6, JSON.stringify(stack));
    }
    const drivers = await ask('driver/failurehits?applicationId=14210560882031477&startDate=10/23/2026');
    const hashes = [...new Set(drivers.Value.map((row) => row.failureHash))];
    let kept = 0;
    for (const hash of hashes) {
      const { Value } = await ask(
        `driver/failuredetails?applicationId=14210560882031477&failureHash=${hash}&startDate=10/23/2026`,
      );
      kept += Value.filter((row) => row.cabType === 'MINI').length;
    }
    assert.ok(kept > 0, `${hashes.length} failures of the driver, none with a file`);
  });

  test('tells the same credentials at every start, and keeps them to its owner', async () => {
    const seen: unknown[] = [server.app.demo];
    await server.close();
    await withDemo(folder, noon, async (again) => void seen.push(again.app.demo));
    assert.deepEqual(seen[0], seen[1]);
    assert.equal((await stat(join(folder, 'demo-credentials.json'))).mode & 0o777, 0o600);
    const other = join(folder, '..', 'other');
    await assert.rejects(startServer({ folder, now: noon }), /holds demo data; start with --demo/);
    await (await startServer({ folder: other, now: noon })).close();
    await assert.rejects(startServer({ folder: other, now: noon, args: ['--demo'] }), /has data of its own/);
  });

  test('grows by the hours since, nothing twice', async (context) => {
    for (const now of [noon + hour, noon + hour]) {
      await withDemo(folder, now, async () => {});
    }
    const begun = performance.now();
    await withDemo(folder, noon + 5 * day, async (server) => {
      context.diagnostic(`start after five days: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      await compare(server, first, Date.parse('2026-11-27T15:00:00Z'));
    });
  });
});
