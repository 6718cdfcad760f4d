/**
 * Downloads of crash files. `cabdownload` sends its callers here with an address that is signed and short-lived; it
 * alone decides, so a token that a client sends along is not looked at. What a crash file holds came from a stranger
 * and may harm whoever opens it: it is served to be kept, under a name of ours, never to be shown.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findCrashFile } from '../crashes/index.js';
import { Failure } from '../failure.js';
import { crashFileExpiry, crashFileKey, type FileAddress, wantedBytes } from '../files/index.js';
import { TokenRefusal } from '../identity/index.js';
import { RateLimit } from '../rate-limit.js';
import type { Parts } from './parts.js';

/** A receiver that takes nothing for this many milliseconds has gone. */
const patience = 60_000;

type FileRequest = FastifyRequest<{ Params: { tenant: string; file: string } }>;

/** A file that an address opens. */
interface Found {
  readonly key: string;
  readonly cabIdHash: string;
  /** Tells the address apart in the audit. */
  readonly mark: string;
}

/** Registers `GET` and `HEAD /files/v1/{tenant}/{cabIdHash}.cab`. */
export function registerFileRoutes(server: FastifyInstance, parts: Parts): void {
  const rate = new RateLimit(parts.settings['rate-limit'], parts.clock);
  server.route<{ Params: { tenant: string; file: string } }>({
    method: ['GET', 'HEAD'],
    url: '/files/v1/:tenant/:file',
    handler: (request, reply) => serve(request, reply, parts, rate),
  });
}

/** An address for a file that a query found. Throws Failure `not-found` if the file itself is not there. */
export async function addressOfFile(
  {
    accountId,
    cabIdHash,
    day,
  }: { readonly accountId: string; readonly cabIdHash: string; readonly day: string },
  tenantId: string,
  { files, fileAddresses }: Pick<Parts, 'files' | 'fileAddresses'>,
): Promise<FileAddress> {
  if ((await files.size(crashFileKey(accountId, day, cabIdHash))) === undefined) {
    throw new Failure('not-found', ['The crash file was removed.']);
  }
  return fileAddresses.make({ tenantId, accountId, file: cabIdHash });
}

/** One answer for everything that is not to be had, so that it tells nothing. */
function nothingHere(): Failure {
  return new Failure('not-found', [
    'There is no such file, or this address is no longer good: addresses of files last for ten minutes. ' +
      'Ask cabdownload for a new one.',
  ]);
}

async function serve(
  request: FileRequest,
  reply: FastifyReply,
  parts: Parts,
  rate: RateLimit,
): Promise<FastifyReply> {
  const { files, identity } = parts;
  reply.header('cache-control', 'private, no-store');
  const { key, cabIdHash, mark } = await find(request, parts, rate);
  const size = await files.size(key);
  if (size === undefined) throw nothingHere();
  // A file never changes under its id.
  const etag = `"${cabIdHash}"`;
  const head = request.method === 'HEAD';
  const wanted = head
    ? 'all'
    : wantedBytes(request.headers.range, single(request.headers['if-range']), size, etag);
  reply.header('accept-ranges', 'bytes').header('etag', etag);
  if (wanted === 'none') {
    reply.header('content-range', `bytes */${size}`);
    throw new Failure('range-not-satisfiable', [`The file has ${size} bytes.`]);
  }
  const range = wanted === 'all' ? { start: 0, end: size - 1 } : wanted;
  reply
    .code(wanted === 'all' ? 200 : 206)
    .header('content-type', 'application/vnd.ms-cab-compressed')
    .header('content-disposition', `attachment; filename="${cabIdHash}.cab"`)
    .header('content-length', String(range.end - range.start + 1));
  if (wanted !== 'all') reply.header('content-range', `bytes ${range.start}-${range.end}/${size}`);
  if (head) return reply.send();

  const opened = await files.open(key, range);
  if (opened === undefined) throw nothingHere();
  try {
    await identity.audit({
      actor: `address ${mark}`,
      action: 'GET /files/v1',
      target: `${request.params.tenant}/${cabIdHash}`,
      outcome: 'ok',
      address: request.ip,
    });
  } catch (error) {
    opened.stream.destroy();
    throw error;
  }
  reply.raw.setTimeout(patience, () => request.raw.socket.destroy());
  return reply.send(opened.stream);
}

/** What an address opens: it is genuine, and tenant, crash and the file's time are as they should be. */
async function find(request: FileRequest, parts: Parts, rate: RateLimit): Promise<Found> {
  const { clock, engine, fileAddresses, identity, mirror, settings } = parts;
  const cabIdHash = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.cab$/.exec(request.params.file)?.[1];
  const query = new URLSearchParams(request.raw.url?.split('?').slice(1).join('?'));
  const accountId = await accountOf(request.params.tenant, identity);
  if (cabIdHash === undefined || accountId === undefined) throw nothingHere();
  const mark = fileAddresses.check({
    accountId,
    file: cabIdHash,
    key: query.get('key') ?? '',
    expires: query.get('expires') ?? '',
    signature: query.get('signature') ?? '',
  });
  if (mark === undefined) throw nothingHere();
  // Counted once it is genuine: strangers must not use up what a tenant may ask. It tells no application.
  rate.take(request.params.tenant);
  const crash =
    (await findCrashFile(engine, accountId, cabIdHash)) ?? (await mirror.file(accountId, cabIdHash));
  if (crash === undefined) throw nothingHere();
  const expiry = crashFileExpiry(crash.time, settings['crash-file-days']);
  if (expiry !== undefined && expiry <= clock.now()) throw nothingHere();
  return { key: crashFileKey(accountId, crash.day, cabIdHash), cabIdHash, mark };
}

/** The account of an enabled tenant that is named by its id in lower case. */
async function accountOf(tenantId: string, identity: Parts['identity']): Promise<string | undefined> {
  try {
    const tenant = await identity.findTenant(tenantId);
    return tenant.tenantId === tenantId ? tenant.accountId : undefined;
  } catch (error) {
    if (error instanceof TokenRefusal) return undefined;
    throw error;
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join() : header;
}
