/**
 * Sends whole results as they come from the engine. Until the first rows are there an error is an error status; later
 * it breaks the connection off, because an answer that ends properly would be taken for complete. A client that takes
 * nothing for too long is cut off, and one that has gone ends the query.
 */
import { type Duplex, pipeline, Readable } from 'node:stream';
import { createBrotliCompress, createGzip, constants as zlib } from 'node:zlib';
import type { ReportEntry } from '@storelens/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Form, QueryScope } from '../query/index.js';
import { codingFor } from './compress.js';
import { toFailure } from './errors.js';
import { setNotice } from './notice.js';
import type { Parts } from './parts.js';

const files: Readonly<Record<Form, { readonly type: string; readonly extension: string; text: boolean }>> = {
  csv: { type: 'text/csv; charset=utf-8; header=present', extension: 'csv', text: true },
  'raw-csv': { type: 'text/csv; charset=utf-8; header=present; raw=true', extension: 'csv', text: true },
  ndjson: { type: 'application/x-ndjson; charset=utf-8', extension: 'ndjson', text: true },
  parquet: { type: 'application/vnd.apache.parquet', extension: 'parquet', text: false },
};

/** Bytes that a client has to take in time. */
const portion = 64 * 1024;

/** A request for a whole result, its caller known. */
export interface WholeRequest {
  readonly entry: ReportEntry;
  readonly rawQuery: string;
  readonly scope: QueryScope;
  readonly form: Form;
  readonly has: (tag: string) => boolean;
}

/** Answers with the whole result. */
export async function sendWhole(
  request: FastifyRequest,
  reply: FastifyReply,
  { query, settings }: Parts,
  { entry, rawQuery, scope, form, has }: WholeRequest,
): Promise<FastifyReply> {
  const { socket } = request.raw;
  const gone = new AbortController();
  const leave = () => gone.abort();
  if (socket.destroyed) leave();
  socket.once('close', leave);
  const late = () => {
    // Before the status line there is still an error to be told.
    if (reply.raw.headersSent) socket.destroy();
    else leave();
  };
  const timer = setTimeout(late, settings['stream-seconds'] * 1000);
  reply.raw.once('close', () => {
    clearTimeout(timer);
    socket.off('close', leave);
    leave();
  });

  const rows = request.method !== 'HEAD';
  const answer = await query.whole(entry, rawQuery, scope, { form, signal: gone.signal, has, rows });
  const { type, extension, text } = files[form];
  if (answer.notices.length > 0) setNotice(reply, answer.notices);
  reply
    .header('cache-control', 'private, no-cache')
    .header('etag', `W/"${answer.tag}"`)
    .header('vary', 'Accept, Accept-Encoding');
  if (answer.rows === undefined && (rows || has(answer.tag))) return reply.code(304).send();
  reply
    .header('content-type', type)
    .header('content-disposition', `attachment; filename="${answer.name}.${extension}"`);
  if (answer.rows === undefined) return reply.send();

  const stalled = () => {
    request.log.info({ form }, 'a client took no rows for too long');
    socket.destroy();
  };
  const portions = inTime(answer.rows, settings['stream-stall-seconds'] * 1000, stalled);
  const source = Readable.from(breakingOff(portions, request, gone.signal), {
    objectMode: false,
    highWaterMark: portion,
  });
  const coding = text ? codingFor(request.headers['accept-encoding']) : undefined;
  if (coding === undefined) return reply.send(source);
  const compressor: Duplex =
    coding === 'br'
      ? createBrotliCompress({ params: { [zlib.BROTLI_PARAM_QUALITY]: 1 } })
      : createGzip({ level: 1 });
  return reply.header('content-encoding', coding).send(pipeline(source, compressor, () => {}));
}

/** The bytes in portions; `stalled` is called when the reader does not ask for the next one in time. */
async function* inTime(
  pieces: AsyncIterable<Uint8Array>,
  milliseconds: number,
  stalled: () => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; start += portion) {
      const timer = setTimeout(stalled, milliseconds);
      try {
        yield piece.subarray(start, start + portion);
      } finally {
        clearTimeout(timer);
      }
    }
  }
}

/** The same bytes; an error is logged and breaks the connection off before anybody can end the answer properly. */
async function* breakingOff(
  pieces: AsyncIterable<Uint8Array>,
  request: FastifyRequest,
  gone: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    if (!gone.aborted) {
      const ours = toFailure(error) === undefined;
      request.log[ours ? 'error' : 'warn']({ err: error }, 'a whole result broke off');
    }
    request.raw.socket.destroy();
    throw error;
  }
}
