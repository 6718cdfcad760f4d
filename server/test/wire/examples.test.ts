/**
 * Replays the wire examples of every report over HTTP: each file gets a tenant of its own, its batches are posted
 * in order, its requests are sent to the letter, and the answers must be the ones in the file, key order included.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ErrorBody, reports } from '@storelens/contract';
import { startServer, type TestAccount, type TestServer } from '../harness.js';

interface Example {
  readonly name: string;
  /** The query as printed on a page: blanks and other than ASCII are escaped, everything else is sent as it is. */
  readonly query?: string;
  /** The query to the letter. */
  readonly target?: string;
  readonly status: number;
  readonly body?: unknown;
  readonly bodyText?: string;
  readonly pages?: readonly unknown[];
  readonly data?: readonly string[];
  readonly dataIncludes?: readonly string[];
  readonly noticeIncludes?: readonly string[];
}

interface ExampleFile {
  readonly today: string;
  readonly products: readonly { kind: 'app' | 'addon'; id: string; name: string; parentId?: string }[];
  readonly batches: readonly { dataset: string; rows: readonly Record<string, unknown>[] }[];
  readonly examples: readonly Example[];
}

const base = '/v1.0/my/analytics/';
const names = Object.keys(reports);
const files = new Map(names.map((name) => [name, readExamples(name)]));

function readExamples(name: string): ExampleFile {
  const path = fileURLToPath(new URL(`../../../../contract/examples/${name}.json`, import.meta.url));
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** What an HTTP stack makes of a query typed as printed. */
function escaped(query: string): string {
  return query.replace(/ |[^\u0020-\u007e]/gu, (character) => encodeURIComponent(character));
}

interface Answer {
  readonly status: number | undefined;
  readonly notice: string;
  readonly text: string;
}

/** Sends the path as it is; `fetch` would escape quotes. */
function get(origin: string, path: string, token: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const headers = { authorization: `Bearer ${token}` };
    request({ hostname, port, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const notice = response.headers['storelens-notice'];
        resolve({
          status: response.statusCode,
          notice: typeof notice === 'string' ? notice : '',
          text: Buffer.concat(chunks).toString('utf8'),
        });
      });
    })
      .on('error', reject)
      .end();
  });
}

/** Text in which equal bodies with equal key order are equal. */
function canonical(text: string): string {
  return JSON.stringify(JSON.parse(text), null, 2);
}

async function replay(origin: string, token: string, report: string, example: Example): Promise<void> {
  const query = example.target ?? escaped(example.query ?? '');
  let answer = await get(origin, `${base}${report}?${query}`, token);
  assert.equal(answer.status, example.status, answer.text);
  for (const part of example.noticeIncludes ?? []) {
    assert.ok(answer.notice.includes(part), `the notice names ${part}: ${answer.notice}`);
  }
  if (example.status !== 200) {
    checkError(JSON.parse(answer.text), example);
    return;
  }
  if (example.bodyText !== undefined) {
    assert.equal(answer.text, example.bodyText);
    return;
  }
  const pages = example.pages ?? [example.body];
  for (const [index, page] of pages.entries()) {
    assert.equal(answer.status, 200, answer.text);
    assert.equal(canonical(answer.text), JSON.stringify(page, null, 2), `page ${index + 1}`);
    const next: unknown = JSON.parse(answer.text)['@nextLink'];
    if (index + 1 < pages.length) answer = await get(origin, base + escaped(String(next)), token);
  }
}

function checkError(body: ErrorBody, example: Example): void {
  assert.equal(body.source, 'AnalyticsAPI');
  if (example.data !== undefined) assert.deepEqual(body.innererror.data, example.data);
  const facts = body.innererror.data.join('\n');
  for (const part of example.dataIncludes ?? []) {
    assert.ok(facts.includes(part), `the error names ${part}: ${facts}`);
  }
}

for (const today of new Set([...files.values()].map((file) => file.today))) {
  describe(`on ${today}`, () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({ now: new Date(today) });
    });
    after(() => server.close());

    for (const [report, file] of files) {
      if (file.today !== today) continue;
      describe(report, () => {
        let account: TestAccount;
        before(async () => {
          account = await server.account({ products: file.products });
          for (const { dataset, rows } of file.batches) await account.ingest(dataset, rows);
        });
        for (const example of file.examples) {
          test(example.name, () => replay(server.url, account.token, report, example));
        }
      });
    }
  });
}
