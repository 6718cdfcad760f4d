/** A data folder of a version before failures were summed by day: today's server takes it over, and answers the same. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSettings } from '../../src/config.js';
import { openChdb } from '../../src/engine/chdb.js';
import { migrateEngine, readSchema } from '../../src/engine/migrate.js';
import { createIdentity } from '../../src/identity/identity.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { createProducts } from '../../src/products/products.js';
import { openLibsqlRegistry } from '../../src/registry/libsql.js';
import { migrateRegistry, readSteps } from '../../src/registry/migrate.js';
import { systemRandom as random } from '../../src/system.js';
import { startServer } from '../harness.js';
import { type StoredFailure, storeFailures } from '../wire/failure-rows.js';

/** The last schema files of that version. */
const before = { engine: '0011-mirror', registry: 4 };
const noon = Date.parse('2024-03-01T12:00:00Z');
const app = '9NBLGGGZ5QDR';
const product = { kind: 'app', id: app, name: 'Contoso Demo' } as const;

const rows: readonly StoredFailure[] = ['one', 'one', 'two', 'three', ''].flatMap((deviceId, index) =>
  ['2024-02-25', '2024-02-26', '2024-02-28'].map((day) => ({
    ...{ timestamp: `${day} 10:00:00.000`, applicationId: app, deviceId, market: index > 2 ? 'DE' : 'US' },
    ...{ failureName: 'a!b', failureHash: `h${index % 2}` },
  })),
);

/** Makes the folder; returns whose rows it has. */
async function makeFolder(folder: string) {
  const clock = { now: () => noon };
  const registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  await migrateRegistry(
    registry,
    readSteps().filter(({ step }) => step <= before.registry),
  );
  const engine = await openChdb({ folder: join(folder, 'engine'), sessions: 1, queueLength: 10 });
  await migrateEngine(
    engine,
    (await readSchema()).filter(({ name }) => name <= before.engine),
  );
  const settings = parseSettings(['--data', folder], {});
  const publicUrl = () => 'http://127.0.0.1';
  const identity = await createIdentity({
    ...{ registry, clock, random, settings, publicUrl, folder, failed: () => {} },
  });
  const { tenantId, accountId } = await identity.tenants.create({ name: 'Contoso' });
  const { clientId } = await identity.applications.create(tenantId, { name: 'Test', role: 'Manager' });
  await createProducts(registry, clock, random).create(accountId, product);
  const parts = { engine, ledger: createLedger(registry, clock) };
  await storeFailures({ app: { parts } }, { accountId }, rows.slice(0, 9));
  await storeFailures({ app: { parts } }, { accountId }, rows.slice(9));
  await identity.close();
  await engine.close();
  await registry.close();
  return { tenantId, accountId, clientId };
}

test('a folder from before failures were summed is taken over, summed, and answers the same', {
  skip: process.env.STORELENS_TEST_CLICKHOUSE_URL !== undefined && 'every server has a new database there',
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-test-'));
  const { tenantId, accountId, clientId } = await makeFolder(folder);
  const server = await startServer({ folder, now: noon, args: ['--rollup-rows', '4'] });
  context.after(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { engine, identity, ingest, rollups } = server.app.parts;
  const { clientSecret } = await identity.keys.create(tenantId, clientId, {});
  const granted = await server.request(`/${tenantId}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret },
      resource: 'https://manage.devcenter.microsoft.com',
    }),
  });
  const { access_token: token } = granted.json as { access_token: string };

  // The same rows, stored today in one commit.
  const today = await server.account({ products: [product] });
  await storeFailures(server, today, rows);
  const answers = async (bearer: string) => {
    const texts: string[] = [];
    for (const question of [
      'groupby=failureName&aggregationLevel=week',
      'groupby=market,failureHash&aggregationLevel=month',
      'aggregationLevel=day',
      '',
      "filter=market%20eq%20'de'&groupby=failureHash",
    ]) {
      const target = `/v1.0/my/analytics/failurehits?applicationId=${app}&startDate=2024-02-01&endDate=2024-02-29&${question}`;
      const answer = await server.request(target, { headers: { authorization: `Bearer ${bearer}` } });
      assert.equal(answer.status, 200, answer.text);
      assert.ok(!answer.text.startsWith('{"Value":[]'), answer.text);
      texts.push(answer.text);
    }
    return texts;
  };
  const expected = await answers(today.token);
  assert.deepEqual(await answers(token), expected);
  assert.equal((await rollups.mark(accountId, 'failures')).seq, 0);
  server.setTime(noon + 30 * 60_000);
  await ingest.purge();
  assert.equal((await rollups.mark(accountId, 'failures')).seq, 2);
  const hits = await engine.query({
    account: accountId,
    sql: 'SELECT sum(hits) FROM failureDays WHERE accountId = {accountId:String}',
    params: { accountId },
    format: 'TSV',
  });
  assert.equal(Number(Buffer.from(hits).toString()), rows.length);
  // Another commit, so that no answer from before is given again.
  await storeFailures(server, { accountId }, [{ timestamp: '2023-01-01 10:00:00.000', applicationId: app }]);
  assert.deepEqual(await answers(token), expected);
});
