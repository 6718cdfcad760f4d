/**
 * Reads what a token request says about itself: the form in its body and HTTP Basic. It is forgiving where clients
 * differ and never fails on malformed percent signs; whether the values make sense is checked elsewhere.
 */
import type { GrantRequest } from '../index.js';

/** The parameters of a form body. */
export interface Form {
  /** False for a body of another type: then there are no parameters. */
  readonly encoded: boolean;
  /** Whether a parameter was given twice. */
  readonly repeated: boolean;
  /** The value of a parameter; undefined when absent or empty. */
  get(name: string): string | undefined;
}

/** Client credentials as readings of one half each, the likelier first: percent-decoded, then as they came. */
export interface BasicCredentials {
  readonly clientIds: readonly string[];
  /** Empty when the header had no password. */
  readonly secrets: readonly string[];
}

/** Reads a body of type `application/x-www-form-urlencoded`. */
export function readForm({ contentType, body }: Pick<GrantRequest, 'contentType' | 'body'>): Form {
  const encoded = /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(contentType ?? '');
  const parameters = new URLSearchParams(encoded ? body : '');
  const names = [...parameters.keys()];
  return {
    encoded,
    repeated: new Set(names).size !== names.length,
    get: (name) => parameters.get(name) || undefined,
  };
}

/** A half of HTTP Basic: strict clients form-encode it (even hyphens), others leave it raw. */
function readings(half: string): readonly string[] {
  if (half === '') return [];
  try {
    return [...new Set([decodeURIComponent(half.replaceAll('+', ' ')), half])];
  } catch {
    return [half];
  }
}

/** Reads HTTP Basic; undefined when the header is absent or of another scheme. */
export function readBasic(authorization: string | undefined): BasicCredentials | undefined {
  const encoded = /^basic +(\S+) *$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return {
    clientIds: readings(colon < 0 ? text : text.slice(0, colon)),
    secrets: colon < 0 ? [] : readings(text.slice(colon + 1)),
  };
}
