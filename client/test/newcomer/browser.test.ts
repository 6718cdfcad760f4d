/**
 * The library in a real browser: Chromium loads a page from one origin, and the page's script takes the packed client
 * through a token and two pages of a report of a Storelens server at another origin.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startServer, type TestAccount, type TestServer } from '@storelens/server/test-harness';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../../../', import.meta.url));
const applicationId = '9NBLGGGZ5QDR';

let folder: string;
let pages: Server;
let origin: string;
let server: TestServer;
let account: TestAccount;
/** What the page under test is made of, and who waits for what it says. */
let page = '';
let told: (text: string) => void = () => {};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-browser-'));
  const packed = await execute(process.execPath, [join(root, 'scripts', 'pack-client.mjs'), folder]);
  await execute('tar', ['-xzf', packed.stdout.trim(), '-C', folder]);
  const modules = join(folder, 'package', 'dist');

  pages = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://page').pathname);
    if (request.method === 'POST') {
      let text = '';
      request.on('data', (piece) => {
        text += piece;
      });
      request.on('end', () => {
        response.end();
        told(text);
      });
    } else if (path === '/') {
      response.setHeader('content-type', 'text/html').end(page);
    } else {
      readFile(join(modules, path)).then(
        (file) => response.setHeader('content-type', 'text/javascript').end(file),
        () => response.writeHead(404).end(),
      );
    }
  });
  pages.listen(0, '127.0.0.1');
  await once(pages, 'listening');
  origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;

  server = await startServer({ now: Date.UTC(2018, 5, 1, 12), args: ['--cors-origins', origin] });
  account = await server.account({ products: [{ kind: 'app', id: applicationId, name: 'Contoso' }] });
  const markets = ['US', 'DE', 'DE', 'FR'];
  await account.ingest(
    'installs',
    markets.map((market) => ({ timestamp: '2018-05-20T10:00:00Z', applicationId, market })),
  );
});

after(async () => {
  pages?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a module script in a page of Chromium and returns what it evaluates to. */
async function inBrowser(script: string, from = origin): Promise<unknown> {
  page = `<!doctype html><title>client</title><script>
    const say = (answer) => fetch('/said', { method: 'POST', body: JSON.stringify(answer) });
    addEventListener('unhandledrejection', ({ reason }) => say({ failed: String(reason) }));
    addEventListener('error', ({ message }) => say({ failed: message ?? 'a module does not load' }), true);
  </script><script type="module">${script}</script>`;
  const said = new Promise<string>((resolve) => {
    told = resolve;
  });
  const profile = await mkdtemp(join(folder, 'profile-'));
  const browser = spawn(
    'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      `--user-data-dir=${profile}`,
      `${from}/`,
    ],
    { stdio: 'ignore' },
  );
  try {
    const ended = once(browser, 'exit').then(([code]) => assert.fail(`chromium ended with ${code}`));
    ended.catch(() => {});
    return JSON.parse(await Promise.race([said, ended]));
  } finally {
    browser.kill();
    if (browser.exitCode === null && browser.signalCode === null) await once(browser, 'exit');
  }
}

test('a page of a named origin reads a report through all its pages, and errors as on Node', async () => {
  const { tenantId, clientId, clientSecret } = account;
  const answer = await inBrowser(`
    import { connect, InvalidRequestError } from '/src/index.js';
    const client = connect(${JSON.stringify({ url: server.url, tenantId, clientId, clientSecret })});
    const question = { applicationId: '${applicationId}', startDate: '2018-05-20', groupby: ['market'], orderby: 'market' };
    const rows = [];
    for await (const row of client.rows('installs', { ...question, top: 2 })) rows.push(row.market + row.successfulInstallCount);
    const { notices } = await client.page('installs', { ...question, startDate: '2018-01-01', endDate: '2018-01-02' });
    const refusal = await client.page('installs', { ...question, filter: "market eq" }).catch((error) => error);
    await say({ rows, notices: notices.length, refused: refusal instanceof InvalidRequestError, id: typeof refusal.requestId });
  `);
  assert.deepEqual(answer, { rows: ['DE2', 'FR1', 'US1'], notices: 1, refused: true, id: 'string' });
});

test('a page of another origin gets nothing', async () => {
  const answer = await inBrowser(
    `await say(await fetch('${server.url}/v1.0/my/analytics/installs').then(() => 'answered', () => 'blocked'));`,
    origin.replace('127.0.0.1', 'localhost'),
  );
  assert.equal(answer, 'blocked');
});
