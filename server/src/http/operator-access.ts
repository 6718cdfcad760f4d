/**
 * Who may use the operator API and the metrics: holders of the operator key, and, unless `admin-remote` is set, only
 * from this machine and not through a proxy. It does not audit; the operator API does.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { Failure } from '../failure.js';
import type { Parts } from './parts.js';

/** Headers that a proxy adds; their presence means that the peer is not the caller. */
const forwardingHeaders = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-real-ip',
  'via',
] as const;

/**
 * Lets a request pass or throws Failure: `forbidden` for one from elsewhere (before its key is looked at),
 * `operator-key-invalid`, or `too-many-requests` after repeated failures of an address.
 */
export async function requireOperator(
  request: FastifyRequest,
  { settings, identity }: Pick<Parts, 'settings' | 'identity'>,
): Promise<void> {
  if (!settings['admin-remote']) {
    const reason = remoteReason(request.socket.remoteAddress, request.headers);
    if (reason !== undefined) {
      throw new Failure('forbidden', [
        `The operator API answers to this machine alone and ${reason}; --admin-remote opens it to others.`,
      ]);
    }
  }
  await identity.operator.verify(request.headers.authorization, request.ip);
}

/** Why a request counts as remote, or undefined if it comes from this machine directly. */
export function remoteReason(
  address: string | undefined,
  headers: Readonly<IncomingHttpHeaders>,
): string | undefined {
  const header = forwardingHeaders.find((name) => headers[name] !== undefined);
  if (header !== undefined) return `the request carries the forwarding header '${header}'`;
  return isLoopback(address) ? undefined : `the request comes from ${address ?? 'an unknown address'}`;
}

/** Whether an address, as sockets report it, is this machine's own loopback. */
export function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(?:::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address ?? '');
}
