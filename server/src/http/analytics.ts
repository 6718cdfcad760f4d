/** One route for all reports, driven by the registry of reports. */
import { reports } from '@storelens/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Failure } from '../failure.js';
import { allows } from '../identity/index.js';
import type { Timings } from '../query/index.js';
import { RateLimit } from '../rate-limit.js';
import { acceptedBy } from './accept.js';
import { sendCompressed } from './compress.js';
import { addressOfFile } from './files.js';
import { setNotice } from './notice.js';
import type { Parts } from './parts.js';
import { sendWhole } from './whole.js';

const base = '/v1.0/my/analytics/';

/** Registers `GET /v1.0/my/analytics/{report}`; checks in the order path, verb, token, role, rate, parameters, product. */
export function registerAnalyticsRoutes(server: FastifyInstance, parts: Parts): void {
  const rate = new RateLimit(parts.settings['rate-limit'], parts.clock);
  const names = Object.keys(reports);

  server.all<{ Params: { '*': string } }>(`${base}*`, async (request, reply) => {
    const wanted = request.params['*'].replace(/\/$/, '').toLowerCase();
    const entry = Object.hasOwn(reports, wanted) ? reports[wanted] : undefined;
    if (entry === undefined) {
      throw new Failure('not-found', [
        `There is no report at this path; the reports are ${names.join(', ')}.`,
      ]);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      reply.header('allow', 'GET, HEAD');
      throw new Failure('method-not-allowed', [
        `${request.method} is not among the methods of this address: GET, HEAD`,
      ]);
    }
    const caller = await parts.identity.verify(request.headers.authorization);
    if (!allows(caller.role, 'read')) {
      throw new Failure('forbidden', [
        `The role '${caller.role}' may not read reports; it takes Manager or Reader.`,
      ]);
    }
    const mayDownload = parts.settings['cab-download'] === 'readers' || caller.role === 'Manager';
    if (entry.kind === 'file' && !mayDownload) {
      throw new Failure('forbidden', [
        `The role '${caller.role}' may not download crash files here; it takes Manager (cab-download is managers).`,
      ]);
    }
    // Client ids are unique within a tenant only.
    rate.take(`${caller.tenantId} ${caller.applicationId}`);
    const accepted = entry.kind === 'file' ? 'page' : acceptedBy(request.headers.accept);
    const products = await parts.products.of(caller.accountId);
    const target = request.raw.url ?? '';
    const mark = target.indexOf('?');
    const rawQuery = mark < 0 ? '' : target.slice(mark + 1);
    const scope = { ...caller, products, mayDownload };
    if (entry.kind === 'file') {
      const file = await whileConnected(request, (signal) =>
        parts.query.find(entry, rawQuery, scope, signal),
      );
      const { target: address, mark: addressMark } = await addressOfFile(file, caller.tenantId, parts);
      await parts.identity.audit({
        actor: caller.applicationId,
        action: `GET ${base}${entry.name}`,
        target: `${caller.tenantId}/${file.cabIdHash} address ${addressMark}`,
        outcome: 'ok',
        address: request.ip,
      });
      if (file.notices.length > 0) setNotice(reply, file.notices);
      return reply.header('cache-control', 'no-store').redirect(`${parts.publicUrl()}${address}`, 302);
    }
    const has = (tag: string) => isNamed(request.headers['if-none-match'], tag);
    if (accepted !== 'page') {
      return await sendWhole(request, reply, parts, { entry, rawQuery, scope, form: accepted, has });
    }
    const { body, notices, tag, coded, timings } =
      (await parts.query.repeat(entry, rawQuery, scope, { has })) ??
      (await whileConnected(request, (signal) => parts.query.run(entry, rawQuery, scope, { signal, has })));
    if (notices.length > 0) setNotice(reply, notices);
    reply.header('cache-control', 'private, no-cache').header('server-timing', serverTiming(timings));
    if (tag !== undefined) reply.header('etag', `W/"${tag}"`);
    reply.header('vary', 'Accept, Accept-Encoding');
    const sent =
      body === undefined
        ? reply.code(304).send()
        : sendCompressed(
            request,
            reply.header('content-type', 'application/json; charset=utf-8'),
            body,
            coded,
          );
    // The answer is on its way, or in the hands of a thread.
    parts.metrics.report(timings);
    return sent;
  });
}

/** Whether `If-None-Match` names the tag. Tags are weak: the same answer is sent in several content codings. */
function isNamed(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return Array.from(header.matchAll(/"([^"]*)"/g)).some(([, named]) => named === tag);
}

/** Does work whose signal aborts when the connection closes before the work is done. */
async function whileConnected<Result>(
  { raw: { socket } }: FastifyRequest,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  // Not the answer's own event: one that waits behind others on its connection has none.
  if (socket.destroyed) abort();
  socket.once('close', abort);
  try {
    return await work(controller.signal);
  } finally {
    socket.off('close', abort);
  }
}

/** `parse;dur=0.2, plan;dur=0.4, queue;dur=0.0, engine;dur=6.1, render;dur=0.1`: milliseconds, for `Server-Timing`. */
function serverTiming(timings: Timings): string {
  return Object.entries(timings)
    .map(([stage, milliseconds]) => `${stage};dur=${milliseconds.toFixed(1)}`)
    .join(', ');
}
