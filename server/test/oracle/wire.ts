/**
 * The client side of the comparison: plain HTTP with kept connections, request targets sent to the letter, and next
 * links followed the way real clients do it, by prefixing the analytics base.
 */
import { Agent, request } from 'node:http';

/** An answer as it came: status, exact body text, the notice header. */
export interface WireAnswer {
  readonly status: number;
  readonly body: string;
  readonly notice: string | undefined;
  readonly location: string | undefined;
}

/** Path below which all reports are. */
export const analyticsBase = '/v1.0/my/analytics/';

/** A kept connection was gone before the request could be answered. */
class Stale extends Error {}

/** HTTP to one server with one bearer token. */
export class Wire {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 16 });
  private readonly host: string;
  private readonly port: string;

  constructor(
    readonly origin: string,
    private readonly token: string,
  ) {
    const url = new URL(origin);
    this.host = url.hostname;
    this.port = url.port;
  }

  /** GET of a request target (path and query), sent to the letter, with further headers. */
  async get(target: string, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
    try {
      return await this.send('GET', target, undefined, headers);
    } catch (error) {
      // The server closed an idle connection while the request was on its way: reading again is harmless.
      if (error instanceof Stale) return await this.send('GET', target, undefined, headers);
      throw error;
    }
  }

  /** GET of the page that a next link names. */
  follow(link: string): Promise<WireAnswer> {
    const url = new URL(`${this.origin}${analyticsBase}${link}`);
    return this.get(`${url.pathname}${url.search}`);
  }

  /** POST of a body. */
  post(path: string, body: string | Buffer, contentType: string): Promise<WireAnswer> {
    return this.send('POST', path, body, { 'content-type': contentType });
  }

  /** DELETE of a path. */
  remove(path: string): Promise<WireAnswer> {
    return this.send('DELETE', path, undefined, {});
  }

  /** Closes kept connections. */
  close(): void {
    this.agent.destroy();
  }

  private send(
    method: string,
    path: string,
    body: string | Buffer | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          // A batch is sent once, so it never rides on a connection that may be gone.
          agent: method === 'GET' ? this.agent : false,
          host: this.host,
          port: this.port,
          method,
          path,
          headers: { authorization: `Bearer ${this.token}`, ...headers },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const notice = incoming.headers['storelens-notice'];
            resolve({
              status: incoming.statusCode ?? 0,
              body: Buffer.concat(chunks).toString('utf8'),
              location: incoming.headers.location,
              notice: Array.isArray(notice) ? notice.join(', ') : notice,
            });
          });
        },
      );
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        const stale = outgoing.reusedSocket && error.code === 'ECONNRESET';
        reject(stale ? new Stale(error.message, { cause: error }) : error);
      });
      outgoing.end(body);
    });
  }
}
