/**
 * A server that does what a test tells it, and a clock that does not make anybody wait: for what a service in trouble,
 * or one that means harm, sends to the client.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Client, type Clock, type ConnectOptions, connect } from '@storelens/client';

/** What to do with a request. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** A request as it arrived. */
export interface Seen {
  /** Path and query. */
  readonly target: string;
  readonly authorization: string | undefined;
}

/** A running server. */
export interface HostileServer {
  readonly url: string;
  /** Requests so far, those for tokens apart. */
  readonly seen: Seen[];
  /** Token requests so far. */
  readonly granted: number;
  /** Replaces how tokens are granted. */
  grant: Behaviour;
  /** Answers to come, one for each request; the last one stays. */
  script(...behaviours: readonly Behaviour[]): void;
  /** Resolves with the next request that arrives. */
  arrival(): Promise<void>;
  close(): Promise<void>;
}

/** The token number `n` that a hostile server grants. */
export const tokenNumber = (n: number) => `token-${n}-very-secret`;

/** Starts a server that grants tokens and answers nothing else until it is told. */
export async function startHostileServer(): Promise<HostileServer> {
  const seen: Seen[] = [];
  let script: Behaviour[] = [];
  let granted = 0;
  let arrived = () => {};
  const http = createServer((request, response) => {
    arrived();
    if (request.url?.includes('/oauth2/')) {
      granted++;
      server.grant(request, response);
      return;
    }
    seen.push({ target: request.url ?? '', authorization: request.headers.authorization });
    const behave = script.length > 1 ? script.shift() : script[0];
    behave?.(request, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server: HostileServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    seen,
    get granted() {
      return granted;
    },
    grant: (_, response) =>
      json({ token_type: 'Bearer', expires_in: '3599', access_token: tokenNumber(granted) })(_, response),
    script(...behaviours) {
      script = [...behaviours];
    },
    arrival: () =>
      new Promise((resolve) => {
        arrived = resolve;
      }),
    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return server;
}

/** Answers with JSON, or with a text as it is. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/** Answers with a page of one row, a link and a total. */
export function page(n: number, next: string | null = null, total = 3): Behaviour {
  return json({ Value: [{ applicationId: 'A', n }], '@nextLink': next, TotalCount: total });
}

/** Never answers. */
export const hang: Behaviour = () => {};

/** Answers headers and the beginning of a body. */
export const stall: Behaviour = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"Value":[');
};

/** Hangs up in the middle of a body, which either said its length or came in chunks. */
export function cut(how: 'length' | 'chunks'): Behaviour {
  return (_, response) => {
    response.writeHead(200, how === 'length' ? { 'content-length': '1000' } : {});
    response.write('{"Value":[{"applicationId":"A"}', () => response.destroy());
  };
}

/** A clock whose waits pass at once, but for patience with a silent server, which ends when the test says so. */
export interface TestClock extends Clock {
  time: number;
  /** Waits so far, in milliseconds. */
  readonly waits: number[];
  /** Ends all patience. */
  expire(): void;
}

/** How long clients of tests wait for a silent server. */
export const patience = 77_777;

/** Starts at the given time, by default 1 June 2018. */
export function testClock(time = Date.UTC(2018, 5, 1)): TestClock {
  let expirable: (() => void)[] = [];
  return {
    time,
    waits: [],
    now() {
      return this.time;
    },
    async wait(milliseconds, signal) {
      signal.throwIfAborted();
      if (milliseconds === patience) {
        return new Promise<void>((resolve, reject) => {
          expirable.push(resolve);
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
      }
      this.waits.push(milliseconds);
      // Time passes in a later turn, so that waits that begin at the same time pass together.
      const end = this.time + milliseconds;
      await new Promise((resolve) => setImmediate(resolve));
      this.time = Math.max(this.time, end);
      signal.throwIfAborted();
    },
    expire() {
      const all = expirable;
      expirable = [];
      for (const one of all) one();
    },
  };
}

/** The secret of {@link clientOf}. */
export const clientSecret = 'S3cret+of/the=client';

/** A client of a hostile server. */
export function clientOf(server: HostileServer, options: Partial<ConnectOptions> = {}): Client {
  return connect({
    tenantId: 'tenant',
    clientId: 'client',
    clientSecret,
    url: server.url,
    timeout: patience,
    clock: testClock(),
    random: () => 0.5,
    ...options,
  });
}
