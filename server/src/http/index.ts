/**
 * The HTTP server: one Fastify instance and the explicit list of its routes. Bodies reach routes as raw streams,
 * whatever their content type; query strings are left to the features, which need them as they came.
 */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { SettingError, type Settings } from '../config.js';
import { Failure } from '../failure.js';
import type { Log } from '../log.js';
import { guidsOf, type Random } from '../system.js';
import { registerAdminRoutes } from './admin.js';
import { registerAnalyticsRoutes } from './analytics.js';
import { watchConnections } from './connections.js';
import { registerCrashRoutes } from './crashes.js';
import { originsOf, shareWith } from './cross-origin.js';
import { registerDiscoveryRoutes } from './discovery.js';
import { answerClientError, registerErrorHandlers, sendError } from './errors.js';
import { registerFileRoutes } from './files.js';
import { registerIngestRoutes } from './ingest.js';
import { registerMirrorRoutes } from './mirror.js';
import { registerOpenApiRoutes } from './openapi.js';
import { registerOperationsRoutes } from './operations.js';
import type { Parts } from './parts.js';
import { registerSymbolRoutes } from './symbols.js';
import { registerTokenRoutes } from './token.js';
import { sendRefusal, tenantRefusal } from './token-answers.js';

// Filters may have five hundred terms.
const maxHeaderBytes = 128 * 1024;

/** Options of Node's server, with and without TLS; Fastify itself sets the time that a whole request may take. */
function httpOptions(settings: Settings) {
  const seconds = settings['request-seconds'];
  return {
    maxHeaderSize: maxHeaderBytes,
    // Node answers a request without Host with an empty body; here it is answered like every other error.
    requireHostHeader: false,
    headersTimeout: Math.min(seconds, 60) * 1000,
    connectionsCheckingInterval: Math.min(seconds, 30) * 1000,
  } as const;
}

const mediaType = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;.*)?$/;

function tlsOptions(
  settings: Settings,
): { https: ReturnType<typeof httpOptions> & { cert: Buffer; key: Buffer } } | undefined {
  if (settings['tls-cert'] === null || settings['tls-key'] === null) return undefined;
  const cert = readSetting(settings, 'tls-cert');
  const key = readSetting(settings, 'tls-key');
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new SettingError(
      `--tls-cert and --tls-key are not a PEM certificate and its key: ${(error as Error).message}`,
    );
  }
  return { https: { ...httpOptions(settings), cert, key } };
}

/** The content of the file that a setting names. */
function readSetting(settings: Settings, name: 'tls-cert' | 'tls-key'): Buffer {
  try {
    return readFileSync(settings[name] ?? '');
  } catch (error) {
    throw new SettingError(`--${name} cannot be read: ${(error as Error).message}`);
  }
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.header('x-ms-request-id', request.id).header('x-content-type-options', 'nosniff');
}

/** Builds the server with all routes; it does not listen yet. */
export function buildHttp(parts: Parts, log: Log, random: Random): FastifyInstance {
  const { settings } = parts;
  const options = {
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    genReqId: guidsOf(random),
    // The one proxy in front: what stands before its own entry in X-Forwarded-For is whatever the caller wrote.
    trustProxy: settings['behind-proxy'] && ((_address: string, hop: number) => hop === 0),
    // Routes bound their bodies themselves, while they stream.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    requestTimeout: settings['request-seconds'] * 1000,
    forceCloseConnections: 'idle' as const,
    // A request that still arrives on an open connection while the server drains is answered like any other.
    return503OnClosing: false,
    routerOptions: {
      caseSensitive: false,
      ignoreTrailingSlash: true,
      // The tenant of a token address may be a domain name of 253 characters.
      maxParamLength: 300,
      querystringParser: () => ({}),
    },
    clientErrorHandler: answerClientError,
    // A path that cannot be decoded never meets a route, nor the hooks of one.
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      const refusal = tenantRefusal(request.url);
      if (refusal !== undefined) sendRefusal(request, reply, parts, refusal);
      else sendError(error, request, setCommonHeaders(request, reply), parts.publicUrl);
    },
  };
  const tls = tlsOptions(settings);
  const server: FastifyInstance =
    tls === undefined
      ? Fastify({ ...options, http: httpOptions(settings) })
      : (Fastify({ ...options, ...tls }) as unknown as FastifyInstance);

  const closeUnused = watchConnections(server.server);
  server.addHook('preClose', closeUnused);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  registerErrorHandlers(server, parts.publicUrl);
  server.addHook('onRequest', async (request, reply) => {
    setCommonHeaders(request, reply);
    const type = request.headers['content-type'];
    // The framework refuses types that it cannot read before any route is asked; to routes they are as good as none.
    if (type !== undefined && !mediaType.test(type)) delete request.raw.headers['content-type'];
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined) {
      throw new Failure('invalid-body', ['The header Host is missing.']);
    }
  });

  if (settings['cors-origins'] !== null) shareWith(server, originsOf(settings['cors-origins']));

  registerTokenRoutes(server, parts);
  registerDiscoveryRoutes(server, parts);
  registerAnalyticsRoutes(server, parts);
  registerFileRoutes(server, parts);
  registerIngestRoutes(server, parts);
  registerCrashRoutes(server, parts);
  registerSymbolRoutes(server, parts);
  registerMirrorRoutes(server, parts);
  registerAdminRoutes(server, parts);
  registerOpenApiRoutes(server, parts);
  registerOperationsRoutes(server, parts);
  return server;
}
