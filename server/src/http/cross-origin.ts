/**
 * Cross-origin resource sharing (Fetch standard, section 3.2) for pages in browsers, from origins that the operator
 * named. The operator API and the metrics are never shared. Fastify's own plug-in is not used: it adds a route for every
 * path, and every unknown path would then be answered as a known one asked with a wrong method.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SettingError } from '../config.js';

const ownRoutes = /^\/(?:admin|metrics)(?:[/?]|$)/i;

/** What scripts may send and read beyond what every page may. */
const preflight = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT',
  'access-control-allow-headers':
    'Authorization, Content-Type, Content-Encoding, Idempotency-Key, If-None-Match, Range, client-request-id',
  'access-control-max-age': '7200',
} as const;
const exposed =
  'Content-Disposition, ETag, Retry-After, Server-Timing, Storelens-Notice, WWW-Authenticate, x-ms-request-id';

/** The origins of the setting `cors-origins`; throws a {@link SettingError} that names one which is none. */
export function originsOf(setting: string): ReadonlySet<string> {
  const origins = setting.split(',').map((origin) => origin.trim());
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new SettingError(
        `--cors-origins has '${origin}'; expected origins such as https://charts.example.org, with commas between them`,
      );
    }
  }
  return new Set(origins);
}

/** Lets pages of these origins call the server. */
export function shareWith(server: FastifyInstance, origins: ReadonlySet<string>): void {
  const shared = (request: FastifyRequest) => !ownRoutes.test(request.url);
  server.addHook('onRequest', async (request, reply) => {
    const { origin, 'access-control-request-method': method } = request.headers;
    if (origin === undefined || !origins.has(origin) || !shared(request)) return;
    reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', exposed);
    if (request.method !== 'OPTIONS' || method === undefined) return;
    return reply.code(204).headers(preflight).send();
  });
  // Last, because routes say themselves what else their answers depend on.
  server.addHook('onSend', async (request, reply) => {
    if (!shared(request) || reply.getHeader('access-control-allow-origin') === '*') return;
    const vary = reply.getHeader('vary');
    reply.header('vary', vary === undefined ? 'Origin' : `${vary}, Origin`);
  });
}
