/** One route for all datasets. Finds out who calls, hands the raw body to ingestion, and lets no sender hang. */
import { datasets } from '@storelens/contract';
import type { FastifyInstance } from 'fastify';
import { Failure } from '../failure.js';
import { bodyOf, drain, header, ingestCaller, onlyMethods, requireRight, sendJson } from './ingest-caller.js';
import type { Parts } from './parts.js';

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
      onlyMethods(request, reply, ['POST']);
      const caller = await ingestCaller(request, parts, {
        action: 'POST /ingest/v1/:dataset',
        target: dataset.name,
      });
      requireRight(caller, 'ingest');
      const answer = await parts.ingest.accept({
        dataset,
        accountId: caller.accountId,
        products: await parts.products.of(caller.accountId),
        ...bodyOf(request),
        idempotencyKey: header(request, 'idempotency-key'),
      });
      return sendJson(reply, answer);
    } finally {
      drain(request.raw);
    }
  });
}
