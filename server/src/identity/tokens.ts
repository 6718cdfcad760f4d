/**
 * Access tokens: makes them for the grant and reads those that API requests carry. A token says who is asking and
 * nothing else; whether that application still exists, is enabled and may do something is looked up elsewhere.
 */
import { compactVerify, decodeProtectedHeader, SignJWT } from 'jose';
import { asciiLower } from '../body.js';
import { Failure } from '../failure.js';
import { LruMap } from '../lru-map.js';
import type { Clock, Random } from '../system.js';
import type { GrantedToken } from './index.js';
import type { SigningKeys } from './signing-keys.js';
import { guidPattern } from './tenants.js';

/** The one resource that tokens are for; one trailing slash is allowed wherever it is named. */
const apiResource = 'https://manage.devcenter.microsoft.com';

/** `aud` of 2.0 tokens. */
const apiAudience = '0f8c1b52-6d3e-4c9a-9b47-5e2d7a60c3f1';

const lifetimeSeconds = 3600;
const startsEarlierSeconds = 300;
const toleranceSeconds = 60;
const longestToken = 8192;
/** Tokens whose signature was found good; those that are issued here have a kilobyte. */
const verifiedKept = 10_000;

/** Whether a text names the API: the resource with or without one trailing slash. */
export function isApiResource(text: string): boolean {
  return text === apiResource || text === `${apiResource}/`;
}

/** Form of the claims, and the issuers that go with it. */
export interface TokenRules {
  readonly version: '1.0' | '2.0';
  /** Issuer of 1.0 tokens with `{tid}` for the tenant id. */
  readonly issuerTemplate: string;
  /** Origin of this server. */
  readonly publicUrl: () => string;
}

/** For whom a token is made. */
export interface TokenSubject {
  readonly tenantId: string;
  readonly clientId: string;
  readonly principalId: string;
  /** As the caller asked, with or without a trailing slash. */
  readonly resource: string;
}

/** Who a good token names; ids in lower case. */
export interface TokenIdentity {
  readonly tenantId: string;
  readonly clientId: string;
}

/** A good token's identity with what must be looked at again at every use. */
interface Verified extends TokenIdentity {
  readonly kid: string;
  readonly notBefore: number;
  readonly expires: number;
}

/** Makes and reads tokens. */
export interface Tokens {
  issue(subject: TokenSubject): Promise<GrantedToken>;
  /** Throws Failure `token-invalid` with the reason. */
  verify(token: string): Promise<TokenIdentity>;
  /** Issuers of a tenant's tokens. */
  issuers(tenantId: string): { readonly v1: string; readonly v2: string };
}

function invalid(reason: string, cause?: unknown): Failure {
  return new Failure('token-invalid', [reason], { cause });
}

/** Claims for a version, in the order of the captures. */
function claimsFor(
  subject: TokenSubject,
  version: TokenRules['version'],
  issuer: string,
  times: { readonly iat: number; readonly nbf: number; readonly exp: number },
  random: Random,
): Record<string, string | number> {
  const filler = (count: number) => random.bytes(count).toString('base64url');
  const { tenantId, clientId, principalId, resource } = subject;
  const shared = {
    oid: principalId,
    rh: `1.${filler(24)}`,
    sub: principalId,
    tid: tenantId,
    uti: filler(16),
  };
  const start = { iss: issuer, ...times, aio: filler(24) };
  return version === '1.0'
    ? { aud: resource, ...start, appid: clientId, appidacr: '1', idp: issuer, ...shared, ver: '1.0' }
    : { aud: apiAudience, ...start, azp: clientId, azpacr: '1', ...shared, ver: '2.0' };
}

/** Tokens under the given signing keys and rules. */
export function createTokens(keys: SigningKeys, clock: Clock, random: Random, rules: TokenRules): Tokens {
  // By their text: a digest took 12 microseconds of every request. The time that a look-up takes tells nothing to
  // whoever has not the whole token, because texts are compared only after their hashes, which have a secret seed.
  const verified = new LruMap<Verified>(verifiedKept);
  const seconds = () => Math.floor(clock.now() / 1000);
  const issuers = (tenantId: string) => ({
    v1: rules.issuerTemplate.replaceAll('{tid}', tenantId),
    v2: `${rules.publicUrl()}/${tenantId}/v2.0`,
  });

  function checkTimes(notBefore: number, expires: number): void {
    if (seconds() < notBefore - toleranceSeconds) throw invalid('The access token is not valid yet.');
    if (seconds() >= expires + toleranceSeconds) throw invalid('The access token has expired.');
  }

  /** Reads the claims of a token with a good signature; the first that is wrong gives the reason. */
  function readClaims(claims: Readonly<Record<string, unknown>>, kid: string): Verified {
    const { ver, aud, iss, tid, nbf, exp } = claims;
    if (ver !== '1.0' && ver !== '2.0') throw invalid('The version of the access token is not known.');
    const audienceFits =
      typeof aud === 'string' && (ver === '1.0' ? isApiResource(aud) : aud.toLowerCase() === apiAudience);
    if (!audienceFits) throw invalid('The audience of the access token is not this API.');
    if (typeof tid !== 'string' || !guidPattern.test(tid)) throw invalid('The access token names no tenant.');
    const known = issuers(asciiLower(tid));
    if (iss !== (ver === '1.0' ? known.v1 : known.v2)) {
      throw invalid('The issuer of the access token is not this service.');
    }
    const client = ver === '1.0' ? claims.appid : claims.azp;
    if (typeof client !== 'string') throw invalid('The access token names no application.');
    if (typeof nbf !== 'number' || typeof exp !== 'number') {
      throw invalid('The access token lacks its times of validity.');
    }
    checkTimes(nbf, exp);
    return { tenantId: asciiLower(tid), clientId: asciiLower(client), kid, notBefore: nbf, expires: exp };
  }

  async function verifyFully(token: string): Promise<Verified> {
    let kid: unknown;
    let algorithm: unknown;
    try {
      ({ kid, alg: algorithm } = decodeProtectedHeader(token));
    } catch (error) {
      throw invalid('The access token is malformed.', error);
    }
    if (algorithm !== 'RS256') throw invalid('The access token is not signed with RS256.');
    const key = typeof kid === 'string' ? keys.find(kid) : undefined;
    if (key === undefined) throw invalid('The key that signed the access token is not known.');
    let claims: unknown;
    try {
      const { payload } = await compactVerify(token, key.publicKey, { algorithms: ['RS256'] });
      claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    } catch (error) {
      throw invalid('The signature of the access token is not valid.', error);
    }
    if (typeof claims !== 'object' || claims === null) throw invalid('The access token is malformed.');
    return readClaims(claims as Record<string, unknown>, key.kid);
  }

  return {
    issuers,
    issue: async (subject) => {
      const now = seconds();
      const notBefore = now - startsEarlierSeconds;
      const expiresOn = now + lifetimeSeconds;
      const { v1, v2 } = issuers(subject.tenantId);
      const key = await keys.current();
      const claims = claimsFor(
        subject,
        rules.version,
        rules.version === '1.0' ? v1 : v2,
        { iat: notBefore, nbf: notBefore, exp: expiresOn },
        random,
      );
      const header =
        rules.version === '1.0'
          ? { typ: 'JWT', alg: 'RS256', x5t: key.kid, kid: key.kid }
          : { typ: 'JWT', alg: 'RS256', kid: key.kid };
      const accessToken = await new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey);
      return { accessToken, notBefore, expiresOn, resource: subject.resource };
    },
    verify: async (token) => {
      if (token.length > longestToken) throw invalid('The access token is malformed.');
      const cached = verified.get(token);
      if (cached !== undefined) {
        // The signature stays good as long as its key is kept; times and everything looked up do not.
        if (keys.find(cached.kid) === undefined) {
          throw invalid('The key that signed the access token is not known.');
        }
        checkTimes(cached.notBefore, cached.expires);
        return cached;
      }
      const fresh = await verifyFully(token);
      verified.set(token, fresh);
      return fresh;
    },
  };
}
