/**
 * The client credentials grant as an ordered list of checks; the order decides which error a request with several
 * faults gets. It reads a whole token request and ends with the application that may have a token. It knows no
 * HTTP method (the endpoint takes only POST) and makes no token.
 */
import type { TokenErrorCode } from '@storelens/contract';
import { asciiLower } from '../../body.js';
import type { Clock } from '../../system.js';
import type { ApplicationRecord, Directory, KeyRecord, TenantEntry } from '../directory.js';
import type { GrantRequest } from '../index.js';
import { matchKey } from '../keys.js';
import { TokenRefusal } from '../refusal.js';
import type { SecretHasher } from '../secrets.js';
import { domainPattern, guidPattern } from '../tenants.js';
import type { Throttle } from '../throttle.js';
import { isApiResource } from '../tokens.js';
import { type BasicCredentials, type Form, readBasic, readForm } from './form.js';

/** What the checks need of the rest of identity. */
export interface GrantParts {
  readonly directory: Directory;
  readonly hasher: SecretHasher;
  readonly throttle: Throttle;
  readonly clock: Clock;
}

/** Whoever passed all checks. */
export interface Granted {
  readonly tenant: TenantEntry;
  readonly application: ApplicationRecord;
  readonly key: KeyRecord;
  readonly resource: string;
}

/** A request on its way through the checks; later ones use what earlier ones found. */
interface Attempt {
  readonly request: GrantRequest;
  readonly form: Form;
  readonly basic: BasicCredentials | undefined;
  clientId: string;
  resource: string;
  tenant?: TenantEntry;
  application?: ApplicationRecord;
  key?: KeyRecord;
}

type Check = (attempt: Attempt, parts: GrantParts) => void | Promise<void>;

/** A find of an earlier check. */
function found<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError('a check runs before the one it builds on');
  return value;
}

/** Failures that count towards the throttle: those of a client that does not prove who it is. */
const counted: ReadonlySet<TokenErrorCode> = new Set([700016, 7000112, 7000216, 7000215, 7000222]);

function throttleKey({ request, clientId }: Attempt): string {
  return `${clientId} ${request.address}`;
}

/**
 * The tenant that a path names, by id or domain: unknown and disabled ones are refused alike. Shared with
 * discovery.
 */
export async function resolveTenant(directory: Directory, name: string): Promise<TenantEntry> {
  if (/^(?:common|organizations|consumers)$/i.test(name)) throw new TokenRefusal(50059);
  const isGuid = guidPattern.test(name);
  if (!isGuid && !domainPattern.test(name)) throw new TokenRefusal(900023, { tenant: name });
  const tenant = await (isGuid ? directory.byId(name) : directory.byDomain(name));
  if (!tenant?.enabled) throw new TokenRefusal(90002, { tenant: name });
  return tenant;
}

const isForm: Check = ({ form }) => {
  if (!form.encoded) throw new TokenRefusal(900144, { parameter: 'grant_type' });
};

const hasNoRepeatedParameter: Check = ({ form }) => {
  if (form.repeated) throw new TokenRefusal(9002313);
};

const hasGrantType: Check = ({ form }) => {
  if (form.get('grant_type') === undefined) throw new TokenRefusal(900144, { parameter: 'grant_type' });
};

const knowsTenant: Check = async (attempt, { directory }) => {
  attempt.tenant = await resolveTenant(directory, attempt.request.tenant);
};

const isClientCredentials: Check = ({ form }) => {
  const grantType = form.get('grant_type') ?? '';
  if (grantType !== 'client_credentials') throw new TokenRefusal(70003, { grantType });
};

const hasOneClientId: Check = (attempt) => {
  const inBody = attempt.form.get('client_id');
  const inBasic = attempt.basic?.clientIds ?? [];
  const clientId = inBody ?? inBasic[0];
  if (clientId === undefined) throw new TokenRefusal(900144, { parameter: 'client_id' });
  const agree =
    inBasic.length === 0 || inBasic.some((reading) => asciiLower(reading) === asciiLower(clientId));
  if (!agree) throw new TokenRefusal(9002313);
  attempt.clientId = asciiLower(clientId);
};

const hasResource: Check = (attempt) => {
  const parameter = attempt.request.version === 'v1' ? 'resource' : 'scope';
  const value = attempt.form.get(parameter);
  if (value === undefined) throw new TokenRefusal(900144, { parameter });
  attempt.resource = value;
};

const hasOneDefaultScope: Check = (attempt) => {
  if (attempt.request.version === 'v1') return;
  const resource = /^(\S+)\/\.default$/.exec(attempt.resource.trim())?.[1];
  if (resource === undefined) throw new TokenRefusal(1002012, { scope: attempt.resource });
  attempt.resource = resource;
};

/** Before anything of the client is looked up, so that a throttled guess learns nothing. */
const isNotThrottled: Check = (attempt, { throttle }) => {
  const wait = throttle.wait(throttleKey(attempt));
  if (wait > 0) throw new TokenRefusal(90055, {}, wait);
};

const knowsApplication: Check = (attempt) => {
  const tenant = found(attempt.tenant);
  const application = tenant.applications.get(attempt.clientId);
  if (application === undefined) {
    throw new TokenRefusal(700016, { clientId: attempt.clientId, tenantName: tenant.name });
  }
  attempt.application = application;
};

const applicationIsEnabled: Check = ({ application, clientId }) => {
  const { enabled, name } = found(application);
  if (!enabled) throw new TokenRefusal(7000112, { clientId, name });
};

const hasSecret: Check = ({ form, basic }) => {
  if (form.get('client_secret') === undefined && (basic?.secrets ?? []).length === 0) {
    throw new TokenRefusal(7000216);
  }
};

const secretIsLive: Check = (attempt, { hasher, clock }) => {
  const inBody = attempt.form.get('client_secret');
  const secrets = [...(inBody === undefined ? [] : [inBody]), ...(attempt.basic?.secrets ?? [])];
  const match = matchKey(hasher, found(attempt.application), secrets, clock.now());
  if (match.live === undefined) {
    throw new TokenRefusal(match.expired ? 7000222 : 7000215, { clientId: attempt.clientId });
  }
  attempt.key = match.live;
};

const knowsResource: Check = ({ resource, tenant }) => {
  if (!isApiResource(resource)) throw new TokenRefusal(500011, { resource, tenantName: found(tenant).name });
};

/** The checks in the order in which their errors win. */
export const checks: readonly Check[] = [
  isForm,
  hasNoRepeatedParameter,
  hasGrantType,
  knowsTenant,
  isClientCredentials,
  hasOneClientId,
  hasResource,
  hasOneDefaultScope,
  isNotThrottled,
  knowsApplication,
  applicationIsEnabled,
  hasSecret,
  secretIsLive,
  knowsResource,
];

/** Runs the checks. Throws TokenRefusal for the first that fails. */
export async function checkClientCredentials(request: GrantRequest, parts: GrantParts): Promise<Granted> {
  const attempt: Attempt = {
    request,
    form: readForm(request),
    basic: readBasic(request.authorization),
    clientId: '',
    resource: '',
  };
  try {
    for (const check of checks) await check(attempt, parts);
  } catch (error) {
    if (error instanceof TokenRefusal && counted.has(error.code)) parts.throttle.fail(throttleKey(attempt));
    throw error;
  }
  return {
    tenant: found(attempt.tenant),
    application: found(attempt.application),
    key: found(attempt.key),
    resource: attempt.resource,
  };
}
