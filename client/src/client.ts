/** The client: reports by name, in rows, pages or files, from Microsoft's service or any other that speaks its API. */
import type { Lookup } from './addresses.js';
import { followed } from './body.js';
import { type Clock, systemClock } from './clock.js';
import { type Download, download } from './download.js';
import { analyticsPath, resolveLink } from './link.js';
import { type Page, Rows, readPage, type WhenMoved, walk } from './pages.js';
import { type ParameterValue, queryString } from './query.js';
import type {
  AggregationLevelOf,
  DefaultLevelOf,
  FileParameters,
  FileReportName,
  GroupbyOf,
  ReportName,
  ReportParameters,
  Row,
  RowShape,
  UnlistedReport,
} from './reports.js';
import { completeRetries, type Retry, type RetrySettings } from './retry.js';
import type { Token } from './token.js';
import { type Body, Transport } from './transport.js';

/** Who asks, and where; times in milliseconds. */
export interface ConnectOptions<Shape extends RowShape = RowShape> {
  /** Directory of the application: a GUID or one of its domains. */
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Origin of another server of this API, tokens included, such as `http://127.0.0.1:4700`. Default: Microsoft's. */
  readonly url?: string | undefined;
  /** Origin that grants the tokens, where it is another one than `url`. */
  readonly loginUrl?: string | undefined;
  /** Lets secret and token travel unencrypted to hosts other than this one. */
  readonly allowHttp?: boolean | undefined;
  /** Form of rows without `groupby`, if it is known: the types of rows are then exact. */
  readonly rowShape?: Shape | undefined;
  /** How long the service may be silent before an attempt is given up. Default 120,000. */
  readonly timeout?: number | undefined;
  /** Least time between two requests, whatever runs at the same time. Default 0. */
  readonly minInterval?: number | undefined;
  readonly retries?: RetrySettings | undefined;
  /** Is told of every attempt that failed and will be repeated, which it keeps from happening if it throws. */
  readonly onRetry?: ((retry: Retry) => void) | undefined;
  /** Sends requests; for proxies and tests. Default: the one of the platform. */
  readonly fetch?: typeof fetch | undefined;
  /**
   * Looks up the addresses of a host, so that a download is not sent to a private one by a public name. In Node:
   * `async (host) => (await lookup(host, { all: true })).map(({ address }) => address)` with `lookup` of `dns/promises`.
   */
  readonly lookup?: Lookup | undefined;
  /** Time, for tests. */
  readonly clock?: Clock | undefined;
  /** Numbers from 0 to 1, for tests. */
  readonly random?: (() => number) | undefined;
}

/** Options of one call. */
export interface CallOptions {
  /** Cancels the call, its waits included; it then throws the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a call that reads pages. */
export interface PageOptions extends CallOptions {
  /** Link of an earlier page (`next`) to begin at, for the same report and parameters. */
  readonly from?: string | undefined;
  /** Numbers that JavaScript would round come as the text of their digits; the types of rows do not say so. */
  readonly exactNumbers?: boolean | undefined;
}

/** Options of a call that walks through pages. */
export interface WalkOptions extends PageOptions {
  /** What to do when total or freshness change between two pages. Default `'ignore'`. */
  readonly moved?: WhenMoved | undefined;
}

/** A request of one's own. */
export interface RequestOptions extends CallOptions {
  /** Default GET. */
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A function is called for every attempt; a stream that is given as it is can be sent once. */
  readonly body?: Body | (() => Body) | undefined;
  /**
   * Whether it may be sent again when an attempt fails. Default: for GET, HEAD, PUT and DELETE, and with an
   * `idempotency-key`, unless the body is a stream.
   */
  readonly repeatable?: boolean | undefined;
  /** Milliseconds until the service begins to answer, the time to send the body included. Default: the client's. */
  readonly timeout?: number | undefined;
}

/** A client of the API. Has no state but its token: calls may run at the same time. */
export interface Client<Shape extends RowShape = RowShape> {
  /**
   * All rows of a report, through all of its pages: `for await (const row of client.rows('ratings', {...}))`.
   * Nothing is asked before the iteration begins.
   */
  rows<
    Name extends ReportName | UnlistedReport,
    const Groupby extends GroupbyOf<Name> | undefined = readonly [],
    Level extends AggregationLevelOf<Name> | undefined = DefaultLevelOf<Name>,
  >(
    name: Name,
    parameters: ReportParameters<Name, Groupby, Level>,
    options?: WalkOptions,
  ): Rows<Row<Name, Groupby, Level, Shape>>;

  /** The same, page by page. */
  pages<
    Name extends ReportName | UnlistedReport,
    const Groupby extends GroupbyOf<Name> | undefined = readonly [],
    Level extends AggregationLevelOf<Name> | undefined = DefaultLevelOf<Name>,
  >(
    name: Name,
    parameters: ReportParameters<Name, Groupby, Level>,
    options?: WalkOptions,
  ): AsyncIterable<Page<Row<Name, Groupby, Level, Shape>>>;

  /** One page: the first, or the one that `from` names. */
  page<
    Name extends ReportName | UnlistedReport,
    const Groupby extends GroupbyOf<Name> | undefined = readonly [],
    Level extends AggregationLevelOf<Name> | undefined = DefaultLevelOf<Name>,
  >(
    name: Name,
    parameters: ReportParameters<Name, Groupby, Level>,
    options?: PageOptions,
  ): Promise<Page<Row<Name, Groupby, Level, Shape>>>;

  /** The file of a report that answers one, such as `cabdownload`, as a stream. Its address may lie on another host. */
  download<Name extends FileReportName>(
    name: Name,
    parameters: FileParameters<Name>,
    options?: CallOptions,
  ): Promise<Download>;

  /**
   * A request of one's own to a path of the service, such as `/ingest/v1/acquisitions`, with token, pace and retries.
   * The answer is a success; its body is the caller's to read, or to cancel, and errors with ConnectionError if it breaks
   * off or stops to arrive.
   */
  request(path: string, options?: RequestOptions): Promise<Response>;

  /** The present access token, renewed if need be. */
  token(options?: CallOptions): Promise<Token>;
}

const microsoft = {
  api: 'https://manage.devcenter.microsoft.com',
  login: 'https://login.microsoftonline.com',
} as const;

/** Makes a client. Sends nothing yet. Throws TypeError for options that cannot work. */
export function connect<const Shape extends RowShape = RowShape>(
  options: ConnectOptions<Shape>,
): Client<Shape> {
  const { url = microsoft.api, loginUrl = options.url ?? microsoft.login, allowHttp = false } = options;
  const origin = originOf(url, 'url', allowHttp);
  const tokenOrigin = originOf(loginUrl, 'loginUrl', allowHttp);
  for (const name of ['tenantId', 'clientId', 'clientSecret'] as const) {
    if (typeof options[name] !== 'string' || options[name] === '') throw new TypeError(`${name} is missing`);
  }
  const transport = new Transport({
    origin,
    tokenUrl: `${tokenOrigin}/${encodeURIComponent(options.tenantId)}/oauth2/token`,
    resource: microsoft.api,
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    timeout: options.timeout ?? 120_000,
    minInterval: options.minInterval ?? 0,
    retries: completeRetries(options.retries),
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    onRetry: options.onRetry,
  });

  const address = (name: string, parameters: Readonly<Record<string, unknown>>) => {
    const query = queryString(parameters as Readonly<Record<string, ParameterValue>>);
    return new URL(`${analyticsPath}${name}${query === '' ? '' : `?${query}`}`, origin);
  };
  const read = (url: URL, { signal, exactNumbers }: PageOptions) =>
    transport.call({ url, signal }, (answer, progress) => readPage(answer, progress, exactNumbers));

  const page = (name: string, parameters: object, options: PageOptions = {}) =>
    read(
      options.from === undefined ? address(name, { ...parameters }) : resolveLink(options.from, origin),
      options,
    );
  const pages = (name: string, parameters: object, options: WalkOptions = {}) =>
    walk(
      () => page(name, parameters, options),
      (link) => read(resolveLink(link, origin), options),
      options.moved ?? 'ignore',
    );
  const client = {
    page,
    pages,
    rows: (name: string, parameters: object, options?: WalkOptions) =>
      new Rows(() => pages(name, parameters, options)),
    download: (name: string, parameters: object, { signal }: CallOptions = {}) =>
      download(transport, address(name, { ...parameters }), { signal, lookup: options.lookup }),
    request: (path: string, options: RequestOptions = {}) => request(transport, origin, path, options),
    token: ({ signal }: CallOptions = {}) => transport.token(signal),
  };
  // What the types promise of rows is the contract's word; the service keeps it or not.
  return client as unknown as Client<Shape>;
}

async function request(
  transport: Transport,
  origin: string,
  path: string,
  { method = 'GET', headers, body, repeatable, timeout, signal }: RequestOptions,
): Promise<Response> {
  const url = new URL(path, origin);
  if (url.origin !== origin) throw new TypeError(`${path} leaves ${origin}`);
  return transport.call(
    {
      url,
      method,
      headers,
      body,
      signal,
      timeout,
      repeatable: repeatable ?? isRepeatable(method, headers, body),
    },
    async (answer, progress) => followed(answer, progress, url.host),
  );
}

function isRepeatable(
  method: string,
  headers: RequestOptions['headers'],
  body: RequestOptions['body'],
): boolean {
  if (body instanceof ReadableStream) return false;
  if (['GET', 'HEAD', 'PUT', 'DELETE'].includes(method.toUpperCase())) return true;
  return Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'idempotency-key');
}

function originOf(text: string, name: string, allowHttp: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    !(url?.protocol === 'https:' || url?.protocol === 'http:') ||
    `${url.pathname}${url.search}${url.hash}${url.username}${url.password}` !== '/'
  ) {
    const shown = text.replace(/\/\/.*@/, '//***@');
    throw new TypeError(`${name} is '${shown}'; expected an origin such as https://analytics.example.com`);
  }
  const local = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'http:' && !local && !allowHttp) {
    throw new TypeError(
      `${name} is ${url.origin}: secrets would travel unencrypted; use https, or allowHttp`,
    );
  }
  return url.origin;
}
