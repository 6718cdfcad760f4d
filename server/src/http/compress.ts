/**
 * Compressed answers: picks a content coding by `Accept-Encoding` and compresses whole bodies on libuv's threads. A
 * page of 10,000 rows (2.8 MB) shrinks to a twentieth in 5 ms beside the event loop. Who names no coding gets the
 * plain bytes. Streams, files and errors are not compressed.
 *
 * `@fastify/compress` was looked at: it compresses small buffers on the event loop and makes chunked streams of the
 * others, without Content-Length. `@fastify/accept-negotiator` takes `br;q=0, *` for a wish for brotli.
 */
import { promisify } from 'node:util';
import { brotliCompress, gzip, constants as zlib } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

type Coding = 'br' | 'gzip';

/** Bytes that travel in one packet anyway; a trip to a thread and back takes 0.2 ms. */
const smallest = 1400;

/** Bytes of output for which one trip to a thread suffices; Node's 16 KiB take twice the time on a large page. */
const chunkSize = 64 * 1024;

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

/** Higher qualities cost more time than they save: brotli 4 takes three times as long for a quarter fewer bytes. */
const compressors: Readonly<Record<Coding, (body: Buffer) => Promise<Buffer>>> = {
  br: (body) =>
    brotliAsync(body, {
      chunkSize,
      params: { [zlib.BROTLI_PARAM_QUALITY]: 1, [zlib.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  gzip: (body) => gzipAsync(body, { chunkSize, level: 1 }),
};

/** Weights by coding; a part that is no coding with a weight counts for nothing. */
function weightsOf(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const part of header.toLowerCase().split(',')) {
    const match = /^\s*([\w!#$%&'*+.^`|~-]+)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/.exec(
      part,
    );
    if (match?.[1] !== undefined) weights.set(match[1], match[2] === undefined ? 1 : Number(match[2]));
  }
  return weights;
}

/**
 * The coding to use for a body of that many bytes under an `Accept-Encoding` header: of those with the greatest weight
 * brotli, then gzip; undefined for plain bytes. These go to small bodies unless the header refuses them, and to those
 * who accept nothing that there is.
 */
export function codingFor(header: string | undefined, bytes = Number.POSITIVE_INFINITY): Coding | undefined {
  if (header === undefined) return undefined;
  const weights = weightsOf(header);
  const others = weights.get('*') ?? 0;
  const brotli = weights.get('br') ?? others;
  const gzipped = Math.max(weights.get('gzip') ?? others, weights.get('x-gzip') ?? 0);
  const plain = weights.get('identity') ?? 0;
  const best = Math.max(brotli, gzipped);
  if (best === 0 || plain > best) return undefined;
  const refused = (weights.get('identity') ?? weights.get('*')) === 0;
  if (bytes < smallest && !refused) return undefined;
  return brotli === best ? 'br' : 'gzip';
}

/**
 * Sends a body in the coding that the request prefers, with `Vary` unless that is set. Content-Length is that of the bytes sent, for
 * HEAD of those that GET would send. `known` holds the body in codings that it was sent in before.
 */
export async function sendCompressed(
  request: FastifyRequest,
  reply: FastifyReply,
  body: Buffer,
  known?: Pick<Map<string, Buffer>, 'get'> & { set(coding: string, bytes: Buffer): unknown },
): Promise<FastifyReply> {
  if (!reply.hasHeader('vary')) reply.header('vary', 'Accept-Encoding');
  const coding = codingFor(request.headers['accept-encoding'], body.length);
  if (coding === undefined) return reply.send(body);
  let packed = known?.get(coding);
  if (packed === undefined) {
    packed = await compressors[coding](body);
    known?.set(coding, packed);
  }
  return reply.header('content-encoding', coding).send(packed);
}
