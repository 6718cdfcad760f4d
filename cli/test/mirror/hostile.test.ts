/** `storelens mirror` with a source that misbehaves: what may pass is outlived, what does not is told, a day at a time. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { unlisted } from '@storelens/client';
import {
  type Asked,
  changed,
  cut,
  type HostileProxy,
  says,
  startProxy,
  status,
  type Trick,
} from '../hostile-proxy.js';
import { type Lab, startLab, uploadCrash } from '../mirror-lab.js';

const now = Date.UTC(2016, 5, 20, 12);
const since = '2016-06-17';
const app = (index: number) => `9NBLGGGZ5Q${String(index).padStart(2, '0')}`;
const indexOf = (query: URLSearchParams) => Number(query.get('applicationId')?.slice(-2) ?? Number.NaN);
const timeBefore = (days: number) => new Date(now - days * 86_400_000).toISOString();

function acquisition(applicationId: string, daysAgo: number, market: string, quantity: number) {
  return { applicationId, timestamp: timeBefore(daysAgo), market, deviceType: 'PC', quantity };
}

/** Four days of an app: nothing in the first of them. */
function days(applicationId: string) {
  return [0, 1, 2].flatMap((daysAgo) => [
    acquisition(applicationId, daysAgo, 'US', daysAgo + 1),
    acquisition(applicationId, daysAgo, 'DE', 2 * daysAgo + 1),
  ]);
}

/** A lab with a proxy before A that makes pages of five rows, and as many apps as are wanted. */
async function room(context: TestContext, count: number): Promise<{ lab: Lab; proxy: HostileProxy }> {
  let proxy: HostileProxy | undefined;
  const lab = await startLab(context, {
    now,
    // Freshness stands in this form alone.
    args: ['--row-shape', '2022'],
    products: Array.from({ length: count }, (_, index) => ({
      kind: 'app',
      id: app(index),
      name: `App ${index}`,
    })),
    front: async (url) => {
      proxy = await startProxy(context, url, { top: 5 });
      return proxy.url;
    },
  });
  assert.ok(proxy);
  return { lab, proxy };
}

/** Options for some apps. */
const optionsFor = (apps: readonly number[]) => [
  ...['--source', 'source', '--report', 'appacquisitions', '--since', since, '--recent-days', '1'],
  ...apps.flatMap((index) => ['--app', app(index)]),
];

/** Sends acquisitions to A; the token of the account may have ended by its time. */
async function post({ source }: Lab, rows: readonly object[]): Promise<void> {
  const answer = await source.request('/ingest/v1/acquisitions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rows),
  });
  await answer.body?.cancel();
}

async function rowsOf(client: Lab['source'], applicationId: string): Promise<readonly object[]> {
  const parameters = { applicationId, startDate: since, endDate: '2016-06-20', groupby: ['date', 'market'] };
  return client.rows(unlisted('appacquisitions'), parameters).toArray();
}

async function sameRows({ source, target }: Lab, applicationId: string, why = applicationId): Promise<void> {
  const wanted = await rowsOf(source, applicationId);
  assert.ok(wanted.length >= 6, why);
  assert.deepEqual(await rowsOf(target, applicationId), wanted, why);
}

type Days = readonly Readonly<{ day: string; state: string; rows: number | null; error: string | null }>[];

async function daysOf({ target }: Lab, applicationId: string, report = 'appacquisitions'): Promise<Days> {
  const answer = await target.request(
    `/ingest/v1/mirror/state?report=${report}&applicationId=${applicationId}`,
  );
  return ((await answer.json()) as { days: Days }).days;
}

test('a source that misbehaves', async (context) => {
  const { lab, proxy } = await room(context, 12);
  /** The first app of the second part. */
  const base = 4;

  await context.test('with passing troubles is copied whole', async () => {
    const html = '<html><body>Be right back</body></html>';
    let refused: string | undefined;
    let passed = 0;
    /** What happens, one after the other, to first pages and to second ones of an app. */
    const troubles: readonly (readonly [first: Trick[], second: Trick[]])[] = [
      [
        [status(429, { 'retry-after': '240' }), status(500), cut('length'), says(html)],
        [
          (...to) => status(429, { 'retry-after': new Date(now + passed + 200_000).toUTCString() })(...to),
          status(503, {}, html),
          cut('chunks'),
          status(429),
        ],
      ],
      [
        [],
        [
          changed((page) => ({ ...page, TotalCount: Number(page.TotalCount) + 1 })),
          changed((page) => ({ ...page, DataFreshnessTimestamp: '2016-06-20T13:00:00' })),
          says(''),
          () => lab.expire(),
          status(401),
        ],
      ],
      [[changed((page) => ({ ...page, '@nextLink': 'https://storelens.invalid/v1.0/my/analytics/x' }))], []],
      [[says('')], []],
    ];
    const doubted = 3;
    for (const index of troubles.keys()) await post(lab, days(app(index)));
    proxy.trick = ({ query, authorization }) => {
      // A token that was refused once stays so.
      if (refused !== undefined && refused === authorization) return status(401);
      const [first, second] = troubles[indexOf(query)] ?? [];
      const trick = (query.has('skip') ? second : first)?.shift();
      if (query.has('skip') && indexOf(query) === 1 && second?.length === 0 && trick !== undefined) {
        refused = authorization;
      }
      return trick;
    };
    const waits: number[] = [];
    const onWait = (milliseconds: number) => {
      waits.push(milliseconds);
      passed += milliseconds;
    };
    // At this pace tokens end in mid-run, too.
    const run = optionsFor([0, 1, 2, 3]);
    const ran = await lab.mirror([...run, '--pace', '240'], { onWait });
    assert.deepEqual([ran.code, ran.err], [0, '']);
    assert.deepEqual(troubles.flat(2), [], 'all of it happened');
    assert.notEqual(refused, undefined);
    assert.ok(
      waits.some((wait) => wait > 240_000 && wait < 250_000),
      'Retry-After is kept to',
    );
    assert.ok(passed > 3_600_000, 'longer than a token lives');
    for (const index of [0, 1, 2]) await sameRows(lab, app(index));

    const said = await daysOf(lab, app(doubted));
    assert.ok(said.length === 3 && said.every(({ state }) => state === 'empty'), 'so it said');
    // Nothing was settled by a body without anything: the next run reads these days again.
    assert.equal((await lab.mirror(run)).code, 0);
    for (const index of troubles.keys()) await sameRows(lab, app(index));

    // A crash file that breaks off each time does not keep away the failure that it belongs to.
    const cab = await readFile(
      new URL('../../../../server/test/crash-samples/report-stored.cab', import.meta.url),
    );
    const cabId = await uploadCrash(lab, app(0), cab, Date.parse(timeBefore(1)));
    proxy.trick = ({ name }) => (name.startsWith('/files/') ? cut('length') : undefined);
    const details = ['--source', 'source', '--report', 'failuredetails', '--app', app(0), '--since', since];
    const broken = await lab.mirror(details);
    assert.equal(broken.code, 1, broken.out);
    assert.match(
      broken.err,
      /^failuredetails 9NBLGGGZ5Q00 2016-06-19: .* did not send .* to (its|the) end: /m,
    );
    const [day] = (await daysOf(lab, app(0), 'failuredetails')).filter(({ state }) => state === 'failed');
    assert.deepEqual([day?.day, day?.rows], ['2016-06-19', 1]);
    proxy.trick = () => undefined;
    const mended = await lab.mirror(details);
    assert.deepEqual([mended.code, mended.err], [0, '']);
    assert.match(mended.out, / 1 +1\n$/, 'one row and one file');
    const file = await lab.target.download('cabdownload', { applicationId: app(0), cabId });
    assert.deepEqual(Buffer.from(await new Response(file.body).arrayBuffer()), cab);
  });

  await context.test(
    'and a day of which cannot be read has it failed, with its rows, until a run can read it',
    async () => {
      let moved = 0;
      const troubles: readonly (readonly [what: string, error: RegExp, trick: Trick])[] = [
        ['500', /^The service failed \(500 Trouble\)\.$/, status(500)],
        ['HTML', /^The answer is not JSON/, says('<html></html>')],
        ['empty', /^The source answered without a body; it had 2 rows before\.$/, says('')],
        ['silence', /was silent for 120 s/, () => lab.expire()],
        [
          'a total that moves',
          /^The result changed between two pages: \d+ rows became \d+\.$/,
          changed((page) => ({
            ...page,
            '@nextLink': page['@nextLink'] || `appacquisitions?${again}`,
            TotalCount: ++moved,
          })),
        ],
        [
          'a link to another origin',
          /^The next link leads to https:\/\/storelens\.invalid\//,
          changed((page) => ({ ...page, '@nextLink': 'https://storelens.invalid/v1.0/my/analytics/x' })),
        ],
        ['requests refused', /^The service asks for fewer requests \(429/, status(429)],
      ];
      const count = troubles.length;
      const poisoned = '2016-06-19';
      const again = `applicationId=${app(base + 4)}&startDate=${poisoned}&endDate=${poisoned}&skip=1`;
      for (const index of troubles.keys()) await post(lab, days(app(base + index)));
      // The last app has no data at all.
      const run = optionsFor(Array.from({ length: count + 1 }, (_, index) => base + index));
      assert.equal((await lab.mirror(run)).code, 0);
      const first = new Map<string, readonly object[]>();
      for (const index of troubles.keys())
        first.set(app(base + index), await rowsOf(lab.target, app(base + index)));

      // Of the day that cannot be read there is more now, and of the one before.
      for (const index of troubles.keys()) {
        await post(
          lab,
          [0, 1].map((days) => acquisition(app(base + index), days, 'FR', 9)),
        );
      }
      const isPoisoned = ({ query }: Asked) =>
        (query.get('startDate') ?? '') <= poisoned && poisoned <= (query.get('endDate') ?? '');
      proxy.trick = (asked) => {
        const trouble = troubles[indexOf(asked.query) - base];
        return trouble !== undefined && isPoisoned(asked) ? trouble[2] : undefined;
      };
      const failed = await lab.mirror(run);
      assert.equal(failed.code, 1, failed.err);
      // Refused requests are no matter of one day: both recent days of the app were left.
      assert.match(
        failed.err,
        new RegExp(`^storelens: ${count + 1} days could not be copied; the next run tries again$`, 'm'),
      );
      for (const [index, [what, error]] of troubles.entries()) {
        assert.match(failed.out, new RegExp(`^appacquisitions +${app(base + index)} `, 'm'));
        const known = new Map((await daysOf(lab, app(base + index))).map((day) => [day.day, day]));
        const { state, rows, error: told } = known.get(poisoned) ?? {};
        assert.deepEqual([state, rows], ['failed', 2], what);
        assert.match(told ?? '', error, what);
        assert.match(failed.err, new RegExp(`^appacquisitions ${app(base + index)} 2016-06-\\d\\d: `, 'm'));
        assert.equal(known.get('2016-06-17')?.state, 'empty');
        assert.equal(known.get('2016-06-18')?.state, 'settled');
        const of = (rows: readonly object[]) =>
          rows.filter((row) => (row as { date: string }).date === poisoned);
        const have = await rowsOf(lab.target, app(base + index));
        assert.deepEqual(of(have), of(first.get(app(base + index)) ?? []), `${what}: its rows are kept`);
        if (what === 'requests refused') continue;
        assert.equal(known.get('2016-06-20')?.state, 'read');
        assert.equal(
          have.length,
          (first.get(app(base + index)) ?? []).length + 1,
          `${what}: other days go on`,
        );
      }
      const told = await lab.mirror(['status']);
      assert.match(
        told.out,
        /^REPORT +APPLICATION ID +FIRST +LAST +SETTLED +READ +EMPTY +FAILED +KEPT +WITHOUT +LAST RUN$/m,
      );
      assert.match(
        told.out,
        new RegExp(`^appacquisitions +${app(base)} +2016-06-17 +2016-06-20 +1 +1 +1 +1 `, 'm'),
      );
      assert.match(
        told.out,
        new RegExp(`^appacquisitions +${app(base + count)} +2016-06-17 +2016-06-19 +0 +0 +3 +0 `, 'm'),
      );
      assert.equal(told.out.match(/^appacquisitions \w+ 2016-06-\d\d: /gm)?.length, count + 1);
      const all = JSON.parse((await lab.mirror(['status', '--failed', '--json'])).out) as readonly object[];
      assert.equal(all.length, count + 1);

      proxy.trick = () => undefined;
      const repaired = await lab.mirror(run);
      assert.deepEqual([repaired.code, repaired.err], [0, '']);
      for (const [index, [what]] of troubles.entries()) await sameRows(lab, app(base + index), what);

      for (let day = 10; day < 23; day += 1) {
        const body = JSON.stringify({ state: 'failed', error: `\x1b[31mNo ${day}.` });
        const path = `/ingest/v1/mirror/state/appacquisitions/2016-05-${day}?applicationId=${app(base)}`;
        await lab.target.request(path, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body,
        });
      }
      const { out } = await lab.mirror(['status']);
      assert.equal(out.match(/^appacquisitions \w+ 2016-05-\d\d: \ufffd\[31mNo \d\d\.$/gm)?.length, 10);
      assert.match(out, /^and 3 more failed: --failed lists them all$/m);
      const listed = await lab.mirror(['status', '--failed']);
      assert.match(listed.out, /^REPORT +APPLICATION ID +DAY +ROWS +FAILED AT +ERROR\n/);
      assert.equal(listed.out.match(/^appacquisitions /gm)?.length, 13);
    },
  );

  await context.test('and falls silent for good ends the run soon, which says so', async () => {
    const apps = [0, 1, 2].map((index) => base + index);
    let asked = 0;
    proxy.trick = ({ name }) => {
      if (name !== 'appacquisitions') return undefined;
      asked += 1;
      return () => lab.expire();
    };
    const silent = await lab.mirror(optionsFor(apps));
    assert.equal(silent.code, 5, silent.err);
    assert.match(
      silent.err,
      /^storelens: the source: 127\.0\.0\.1:\d+ was silent for 120 s\. It did not answer 4 requests in a row, so the run ends here; the next one goes on\n$/m,
    );
    // Three times for the window of the first app, once for each of its days, and once for the next app.
    assert.equal(asked, 6);
    const silentDays = await Promise.all(
      apps.map(async (index) =>
        (await daysOf(lab, app(index))).filter(
          ({ error }) => error?.includes('was silent for 120 s') === true,
        ),
      ),
    );
    assert.deepEqual(
      silentDays.map((days) => days.map(({ day, rows }) => [day, rows])),
      [
        [
          ['2016-06-19', 3],
          ['2016-06-20', 3],
        ],
        [],
        [],
      ],
    );
    proxy.trick = () => undefined;
    const heard = await lab.mirror(optionsFor(apps));
    assert.deepEqual([heard.code, heard.err], [0, '']);
    for (const index of apps) await sameRows(lab, app(index));
  });
});
