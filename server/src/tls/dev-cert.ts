/**
 * Certificates for development and tests: a private certificate authority, kept in a folder and reused, and a
 * server certificate signed by it. The names include those that clients written for Microsoft's service resolve,
 * so that they can be sent here unchanged. Not for production: the authority's key lies beside the certificate.
 */
import 'reflect-metadata';
import { createPrivateKey, KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { domainToASCII } from 'node:url';
import * as x509 from '@peculiar/x509';
import type { Clock, Random } from '../system.js';

/** Names that every certificate carries: this machine, and the hosts that unchanged clients resolve. */
export const certificateNames: readonly string[] = [
  'localhost',
  '127.0.0.1',
  '::1',
  'login.microsoftonline.com',
  'login.windows.net',
  'manage.devcenter.microsoft.com',
];

/** Longest life of a server certificate, in days: Apple's systems refuse longer ones. */
const mostDays = 825;

/** What to make. `hosts` are names or addresses beyond `certificateNames`; `hostName` is this machine's name. */
export interface DevCertRequest {
  readonly folder: string;
  readonly hosts: readonly string[];
  readonly days: number;
  readonly hostName: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** What was made: absolute paths, the names in the certificate and the time of its end. */
export interface DevCert {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly names: readonly string[];
  readonly expiresAt: Date;
  /** Whether the authority was already in the folder, so that clients trust the new certificate at once. */
  readonly reusedAuthority: boolean;
}

/** A request that cannot be fulfilled; the message names the value and what would be right. */
export class DevCertError extends Error {
  override readonly name = 'DevCertError';
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const day = 24 * 60 * 60 * 1000;
const authorityDays = 3650;

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
  readonly reused: boolean;
}

/**
 * Makes a server certificate in `folder` (created with mode 0700): `ca.pem`, `ca-key.pem`, `server.pem` and
 * `server-key.pem`, keys with mode 0600. An authority that is already there is used again. Throws DevCertError.
 */
export async function makeDevCert(request: DevCertRequest): Promise<DevCert> {
  const names = namesOf(request);
  if (!Number.isInteger(request.days) || request.days < 1 || request.days > mostDays) {
    throw new DevCertError(`days is ${request.days}; expected a whole number from 1 to ${mostDays}`);
  }
  const folder = resolve(request.folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const authority = await authorityIn(folder, request);
  const now = request.clock.now();
  const end = Math.min(now + request.days * day, authority.certificate.notAfter.getTime());
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(request.random),
    subject: 'CN=Storelens development server',
    issuer: authority.certificate.subject,
    notBefore: new Date(now - day),
    notAfter: new Date(end),
    publicKey: keys.publicKey,
    signingKey: authority.key,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
  const certificateFile = join(folder, 'server.pem');
  const keyFile = join(folder, 'server-key.pem');
  await writeKey(keyFile, keys.privateKey);
  await writeWhole(certificateFile, `${certificate.toString('pem')}\n`, 0o644);
  return {
    caFile: join(folder, 'ca.pem'),
    certificateFile,
    keyFile,
    names,
    expiresAt: certificate.notAfter,
    reusedAuthority: authority.reused,
  };
}

function namesOf(request: DevCertRequest): readonly string[] {
  const names = new Set(certificateNames);
  const own = asHost(request.hostName);
  if (own !== undefined) names.add(own);
  for (const host of request.hosts) {
    const name = asHost(host);
    if (name === undefined) {
      throw new DevCertError(
        `host '${host}' is not a host name or IP address; give it without scheme, port and path`,
      );
    }
    names.add(name);
  }
  return [...names];
}

/** A host name in lower case ASCII, perhaps with a leading `*.`, or an IP address; undefined for anything else. */
function asHost(text: string): string | undefined {
  if (isIP(text)) return text.toLowerCase();
  const [, wildcard = '', rest = ''] = /^(\*\.)?(.*)$/s.exec(text) ?? [];
  const name = domainToASCII(rest);
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
  const shape = new RegExp(`^${label}(?:\\.${label})*$`);
  return name.length <= 253 && shape.test(name) && !isIP(name) ? `${wildcard}${name}` : undefined;
}

/** The authority of the folder, made if there is none. A half or expired one is refused, never overwritten. */
async function authorityIn(folder: string, { clock, random }: DevCertRequest): Promise<Authority> {
  const certificateFile = join(folder, 'ca.pem');
  const keyFile = join(folder, 'ca-key.pem');
  const [certificateText, keyText] = await Promise.all([readIfThere(certificateFile), readIfThere(keyFile)]);
  if (certificateText === undefined && keyText === undefined) {
    const authority = await newAuthority(clock.now(), random);
    await writeKey(keyFile, authority.key);
    await writeWhole(certificateFile, `${authority.certificate.toString('pem')}\n`, 0o644);
    return authority;
  }
  if (certificateText === undefined || keyText === undefined) {
    const [there, missing] =
      certificateText === undefined ? ['ca-key.pem', 'ca.pem'] : ['ca.pem', 'ca-key.pem'];
    throw new DevCertError(`${folder} has ${there} but not ${missing}; remove it or use another folder`);
  }
  const parsed = parseAuthority(certificateText, keyText);
  if (parsed === undefined) {
    throw new DevCertError(
      `ca.pem and ca-key.pem in ${folder} are not a pair made by dev-cert; use another folder`,
    );
  }
  const certificate = new x509.X509Certificate(certificateText);
  if (certificate.notAfter.getTime() <= clock.now() + day) {
    throw new DevCertError(
      `the authority in ${folder} ends on ${certificate.notAfter.toISOString()}; remove the folder to make a new one`,
    );
  }
  const pkcs8 = parsed.export({ type: 'pkcs8', format: 'der' });
  const key = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  return { certificate, key, reused: true };
}

function parseAuthority(certificateText: string, keyText: string): KeyObject | undefined {
  try {
    const certificate = new X509Certificate(certificateText);
    const key = createPrivateKey(keyText);
    const usable = certificate.ca && certificate.checkPrivateKey(key);
    return usable && key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}

async function newAuthority(now: number, random: Random): Promise<Authority> {
  const keys = await newKeys();
  const serial = newSerial(random);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial,
    // The number keeps several authorities apart in a list of trusted ones.
    name: `CN=Storelens development authority ${serial.slice(0, 8)}`,
    notBefore: new Date(now - day),
    notAfter: new Date(now + authorityDays * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, key: keys.privateKey, reused: false };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** 16 random bytes as hex, positive as RFC 5280 asks. */
function newSerial(random: Random): string {
  const bytes = random.bytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeKey(file: string, key: webcrypto.CryptoKey): Promise<void> {
  await writeWhole(file, KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
}

/** Writes a file in one step, so that a reader or a crash never sees half of it. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.new`;
  await writeFile(draft, text, { mode });
  await chmod(draft, mode);
  await rename(draft, file);
}
