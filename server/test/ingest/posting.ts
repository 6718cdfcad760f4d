/** What the tests of ingestion share: posting any body, and reading stored rows by SQL. */
import { startServer, type TestAccount, type TestAnswer, type TestServer } from '../harness.js';

/** The products of every test account. */
export const products = [
  { kind: 'app', id: '9NBLGGGZ5QDR', name: 'Contoso Demo' },
  { kind: 'app', id: '9WZDNCRDABCD', name: 'Contoso Notes' },
  { kind: 'addon', id: '9NADDON00001', parentId: '9NBLGGGZ5QDR', name: 'More levels' },
  { kind: 'desktop', id: '10238467886765136388', name: 'Contoso Desk' },
  { kind: 'driver', id: '13510798888881234', name: 'Contoso Driver' },
] as const;

/** Noon of a leap day: the time at which the tests' batches arrive. */
export const noon = Date.UTC(2024, 1, 29, 12);

/** A server and one of its accounts. */
export interface Bench {
  readonly server: TestServer;
  readonly account: TestAccount;
  /** Posts a body with the account's token. */
  post(dataset: string, body: Body, headers?: Readonly<Record<string, string>>): Promise<TestAnswer>;
  /** Stored rows of the account, as objects. */
  rows(sql: string): Promise<Record<string, unknown>[]>;
}

/** A request body: rows become NDJSON. */
export type Body = string | Uint8Array | ReadableStream<Uint8Array> | readonly object[];

/** Starts a server with an account. */
export async function startBench(args: readonly string[] = [], folder?: string): Promise<Bench> {
  const server = await startServer({ now: noon, args, ...(folder === undefined ? {} : { folder }) });
  const account = await server.account({ products });
  return {
    server,
    account,
    post: (dataset, body, headers) => post(server, account.token, dataset, body, headers),
    async rows(sql) {
      const bytes = await server.app.parts.engine.query({
        account: account.accountId,
        sql,
        format: 'JSONEachRow',
        settings: { output_format_json_quote_64bit_integers: 0 },
      });
      const lines = Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean);
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

/** Posts a body with a token. */
export async function post(
  server: TestServer,
  token: string,
  dataset: string,
  body: Body,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestAnswer> {
  return await server.request(`/ingest/v1/${dataset}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson', ...headers },
    body: isRows(body) ? ndjson(body) : body,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  } as RequestInit);
}

function isRows(body: Body): body is readonly object[] {
  return Array.isArray(body);
}

/** Rows as NDJSON. */
export function ndjson(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** The sentences of an error answer. */
export function problems(answer: TestAnswer): readonly string[] {
  return (answer.json as { innererror: { data: string[] } }).innererror.data;
}

/** The smallest good row of the event datasets. */
export const event = { timestamp: '2024-02-29T11:00:00Z', applicationId: '9NBLGGGZ5QDR' } as const;
