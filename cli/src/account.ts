/** Whose account, on which server: of the environment or of a stored profile, as far as options say nothing else. */
import { lookup } from 'node:dns/promises';
import { type Client, type ConnectOptions, connect } from '@storelens/client';
import { type Context, type Input, type Option, UsageError } from './command.js';
import { readProfiles } from './profiles.js';

/** Options of all commands that act as an application of an account. */
export const accountOptions = {
  profile: { type: 'text', value: 'NAME', help: 'Account that `storelens login` stored; default: default.' },
  url: {
    type: 'text',
    value: 'URL',
    help: "Origin of the server, or STORELENS_URL; default: the profile's, else Microsoft's service.",
  },
  'tenant-id': { type: 'text', value: 'ID', help: 'Directory of the application, or STORELENS_TENANT_ID.' },
  'client-id': { type: 'text', value: 'ID', help: 'The application, or STORELENS_CLIENT_ID.' },
  'allow-http': { type: 'flag', help: 'Let the secret travel unencrypted to other hosts than this one.' },
  ca: {
    type: 'text',
    value: 'FILE',
    help: 'PEM file of a private authority to trust, too, as made by dev-cert, or STORELENS_CA.',
  },
} as const satisfies Readonly<Record<string, Option>>;

/** What is known of an account, and where from; `missing` names what is not. */
export interface Account {
  readonly url: string | undefined;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** `profile default`, or `the environment`: for messages. */
  readonly origin: string;
}

/**
 * Files of the private authorities that profiles were stored with, each once; undefined stands for the profile of a command
 * that names none. An account of the environment has none.
 */
export async function authoritiesOf(
  names: readonly (string | undefined)[],
  { environment }: Context,
): Promise<readonly string[]> {
  const profiles = await readProfiles(environment);
  const files = names.flatMap((given) => {
    const name = given ?? environment.profile;
    if (name === undefined && environment.clientSecret !== undefined) return [];
    const profile = Object.hasOwn(profiles, name ?? 'default') ? profiles[name ?? 'default'] : undefined;
    return profile?.ca === undefined ? [] : [profile.ca];
  });
  return [...new Set(files)];
}

/** The account that a command acts for. Throws UsageError that says what is missing and how to give it. */
export async function accountOf(input: Input, context: Context): Promise<Account> {
  const { environment } = context;
  const name = input.text('profile') ?? environment.profile;
  const profiles = await readProfiles(environment);
  const profile = Object.hasOwn(profiles, name ?? 'default') ? profiles[name ?? 'default'] : undefined;
  if (name !== undefined && profile === undefined) {
    const known = Object.keys(profiles).join(', ') || 'none';
    throw new UsageError(`no profile '${name}'; stored are ${known}; \`storelens login\` stores one`);
  }
  // An account comes whole from one place, or the secret of one service could go to the address of another. A profile
  // that is named goes before the environment, one that is only there comes after it.
  const whole = name === undefined && environment.clientSecret !== undefined ? environment : profile;
  const source = whole ?? environment;
  const account = {
    url: input.text('url') ?? source.url,
    tenantId: input.text('tenant-id') ?? source.tenantId,
    clientId: input.text('client-id') ?? source.clientId,
    clientSecret: source.clientSecret,
  };
  const { url, tenantId, clientId, clientSecret } = account;
  if (tenantId === undefined || clientId === undefined || clientSecret === undefined) {
    const ways = {
      tenantId: '--tenant-id or STORELENS_TENANT_ID',
      clientId: '--client-id or STORELENS_CLIENT_ID',
      clientSecret: 'STORELENS_CLIENT_SECRET',
    };
    const missing = (['tenantId', 'clientId', 'clientSecret'] as const).filter(
      (key) => account[key] === undefined,
    );
    throw new UsageError(
      `no account: \`storelens login\` stores one, or give ${missing.map((key) => ways[key]).join(', ')}`,
    );
  }
  const origin = source === environment ? 'the environment' : `profile ${name ?? 'default'}`;
  return { url, tenantId, clientId, clientSecret, origin };
}

/** Options of a connection that commands set for themselves. */
export type Manner = Pick<ConnectOptions, 'minInterval' | 'retries' | 'onRetry' | 'timeout' | 'clock'>;

/** A client for an account. Throws UsageError for an address that cannot be. */
export function connectTo(account: Account, input: Input, manner: Manner = {}): Client {
  const { url, tenantId, clientId, clientSecret } = account;
  try {
    return connect({
      ...{ url, tenantId, clientId, clientSecret, ...manner },
      allowHttp: input.flag('allow-http'),
      // A file may lie on another host, but not on one of this network that only has a public name.
      lookup: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    });
  } catch (error) {
    if (error instanceof TypeError)
      throw new UsageError(error.message.replace('allowHttp', '--allow-http').replace(/^url /, '--url '));
    throw error;
  }
}

/** A client for the account that a command acts for. */
export async function clientOf(input: Input, context: Context, manner?: Manner): Promise<Client> {
  return connectTo(await accountOf(input, context), input, manner);
}
