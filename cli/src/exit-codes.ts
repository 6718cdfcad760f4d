/**
 * Exit codes, for scripts: 0 done, 1 failed, 2 wrong usage, 3 not signed in, 4 refused, 5 the service cannot be reached
 * or cannot answer now. What ends with 5 may work later, as it is; everything else needs a change first.
 */
import {
  AuthenticationError,
  ConnectionError,
  ForbiddenError,
  InvalidRequestError,
  NotFoundError,
  RateLimitError,
  ResultMovedError,
  ServiceError,
  type StorelensError,
} from '@storelens/client';
import { harmlessLines } from './output.js';

/** Lines for help texts. */
export const exitCodeLines: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'done'],
  ['1', 'failed'],
  ['2', 'wrong usage'],
  ['3', 'no token was granted, or it was not accepted'],
  ['4', 'the service refused the request'],
  ['5', 'the service cannot be reached, or cannot answer now: try again later'],
];

const families = [
  [3, [AuthenticationError]],
  [4, [ForbiddenError, InvalidRequestError, NotFoundError]],
  [5, [RateLimitError, ServiceError, ConnectionError, ResultMovedError]],
] as const;

/** The exit code of a call that failed. */
export function exitCodeOf(error: StorelensError): number {
  return families.find(([, kinds]) => kinds.some((kind) => error instanceof kind))?.[0] ?? 1;
}

/** What to tell of a service that cannot be reached where a proxy is named but not used: Node has to be told to. */
export function proxyHint(
  error: StorelensError,
  variables: Readonly<Record<string, string | undefined>>,
): string {
  const named = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].find((name) => variables[name]);
  return error instanceof ConnectionError && named !== undefined && variables.NODE_USE_ENV_PROXY !== '1'
    ? ` ${named} counts only with NODE_USE_ENV_PROXY=1, and Node 22.21, 24 or newer.`
    : '';
}

/** What to tell of a service whose certificate nobody here vouches for. */
export function authorityHint(error: StorelensError): string {
  return error instanceof ConnectionError && /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)/.test(error.message)
    ? ' Name the file of its authority with --ca or in STORELENS_CA.'
    : '';
}

/** What to tell of it: the sentences of the service, or the message, and how to find the request. */
export function explained(error: StorelensError): string {
  const told =
    error.data.length > 0 && error instanceof InvalidRequestError ? error.data.join('\n') : error.message;
  const request = error.requestId === undefined ? '' : ` (request ${error.requestId})`;
  return harmlessLines(`${told}${error instanceof ServiceError ? request : ''}`);
}
