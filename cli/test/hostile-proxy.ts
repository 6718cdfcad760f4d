/** A server before another one: passes requests on, and plays tricks where it is told to. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A request that arrived. */
export interface Asked {
  /** Tail of the path: the report, or `token`. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

/** An answer of the server behind. */
export interface Passed {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What happens in the place of the answer, which `pass` fetches. */
export type Trick = (response: ServerResponse, pass: () => Promise<Passed>) => unknown;

/** A proxy that runs. */
export interface HostileProxy {
  readonly url: string;
  /** Decides about every request; undefined: it is passed on. */
  trick: (asked: Asked) => Trick | undefined;
}

/** Starts a proxy. With `top`, pages have so many rows and not as many as were asked for. */
export async function startProxy(
  context: TestContext,
  origin: string,
  { top }: { readonly top?: number } = {},
): Promise<HostileProxy> {
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '', origin);
    const asked = {
      name: url.pathname.replace(/^\/v1\.0\/my\/analytics\//, '').replace(/^.*\/oauth2\//, ''),
      query: url.searchParams,
      authorization: request.headers.authorization,
    };
    const target = top === undefined ? request.url : request.url?.replace('top=10000', `top=${top}`);
    const pass = async () => {
      const passed = await passOn(new URL(target ?? '', origin), request, Buffer.concat(chunks));
      // Its redirects lead here, too.
      const { location } = passed.headers;
      if (location === undefined) return passed;
      return { ...passed, headers: { ...passed.headers, location: location.replace(origin, proxy.url) } };
    };
    const trick = proxy.trick(asked);
    if (trick !== undefined) await trick(response, pass);
    else send(response, await pass());
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  context.after(async () => {
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  });
  const proxy: HostileProxy = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    trick: () => undefined,
  };
  return proxy;
}

async function passOn(url: URL, { method = 'GET', headers }: IncomingMessage, body: Buffer): Promise<Passed> {
  const sent = Object.entries(headers).filter(
    ([name]) => !['host', 'connection', 'content-length', 'accept-encoding'].includes(name),
  ) as [string, string][];
  const answer = await fetch(url, {
    method,
    headers: { ...Object.fromEntries(sent), 'accept-encoding': 'identity' },
    redirect: 'manual',
    ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
  });
  const { 'transfer-encoding': _, connection: __, ...told } = Object.fromEntries(answer.headers);
  return { status: answer.status, headers: told, body: Buffer.from(await answer.arrayBuffer()) };
}

/** Sends an answer as it came. */
export function send(response: ServerResponse, { status, headers, body }: Passed): void {
  response.writeHead(status, { ...headers, 'content-length': body.length });
  response.end(body);
}

/** Answers with a status and a text. */
export function status(
  code: number,
  headers: Readonly<Record<string, string>> = {},
  text = '{"code":"Trouble"}',
): Trick {
  return (response) => {
    response.writeHead(code, headers);
    response.end(text);
  };
}

/** Answers 200 with a text that is no report. */
export const says = (text: string): Trick => status(200, { 'content-type': 'text/html' }, text);

/** Hangs up in the middle of the body, which either said its length or came in chunks. */
export function cut(how: 'length' | 'chunks'): Trick {
  return async (response, pass) => {
    const { status, headers, body } = await pass();
    const { 'content-length': _, ...others } = headers;
    response.writeHead(status, how === 'length' ? { ...others, 'content-length': body.length } : others);
    response.write(body.subarray(0, body.length / 2), () => response.destroy());
  };
}

/** Changes the page that the server behind answered. */
export function changed(change: (page: Record<string, unknown>) => object): Trick {
  return async (response, pass) => {
    const { status, headers, body } = await pass();
    const page = change(JSON.parse(String(body)) as Record<string, unknown>);
    send(response, { status, headers, body: Buffer.from(JSON.stringify(page)) });
  };
}
