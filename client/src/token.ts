/**
 * Access tokens by client credentials: fetched when they are first needed, shared by all calls, renewed before they
 * expire and dropped when the service refuses one. How they are asked for is the transport's business.
 */
import { type Clock, unlessAborted } from './clock.js';
import { ProtocolError } from './errors.js';

/** A token and when it ends. */
export interface Token {
  readonly value: string;
  /** Milliseconds since 1970, by the clock of this machine. */
  readonly expiresAt: number;
}

/** A token is renewed this long before it ends, or after nine tenths of its life if that is later. */
const renewal = 300_000;

/** Lifetime in seconds of a token whose answer does not tell. */
const unknownLifetime = 600;

/** A request for a token that some calls wait for. */
interface Pending {
  readonly token: Promise<Token>;
  readonly stop: AbortController;
  waiting: number;
}

/** The tokens of one client. */
export class Tokens {
  readonly #fetch: (signal: AbortSignal) => Promise<Token>;
  readonly #clock: Clock;
  #current: { readonly token: Token; readonly renewAt: number } | undefined;
  #pending: Pending | undefined;

  constructor(fetch: (signal: AbortSignal) => Promise<Token>, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** A token that is good for a while. All who wait for one share a request, which ends when the last of them leaves. */
  async get(signal: AbortSignal | undefined): Promise<Token> {
    signal?.throwIfAborted();
    if (this.#current !== undefined && this.#clock.now() < this.#current.renewAt) return this.#current.token;
    this.#pending ??= this.#start();
    const pending = this.#pending;
    pending.waiting++;
    try {
      return await unlessAborted(pending.token, signal);
    } finally {
      pending.waiting--;
      if (pending.waiting === 0) {
        pending.stop.abort();
        if (this.#pending === pending) this.#pending = undefined;
      }
    }
  }

  /** Forgets a token that the service refused, unless it was replaced meanwhile. */
  drop(token: Token): void {
    if (this.#current?.token === token) this.#current = undefined;
  }

  #start(): Pending {
    const stop = new AbortController();
    const began = this.#clock.now();
    const token = this.#fetch(stop.signal).then((token) => {
      const life = token.expiresAt - began;
      this.#current = { token, renewAt: Math.max(token.expiresAt - renewal, began + life * 0.9) };
      return token;
    });
    return { token, stop, waiting: 0 };
  }
}

/** The token in an answer to a request sent at `began`. Its numbers may be text. Throws ProtocolError without one. */
export function readToken(answer: unknown, began: number): Token {
  const { access_token: value, expires_in: seconds } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new ProtocolError('The token service answered without a token.', { code: 'unreadable' });
  }
  const lifetime = Number(seconds ?? Number.NaN);
  return { value, expiresAt: began + (Number.isFinite(lifetime) ? lifetime : unknownLifetime) * 1000 };
}
