/**
 * Calls the operator API of a running server. Finds the server and the operator key as the options and the
 * environment say, and turns every way a call can fail into a sentence that says what to check.
 */
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { ErrorBody } from '@storelens/contract';
import { type Context, type Input, type Option, RefusedError, UsageError } from './command.js';
import type { Row } from './output.js';

/** Options of every command that calls a server. */
export const serverOptions = {
  url: {
    type: 'text',
    value: 'URL',
    help: 'Server to call. Default: STORELENS_URL, else http://127.0.0.1:4700.',
  },
  'operator-key-file': {
    type: 'text',
    value: 'FILE',
    help: 'Operator key. Default: STORELENS_OPERATOR_KEY_FILE, else operator.key of ./storelens-data or ./storelens-demo.',
  },
  ca: {
    type: 'text',
    value: 'FILE',
    help: 'PEM file of a private authority to trust, as made by dev-cert, or STORELENS_CA.',
  },
  json: { type: 'flag', help: 'Print JSON.' },
} as const satisfies Readonly<Record<string, Option>>;

/** A call with the operator key: path below the server's origin, and a body for the verbs that take one. */
export interface ServerCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Sent as JSON, or as it is if it is a Buffer. */
  readonly body?: Row | Buffer;
  /** Content type of a Buffer; NDJSON if missing. */
  readonly type?: string;
  /** Tenant on whose behalf the operator calls, where the path does not say it. */
  readonly tenant?: string;
}

const defaultUrl = 'http://127.0.0.1:4700';
const defaultKeyFiles = ['storelens-data/operator.key', 'storelens-demo/operator.key'];
const patience = 60_000;

/** The server understood who calls, and refused what was sent. */
export class RefusedBodyError extends RefusedError {}

/**
 * Calls the server and returns the body of its answer, {} if there is none. Throws RefusedError otherwise:
 * RefusedBodyError if another body may be taken.
 */
export async function callServer(input: Input, context: Context, call: ServerCall): Promise<Row> {
  const origin = originOf(input, context);
  const key = await operatorKey(input, context);
  const caFile = input.text('ca') ?? context.environment.ca;
  const ca = caFile === undefined ? undefined : await readGivenFile(caFile, '--ca');
  const url = new URL(call.path, origin);
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    context.err.write(`warning: the operator key travels unencrypted to ${origin}; use https\n`);
  }
  const { status, text, requestId } = await send(url, call, key.text, ca).catch((error: unknown) => {
    throw new RefusedError(explainNetwork(error, origin));
  });
  const body = parseBody(text);
  if (status >= 200 && status < 300 && body !== undefined) return body;
  const Refused = status === 400 || status === 413 ? RefusedBodyError : RefusedError;
  throw new Refused(explainAnswer(status, body, requestId, origin, key.file));
}

/** A path of the operator API; every part is percent-encoded. */
export function adminPath(...parts: readonly string[]): string {
  return `/admin/v1/${parts.map(encodeURIComponent).join('/')}`;
}

/** The list in an answer. */
export function listOf(answer: Row): readonly Row[] {
  return Array.isArray(answer.value) ? (answer.value as readonly Row[]) : [];
}

/** Reads a file that an option or operand names; `-` is standard input. */
export async function readGivenFile(
  file: string,
  what: string,
  stdin?: NodeJS.ReadableStream,
): Promise<Buffer> {
  if (file === '-' && stdin !== undefined) {
    const chunks: Buffer[] = [];
    for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  }
  try {
    return await readFile(file);
  } catch (error) {
    throw new RefusedError(`${what} cannot be read: ${(error as Error).message}`);
  }
}

function originOf(input: Input, { environment }: Context): string {
  const [text, source] =
    input.text('url') !== undefined
      ? [input.text('url'), '--url']
      : environment.url !== undefined
        ? [environment.url, 'STORELENS_URL']
        : [defaultUrl, 'the default'];
  const url = URL.canParse(text ?? '') ? new URL(text ?? '') : undefined;
  const plain = url !== undefined && url.pathname === '/' && url.search === '' && url.username === '';
  if (plain && (url.protocol === 'http:' || url.protocol === 'https:')) return url.origin;
  throw new UsageError(`${source} is '${text}'; expected an origin such as ${defaultUrl}`);
}

async function operatorKey(input: Input, { environment }: Context): Promise<{ text: string; file: string }> {
  const given = input.text('operator-key-file') ?? environment.operatorKeyFile;
  for (const file of given === undefined ? defaultKeyFiles : [given]) {
    try {
      const text = (await readFile(file, 'utf8')).trim();
      if (!/^[\x21-\x7e]+$/.test(text)) throw new RefusedError(`${file} does not hold an operator key`);
      return { text, file };
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (error instanceof RefusedError) throw error;
      if (!missing) throw new RefusedError(`the operator key cannot be read: ${(error as Error).message}`);
    }
  }
  throw new RefusedError(
    given === undefined
      ? `no operator key: neither ${defaultKeyFiles.join(' nor ')} exists here; ` +
          'name the file that the ready line of `storelens serve` shows with --operator-key-file'
      : `no operator key: ${given} does not exist; the ready line of \`storelens serve\` names the file`,
  );
}

function send(
  url: URL,
  call: ServerCall,
  key: string,
  ca: Buffer | undefined,
): Promise<{ status: number; text: string; requestId: string | undefined }> {
  const { body } = call;
  const bytes =
    body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const options = {
    method: call.method,
    agent: false,
    timeout: patience,
    headers: {
      authorization: `Bearer ${key}`,
      accept: 'application/json',
      ...(call.tenant !== undefined && { 'storelens-tenant': call.tenant }),
      ...(bytes && {
        'content-type': Buffer.isBuffer(body) ? (call.type ?? 'application/x-ndjson') : 'application/json',
        'content-length': String(bytes.length),
      }),
    },
  };
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const id = answer.headers['x-ms-request-id'] ?? answer.headers['x-request-id'];
        resolve({
          status: answer.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
          requestId: typeof id === 'string' ? id : undefined,
        });
      });
    };
    const outgoing =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, ...(ca && { ca }) }, onAnswer)
        : requestHttp(url, options, onAnswer);
    outgoing.on('timeout', () =>
      outgoing.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
    );
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

function parseBody(text: string): Row | undefined {
  if (text === '') return {};
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? (body as Row) : undefined;
  } catch {
    return undefined;
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** What to check when no answer came. */
function explainNetwork(error: unknown, origin: string): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  // Trying several addresses of a name ends in an AggregateError without a message of its own.
  const [first] = error instanceof AggregateError ? (error.errors as readonly NodeJS.ErrnoException[]) : [];
  switch (code || first?.code) {
    case 'ECONNREFUSED':
      return `no server answers at ${origin}; start one with \`storelens serve\`, or name another with --url or STORELENS_URL`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host of ${origin} has no address; check --url or STORELENS_URL`;
    case 'ETIMEDOUT':
      return `${origin} did not answer in ${patience / 1000} s; check that the address is right and nothing blocks it`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `${origin} closed the connection without an answer; check that the address is right and whether it is https`;
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return `the certificate of ${origin} comes from an authority that is not trusted here; name its file with --ca`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of ${origin} is for other names: ${message}`;
    default:
      return code === 'EPROTO' || code.startsWith('ERR_SSL_')
        ? `${origin} does not speak TLS; is it http instead of https?`
        : `the call to ${origin} failed: ${message || first?.message || code}`;
  }
}

/** What the server said, or what to check if it cannot have been ours. */
function explainAnswer(
  status: number,
  body: Row | undefined,
  requestId: string | undefined,
  origin: string,
  keyFile: string,
): string {
  const error = body as Partial<ErrorBody> | undefined;
  const inner = error?.innererror;
  if (inner === undefined) {
    return `${origin} answered ${status} without a Storelens error; check that the address is a Storelens server's`;
  }
  const facts = Array.isArray(inner.data) && inner.data.length > 0 ? inner.data.join('\n') : inner.message;
  if (status === 401) return `${origin} refused the operator key in ${keyFile}: ${facts}`;
  return status >= 500 ? `${facts} (status ${status}, request ${requestId ?? 'unknown'})` : facts;
}
