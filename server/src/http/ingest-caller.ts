/** What all routes below `/ingest/v1` share: methods, who calls, bodies as they come, answers, bodies refused early. */
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Failure } from '../failure.js';
import { allows, type Caller, type Right } from '../identity/index.js';
import { requireOperator } from './operator-access.js';
import type { Parts } from './parts.js';

/** What is still read of a body that was refused: enough for most senders to finish and read the answer. */
const drained = { bytes: 64 * 1024 * 1024, milliseconds: 15_000 } as const;

/** A call as the audit names it when the operator makes it on behalf of a tenant. */
export interface IngestCall {
  /** For example `POST /ingest/v1/:dataset`. */
  readonly action: string;
  /** What it is about; stands behind the tenant's id. */
  readonly target: string;
}

/**
 * The application behind the token, or, with `Storelens-Tenant`, the operator acting for that tenant. Throws Failure
 * for tokens, keys and unknown tenants; the role is not looked at.
 */
export async function ingestCaller(
  request: FastifyRequest,
  { identity, settings }: Pick<Parts, 'identity' | 'settings'>,
  { action, target }: IngestCall,
): Promise<Caller> {
  const tenantId = header(request, 'storelens-tenant');
  const { authorization } = request.headers;
  if (tenantId === undefined) {
    if (/^bearer [\w-]{43}$/i.test(authorization ?? '')) {
      throw new Failure('token-invalid', [
        'This is no access token; with the operator key, the header Storelens-Tenant names the tenant.',
      ]);
    }
    return await identity.verify(authorization);
  }
  await requireOperator(request, { identity, settings });
  const caller = await identity.operatorCaller(tenantId);
  await identity.audit({
    actor: 'operator',
    action,
    target: `${tenantId}/${target}`,
    outcome: 'ok',
    address: request.ip,
  });
  return caller;
}

/** Refuses a caller whose role does not give the right. */
export function requireRight(caller: Caller, right: Right): void {
  if (allows(caller.role, right)) return;
  const [verb, roles] =
    right === 'ingest' ? ['ingest', 'Manager or Ingestor'] : ['read', 'Manager or Reader'];
  throw new Failure('forbidden', [`The role '${caller.role}' may not ${verb}; it takes ${roles}.`]);
}

/** Refuses a request whose method is none of these, with the header Allow. */
export function onlyMethods(request: FastifyRequest, reply: FastifyReply, methods: readonly string[]): void {
  if (methods.includes(request.method)) return;
  reply.header('allow', methods.join(', '));
  throw new Failure('method-not-allowed', [
    `${request.method} is not among the methods of this address: ${methods.join(', ')}`,
  ]);
}

/** Answers 200 with JSON that nobody keeps. */
export function sendJson(reply: FastifyReply, answer: object): FastifyReply {
  return reply
    .header('content-type', 'application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(answer));
}

/** A header's value as one text. */
export function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The raw body, and what its headers say of it. */
export function bodyOf(request: FastifyRequest) {
  const length = header(request, 'content-length');
  return {
    body: request.raw,
    contentType: header(request, 'content-type'),
    contentEncoding: header(request, 'content-encoding'),
    contentLength: length === undefined ? undefined : Number(length),
  };
}

/**
 * Reads on, for a while, what is left of a body that was refused early: a sender that only listens once it has sent
 * everything gets its answer, one that never ends is cut off.
 */
export function drain(raw: IncomingMessage): void {
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
