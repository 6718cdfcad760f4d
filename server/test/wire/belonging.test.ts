/**
 * A data folder and the engine that has its rows belong together: a start with another engine ends with a sentence. Shown
 * with folders of the embedded engine that are exchanged; a wrong `clickhouse-url` is the same to a server.
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SettingError } from '../../src/config.js';
import { startServer } from '../harness.js';

const app = '9NBLGGGZ5QDR';
const products = [{ kind: 'app', id: app, name: 'Contoso' }] as const;

test('a folder starts with its own engine alone, marked or not', {
  skip: process.env.STORELENS_TEST_CLICKHOUSE_URL !== undefined && 'exchanges folders of the embedded engine',
}, async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'storelens-belonging-'));
  context.after(() => rm(root, { recursive: true, force: true }));
  const [folder, other] = [join(root, 'own'), join(root, 'other')];
  const engine = join(folder, 'engine');
  const refused = async (message: RegExp) => {
    await assert.rejects(startServer({ folder }), (error) => {
      assert.ok(error instanceof SettingError, String(error));
      assert.match(error.message, message);
      return true;
    });
    await rm(engine, { recursive: true });
  };

  const first = await startServer({ folder });
  const account = await first.account({ products });
  await account.ingest('acquisitions', [{ timestamp: '2016-01-05T10:00:00Z', applicationId: app }]);
  await first.close();

  await rename(engine, join(root, 'kept'));
  await refused(
    /^the events of the data folder .*own are not in .*; start it with the --clickhouse-url that/,
  );
  // Nothing was stored in this one: it takes any engine that is nobody's.
  await (await startServer({ folder: other })).close();
  await rm(join(other, 'engine'), { recursive: true });
  await (await startServer({ folder: other })).close();
  await cp(join(other, 'engine'), engine, { recursive: true });
  await refused(/holds the events of another data folder than .*own; use that folder with it/);

  await rename(join(root, 'kept'), engine);
  const before = await startServer({ folder });
  // As a folder of a version without marks is.
  await before.app.parts.engine.command({ account: '', sql: 'DROP TABLE installation SYNC' });
  await before.app.parts.registry.all("DELETE FROM installation WHERE name = 'engine'");
  await before.close();
  const after = await startServer({ folder });
  context.after(() => after.close());
  const { json } = await after.request(
    `/v1.0/my/analytics/appacquisitions?applicationId=${app}&startDate=2016-01-05&endDate=2016-01-05&groupby=market`,
    { headers: { authorization: `Bearer ${account.token}` } },
  );
  const { Value } = json as { Value: readonly { acquisitionQuantity: number }[] };
  assert.equal(Value[0]?.acquisitionQuantity, 1);
  const marks = await after.app.parts.registry.all("SELECT value FROM installation WHERE name = 'engine'");
  assert.equal(marks.length, 1);
});
