/**
 * Errors to status and body: the only place that knows both. Features throw `Failure`, adapters `EngineError`,
 * Fastify its own; whatever is unknown is logged and answered with the request id and nothing else.
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ErrorCode, errorBody, errors } from '@storelens/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EngineError } from '../engine/index.js';
import { Failure } from '../failure.js';
import { RegistryDiskError } from '../registry/index.js';

const contentType = 'application/json; charset=utf-8';

/** The error as one of the catalogue; `undefined` for a fault of ours. */
export function toFailure(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  if (error instanceof EngineError) return engineFailure(error);
  if (error instanceof RegistryDiskError) {
    return new Failure('unavailable', ['The disk of the server is full or fails.'], {
      cause: error,
      retryAfter: 30,
    });
  }
  const status = (error as { readonly statusCode?: unknown } | null)?.statusCode;
  if (status === 413) return new Failure('too-large', ['The request body is too large.'], { cause: error });
  if (status === 414) return new Failure('not-found', ['No address has a part that long.'], { cause: error });
  if (status === 415) return new Failure('unsupported-media-type', [], { cause: error });
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Failure('invalid-body', [(error as Error).message], { cause: error });
  }
  return undefined;
}

function engineFailure(error: EngineError): Failure | undefined {
  switch (error.kind) {
    case 'too-large':
      return new Failure(
        'range-too-large',
        ['The range is too large for one query; ask for less at a time.'],
        {
          cause: error,
          retryAfter: 5,
        },
      );
    case 'unavailable':
      return new Failure('unavailable', ['The engine is busy or cannot be reached.'], {
        cause: error,
        retryAfter: 2,
      });
    case 'refused':
    case 'fault':
      return undefined;
  }
}

/** Sends an error in the documented envelope and logs it where it is ours. */
export function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  publicUrl: () => string,
): FastifyReply {
  let failure = toFailure(error);
  if (failure === undefined) {
    request.log.error({ err: error }, 'request failed');
    failure = new Failure('internal', [request.id]);
  } else if (errors[failure.code].status >= 500) {
    request.log.warn({ err: failure.cause ?? failure }, 'request could not be answered');
  }
  const entry = errors[failure.code];
  if (failure.retryAfter !== undefined)
    reply.header('retry-after', String(Math.max(1, Math.ceil(failure.retryAfter))));
  if (failure.code === 'token-missing' || failure.code === 'token-invalid') {
    const reason = (failure.data[0] ?? entry.inner.message).replaceAll(/["\\]/g, "'");
    reply.header(
      'www-authenticate',
      `Bearer authorization_uri="${publicUrl()}/common/oauth2/authorize", error="invalid_token", error_description="${reason}"`,
    );
  }
  return reply
    .code(entry.status)
    .header('content-type', contentType)
    .send(JSON.stringify(errorBody(entry, failure.data)));
}

/** Makes every error of an instance answer in the envelope, unknown paths (404) and methods (405) included. */
export function registerErrorHandlers(server: FastifyInstance, publicUrl: () => string): void {
  const routes: { readonly pattern: RegExp; readonly methods: Set<string> }[] = [];
  server.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(
      `^${url
        .replace(/[.+?^$()|[\]\\]/g, '\\$&')
        .replace(/:[^/]+/g, '[^/]+')
        .replace(/\*/g, '.*')}/?$`,
      'i',
    );
    routes.push({ pattern, methods: new Set([method].flat()) });
  });
  server.setErrorHandler((error, request, reply) => sendError(error, request, reply, publicUrl));
  server.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?', 1);
    const methods = new Set(
      routes.filter(({ pattern }) => pattern.test(path)).flatMap((route) => [...route.methods]),
    );
    // A pattern with a star matches paths that its route leaves to nobody; that is no matter of the verb.
    if (methods.size === 0 || methods.has(request.method)) {
      return sendError(
        new Failure('not-found', ['The path names nothing that this server has.']),
        request,
        reply,
        publicUrl,
      );
    }
    const allowed = [...methods].sort().join(', ');
    reply.header('allow', allowed);
    return sendError(
      new Failure('method-not-allowed', [
        `${request.method} is not among the methods of this address: ${allowed}`,
      ]),
      request,
      reply,
      publicUrl,
    );
  });
}

/** How long a connection stays after its last answer, for a client that is slow to read or never goes. */
const lingering = 2000;

/** Answers what never became a request: malformed HTTP, headers too long, a stalled client. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const code: ErrorCode = 'invalid-body';
  const reason =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'The request line and headers are too long.'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'The request did not arrive in time.'
        : 'The request is not valid HTTP/1.1; percent-encode blanks (%20) and characters beyond ASCII in the address.';
  const { status } = errors[code];
  const body = JSON.stringify(errorBody(errors[code], [reason]));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${contentType}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  const timer = setTimeout(() => socket.destroy(), lingering).unref();
  socket.once('close', () => clearTimeout(timer));
}
