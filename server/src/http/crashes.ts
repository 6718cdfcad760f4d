/** Crashes: a file with its event comes in, and one stored failure is told in full. */
import type { FastifyInstance } from 'fastify';
import { Failure } from '../failure.js';
import { readIdempotencyKey } from '../ingest/index.js';
import { bodyOf, drain, header, ingestCaller, onlyMethods, requireRight, sendJson } from './ingest-caller.js';
import type { Parts } from './parts.js';

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Registers `POST /ingest/v1/crashes` and `GET /ingest/v1/crashes/{cabIdHash}`. */
export function registerCrashRoutes(server: FastifyInstance, parts: Parts): void {
  server.all('/ingest/v1/crashes', async (request, reply) => {
    try {
      onlyMethods(request, reply, ['POST']);
      const action = 'POST /ingest/v1/crashes';
      const caller = await ingestCaller(request, parts, { action, target: 'crashes' });
      requireRight(caller, 'ingest');
      const { source, applicationId } = queryOf(request.url);
      const answer = await parts.crashes.accept({
        accountId: caller.accountId,
        products: await parts.products.of(caller.accountId),
        ...bodyOf(request),
        source,
        applicationId,
        idempotencyKey: readIdempotencyKey(header(request, 'idempotency-key')),
      });
      return sendJson(reply, answer);
    } finally {
      drain(request.raw);
    }
  });

  server.all<{ Params: { cabIdHash: string } }>('/ingest/v1/crashes/:cabIdHash', async (request, reply) => {
    onlyMethods(request, reply, ['GET']);
    const { cabIdHash } = request.params;
    const action = 'GET /ingest/v1/crashes/:cabIdHash';
    const caller = await ingestCaller(request, parts, { action, target: 'crashes' });
    requireRight(caller, 'read');
    const crash = guid.test(cabIdHash) ? await parts.crashes.crash(caller.accountId, cabIdHash) : undefined;
    if (crash === undefined) throw new Failure('not-found', [`There is no crash '${cabIdHash}'.`]);
    return sendJson(reply, crash);
  });
}

/** What the query says instead of an event. */
function queryOf(url: string): { source: string | undefined; applicationId: string | undefined } {
  const found = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(/\?(.*)$/s.exec(url)?.[1] ?? '')) {
    const known = ['source', 'applicationId'].find((one) => one.toLowerCase() === name.toLowerCase());
    if (known === undefined) {
      throw new Failure('invalid-parameters', [
        `Unknown parameter '${name}'; expected source and applicationId.`,
      ]);
    }
    if (found.has(known)) throw new Failure('invalid-parameters', [`${known} is given twice.`]);
    found.set(known, value);
  }
  return { source: found.get('source'), applicationId: found.get('applicationId') };
}
