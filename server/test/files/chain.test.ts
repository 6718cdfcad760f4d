/** From an uploaded crash to its downloaded file, the way a client goes, and what settings and roles change of it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { cabLimits, readCab } from '../../src/crashes/cab.js';
import { startServer, type TestAccount, type TestServer } from '../harness.js';

const now = Date.parse('2026-11-22T12:00:00Z');
const day = 86_400_000;
const appId = '9NBLGGGZ5QDR';
const products = [{ kind: 'app', id: appId, name: 'Contoso Demo' }] as const;
const sample = (name: string) => readFile(new URL(`../../../test/crash-samples/${name}`, import.meta.url));

/** Uploads a crash of the app; `time` is when it happened. */
async function upload(
  server: TestServer,
  account: TestAccount,
  name: string,
  time = now - 3 * day,
): Promise<{ cabIdHash: string }> {
  const form = new FormData();
  const timestamp = new Date(time).toISOString();
  form.set('event', JSON.stringify({ source: 'app', applicationId: appId, timestamp }));
  form.set('file', new Blob([await sample(name)]), '..\\..\\evil name.dmp');
  const answer = await server.request('/ingest/v1/crashes', {
    method: 'POST',
    headers: { authorization: `Bearer ${account.token}` },
    body: form,
  });
  assert.equal(answer.status, 200, answer.text);
  return answer.json as { cabIdHash: string };
}

type Row = Readonly<Record<string, unknown>>;

/** The rows of a report below the analytics address. */
async function rows(account: TestAccount, target: string): Promise<readonly Row[]> {
  const answer = await account.get(`/v1.0/my/analytics/${target}`);
  assert.equal(answer.status, 200, answer.text);
  return (answer.json as { Value: readonly Row[] }).Value;
}

const asked = `applicationId=${appId}&startDate=2026-10-01`;

/** The only occurrence of the only failure, as failuredetails tells it. */
async function occurrence(account: TestAccount): Promise<Row> {
  const [hit] = await rows(account, `failurehits?${asked}`);
  const details = await rows(account, `failuredetails?${asked}&failureHash=${hit?.failureHash}`);
  assert.equal(details.length, 1);
  return details[0] ?? {};
}

const download = (account: TestAccount, cabId: unknown) =>
  account.get(`/v1.0/my/analytics/cabdownload?applicationId=${appId}&cabId=${cabId}`);

test('failurehits, failuredetails, stacktrace, cabdownload: the file is a cabinet with the very dump', async (context) => {
  const server = await startServer({ now, args: ['--crash-file-days', '30'] });
  context.after(() => server.close());
  const account = await server.account({ products });
  const { cabIdHash } = await upload(server, account, 'win-av.dmp', now - 30 * day + 1_800_000);
  const detail = await occurrence(account);
  assert.equal(detail.cabDownloadable, true);
  assert.equal(detail.cabExpirationTime, '2026-11-22 12:30:00');
  const stack = await rows(account, `stacktrace?applicationId=${appId}&cabId=${detail.cabId}`);
  assert.equal(stack[0]?.image, 'ContosoGame.exe');

  const redirect = await download(account, detail.cabId);
  assert.equal(redirect.status, 302);
  assert.equal(redirect.text, '');
  const response = await fetch(redirect.headers.get('location') ?? '');
  assert.equal(response.headers.get('content-disposition'), `attachment; filename="${cabIdHash}.cab"`);
  const cab = readCab(Buffer.from(await response.arrayBuffer()), cabLimits);
  assert.deepEqual(
    cab.files.map(({ name }) => name),
    ['minidump.dmp'],
  );
  assert.deepEqual(Buffer.from(cab.extract('minidump.dmp')), await sample('win-av.dmp'));

  server.setTime(Date.parse('2026-11-22T12:29:59.999Z'));
  assert.equal((await download(account, detail.cabId)).status, 302);
  server.setTime(Date.parse('2026-11-22T12:30:00Z'));
  assert.equal((await download(account, detail.cabId)).status, 404);
  assert.equal((await occurrence(account)).cabDownloadable, false);
  // The row outlives its file, and the stack with it.
  const { parts } = server.app;
  assert.equal(await parts.crashes.sweep(), 0);
  server.setTime(Date.parse('2026-11-23T00:00:00Z'));
  assert.equal(await parts.crashes.sweep(), 1);
  assert.deepEqual(await parts.files.list('crashes'), []);
  server.setTime(now);
  assert.equal(
    (await rows(account, `stacktrace?applicationId=${appId}&cabId=${detail.cabId}`)).length,
    stack.length,
  );
});

test('a cabinet is served as it came, byte for byte', async (context) => {
  const server = await startServer({ now });
  context.after(() => server.close());
  const account = await server.account({ products });
  await upload(server, account, 'report-mszip.cab');
  const detail = await occurrence(account);
  assert.equal(detail.cabExpirationTime, '9999-12-31 23:59:59');
  const redirect = await download(account, detail.cabId);
  const response = await fetch(redirect.headers.get('location') ?? '');
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), await sample('report-mszip.cab'));
});

test('with crash-files stack-only the stack is told and there is no file', async (context) => {
  const server = await startServer({ now, args: ['--crash-files', 'stack-only'] });
  context.after(() => server.close());
  const account = await server.account({ products });
  await upload(server, account, 'win-av.dmp');
  const detail = await occurrence(account);
  assert.equal(detail.cabDownloadable, false);
  assert.ok((await rows(account, `stacktrace?applicationId=${appId}&cabId=${detail.cabId}`)).length > 2);
  assert.equal((await download(account, detail.cabId)).status, 404);
  assert.deepEqual(await server.app.parts.files.list('crashes'), []);
});

test('with cab-download managers a Reader sees the failure, not the file', async (context) => {
  const server = await startServer({ now, args: ['--cab-download', 'managers'] });
  context.after(() => server.close());
  const { identity } = server.app.parts;
  const account = await server.account({ products });
  await upload(server, account, 'win-av.dmp');
  const { cabId, cabDownloadable } = await occurrence(account);
  assert.equal(cabDownloadable, true);
  assert.equal((await download(account, cabId)).status, 302);
  await identity.applications.patch(account.tenantId, account.clientId, { role: 'Reader' });
  const read = await occurrence(account);
  assert.deepEqual([read.cabId, read.cabDownloadable], [cabId, false]);
  assert.equal((await download(account, cabId)).status, 403);
  await identity.applications.patch(account.tenantId, account.clientId, { role: 'Ingestor' });
  assert.equal((await download(account, cabId)).status, 403);
});
