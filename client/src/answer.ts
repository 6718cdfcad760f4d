/** Answers that are no success, as errors; and what every answer tells in its headers. */
import {
  AuthenticationError,
  type ErrorFacts,
  ForbiddenError,
  InvalidRequestError,
  NotFoundError,
  ProtocolError,
  RateLimitError,
  ServiceError,
  type StorelensError,
} from './errors.js';
import { parseRetryAfter } from './retry.js';

/** Longest text of an error that is looked at, in characters. */
const longestText = 65_536;

/** Replaces secrets in a text that is to be shown. */
export type Redact = (text: string) => string;

/** The error that an answer means, made from its status, headers and body. */
export function errorOf(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  body: string,
  now: number,
  redact: Redact,
): StorelensError {
  const { code, sentences } = readError(body.slice(0, longestText));
  const data = sentences.map(redact);
  // A date of the service counts by its own clock, which may differ from this one.
  const sent = Date.parse(headers.get('date') ?? '');
  const facts: ErrorFacts = {
    code: redact(code ?? `http-${status}`),
    status,
    requestId: requestIdOf(headers),
    data,
    retryAfter: parseRetryAfter(headers.get('retry-after'), Number.isNaN(sent) ? now : sent),
  };
  const [said, Family] = familyOf(status);
  const reason = data.length > 0 ? `: ${data.join(' ')}` : '.';
  return new Family(`${said} (${status}${code === undefined ? '' : ` ${facts.code}`})${reason}`, facts);
}

/** Id under which the service logged a request. */
export function requestIdOf(headers: Headers): string | undefined {
  for (const name of ['x-ms-request-id', 'x-request-id', 'ms-correlationid', 'request-id']) {
    const id = headers.get(name);
    if (id) return id;
  }
  return undefined;
}

function familyOf(status: number): [string, new (message: string, facts: ErrorFacts) => StorelensError] {
  if (status === 401) return ['The service does not accept the token', AuthenticationError];
  if (status === 403) return ['The service refuses access', ForbiddenError];
  if (status === 404 || status === 410) return ['The service has nothing at this address', NotFoundError];
  if (status === 429) return ['The service asks for fewer requests', RateLimitError];
  if (status >= 400 && status < 500) return ['The service refuses the request', InvalidRequestError];
  if (status >= 500) return ['The service failed', ServiceError];
  return ['The service answered with a status that this request does not expect', ProtocolError];
}

/**
 * Code and sentences of the forms of error that services print: the envelope with an inner error, the one of the
 * token endpoint, and flat ones.
 */
function readError(text: string): {
  readonly code: string | undefined;
  readonly sentences: readonly string[];
} {
  const body = record(parse(text));
  const inner = record(body.innererror);
  const sentences = strings(inner.data);
  const spare = [body.error_description, inner.message, body.message, body.error];
  return {
    code: [inner.code, body.code, body.error_description === undefined ? undefined : body.error].find(isText),
    sentences: sentences.length > 0 ? sentences : spare.filter(isText).slice(0, 1),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(isText) : [];
}
