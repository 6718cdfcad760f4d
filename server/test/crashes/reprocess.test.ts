/** Renaming after symbols arrived: stacks and names of now, old hashes that still answer, counts that stay. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { datasets } from '@storelens/contract';
import { failureHash } from '../../src/crashes/failure-hash.js';
import { startServer, type TestAccount, type TestAnswer, type TestServer } from '../harness.js';
import { problems } from '../ingest/posting.js';
import { sample } from './samples.js';
import { type CrashAnswer, products, stored } from './sending.js';

const app = '9NBLGGGZ5QDR';
const now = Date.UTC(2026, 10, 23, 9);
const day = '2026-11-22';
const crashme = sample('crashme.sym');
const debugId = '6665FEAE09C7306804147C5669CFDC1E0';
const symbolName = 'NULL_POINTER_SIGSEGV_crashme!game::Inventory::CountOf';
const divideName = 'INTEGER_DIVIDE_BY_ZERO_SIGFPE_crashme!DivideScore';
const bareName = /^NULL_POINTER_SIGSEGV_crashme!([0-9a-f]+)$/;

let server: TestServer;

before(async () => {
  server = await startServer({ now });
});

after(() => server.close());

interface Reprocessed {
  readonly examined: number;
  readonly changed: number;
  readonly renamed: number;
  readonly next: string | null;
}

/** What the tests do with one account. */
class Customer {
  constructor(readonly account: TestAccount) {}

  async crash(file = 'linux-null.dmp', event: object = {}): Promise<CrashAnswer> {
    const row = { timestamp: `${day}T10:00:00Z`, source: 'app', applicationId: app, ...event };
    return await stored(server, this.account, { file: sample(file), event: row });
  }

  async symbols(body: Uint8Array = crashme): Promise<void> {
    const headers = { authorization: `Bearer ${this.account.token}` };
    const answer = await server.request('/ingest/v1/symbols', { method: 'POST', headers, body });
    assert.equal(answer.status, 200, answer.text);
  }

  async post(body?: object | string): Promise<TestAnswer> {
    return await server.request('/ingest/v1/crashes/reprocess', {
      method: 'POST',
      headers: { authorization: `Bearer ${this.account.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  }

  async reprocess(body: object = {}): Promise<Reprocessed> {
    const answer = await this.post(body);
    assert.equal(answer.status, 200, answer.text);
    return answer.json as Reprocessed;
  }

  async detail({ cabIdHash }: CrashAnswer) {
    const { json, text, status } = await this.account.get(`/ingest/v1/crashes/${cabIdHash}`);
    assert.equal(status, 200, text);
    return json as {
      failureName: string;
      failureHash: string;
      formerHashes: string[];
      symbol: string;
      frames: {
        image: string;
        function: string;
        offset: string;
        found: string;
        file: string;
        line: number;
      }[];
    };
  }

  async report(name: string, parameters: Readonly<Record<string, string>>) {
    const query = new URLSearchParams({ applicationId: app, startDate: day, endDate: day, ...parameters });
    const { json, text, status } = await this.account.get(
      `/v1.0/my/analytics/${name}?${String(query).replaceAll('+', '%20')}`,
    );
    assert.equal(status, 200, text);
    return (json as { Value: Record<string, unknown>[] }).Value;
  }

  /** The sum of eventCount of failurehits. */
  async count(parameters: Readonly<Record<string, string>> = {}): Promise<number> {
    const rows = await this.report('failurehits', parameters);
    return rows.reduce((sum, row) => sum + Number(row.eventCount), 0);
  }

  async snapshot(): Promise<string> {
    return String(await server.app.parts.ledger.snapshot(this.account.accountId));
  }
}

async function customer(): Promise<Customer> {
  return new Customer(await server.account({ products }));
}

test('a crash without symbols is named by its offset, and by its function once they came and it was read again', async () => {
  const one = await customer();
  const crash = await one.crash();
  assert.match(crash.failureName, bareName);
  const unnamed = await one.crash('linux-div.dmp');
  await one.symbols(gzipSync(crashme));
  assert.deepEqual((await one.detail(crash)).failureName, crash.failureName, 'symbols alone rename nothing');
  const before = await one.snapshot();

  assert.deepEqual(await one.reprocess(), { examined: 2, changed: 2, renamed: 2, next: null });
  const told = await one.detail(crash);
  assert.equal(told.failureName, symbolName);
  assert.equal(told.failureHash, failureHash(symbolName, 'um'));
  assert.deepEqual(told.formerHashes, [crash.failureHash]);
  assert.equal(told.symbol, 'crashme!game::Inventory::CountOf');
  const [top, ...callers] = told.frames;
  assert.match(top?.function ?? '', /^game::Inventory::CountOf\(/);
  assert.deepEqual([top?.image, top?.file, top?.found], ['crashme', '/src/crashme.cc', 'context']);
  assert.ok((top?.line ?? 0) > 0);
  assert.ok(
    callers.some(({ found, function: name }) => found === 'cfi' && name.startsWith('main')),
    JSON.stringify(callers),
  );
  assert.equal((await one.detail(unnamed)).failureName, divideName);

  // The old hash answers as the new one does; nothing is counted twice, at the old snapshot or at the new one.
  for (const hash of [crash.failureHash, crash.failureHash.toUpperCase(), told.failureHash]) {
    const details = await one.report('failuredetails', { failureHash: hash });
    assert.deepEqual(
      details.map(({ cabId, failureName }) => [cabId, failureName]),
      [[crash.cabId, symbolName]],
      hash,
    );
    assert.equal(await one.count({ filter: `failureHash eq '${hash}'` }), 1, hash);
    assert.equal(await one.count({ filter: `failureHash ne '${hash}'` }), 1, hash);
  }
  assert.equal(await one.count(), 2);
  assert.equal(await one.count({ snapshot: before }), 2);
  const names = async (parameters = {}) =>
    (await one.report('failurehits', { groupby: 'failureName', ...parameters })).map(
      ({ failureName }) => failureName,
    );
  assert.deepEqual((await names()).sort(), [divideName, symbolName]);
  assert.deepEqual((await names({ snapshot: before })).sort(), [unnamed.failureName, crash.failureName]);

  assert.deepEqual(await one.reprocess(), { examined: 2, changed: 0, renamed: 0, next: null });
});

test('symbols that are there before the crash name it at once', async () => {
  const one = await customer();
  await one.symbols();
  const crash = await one.crash();
  assert.equal(crash.failureName, symbolName);
  assert.deepEqual(await one.reprocess(), { examined: 1, changed: 0, renamed: 0, next: null });
  assert.deepEqual((await one.detail(crash)).formerHashes, []);
});

test("another account's symbols are not used, before or after", async () => {
  const [one, two] = [await customer(), await customer()];
  await one.symbols();
  assert.equal((await one.crash()).failureName, symbolName);
  const crash = await two.crash();
  assert.match(crash.failureName, bareName);
  assert.deepEqual(await two.reprocess(), { examined: 1, changed: 0, renamed: 0, next: null });
  assert.match((await two.detail(crash)).frames[0]?.function ?? '', /^$/);
  // Nor is what one account renames seen by the other.
  await two.symbols();
  assert.deepEqual(await one.reprocess(), { examined: 1, changed: 0, renamed: 0, next: null });
  assert.match((await two.detail(crash)).failureName, bareName);
});

test('without its symbols a crash gets its old name again, and the hash in between still answers', async () => {
  const one = await customer();
  const crash = await one.crash();
  await one.symbols();
  await one.reprocess();
  const removed = await server.request(`/ingest/v1/symbols/${debugId}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${one.account.token}` },
  });
  assert.equal(removed.status, 204);
  assert.deepEqual(await one.reprocess(), { examined: 1, changed: 1, renamed: 1, next: null });
  const told = await one.detail(crash);
  assert.equal(told.failureName, crash.failureName);
  assert.deepEqual(told.formerHashes, [failureHash(symbolName, 'um')]);
  for (const hash of [crash.failureHash, failureHash(symbolName, 'um')]) {
    assert.equal((await one.report('failuredetails', { failureHash: hash })).length, 1);
  }
  assert.equal(await one.count(), 1);
});

test('a given name or hash stays, its stack gets functions', async () => {
  const one = await customer();
  const named = await one.crash('linux-null.dmp', { failureName: 'Mine' });
  const hashed = await one.crash('linux-null.dmp', { failureHash: 'My-Hash' });
  await one.symbols();
  assert.deepEqual(await one.reprocess(), { examined: 2, changed: 2, renamed: 0, next: null });
  const [first, second] = [await one.detail(named), await one.detail(hashed)];
  assert.deepEqual([first.failureName, first.failureHash], ['Mine', named.failureHash]);
  assert.deepEqual([second.failureName, second.failureHash], [symbolName, 'My-Hash']);
  for (const { frames, formerHashes } of [first, second]) {
    assert.match(frames[0]?.function ?? '', /CountOf/);
    assert.deepEqual(formerHashes, []);
  }
});

test('every other column of a row stays as it was', async () => {
  const one = await customer();
  const { failures } = datasets;
  assert.ok(failures);
  const made = new Set(['timestamp', 'source', 'applicationId', 'failureName', 'failureHash', 'symbol']);
  const filled = failures.columns.filter(({ name, type }) => type === 'text' && !made.has(name));
  const values = Object.fromEntries(filled.map(({ name }) => [name, `a "given" ${name} \\ ü\u{1f600}`]));
  const timestamp = `${day}T10:11:12.345Z`;
  const sources = [
    { source: 'app', applicationId: app },
    { source: 'desktop', applicationId: '10238467886765136388' },
    { source: 'driver', applicationId: '13635057453013917' },
    { source: 'ihvdriver', applicationId: '' },
    { source: 'hardware', applicationId: '' },
  ];
  for (const owner of sources) {
    await one.crash('linux-null.dmp', { ...owner, timestamp });
    await one.crash('linux-null.dmp', { ...owner, ...values, timestamp, exception: { class: 'Said' } });
  }
  await one.symbols();
  assert.deepEqual(await one.reprocess(), { examined: 10, changed: 10, renamed: 10, next: null });
  const { engine } = server.app.parts;
  const { accountId: account } = one.account;
  const changing = 'failureName, failureHash, symbol, formerHashes, frames, seq, supersededBy';
  const rows = async (where: string) => {
    const sql = `SELECT * EXCEPT (${changing}) FROM failures WHERE accountId = {account:String} AND ${where} ORDER BY cabIdHash`;
    const bytes = await engine.query({ account, sql, params: { account }, format: 'JSONEachRow' });
    return Buffer.from(bytes).toString('utf8').trim().split('\n');
  };
  const before = await rows('supersededBy > 0');
  assert.equal(before.length, 10);
  assert.deepEqual(await rows('supersededBy = 0'), before);
});

test('a run is narrowed by source, product, hash and day', async () => {
  const one = await customer();
  const crash = await one.crash();
  const later = await one.crash('linux-null.dmp', { timestamp: '2026-11-23T08:00:00Z' });
  await one.symbols();
  const none = { examined: 0, changed: 0, renamed: 0, next: null };
  for (const other of [
    { source: 'desktop' },
    { applicationId: '10238467886765136388' },
    { failureHash: '00000000-0000-0000-0000-000000000000' },
    { startDate: '2026-11-24' },
    { endDate: '0999-01-01' },
  ]) {
    assert.deepEqual(await one.reprocess(other), none, JSON.stringify(other));
  }
  const narrow = {
    source: 'APP',
    applicationId: app.toLowerCase(),
    failureHash: crash.failureHash.toUpperCase(),
    startDate: day,
    endDate: day,
  };
  assert.deepEqual(await one.reprocess(narrow), { examined: 1, changed: 1, renamed: 1, next: null });
  assert.equal((await one.detail(later)).failureName, later.failureName);
  assert.deepEqual(await one.reprocess(narrow), { examined: 1, changed: 0, renamed: 0, next: null });
  assert.equal((await one.reprocess({ startDate: '2026-11-23' })).changed, 1);
});

test('what cannot be understood is named', async () => {
  const one = await customer();
  for (const [body, sentence] of [
    [{ source: 'web' }, /^source is "web"; expected one of app, desktop, driver, ihvdriver, hardware\.$/],
    [{ startDate: '2026-02-30' }, /^startDate is "2026-02-30"; expected a day that there is\.$/],
    [{ startDate: '2026-02-02', endDate: '2026-02-01' }, /^endDate is "2026-02-01"; expected a day from/],
    [{ after: 'x' }, /^after is "x"; expected the `next` of the last answer\.$/],
    [{ form: 1 }, /^Unknown field 'form'/],
    ['[', /^The body is not JSON/],
  ] as const) {
    const answer = await one.post(body);
    assert.equal(answer.status, 400, answer.text);
    assert.match(problems(answer)[0] ?? '', sentence);
  }
  assert.equal((await one.post({ applicationId: '9UNKNOWN0000' })).status, 403);
  assert.equal((await one.post()).status, 200);
  const get = await one.account.get('/ingest/v1/crashes/reprocess');
  assert.deepEqual([get.status, get.headers.get('allow')], [405, 'POST']);
  const { token } = await server.account({ role: 'Reader' });
  const reader = new Customer({ ...one.account, token });
  assert.equal((await reader.post()).status, 403);
});

test('calls at the same time and crashes that come meanwhile are renamed once', async () => {
  const one = await customer();
  const crashes = await Promise.all(Array.from({ length: 12 }, () => one.crash()));
  await one.symbols();
  const [results, more] = await Promise.all([
    Promise.all(Array.from({ length: 4 }, () => one.reprocess())),
    Promise.all(Array.from({ length: 4 }, () => one.crash())),
  ]);
  assert.equal(
    results.reduce((sum, { changed }) => sum + changed, 0),
    12,
  );
  assert.equal(await one.count(), crashes.length + more.length);
  const details = await one.report('failuredetails', {
    failureHash: failureHash(symbolName, 'um'),
    top: '100',
  });
  assert.deepEqual(
    details.map(({ cabId }) => cabId).sort(),
    [...crashes, ...more].map(({ cabId }) => cabId).sort(),
  );
});

test('more crashes than one call takes are gone through with `next`', async () => {
  const one = await customer();
  const count = 230;
  const queue = Array.from({ length: count }, (_, index) => index);
  const work = async () => {
    while (queue.pop() !== undefined) await one.crash();
  };
  await Promise.all(Array.from({ length: 16 }, work));
  await one.symbols();
  const first = await one.reprocess();
  assert.ok(first.next !== null && first.examined <= 200, JSON.stringify(first));
  let [examined, changed, next]: [number, number, string | null] = [
    first.examined,
    first.changed,
    first.next,
  ];
  while (next !== null) {
    const more: Reprocessed = await one.reprocess({ after: next });
    examined += more.examined;
    changed += more.changed;
    next = more.next;
  }
  assert.deepEqual([examined, changed], [count, count]);
  assert.equal(await one.count(), count);
  assert.equal(await one.count({ filter: `failureName eq '${symbolName}'` }), count);
});

test('what a renaming took the place of is purged once no snapshot needs it', async () => {
  const one = await customer();
  const { ingest, ledger } = server.app.parts;
  const { accountId } = one.account;
  const rows = async () => {
    const bytes = await server.app.parts.engine.query({
      account: accountId,
      sql: 'SELECT count() FROM failures WHERE accountId = {account:String}',
      params: { account: accountId },
      format: 'TSV',
    });
    return Number(Buffer.from(bytes).toString('utf8'));
  };
  const crash = await one.crash();
  await one.crash('win-av.dmp');
  const before = await one.snapshot();
  await one.symbols();
  await one.reprocess();
  const renaming = await ledger.snapshot(accountId);
  const names = async (parameters = {}) =>
    (await one.report('failurehits', { groupby: 'failureName', ...parameters })).map(
      ({ failureName }) => failureName,
    );
  assert.equal(await rows(), 3);
  try {
    server.setTime(now + 9 * 60_000);
    await ingest.purge();
    assert.equal(await rows(), 3, 'a paging run of the last ten minutes still sees the old row');
    assert.ok((await names({ snapshot: before })).includes(crash.failureName));

    server.setTime(now + 15 * 60_000);
    await ingest.purge();
    assert.equal(await rows(), 2);
    assert.equal(await ledger.purgedBelow(accountId, 'failures'), renaming);
    // What is gone is not given wrongly: the present state is answered.
    assert.deepEqual(await names({ snapshot: before }), await names());
    assert.equal(await one.count(), 2);
    assert.equal((await one.detail(crash)).failureName, symbolName);
    assert.equal((await one.report('failuredetails', { failureHash: crash.failureHash })).length, 1);
    assert.equal((await one.reprocess()).changed, 0);

    await ingest.purge();
    assert.equal(await rows(), 2, 'nothing is left to purge');
  } finally {
    server.setTime(now);
  }
});
