/**
 * What token endpoint and discovery share: a corner of the server with body parsing and errors of its own, and the
 * one shape of their errors. These endpoints speak Microsoft's identity dialect, not that of the analytics API.
 */
import { type TokenErrorCode, tokenErrors } from '@storelens/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { TokenRefusal } from '../identity/index.js';
import { newGuid, type Random } from '../system.js';
import type { Parts } from './parts.js';

/** What these endpoints need of the server's parts. */
export type TokenParts = Pick<Parts, 'identity' | 'clock' | 'random' | 'publicUrl'>;

/** Largest body of a token request; a real one has less than a kibibyte. */
const bodyLimit = 64 * 1024;
const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The body as text: bodies of any type are taken as they come, the grant judges their type. */
export function bodyText(request: FastifyRequest): string {
  return Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
}

/** A parameter of the query; undefined when it is absent or given twice. The server leaves queries unparsed. */
export function queryParameter(request: FastifyRequest, name: string): string | undefined {
  const start = request.url.indexOf('?');
  const values = new URLSearchParams(start < 0 ? '' : request.url.slice(start)).getAll(name);
  return values.length === 1 ? values[0] : undefined;
}

/** The caller's own request id (header, else query, else form) if it is a GUID. */
function clientRequestId(request: FastifyRequest): string | undefined {
  const given =
    request.headers['client-request-id'] ??
    queryParameter(request, 'client-request-id') ??
    new URLSearchParams(bodyText(request)).get('client-request-id');
  return typeof given === 'string' && guid.test(given) ? given : undefined;
}

/** Sets the headers that every answer of these endpoints has; returns the ids they carry. */
export function identify(
  request: FastifyRequest,
  reply: FastifyReply,
  random: Random,
): { readonly traceId: string; readonly correlationId: string } {
  const given = clientRequestId(request);
  reply.header('x-ms-request-id', request.id).header('x-content-type-options', 'nosniff');
  if (
    given !== undefined &&
    request.headers['return-client-request-id']?.toString().toLowerCase() === 'true'
  ) {
    reply.header('client-request-id', given);
  }
  return { traceId: request.id, correlationId: given ?? newGuid(random) };
}

/** Forbids every cache to keep the answer. */
export function neverCached(reply: FastifyReply): FastifyReply {
  return reply
    .header('cache-control', 'no-store, no-cache')
    .header('pragma', 'no-cache')
    .header('expires', '-1');
}

/** Sends JSON text with its type spelt as the service does. */
export function sendJson(reply: FastifyReply, body: object): FastifyReply {
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}

/** Answers a refusal in the documented shape. Never with `WWW-Authenticate`: clients then hide the body. */
export function sendRefusal(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: TokenParts,
  refusal: TokenRefusal,
): FastifyReply {
  const { traceId, correlationId } = identify(request, reply, parts.random);
  const timestamp = new Date(parts.clock.now())
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
  const { code, entry, message } = refusal;
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter));
  request.log.info({ aadsts: code }, 'token request refused');
  return sendJson(neverCached(reply).status(entry.status), {
    error: entry.error,
    error_description: `AADSTS${code}: ${message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `${parts.publicUrl()}/error?code=${code}`,
  });
}

/** What became of a request before or outside the grant, as a refusal. */
function refusalOf(error: unknown): TokenRefusal {
  if (error instanceof TokenRefusal) return error;
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status === 415) return new TokenRefusal(900144, { parameter: 'grant_type' });
  return new TokenRefusal(status >= 400 && status < 500 ? 9002313 : 90033);
}

const tenantPath =
  /^\/([^/?]*)\/(?:oauth2\/(?:v2\.0\/)?(?:token|authorize)|(?:v2\.0\/)?\.well-known\/openid-configuration|discovery\/(?:v2\.0\/)?keys)\/?(?:\?|$)/i;

/** The refusal of an address of these endpoints whose tenant cannot be decoded; undefined for other addresses. */
export function tenantRefusal(target: string): TokenRefusal | undefined {
  const tenant = tenantPath.exec(target)?.[1];
  return tenant === undefined ? undefined : new TokenRefusal(900023, { tenant });
}

/**
 * Opens a corner of the server whose bodies are read whole and whose errors have the shape of the token endpoint;
 * `routes` registers what is in it.
 */
export function tokenScope(
  server: FastifyInstance,
  parts: TokenParts,
  routes: (scope: FastifyInstance) => void,
): void {
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) =>
      done(null, body),
    );
    scope.setErrorHandler((error, request, reply) => {
      const refusal = refusalOf(error);
      if (refusal.code === 90033) request.log.error({ err: error }, 'token request failed');
      return sendRefusal(request, reply, parts, refusal);
    });
    routes(scope);
  });
}

/** Registers a handler for one method of an address; OPTIONS tells which one, all others are refused with 405. */
export function onlyMethod(
  scope: FastifyInstance,
  method: 'GET' | 'POST',
  url: string,
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
): void {
  const allow = `${method}, OPTIONS`;
  const own: readonly HTTPMethods[] = method === 'GET' ? ['GET', 'HEAD'] : ['POST'];
  scope.route({ method: [...own], url, exposeHeadRoute: false, handler });
  scope.route({
    method: 'OPTIONS',
    url,
    handler: async (_request, reply) => reply.status(204).header('allow', allow).send(),
  });
  scope.route({
    method: scope.supportedMethods.filter((other) => other !== 'OPTIONS' && !own.includes(other)),
    url,
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      reply.header('allow', allow);
      throw new TokenRefusal(900561, { allow, method: request.method });
    },
  });
}

/** The page behind `error_uri`: the text of a code and what to do; undefined for a code that is not ours. */
export function errorPage(code: string): string | undefined {
  const entry = Object.hasOwn(tokenErrors, code) ? tokenErrors[Number(code) as TokenErrorCode] : undefined;
  return entry === undefined ? undefined : `AADSTS${code}: ${entry.text}\n\n${entry.help}\n`;
}
