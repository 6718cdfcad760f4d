/**
 * Proxies that the environment names, and whether calls go through them. Node does not heed them by itself: from 22.21 and
 * 24 on it does with NODE_USE_ENV_PROXY=1, by the rules that stand here, which are those of its `fetch`.
 */
import type { Finding } from './checks.js';

type Variables = Readonly<Record<string, string | undefined>>;

/** The proxy that the environment names for an origin. */
export interface Proxy {
  /** Such as `HTTPS_PROXY`. */
  readonly variable: string;
  readonly origin: URL;
  /** Whether calls to the origin go through it. */
  readonly used: boolean;
  /** Why they do not, though others would. */
  readonly exempt: boolean;
}

/** Whether a version of Node can be told to use the proxies of the environment. */
export function knowsProxies(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 21);
}

const isAskedFor = ({ NODE_USE_ENV_PROXY: asked, NODE_OPTIONS: options }: Variables) =>
  asked === '1' || /(^|\s)--use-env-proxy(\s|$)/.test(options ?? '');

/** The proxy for an origin; undefined where none is named. */
export function proxyFor(target: URL, variables: Variables, version: string): Proxy | undefined {
  const plain = ['http_proxy', 'HTTP_PROXY'];
  const names = target.protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY', ...plain] : plain;
  const variable = names.find((name) => variables[name]);
  const text = variable === undefined ? undefined : variables[variable];
  if (variable === undefined || text === undefined) return undefined;
  const origin = URL.canParse(text) ? new URL(text) : new URL('http://unreadable.invalid');
  const exempt = isExempt(target, variables.no_proxy ?? variables.NO_PROXY ?? '');
  return { variable, origin, exempt, used: isAskedFor(variables) && knowsProxies(version) && !exempt };
}

function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  if (list.trim() === '*') return true;
  const ownPort = port || (protocol === 'https:' ? '443' : '80');
  return list
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const [, host = '', wanted] = /^(.+?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
      if (wanted !== undefined && wanted !== ownPort) return false;
      return /^[.*]/.test(host) ? hostname.endsWith(host.replace(/^\*/, '')) : hostname === host;
    });
}

/** What there is to say of proxies for some origins. */
export function lookAtProxy(targets: readonly URL[], variables: Variables, version: string): Finding {
  const found = targets.map((target) => ({ target, proxy: proxyFor(target, variables, version) }));
  const [first] = found.flatMap(({ proxy }) => (proxy === undefined ? [] : [proxy]));
  if (first === undefined) return { state: 'ok', told: 'none is named' };
  // Without what it may hold of a name and a password.
  const named = `${first.variable} names ${first.origin.origin}`;
  const hosts = (of: typeof found) => of.map(({ target }) => target.host).join(' and ');
  const through = found.filter(({ proxy }) => proxy?.used === true);
  if (through.length > 0) return { state: 'ok', told: `${named}: calls to ${hosts(through)} go through it` };
  if (found.every(({ proxy }) => proxy === undefined || proxy.exempt))
    return { state: 'ok', told: `${named}, but NO_PROXY exempts ${hosts(found)}` };
  return {
    state: 'note',
    told: `${named}, which calls do not use`,
    advice: knowsProxies(version)
      ? 'To go through it, set NODE_USE_ENV_PROXY=1.'
      : `To go through it, use Node 22.21, 24 or newer with NODE_USE_ENV_PROXY=1; this is Node ${version}.`,
  };
}
