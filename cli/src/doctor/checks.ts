/** What `storelens doctor` looks at, in this order. Each check says what it found, and what to do if that is wrong. */
import {
  AuthenticationError,
  type Client,
  ForbiddenError,
  InvalidRequestError,
  StorelensError,
} from '@storelens/client';
import type { Account } from '../account.js';
import { exitCodeOf } from '../exit-codes.js';
import { lookAtTls, reach } from './network.js';
import { lookAtProxy, proxyFor } from './proxy.js';

/** What a check found. */
export interface Finding {
  /** `note`: it works, but one should know. */
  readonly state: 'ok' | 'note' | 'failed' | 'skipped';
  readonly told: string;
  readonly advice?: string | undefined;
  /** Exit code if this is the first that failed; default 1. */
  readonly exitCode?: number;
}

/** Who is looked at. */
export interface Patient {
  readonly account: Account;
  readonly client: Client;
  readonly app: string | undefined;
  readonly now: () => number;
  /** Of the environment, and of Node: they say which proxy counts. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

/** One thing to look at; `needs` names checks without which it would say nothing new. */
export interface Check {
  readonly name: string;
  readonly needs: readonly string[];
  look(patient: Patient): Promise<Finding>;
}

const microsoft = {
  api: 'https://manage.devcenter.microsoft.com',
  login: 'https://login.microsoftonline.com',
};

const originOf = ({ url }: Account) => new URL(url ?? microsoft.api);

/** Where calls go: to the service, and for tokens to the same one, but at Microsoft's. */
const originsOf = (account: Account) =>
  account.url === undefined ? [originOf(account), new URL(microsoft.login)] : [originOf(account)];

/** Tokens are good for an hour or less, and start to be good at once: clocks may differ by so much. */
const mostClockError = 240_000;

const day = 86_400_000;

function failed(error: unknown, advice?: string): Finding {
  if (!(error instanceof StorelensError)) throw error;
  return { state: 'failed', told: error.message, advice, exitCode: exitCodeOf(error) };
}

/** All checks, in order. */
export const checks: readonly Check[] = [
  {
    name: 'account',
    needs: [],
    look: async ({ account }) => ({
      state: 'ok',
      told: `client ${account.clientId} of tenant ${account.tenantId}, from ${account.origin}`,
    }),
  },
  {
    name: 'proxy',
    needs: [],
    look: async ({ account, variables, version }) => lookAtProxy(originsOf(account), variables, version),
  },
  {
    name: 'address',
    needs: [],
    look: async (patient) =>
      await eachOf(patient, (origin) => {
        const proxy = proxyFor(origin, patient.variables, patient.version);
        return reach(proxy?.used === true ? proxy.origin : origin);
      }),
  },
  {
    name: 'TLS',
    needs: ['address'],
    look: async (patient) =>
      await eachOf(patient, async (origin) =>
        proxyFor(origin, patient.variables, patient.version)?.used === true
          ? { state: 'note', told: `not looked at for ${origin.host}: it lies behind the proxy` }
          : await lookAtTls(origin, patient.now()),
      ),
  },
  { name: 'clock', needs: ['TLS'], look: lookAtClock },
  { name: 'token', needs: ['TLS'], look: lookAtToken },
  { name: 'audience', needs: ['token'], look: lookAtAudience },
  { name: 'role', needs: ['token'], look: lookAtRole },
  { name: 'product', needs: ['role'], look: lookAtProduct },
  { name: 'dates', needs: ['product'], look: lookAtDates },
];

/** Looks at all origins: the finding is that of the first that is not well, or what was found of each. */
async function eachOf({ account }: Patient, look: (origin: URL) => Promise<Finding>): Promise<Finding> {
  const findings = await Promise.all(originsOf(account).map(look));
  const told = [...new Set(findings.map((finding) => finding.told))].join('; ');
  const of = (state: Finding['state']) => findings.find((finding) => finding.state === state);
  return of('failed') ?? { ...(of('note') ?? { state: 'ok' }), told };
}

async function lookAtClock({ account, now }: Patient): Promise<Finding> {
  const before = now();
  const answer = await fetch(originOf(account), {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined);
  const there = Date.parse(answer?.headers.get('date') ?? '');
  if (Number.isNaN(there)) return { state: 'note', told: 'the service does not tell the time' };
  // The time of the service has whole seconds.
  const difference = (before + now()) / 2 - there - 500;
  const seconds = Math.max(0, Math.round(Math.abs(difference) / 1000) - 1);
  if (Math.abs(difference) < mostClockError)
    return {
      state: 'ok',
      told: seconds === 0 ? 'as at the service' : `${seconds} s from that of the service`,
    };
  return {
    state: 'failed',
    told: `this machine is ${seconds} s ${difference > 0 ? 'ahead of' : 'behind'} the service`,
    advice: 'Set the clock, best by NTP: tokens seem expired, or not valid yet.',
  };
}

async function lookAtToken({ client, now }: Patient): Promise<Finding> {
  try {
    const { expiresAt } = await client.token();
    return { state: 'ok', told: `granted, good for ${Math.round((expiresAt - now()) / 60_000)} minutes` };
  } catch (error) {
    return failed(
      error,
      error instanceof AuthenticationError
        ? 'Check tenant id and client id; a secret may have expired or been revoked: make a new key, then `storelens login`.'
        : 'The address may be that of another service; check --url.',
    );
  }
}

/** What a token says of itself; nothing if it is no JWT. */
function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function lookAtAudience({ client, account }: Patient): Promise<Finding> {
  const claims = claimsOf((await client.token()).value);
  if (claims === undefined) return { state: 'note', told: 'the token does not tell whom it is for' };
  const { aud, tid } = claims;
  const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
  if (typeof tid === 'string' && guid.test(account.tenantId) && tid !== account.tenantId.toLowerCase())
    return {
      state: 'failed',
      told: `the token is for tenant ${tid}`,
      advice: 'Check the tenant id.',
      exitCode: 3,
    };
  if (aud === microsoft.api) return { state: 'ok', told: microsoft.api };
  return {
    state: 'note',
    told: `the token is for ${String(aud)}, not ${microsoft.api}; the service may refuse it`,
  };
}

/** Asks without telling which app: whoever may not read is told that before what is missing. */
const question = '/v1.0/my/analytics/appacquisitions';

async function lookAtRole({ client }: Patient): Promise<Finding> {
  try {
    await (await client.request(question)).body?.cancel();
  } catch (error) {
    if (error instanceof ForbiddenError) return await withoutReading(client, error);
    if (!(error instanceof InvalidRequestError)) {
      const advice =
        error instanceof AuthenticationError
          ? 'The application may not be associated with the account: in Partner Center under Users, or `storelens application list`.'
          : undefined;
      return failed(error, advice);
    }
  }
  return {
    state: 'ok',
    told: `reads reports${(await mayIngest(client)) ? ' and sends rows' : ', sends no rows'}`,
  };
}

async function withoutReading(client: Client, error: ForbiddenError): Promise<Finding> {
  if (await mayIngest(client))
    return {
      state: 'failed',
      told: 'sends rows, but does not read reports',
      advice: 'Give the application the role Manager or Reader to read.',
      exitCode: 4,
    };
  return failed(error, 'Give the application a role: Manager, Reader or Ingestor.');
}

/** A batch without rows is refused for being empty, unless the caller may not send any. */
async function mayIngest(client: Client): Promise<boolean> {
  try {
    const headers = { 'content-type': 'application/x-ndjson' };
    await client.request('/ingest/v1/acquisitions', { method: 'POST', headers, body: '' });
    return true;
  } catch (error) {
    return error instanceof InvalidRequestError && error.status === 400;
  }
}

async function lookAtProduct({ client, app }: Patient): Promise<Finding> {
  if (app === undefined) return { state: 'skipped', told: 'not looked at; name one with --app ID' };
  try {
    await client.page('appacquisitions', { applicationId: app, top: 1 });
    return { state: 'ok', told: `${app} belongs to the account` };
  } catch (error) {
    return failed(
      error,
      "Check the id (of an app: 12 characters, beginning with 9), and that the app is this account's.",
    );
  }
}

async function lookAtDates({ client, app = '', now }: Patient): Promise<Finding> {
  const count = async (days: number) => {
    const { rows, notices } = await client.page('appacquisitions', {
      applicationId: app,
      startDate: new Date(now() - days * day),
      endDate: new Date(now()),
      groupby: ['date'],
      top: 1,
    });
    return { found: rows.length > 0, notices };
  };
  try {
    const month = await count(30);
    if (month.found) return { state: 'ok', told: 'acquisitions in the last 30 days' };
    const year = await count(365);
    const told = year.found
      ? 'no acquisitions in the last 30 days, but earlier'
      : 'no acquisitions in a year';
    const said = [...month.notices, ...year.notices][0];
    return {
      state: 'note',
      told: said === undefined ? told : `${told}; the service says: ${said}`,
      advice:
        'Without --since a report begins today or 30 days ago; name a day at which there was something.',
    };
  } catch (error) {
    return failed(error);
  }
}
