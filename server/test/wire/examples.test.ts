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
import { sample } from '../crashes/samples.js';
import { startServer, type TestAccount, type TestProduct, type TestServer } from '../harness.js';

interface Example {
  readonly name: string;
  /** For a server that is set to this form of rows; 2018 if missing. */
  readonly shape?: '2022';
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
  /** The file that a redirect leads to. */
  readonly file?: { readonly name: string; readonly type: string };
}

interface ExampleFile {
  readonly today: string;
  /** Text that stands for the seller id of the tenant. */
  readonly sellerId?: string;
  readonly products: readonly TestProduct[];
  readonly batches: readonly { dataset: string; rows: readonly Record<string, unknown>[] }[];
  /** Crash files of the samples with their events, posted after the batches; `stands` names the ids they get. */
  readonly crashes?: readonly {
    readonly file: string;
    readonly event: Readonly<Record<string, unknown>>;
    readonly stands: { readonly cabId?: string; readonly cabIdHash?: string };
  }[];
  /** Text that stands for a value that the server makes up: the key of a row that a query answers. */
  readonly bind?: readonly {
    readonly stands: string;
    readonly report: string;
    readonly query: string;
    readonly row: number;
    readonly key: string;
  }[];
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
  readonly location: string;
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
          location: response.headers.location ?? '',
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

/** What stands for what: texts of the example file and the values that this server made up for them. */
type StandIns = ReadonlyMap<string, string>;

function withValues<Value>(value: Value, standIns: StandIns): Value {
  let text = JSON.stringify(value);
  for (const [stands, actual] of standIns) text = text.replaceAll(stands, actual);
  return JSON.parse(text);
}

/** Posts the crash files of an example file; adds their ids to the stand-ins. */
async function postCrashes(
  server: TestServer,
  account: TestAccount,
  file: ExampleFile,
  standIns: Map<string, string>,
): Promise<void> {
  for (const { file: name, event, stands } of file.crashes ?? []) {
    const form = new FormData();
    form.set('event', JSON.stringify(event));
    form.set('file', new Blob([new Uint8Array(sample(name))]), name);
    const headers = { authorization: `Bearer ${account.token}` };
    const answer = await server.request('/ingest/v1/crashes', { method: 'POST', headers, body: form });
    assert.equal(answer.status, 200, answer.text);
    const ids = answer.json as Readonly<Record<string, string>>;
    for (const [key, text] of Object.entries(stands)) standIns.set(text, ids[key] ?? `no ${key}`);
  }
}

/** Reads the values that the texts of `bind` stand for. */
async function readBound(
  account: TestAccount,
  file: ExampleFile,
  standIns: Map<string, string>,
): Promise<void> {
  for (const { stands, report, query, row, key } of file.bind ?? []) {
    const answer = await account.get(`${base}${report}?${escaped(query)}`);
    const page = answer.json as { readonly Value?: readonly Readonly<Record<string, unknown>>[] };
    const value = page.Value?.[row]?.[key];
    assert.ok(typeof value === 'string', `${query} has row ${row} with ${key}: ${answer.text}`);
    standIns.set(stands, value);
  }
}

/** Follows a redirect as a client does that sends its token nowhere else, and checks what is served. */
async function checkFile(origin: string, location: string, file: NonNullable<Example['file']>) {
  assert.equal(new URL(location).origin, new URL(origin).origin);
  const response = await fetch(location);
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), file.type);
  assert.equal(response.headers.get('content-disposition'), `attachment; filename="${file.name}"`);
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(bytes.toString('latin1', 0, 4), 'MSCF');
}

/** Decimals keep a fraction, which parsing loses. */
function checkDecimals(report: string, text: string): void {
  for (const field of reports[report]?.fields ?? []) {
    if (field.type !== 'decimal') continue;
    for (const [, value] of text.matchAll(new RegExp(`"${field.name}":([^,}]*)`, 'g'))) {
      assert.match(value ?? '', /^-?\d+\.\d+$/, field.name);
    }
  }
}

async function replay(
  origin: string,
  token: string,
  report: string,
  written: Example,
  standIns: StandIns,
): Promise<void> {
  const example = withValues(written, standIns);
  const query = example.target ?? escaped(example.query ?? '');
  let answer = await get(origin, `${base}${report}?${query}`, token);
  assert.equal(answer.status, example.status, answer.text);
  for (const part of example.noticeIncludes ?? []) {
    assert.ok(answer.notice.includes(part), `the notice names ${part}: ${answer.notice}`);
  }
  if (example.file !== undefined) {
    await checkFile(origin, answer.location, example.file);
    return;
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
    checkDecimals(report, answer.text);
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

/** Servers that the examples need: one a day and form of rows. */
const servers = new Map(
  [...files.values()].flatMap(({ today, examples }) =>
    examples.map(({ shape = '2018' }) => [`on ${today}, rows of ${shape}`, { today, shape }] as const),
  ),
);

for (const [name, { today, shape }] of servers) {
  describe(name, () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({ now: new Date(today), args: ['--row-shape', shape] });
    });
    after(() => server.close());

    for (const [report, file] of files) {
      const examples = file.examples.filter((example) => (example.shape ?? '2018') === shape);
      if (file.today !== today || examples.length === 0) continue;
      describe(report, () => {
        let account: TestAccount;
        const standIns = new Map<string, string>();
        before(async () => {
          account = await server.account({ products: file.products });
          for (const { dataset, rows } of file.batches) await account.ingest(dataset, rows);
          if (file.sellerId !== undefined) standIns.set(file.sellerId, account.sellerId);
          await postCrashes(server, account, file, standIns);
          await readBound(account, file, standIns);
        });
        for (const example of examples) {
          test(example.name, () => replay(server.url, account.token, report, example, standIns));
        }
      });
    }
  });
}
