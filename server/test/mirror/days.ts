/** What the tests of mirrored days share: how a client puts a day, marks it failed and asks for the state. */
import type { TestAccount, TestAnswer, TestServer } from '../harness.js';

/** The calls of a mirroring client of one account. */
export interface MirrorClient {
  /** PUT of a path below `/ingest/v1/mirror/`, with rows as NDJSON or a body of its own. */
  put(path: string, rows: readonly object[] | string, contentType?: string): Promise<TestAnswer>;
  /** What is known, `query` with its question mark. */
  state(query?: string): Promise<TestAnswer>;
}

/** A client with the account's token. */
export function mirrorClient(server: TestServer, { token }: Pick<TestAccount, 'token'>): MirrorClient {
  const authorization = `Bearer ${token}`;
  return {
    put: (path, rows, contentType = 'application/x-ndjson') =>
      server.request(`/ingest/v1/mirror/${path}`, {
        method: 'PUT',
        headers: { authorization, 'content-type': contentType },
        body: typeof rows === 'string' ? rows : rows.map((row) => JSON.stringify(row)).join('\n'),
      }),
    state: (query = '') => server.request(`/ingest/v1/mirror/state${query}`, { headers: { authorization } }),
  };
}
