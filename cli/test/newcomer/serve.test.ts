/** The command line with a real server beside it: managing, the ready line, signals, a private authority. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { client, contoso, neighbour, prepare, type Served, serve } from '../served.js';
import { placeIn, replay, shell } from '../transcript.js';

test('tenants, applications, keys and products are managed as the transcript shows', async (context) => {
  const { place, url } = await serve(context);
  await replay('manage', place, {
    url,
    here: place.folder,
    contoso,
    client,
  });
});

describe('beside one server, everybody with a tenant of their own', () => {
  let served: Served;
  const ends: (() => Promise<void>)[] = [];
  before(async () => {
    served = await serve({ after: (end) => void ends.push(end) });
  });
  after(async () => {
    for (const end of ends) await end();
  });

  test('symbols are sent and crashes read again as the transcript shows', async (context) => {
    const { place, url, contoso } = await neighbour(context, served);
    await replay('crashes', place, {
      url,
      contoso,
      samples: fileURLToPath(new URL('../../../../server/test/crash-samples', import.meta.url)),
    });
  });

  test('an account logs in and reads reports as the transcript shows', async (context) => {
    const { place, url, contoso, client } = await neighbour(context, served);
    const row = (date: string, market: string, deviceType: string, quantity: number) =>
      JSON.stringify({
        applicationId: '9NBLGGGZ5QDR',
        timestamp: `${date}T10:00:00Z`,
        market,
        deviceType,
        quantity,
      });
    const rows = [
      row('2016-02-01', 'US', 'PC', 3),
      row('2016-02-02', 'US', 'Phone', 2),
      row('2016-02-02', 'DE', '=1+1', 1),
      row('2016-02-03', 'FR', 'PC', 1200),
    ];
    await writeFile(join(place.folder, 'rows.ndjson'), rows.join('\n'));
    await writeFile(join(place.folder, 'secret.txt'), `${'s3cret-'.repeat(6)}\n`);
    await replay('report', place, {
      url,
      here: place.folder,
      contoso,
      client,
    });
  });

  test('files of rows are sent as the transcript shows', async (context) => {
    const { place, url, contoso, client } = await neighbour(context, served);
    await prepare(place, 'Manager', { contoso, client });
    const write = (name: string, text: string) => writeFile(join(place.folder, name), text);
    const row = (market: string, quantity: number) =>
      JSON.stringify({ applicationId: '9NBLGGGZ5QDR', timestamp: '2016-02-03T10:00:00Z', market, quantity });
    await write('rows.ndjson', [row('US', 3), row('US', 2), row('DE', 1), row('FR', 1200)].join('\n'));
    const head = 'applicationId,timestamp,market,quantity\n';
    const line = (day: string, market: string, quantity: string) =>
      `9NBLGGGZ5QDR,${day}T10:00:00Z,${market},${quantity}\n`;
    await write('rows.csv', `${head}${line('2016-02-04', 'DE', '10')}${line('2016-02-04', 'DE', '5')}`);
    await write('rows.json', `[${row('US', 2)},\n${row('DE', 10)}]\n`);
    const good = line('2016-03-01', 'JP', '1');
    const bad = line('2016-03-01', 'JP', 'many');
    await write('long.csv', `${head}${good.repeat(100_001)}${bad}${good.repeat(49_998)}`);
    await replay('ingest', place, { url, here: place.folder, contoso, client });
  });

  test('crashes are sent, listed and downloaded as the transcript shows', async (context) => {
    const { place, url, contoso, client } = await neighbour(context, served);
    await prepare(place, 'Manager', { contoso, client });
    const event = { timestamp: '2018-05-01T09:11:25Z', market: 'US', deviceId: 'd-17' };
    await writeFile(join(place.folder, 'event.json'), JSON.stringify(event));
    const samples = fileURLToPath(new URL('../../../../server/test/crash-samples', import.meta.url));
    await replay('crash', place, { url, here: place.folder, contoso, client, samples });
  });

  test('doctor finds what is wrong as the transcript shows', async (context) => {
    const { place, url, contoso, client } = await neighbour(context, served);
    await prepare(place, 'Reader', { contoso, client });
    const today = new Date().toISOString().slice(0, 19);
    await writeFile(
      join(place.folder, 'row.json'),
      JSON.stringify([{ applicationId: '9NBLGGGZ5QDR', timestamp: `${today}Z`, market: 'US', quantity: 1 }]),
    );
    // Answers as of another time; and speaks TLS with a certificate that nobody knows.
    const late = createHttpServer((_request, response) =>
      response.setHeader('date', 'Tue, 02 Feb 2016 10:00:00 GMT').end(),
    );
    context.after(() => late.close());
    await once(late.listen(0, '127.0.0.1'), 'listening');
    await shell(place, 'storelens dev-cert --out tls');
    const certificate = {
      cert: await readFile(join(place.folder, 'tls/server.pem')),
      key: await readFile(join(place.folder, 'tls/server-key.pem')),
    };
    const secure = createSecureServer(certificate, (_request, response) => response.writeHead(404).end());
    context.after(() => secure.close());
    await once(secure.listen(0, '127.0.0.1'), 'listening');
    const portOf = (server: { address(): unknown }) => String((server.address() as AddressInfo).port);
    await replay('doctor', place, {
      ...{ url, here: place.folder, contoso, client, port: new URL(url).port },
      ...{ late: portOf(late), secure: portOf(secure) },
    });
  });
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`serve prints one line, logs JSON on standard error, and ends with 0 on ${signal}`, async (context) => {
    const served = await serve(context, '--data', 'here');
    const ready = JSON.parse(served.out().slice('storelens ready '.length)) as Record<string, string>;
    assert.deepEqual(Object.keys(ready), ['url', 'data', 'operatorKeyFile']);
    assert.equal(ready.data, join(served.place.folder, 'here'));
    assert.equal((await fetch(`${ready.url}/readyz`)).status, 200);
    served.process.kill(signal);
    const [code] = await once(served.process, 'close');
    assert.equal(code, 0, served.err());
    assert.match(served.out(), /^storelens ready \{.*\}\n$/);
    for (const line of served.err().trim().split('\n')) {
      assert.equal(typeof (JSON.parse(line) as { level: string }).level, 'string', line);
    }
  });
}

test('settings that a server cannot start with are named', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-refused-'));
  context.after(() => rm(folder, { recursive: true }));
  const other = createServer();
  context.after(() => other.close());
  await once(other.listen(0, '127.0.0.1'), 'listening');
  await replay('refused', await placeIn(folder), { taken: String((other.address() as AddressInfo).port) });
});

test('over HTTPS the authority is named with --ca, or trusted by the environment', async (context) => {
  const { place, url } = await serve(
    context,
    '--tls-cert',
    'tls/server.pem',
    '--tls-key',
    'tls/server-key.pem',
  );
  assert.match(url, /^https:/);
  assert.equal((await shell(place, 'storelens tenant list')).code, 1);
  assert.equal((await shell(place, 'storelens tenant list --ca tls/ca.pem')).code, 0);
  assert.equal((await shell(place, 'NODE_EXTRA_CA_CERTS=tls/ca.pem storelens tenant list')).code, 0);
  const trusting = { ...place, environment: { ...place.environment, STORELENS_CA: 'tls/ca.pem' } };
  await prepare(trusting);
  const login = `login --tenant-id ${contoso} --client-id ${client} --secret-stdin < secret.txt`;
  const unknown = await shell(place, `storelens ${login}`);
  assert.equal(unknown.code, 5, unknown.err);
  assert.match(unknown.err, /Name the file of its authority with --ca or in STORELENS_CA\.\n$/);
  const stored = await shell(place, `storelens ${login.replace('<', '--ca tls/ca.pem <')}`);
  assert.deepEqual([stored.code, stored.out], [0, ''], stored.err);
  const ask = 'storelens report installs --app 9NBLGGGZ5QDR --format ndjson';
  assert.equal((await shell(trusting, ask)).code, 0);
  // The account was stored with its authority, wherever the commands run from, and beside one that Node was told of.
  assert.equal((await shell(place, `mkdir -p elsewhere; cd elsewhere; ${ask}`)).code, 0);
  assert.equal((await shell(place, 'storelens mirror status')).code, 0);
  await shell(place, 'mkdir other; cd other; storelens dev-cert --out tls');
  assert.equal((await shell(place, `NODE_EXTRA_CA_CERTS=other/tls/ca.pem ${ask}`)).code, 0);
  const moved = await shell(
    place,
    `mv tls/ca.pem tls/moved.pem; ${ask}; echo $?; mv tls/moved.pem tls/ca.pem`,
  );
  assert.equal(moved.out, '1\n');
  assert.match(
    moved.err,
    /the authority in \/.*\/tls\/ca\.pem cannot be read: .*; --ca names another file\n$/,
  );
  // Output and exit code are those of a process that trusts the authority.
  const refused = await shell(trusting, `${ask} --groupby colour`);
  assert.deepEqual([refused.code, refused.out], [4, '']);
  assert.match(refused.err, /'colour' cannot be grouped/);
  for (const file of ['no-such-file', 'secret.txt']) {
    const { code, err } = await shell(place, `${ask} --ca ${file}`);
    assert.deepEqual([code, err.split(':')[1]], [1, ` the authority in ${file} cannot be read`]);
  }
});
