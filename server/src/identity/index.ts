/** Who is calling: roles and callers as the other parts see them. */

/** What an application may do. `Manager` reads and ingests, `Reader` reads, `Ingestor` ingests; others nothing. */
export type Right = 'read' | 'ingest';

/** The caller of an API request, resolved from its token or from the operator key. */
export interface Caller {
  readonly tenantId: string;
  readonly accountId: string;
  /** Of the account; eight digits as text. */
  readonly sellerId: string;
  /** Client id, or `operator` for ingestion with the operator key. */
  readonly applicationId: string;
  readonly role: string;
}

/** Whether a role gives a right. */
export function allows(role: string, right: Right): boolean {
  switch (role) {
    case 'Manager':
      return true;
    case 'Reader':
      return right === 'read';
    case 'Ingestor':
      return right === 'ingest';
    default:
      return false;
  }
}

/** A tenant, which is one account. Times are ISO 8601 in UTC. */
export interface Tenant {
  readonly tenantId: string;
  readonly accountId: string;
  /** Eight digits as text. */
  readonly sellerId: string;
  readonly name: string;
  /** Domain names that may stand in token URLs instead of the id, in lower case. */
  readonly domains: readonly string[];
  readonly enabled: boolean;
  readonly createdAt: string;
}

/** An application: who asks for tokens, with the role that its tokens get. */
export interface Application {
  readonly clientId: string;
  readonly name: string;
  readonly role: string;
  readonly enabled: boolean;
  readonly createdAt: string;
}

/** A key of an application as it may be shown later: without its secret. */
export interface Key {
  readonly keyId: string;
  /** First three characters of the secret. */
  readonly hint: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  /** Last successful use, to the minute; null when never used. */
  readonly lastUsedAt: string | null;
}

/** A key just made; the only time its secret is shown. */
export interface NewKey {
  readonly keyId: string;
  readonly clientSecret: string;
  readonly expiresAt: string;
}

/**
 * Management of tenants. `input` is a JSON value of the caller, checked here. Ids match in any letter case. All throw
 * Failure: `invalid-body` naming field and value, `conflict` for an id or domain that is taken, `not-found`.
 */
export interface Tenants {
  /** `input`: `{name, tenantId?, sellerId?, domains?}`. */
  create(input: unknown): Promise<Tenant>;
  list(): Promise<readonly Tenant[]>;
  get(tenantId: string): Promise<Tenant>;
  /** `input`: `{name?, domains?, enabled?}`. */
  patch(tenantId: string, input: unknown): Promise<Tenant>;
  /** Removes the tenant with its applications, keys and products; ingested rows stay in the engine, unreachable. */
  remove(tenantId: string): Promise<void>;
}

/** Management of a tenant's applications; input and errors as for `Tenants`. */
export interface Applications {
  /** `input`: `{name, role, clientId?}`. Roles other than Manager, Reader and Ingestor allow nothing. */
  create(tenantId: string, input: unknown): Promise<Application>;
  list(tenantId: string): Promise<readonly Application[]>;
  get(tenantId: string, clientId: string): Promise<Application>;
  /** `input`: `{name?, role?, enabled?}`; takes effect with the next request. */
  patch(tenantId: string, clientId: string, input: unknown): Promise<Application>;
  remove(tenantId: string, clientId: string): Promise<void>;
}

/** Management of an application's keys; input and errors as for `Tenants`. */
export interface Keys {
  /** `input`: `{expiresInDays?, clientSecret?}`; default 365 days, at most 730; a given secret has 32 to 256 characters. */
  create(tenantId: string, clientId: string, input: unknown): Promise<NewKey>;
  list(tenantId: string, clientId: string): Promise<readonly Key[]>;
  remove(tenantId: string, clientId: string, keyId: string): Promise<void>;
}

/** The operator key: made at first start, kept hashed; the key itself stands in a file for its owner only. */
export interface Operator {
  /** Absolute path of the file. */
  readonly keyFile: string;
  /**
   * Checks an `Authorization` header. Throws Failure `operator-key-invalid`, or `too-many-requests` after ten
   * failures of the peer address within a minute.
   */
  verify(authorization: string | undefined, address: string): Promise<void>;
  /** Replaces the key: writes the file anew and returns the new key; the old one ends at once. */
  rotate(): Promise<string>;
}

/** One line of the audit: who did what to what, and how it ended. No secrets. */
export interface AuditEntry {
  /** `operator`, `server`, or a client id. */
  readonly actor: string;
  /** For example `POST /admin/v1/tenants` or `signing-key.rotate`. */
  readonly action: string;
  /** Id of what was changed, or empty. */
  readonly target: string;
  /** `ok` or the code of the failure. */
  readonly outcome: string;
  /** Address of the peer, or empty. */
  readonly address: string;
}

/** An audit line with its time, ISO 8601 in UTC. */
export type AuditLine = AuditEntry & { readonly at: string };

/** A token request as it came over the wire; the grant reads and checks all of it. */
export interface GrantRequest {
  readonly version: 'v1' | 'v2';
  /** The tenant of the path, decoded. */
  readonly tenant: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  /** The body as text; empty when there was none. */
  readonly body: string;
  /** Address of the peer, for the throttle. */
  readonly address: string;
}

/** A token and what the answer says about it. Times in seconds since 1970. */
export interface GrantedToken {
  readonly accessToken: string;
  readonly notBefore: number;
  readonly expiresOn: number;
  /** The resource as the caller sent it; for v2 the scope without `/.default`. */
  readonly resource: string;
}

/** A public signing key in the form of a key set. */
export interface PublicSigningKey {
  readonly kty: 'RSA';
  readonly use: 'sig';
  readonly kid: string;
  readonly x5t: string;
  readonly n: string;
  readonly e: string;
}

/** A tenant as token endpoint and discovery need it. */
export interface TenantRecord {
  readonly tenantId: string;
  readonly accountId: string;
  readonly name: string;
}

/** An account whose tenant was removed. */
export interface RemovedAccount {
  readonly accountId: string;
  /** Milliseconds since 1970. */
  readonly removedAt: number;
}

/** Everything about who is calling. */
export interface Identity {
  readonly tenants: Tenants;
  readonly applications: Applications;
  readonly keys: Keys;
  readonly operator: Operator;
  /** Answers a token request. Throws TokenRefusal for every row of the error table. */
  grant(request: GrantRequest): Promise<GrantedToken>;
  /** The caller behind an `Authorization` header. Throws Failure `token-missing` or `token-invalid`. */
  verify(authorization: string | undefined): Promise<Caller>;
  /** The caller for ingestion with the operator key on behalf of a tenant. Throws Failure `not-found`. */
  operatorCaller(tenantId: string): Promise<Caller>;
  /** The enabled tenant with this id or domain. Throws TokenRefusal if there is none. */
  findTenant(idOrDomain: string): Promise<TenantRecord>;
  /** Issuer of a tenant's tokens, 1.0 and 2.0. */
  issuers(tenantId: string): { readonly v1: string; readonly v2: string };
  /** Signing keys to publish: current, next, and those retired in the last 24 hours. */
  publishedKeys(): Promise<readonly PublicSigningKey[]>;
  /** Makes the next signing key the current one and returns its id; the old one is retired. */
  rotateSigningKey(): Promise<string>;
  /** Replaces all signing keys and returns the id of the current one; no token that was issued before is good any longer. */
  revokeSigningKeys(): Promise<string>;
  /** Writes an audit line. */
  audit(entry: AuditEntry): Promise<void>;
  /** The newest audit lines, newest first. */
  auditLines(limit: number): Promise<readonly AuditLine[]>;
  /** Removes audit lines past their days; returns how many. */
  forgetAudit(): Promise<number>;
  /** Accounts whose tenant was removed and that {@link Identity.forgetRemoved} was not called for. */
  removedAccounts(): Promise<readonly RemovedAccount[]>;
  /** Nothing of the account is left. */
  forgetRemoved(accountId: string): Promise<void>;
  /** Waits for background writes. */
  close(): Promise<void>;
}

export { TokenRefusal } from './refusal.js';
