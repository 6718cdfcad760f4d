/**
 * Where the next page is. Services print the link in several forms: relative to the base of the API and unencoded (as
 * documented), rooted, or absolute. It is followed on the origin of the service alone, since the token goes with it.
 */
import { ProtocolError } from './errors.js';

/** Path below which all reports stand. */
export const analyticsPath = '/v1.0/my/analytics/';

/** The address that a next link means. Throws ProtocolError for one that leaves the reports of the origin. */
export function resolveLink(link: string, origin: string): URL {
  const text = encodeForUrl(link.trim());
  const base = new URL(analyticsPath, origin);
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url?.origin === base.origin && url.pathname.startsWith(analyticsPath)) return url;
  const where = url === undefined ? 'cannot be read' : `leads to ${url.origin}${url.pathname}`;
  throw new ProtocolError(`The next link ${where}; it has to stay below ${base.href}.`, {
    code: 'foreign-link',
  });
}

/** The rows that a link passes over; undefined if it does not tell. */
export function skipOf(link: string): number | undefined {
  const [, skip] = /[?&](?:\$|%24)?skip=(\d+)(?:&|$)/i.exec(link) ?? [];
  return skip === undefined ? undefined : Number(skip);
}

/** Percent-encodes what a URL cannot hold and keeps what is encoded. A link has no fragment, so `#` is data. */
function encodeForUrl(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/%(?![0-9A-Fa-f]{2})/g, '%25')
    .replace(/[^\w.~:/?@!$&'()*+,;=%[\]-]/gu, encodeURIComponent);
}
