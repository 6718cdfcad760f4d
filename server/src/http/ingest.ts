/** One route for all datasets. Finds out who calls, hands the raw body to ingestion, and lets no sender hang. */
import type { IncomingMessage } from 'node:http';
import { datasets } from '@storelens/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Failure } from '../failure.js';
import { allows, type Caller } from '../identity/index.js';
import { requireOperator } from './operator-access.js';
import type { Parts } from './parts.js';

/** What is still read of a body that was refused: enough for most senders to finish and read the answer. */
const drained = { bytes: 64 * 1024 * 1024, milliseconds: 15_000 } as const;

/** Registers `POST /ingest/v1/{dataset}`; checks in the order path, verb, token, role, body. */
export function registerIngestRoutes(server: FastifyInstance, parts: Parts): void {
  const names = Object.keys(datasets).join(', ');

  server.all<{ Params: { dataset: string } }>('/ingest/v1/:dataset', async (request, reply) => {
    try {
      const wanted = request.params.dataset.toLowerCase();
      const dataset = Object.hasOwn(datasets, wanted) ? datasets[wanted] : undefined;
      if (dataset === undefined) {
        throw new Failure('not-found', [`There is no dataset '${wanted}'; the datasets are ${names}.`]);
      }
      if (request.method !== 'POST') {
        reply.header('allow', 'POST');
        throw new Failure('method-not-allowed', [
          `${request.method} is not among the methods of this address: POST`,
        ]);
      }
      const caller = await callerOf(request, parts, dataset.name);
      if (!allows(caller.role, 'ingest')) {
        throw new Failure('forbidden', [
          `The role '${caller.role}' may not ingest; it takes Manager or Ingestor.`,
        ]);
      }
      const length = header(request, 'content-length');
      const answer = await parts.ingest.accept({
        dataset,
        accountId: caller.accountId,
        products: await parts.products.of(caller.accountId),
        body: request.raw,
        contentType: header(request, 'content-type'),
        contentEncoding: header(request, 'content-encoding'),
        contentLength: length === undefined ? undefined : Number(length),
        idempotencyKey: header(request, 'idempotency-key'),
      });
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(JSON.stringify(answer));
    } finally {
      drain(request.raw);
    }
  });
}

/** The application behind the token, or, with `Storelens-Tenant`, the operator acting for that tenant. */
async function callerOf(request: FastifyRequest, parts: Parts, dataset: string): Promise<Caller> {
  const tenantId = header(request, 'storelens-tenant');
  const { identity } = parts;
  if (tenantId === undefined) return await identity.verify(request.headers.authorization);
  await requireOperator(request, parts);
  const caller = await identity.operatorCaller(tenantId);
  await identity.audit({
    actor: 'operator',
    action: 'POST /ingest/v1/:dataset',
    target: `${tenantId}/${dataset}`,
    outcome: 'ok',
    address: request.ip,
  });
  return caller;
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/**
 * Reads on, for a while, what is left of a body that was refused early: a sender that only listens once it has sent
 * everything gets its answer, one that never ends is cut off.
 */
function drain(raw: IncomingMessage): void {
  if (raw.complete || raw.destroyed) return;
  const cut = () => raw.destroy();
  const timer = setTimeout(cut, drained.milliseconds).unref();
  let left: number = drained.bytes;
  raw.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cut();
  });
  raw.on('error', () => undefined);
  raw.once('close', () => clearTimeout(timer));
}
