/** The chapter of the README on mirroring, followed to the letter. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { startLab } from '../mirror-lab.js';

const app = '9NBLGGGZ5QDR';
const products = [{ kind: 'app', id: app, name: 'Contoso Demo' }] as const;

test('the chapter of the README copies an app, with a server in the place of the Store', async (context) => {
  const today = Date.now();
  const lab = await startLab(context, { now: today, products });
  await lab.account.ingest('acquisitions', [
    { applicationId: app, timestamp: new Date(today - 86_400_000).toISOString(), market: 'IS', quantity: 7 },
  ]);
  const readme = await readFile(new URL('../../../../README.md', import.meta.url), 'utf8');
  const [, chapter = ''] = /^## From Microsoft's Store.*?\n(.*?)^## /ms.exec(readme) ?? [];
  const [logins = '', copying = ''] = [...chapter.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = '']) =>
    text.trim().replaceAll('npx ', ''),
  );
  const [own = '', microsoft = '', ...more] = logins.split('\n');
  assert.deepEqual(more, []);
  const { copies, account } = lab;
  const filled = [
    [own.replace('http://127.0.0.1:4700', copies.url), copies] as const,
    [`${microsoft} --url ${lab.server.url}`, account] as const,
  ];
  for (const [line, { tenantId, clientId, clientSecret }] of filled) {
    const command = line.replace(/TENANT|DIRECTORY/, tenantId).replace(/CLIENT|APPLICATION/, clientId);
    const { code, err } = await lab.shell(`echo '${clientSecret}' | ${command} --secret-stdin`);
    assert.equal(code, 0, err);
  }
  const [mirror = '', status = '', report = ''] = copying.split('\n');
  // The pace is for Microsoft's limits; the reports are all that there are.
  const ran = await lab.shell(`${mirror} --pace 0`);
  assert.equal(ran.code, 0, ran.err);
  assert.match(ran.out, /^appacquisitions +9NBLGGGZ5QDR +9\d +/m);
  assert.match((await lab.shell(status)).out, /^failuredetails +9NBLGGGZ5QDR/m);
  assert.match((await lab.shell(report)).out, /^IS +█+ +7 +100.0%$/m);
});
