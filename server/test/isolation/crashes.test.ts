/**
 * Crash files and what is made of them belong to one account: two accounts send the same file with the same event
 * under the same key, and neither reaches the other's failure, stack, file, address or detail.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { reports } from '@storelens/contract';
import { sample } from '../crashes/samples.js';
import { type CrashAnswer, stored } from '../crashes/sending.js';
import {
  startServer,
  type TestAccount,
  type TestAnswer,
  type TestProduct,
  type TestServer,
} from '../harness.js';

const now = Date.parse('2026-03-01T12:00:00Z');
const base = '/v1.0/my/analytics/';

/** Product ids by source of failure; the same in both accounts, but for one. */
const ids: Readonly<Record<string, string>> = {
  app: '9NBLGGGZ5QDR',
  desktop: '10238467886765136388',
  driver: '13635057453013917',
};
const sources = ['app', 'desktop', 'driver', 'ihvdriver', 'hardware'] as const;

const products: readonly TestProduct[] = Object.entries(ids).map(([kind, id]) => ({
  ...{ id, name: `Contoso ${kind}` },
  kind: kind as 'app' | 'desktop' | 'driver',
}));

interface Side {
  readonly account: TestAccount;
  readonly crashes: ReadonlyMap<string, CrashAnswer>;
}

describe('symbols of two accounts', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ now });
  });
  after(() => server.close());

  const event = { timestamp: '2026-02-20T10:00:00Z', source: 'app', applicationId: ids.app };
  const file = sample('linux-null.dmp');

  /** A call of an account; `body` is sent as it is. */
  function call(
    { token }: TestAccount,
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
  ): Promise<TestAnswer> {
    const type = typeof body === 'string' ? { 'content-type': 'application/json' } : {};
    return server.request(path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...type },
      ...(body === undefined ? {} : { body }),
    });
  }

  test('symbols name the crashes of their own account alone, and only it lists, removes and rereads', async () => {
    const [own, other] = [await server.account({ products }), await server.account({ products })];
    const mine = await stored(server, own, { file, event });
    const theirs = await stored(server, other, { file, event });
    assert.equal(mine.failureName, theirs.failureName);
    const sent = await call(other, 'POST', '/ingest/v1/symbols', new Uint8Array(sample('crashme.sym')));
    assert.equal(sent.status, 200, sent.text);
    const { debugId } = sent.json as { debugId: string };

    assert.deepEqual((await call(own, 'GET', '/ingest/v1/symbols')).json, { value: [] });
    const removed = await call(own, 'DELETE', `/ingest/v1/symbols/${debugId}`);
    const unknown = await call(own, 'DELETE', '/ingest/v1/symbols/00000000000000000000000000000000F');
    assert.equal(removed.status, 404);
    assert.equal(
      removed.text.replace(debugId, 'ID'),
      unknown.text.replace('00000000000000000000000000000000F', 'ID'),
    );

    // Neither reading again nor a new crash uses the other's symbols.
    const reread = (account: TestAccount, narrowed = {}) =>
      call(account, 'POST', '/ingest/v1/crashes/reprocess', JSON.stringify(narrowed));
    assert.deepEqual((await reread(own)).json, { examined: 1, changed: 0, renamed: 0, next: null });
    assert.equal((await stored(server, own, { file, event })).failureName, mine.failureName);
    assert.deepEqual((await reread(other)).json, { examined: 1, changed: 1, renamed: 1, next: null });

    // The other's crash has a new name now; the own one is as it was, and its hash finds one account's rows.
    const nameOf = async (account: TestAccount, { failureHash }: CrashAnswer): Promise<unknown[]> => {
      const query = `applicationId=${ids.app}&failureHash=${failureHash}`;
      const answer = await account.get(`${base}failuredetails?${query}&startDate=2026-02-01`);
      return (answer.json as { Value: { failureName: string }[] }).Value.map(
        ({ failureName }) => failureName,
      );
    };
    assert.deepEqual(await nameOf(own, mine), [mine.failureName, mine.failureName]);
    const [renamed, ...more] = await nameOf(other, theirs);
    assert.notEqual(renamed, theirs.failureName);
    assert.deepEqual(more, []);
    assert.equal((await call(other, 'DELETE', `/ingest/v1/symbols/${debugId}`)).status, 204);
  });

  test('a product of another account cannot be reread', async () => {
    const stranger = await server.account({
      products: [{ kind: 'app', id: 'STRANGER0002', name: 'Stranger' }],
    });
    const asked = (applicationId: string) =>
      call(stranger, 'POST', '/ingest/v1/crashes/reprocess', JSON.stringify({ applicationId }));
    assert.equal((await asked('STRANGER0002')).status, 200);
    const others = await asked(ids.app ?? '');
    const nobodys = await asked('NOBODYS00001');
    assert.equal(others.status, 403);
    assert.equal(others.text.replace(ids.app ?? '', 'ID'), nobodys.text.replace('NOBODYS00001', 'ID'));
  });
});

describe('crash files of two accounts', () => {
  let server: TestServer;
  let mine: Side;
  let theirs: Side;

  before(async () => {
    server = await startServer({ now });
    const side = async (): Promise<Side> => {
      const account = await server.account({ products });
      const crashes = new Map<string, CrashAnswer>();
      for (const source of sources) {
        const applicationId = ids[source];
        const event = {
          timestamp: '2026-02-20T10:00:00Z',
          ...{ source, deviceId: 'device', failureName: 'AV_shared!function' },
          ...(applicationId === undefined ? {} : { applicationId }),
        };
        const headers = { 'idempotency-key': `shared-${source}` };
        crashes.set(
          source,
          await stored(server, account, { file: sample('linux-null.dmp'), event, headers }),
        );
      }
      return { account, crashes };
    };
    mine = await side();
    theirs = await side();
  });
  after(() => server.close());

  /** The ids of a source's crash. */
  function crashOf({ crashes }: Side, source: string): CrashAnswer {
    const crash = crashes.get(source);
    assert.ok(crash, source);
    return crash;
  }

  /** Asks a report about the crash with the given ids. */
  function ask(name: string, asker: Side, source: string, crash: CrashAnswer): Promise<TestAnswer> {
    const entry = reports[name];
    const product = entry?.identity.parameters.length === 0 ? '' : `&applicationId=${ids[source]}`;
    const lookups = (entry?.lookups ?? [])
      .map(({ parameter }) => `&${parameter}=${crash[parameter]}`)
      .join('');
    return asker.account.get(`${base}${name}?${`${product}${lookups}`.slice(1)}`);
  }

  const unknown = (crash: CrashAnswer): CrashAnswer => ({
    ...crash,
    cabId: '1000000000000',
    cabIdHash: '00000000-0000-4000-8000-000000000000',
  });

  test('equal files under equal keys are crashes of their own', () => {
    const all = [mine, theirs].flatMap(({ crashes }) => [...crashes.values()]);
    assert.equal(all.length, 2 * sources.length);
    assert.ok(all.every(({ duplicate }) => !duplicate));
    assert.equal(new Set(all.map(({ cabId }) => cabId)).size, all.length);
    assert.equal(new Set(all.map(({ cabIdHash }) => cabIdHash)).size, all.length);
  });

  for (const [name, entry] of Object.entries(reports)) {
    const condition = entry.sources[0]?.where.find(({ column }) => column === 'source');
    const source = condition !== undefined && 'equals' in condition ? String(condition.equals) : '';
    if (source === '' || entry.lookups === undefined) continue;

    test(`${name} knows own crashes alone`, async () => {
      const own = await ask(name, mine, source, crashOf(mine, source));
      const others = await ask(name, mine, source, crashOf(theirs, source));
      const nobodys = await ask(name, mine, source, unknown(crashOf(mine, source)));
      const plain = ({ text, headers }: TestAnswer, { cabId, cabIdHash }: CrashAnswer): string =>
        `${headers.get('storelens-notice')} ${text}`.replaceAll(cabId, 'ID').replaceAll(cabIdHash, 'ID');
      if (entry.kind === 'records') {
        // Both have the failure; each sees its own occurrence.
        assert.equal((own.json as { TotalCount: number }).TotalCount, 1);
        assert.equal(own.text, others.text);
        assert.ok(
          [crashOf(mine, source).cabId, crashOf(mine, source).cabIdHash].some((id) => own.text.includes(id)),
        );
        return;
      }
      assert.equal(own.status, entry.kind === 'file' ? 302 : 200);
      assert.equal(others.status, entry.kind === 'file' ? 404 : 200);
      if (entry.kind === 'frames') {
        assert.ok((own.json as { TotalCount: number }).TotalCount > 0);
        assert.equal(others.text, '{"Value":[],"@nextLink":null,"TotalCount":0}');
      }
      const unknownIds = unknown(crashOf(mine, source));
      assert.equal(plain(others, crashOf(theirs, source)), plain(nobodys, unknownIds));
    });
  }

  test('an address of a file opens that file alone', async () => {
    const location = (await ask('cabdownload', mine, 'app', crashOf(mine, 'app'))).headers.get('location');
    const address = new URL(location ?? '');
    assert.equal((await fetch(address)).status, 200);
    const elsewhere = (from: string, to: string): URL => {
      const changed = new URL(address);
      changed.pathname = changed.pathname.replace(from, to);
      assert.notEqual(changed.href, address.href);
      return changed;
    };
    const { cabIdHash } = crashOf(mine, 'app');
    const tenants = [mine.account.tenantId, theirs.account.tenantId] as const;
    for (const changed of [
      elsewhere(...tenants),
      elsewhere(cabIdHash, crashOf(theirs, 'app').cabIdHash),
      elsewhere(cabIdHash, crashOf(mine, 'desktop').cabIdHash),
      new URL(elsewhere(...tenants).href.replace(cabIdHash, crashOf(theirs, 'app').cabIdHash)),
    ]) {
      assert.equal((await fetch(changed)).status, 404, changed.href);
    }
  });

  test('a crash is told to its own account alone', async () => {
    const tell = ({ account }: Side, { cabIdHash }: CrashAnswer) =>
      account.get(`/ingest/v1/crashes/${cabIdHash}`);
    assert.equal((await tell(mine, crashOf(mine, 'app'))).status, 200);
    const others = await tell(mine, crashOf(theirs, 'app'));
    const nobodys = await tell(mine, unknown(crashOf(mine, 'app')));
    assert.equal(others.status, 404);
    const plain = ({ text }: TestAnswer): string => text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'ID');
    assert.equal(plain(others), plain(nobodys));
  });

  test('a crash for a product of another account is refused', async () => {
    const stranger = await server.account({
      products: [{ kind: 'app', id: 'STRANGER0001', name: 'Stranger' }],
    });
    const event = { timestamp: '2026-02-20T10:00:00Z', source: 'app', applicationId: 'STRANGER0001' };
    await stored(server, stranger, { file: sample('linux-null.dmp'), event });
    await assert.rejects(
      stored(server, mine.account, { file: sample('linux-null.dmp'), event }),
      /^Error: 400/,
    );
  });
});
