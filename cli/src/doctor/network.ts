/** The way to a service: name, connection, certificate. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Finding } from './checks.js';

const patience = 10_000;
const day = 86_400_000;
/** A certificate that ends this soon is worth a word. */
const soon = 14 * day;

const hostOf = (origin: URL) => origin.hostname.replace(/^\[|\]$/g, '');
const portOf = ({ port, protocol }: URL) => Number(port) || (protocol === 'https:' ? 443 : 80);

/** Resolves a socket once it is open. */
async function opened<Kind extends Socket>(socket: Kind, event: 'connect' | 'secureConnect'): Promise<Kind> {
  return await new Promise<Kind>((resolve, reject) => {
    socket.setTimeout(patience, () =>
      socket.destroy(Object.assign(new Error(`no answer in ${patience / 1000} s`), { code: 'ETIMEDOUT' })),
    );
    socket.once(event, () => resolve(socket));
    socket.once('error', reject);
  });
}

const proxyAdvice =
  'A firewall or a proxy may stand between; calls use one where it is named in HTTPS_PROXY, and with NODE_USE_ENV_PROXY=1.';

/** Whether something answers at an address. */
export async function reach(origin: URL): Promise<Finding> {
  const host = hostOf(origin);
  try {
    const socket = await opened(connect({ host, port: portOf(origin) }), 'connect');
    const { remoteAddress } = socket;
    socket.destroy();
    return { state: 'ok', told: `${origin.origin} answers at ${remoteAddress}` };
  } catch (error) {
    const { message, code } = firstOf(error);
    const told = `${origin.origin} cannot be reached: ${message || code}`;
    if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      return { state: 'failed', told, advice: 'The name has no address; check --url, and DNS.', exitCode: 5 };
    if (code === 'ECONNREFUSED')
      return {
        state: 'failed',
        told,
        advice: 'Nothing listens there: is the server running, and the port right?',
        exitCode: 5,
      };
    return { state: 'failed', told, advice: proxyAdvice, exitCode: 5 };
  }
}

/** Trying several addresses of a name ends in an error of errors. */
function firstOf(error: unknown): NodeJS.ErrnoException {
  return error instanceof AggregateError && error.errors.length > 0
    ? (error.errors[0] as NodeJS.ErrnoException)
    : (error as NodeJS.ErrnoException);
}

/** Whether the connection is encrypted by a certificate that is trusted here. */
export async function lookAtTls(origin: URL, now: number): Promise<Finding> {
  const host = hostOf(origin);
  if (origin.protocol === 'http:')
    return /^(localhost|127\.|::1$)/.test(host)
      ? { state: 'ok', told: 'none, and none needed: this machine' }
      : {
          state: 'note',
          told: 'none: the secret travels unencrypted',
          advice: 'Let the server speak https.',
        };
  let socket: TLSSocket | undefined;
  try {
    const names = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
    socket = await opened(connectTls({ host, port: portOf(origin), ...names }), 'secureConnect');
    const { valid_to: end, issuer } = socket.getPeerCertificate();
    const left = Date.parse(end) - now;
    const told = `${socket.getProtocol()}, certificate of ${text(issuer?.O ?? issuer?.CN)} until ${new Date(end).toISOString().slice(0, 10)}`;
    return left > soon
      ? { state: 'ok', told }
      : { state: 'note', told, advice: `It ends in ${Math.floor(left / day)} days; renew it.` };
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    // What the library for TLS says of a handshake names its own source files.
    const told = /^EPROTO|^ERR_SSL/.test(code) ? 'no handshake' : message;
    return { state: 'failed', told, advice: adviceOf(code), exitCode: 5 };
  } finally {
    socket?.destroy();
  }
}

const text = (name: string | readonly string[] | undefined) =>
  String(name ?? 'nobody').replace(/[\x00-\x1f\x7f-\x9f]/g, '?');

function adviceOf(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'Renew the certificate; or is the clock of this machine wrong?';
  if (code === 'CERT_NOT_YET_VALID') return 'Is the clock of this machine wrong?';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'The certificate is for other names; call the server by one of them.';
  if (/SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code))
    return 'The authority is not trusted here: name its file, as in `storelens doctor --ca ca.pem`, or in STORELENS_CA for all commands.';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return 'The server does not speak TLS there: is it http instead of https?';
  return proxyAdvice;
}
