/** Symbol files of an account come in, are listed and removed; crashes are read again with them. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readReprocess } from '../crashes/index.js';
import { Failure } from '../failure.js';
import { allows, type Caller } from '../identity/index.js';
import { drain, header, ingestCaller, onlyMethods, requireRight, sendJson } from './ingest-caller.js';
import { readJson } from './json-body.js';
import type { Parts } from './parts.js';

/** Registers `/ingest/v1/symbols`, `/ingest/v1/symbols/{debugId}` and `POST /ingest/v1/crashes/reprocess`. */
export function registerSymbolRoutes(server: FastifyInstance, parts: Parts): void {
  const { crashes } = parts;

  async function callerOf(request: FastifyRequest): Promise<Caller> {
    const action = `${request.method} ${request.routeOptions.url ?? ''}`;
    const path = request.routeOptions.url
      ?.replace(/^\/ingest\/v1\//, '')
      .replace(':debugId', debugIdOf(request));
    return await ingestCaller(request, parts, { action, target: path ?? '' });
  }

  server.all('/ingest/v1/symbols', async (request, reply) => {
    try {
      onlyMethods(request, reply, ['GET', 'POST']);
      const caller = await callerOf(request);
      if (request.method === 'GET') {
        requireAnyRole(caller);
        return sendJson(reply, { value: await crashes.symbols(caller.accountId) });
      }
      requireRight(caller, 'ingest');
      const encoding = header(request, 'content-encoding');
      return sendJson(reply, await crashes.acceptSymbols(caller.accountId, request.raw, encoding));
    } finally {
      drain(request.raw);
    }
  });

  server.all<{ Params: { debugId: string } }>('/ingest/v1/symbols/:debugId', async (request, reply) => {
    onlyMethods(request, reply, ['DELETE']);
    const caller = await callerOf(request);
    requireRight(caller, 'ingest');
    const { debugId } = request.params;
    if (!(await crashes.removeSymbols(caller.accountId, debugId))) {
      throw new Failure('not-found', [`There are no symbols with the debug id '${debugId}'.`]);
    }
    return reply.code(204).header('cache-control', 'no-store').send();
  });

  server.all('/ingest/v1/crashes/reprocess', async (request, reply) => {
    try {
      onlyMethods(request, reply, ['POST']);
      const caller = await callerOf(request);
      requireRight(caller, 'ingest');
      const { accountId } = caller;
      const narrowed = readReprocess(await readJson(request, {}));
      const products = await parts.products.of(accountId);
      return sendJson(reply, await crashes.reprocess({ accountId, products, ...narrowed }));
    } finally {
      drain(request.raw);
    }
  });
}

/** What an account has of symbols, both those who read reports and those who send may know. */
function requireAnyRole(caller: Caller): void {
  if (!allows(caller.role, 'ingest')) requireRight(caller, 'read');
}

function debugIdOf(request: FastifyRequest): string {
  return (request.params as { readonly debugId?: string }).debugId ?? '';
}
