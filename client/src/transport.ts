/**
 * Requests of one client: token, pace, patience and further attempts. A request goes to the origin of the service with
 * a token, or elsewhere without; no redirect is followed here.
 */
import { errorOf, requestIdOf } from './answer.js';
import { type Clock, unlessAborted, type Watch, watch } from './clock.js';
import {
  AuthenticationError,
  ConnectionError,
  InvalidRequestError,
  ProtocolError,
  RateLimitError,
  StorelensError,
} from './errors.js';
import { type CompleteRetries, delayBefore, type Retry } from './retry.js';
import { readToken, type Token, Tokens } from './token.js';

/** What a transport needs to know; times in milliseconds. */
export interface TransportSettings {
  readonly origin: string;
  readonly tokenUrl: string;
  readonly resource: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly timeout: number;
  readonly minInterval: number;
  readonly retries: CompleteRetries;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onRetry: ((retry: Retry) => void) | undefined;
}

/** A request. */
export interface Call {
  readonly url: URL;
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Made anew for every attempt if it is a function. */
  readonly body?: Body | (() => Body) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether the token goes along; only to the origin of the service. Default true. */
  readonly authorized?: boolean;
  /** Whether an attempt that failed may be repeated. Default true. */
  readonly repeatable?: boolean;
  /** Milliseconds that the service may be silent, if others than the client's. */
  readonly timeout?: number | undefined;
  /** Statuses besides 2xx that the reader wants to see. */
  readonly accept?: (status: number) => boolean;
}

/** What a request may carry. */
export type Body = string | Uint8Array | Blob | FormData | URLSearchParams | ReadableStream<Uint8Array>;

/**
 * Makes something of an answer; what it throws counts for the attempt. Says `touch` for every piece of the body that
 * arrives, and `end` with the last.
 */
export type Read<Result> = (answer: Response, progress: Watch) => Promise<Result>;

/** The requests of one client. */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #tokens: Tokens;
  /** Earliest moment of the next request, and the end of the line of those who wait for it. */
  #free = 0;
  #line: Promise<void> = Promise.resolve();
  /** What nothing may show: the secret of the client and its latest tokens. */
  readonly #secrets: string[];

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.#secrets = [settings.clientSecret];
    this.#tokens = new Tokens((signal) => this.#requestToken(signal), settings.clock);
  }

  /** The present token, renewed if need be. */
  token(signal?: AbortSignal): Promise<Token> {
    return this.#tokens.get(signal);
  }

  /** Sends a request until an attempt succeeds or no further one makes sense. */
  async call<Result>(call: Call, read: Read<Result>): Promise<Result> {
    const { retries, random, clock, onRetry } = this.#settings;
    let renewed = false;
    for (let attempt = 1; ; ) {
      let token: Token | undefined;
      try {
        if (call.authorized !== false) {
          // First, so that nobody's turn passes while a token is fetched; and again, since a turn can be far away.
          token = await this.#tokens.get(call.signal);
          await this.#turn(call.signal);
          token = await this.#tokens.get(call.signal);
        }
        return await this.#attempt(call, token, read);
      } catch (error) {
        // A token can end before its time. One new one is worth a try, and no delay; a second refusal is final.
        if (token !== undefined && !renewed && error instanceof AuthenticationError) {
          renewed = true;
          this.#tokens.drop(token);
          // A refused request has done nothing, so it may go again unless its body is used up.
          if (!(call.body instanceof ReadableStream)) continue;
        }
        // What the token endpoint said has been tried often enough by then.
        const final = call.repeatable === false || (call.authorized !== false && token === undefined);
        const delay = final ? undefined : delayBefore(error, attempt, retries, random());
        if (delay === undefined) throw error;
        // Whoever asks for fewer requests means those of all calls.
        if (error instanceof RateLimitError) this.#free = Math.max(this.#free, clock.now() + delay);
        onRetry?.({ error: error as StorelensError, attempt, delay });
        attempt++;
        await clock.wait(delay, call.signal ?? never);
      }
    }
  }

  /** Hides the secrets in a text from outside. */
  readonly #redact = (text: string): string =>
    this.#secrets.reduce(
      (shown, secret) => shown.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***'),
      text,
    );

  /**
   * Waits for the turn of a request: `minInterval` after the one before, and after what the service asked to wait. Who
   * leaves the line takes no turn.
   */
  #turn(signal: AbortSignal | undefined): Promise<void> {
    const { clock, minInterval } = this.#settings;
    const turn = this.#line.then(async () => {
      signal?.throwIfAborted();
      for (let now = clock.now(); now < this.#free; now = clock.now()) {
        await clock.wait(this.#free - now, signal ?? never);
      }
      this.#free = clock.now() + minInterval;
    });
    this.#line = turn.catch(() => undefined);
    return unlessAborted(turn, signal);
  }

  async #attempt<Result>(call: Call, token: Token | undefined, read: Read<Result>): Promise<Result> {
    const { clock, fetch } = this.#settings;
    const timeout = call.timeout ?? this.#settings.timeout;
    const progress = watch(clock, timeout, call.signal);
    let succeeded = false;
    try {
      const answer = await fetch(call.url, {
        method: call.method ?? 'GET',
        headers: {
          ...call.headers,
          ...(token === undefined ? {} : { authorization: `Bearer ${token.value}` }),
        },
        ...bodyOf(call),
        signal: progress.signal,
        redirect: 'manual',
        credentials: 'omit',
        cache: 'no-store',
      });
      progress.touch();
      if (!answer.ok && call.accept?.(answer.status) !== true) throw await this.#refusal(answer, progress);
      const result = await read(answer, progress);
      succeeded = true;
      return result;
    } catch (error) {
      call.signal?.throwIfAborted();
      throw this.#explain(error, call.url.host, progress.expired ? timeout : undefined);
    } finally {
      if (!succeeded) progress.end();
    }
  }

  async #refusal(answer: Response, progress: Watch): Promise<StorelensError> {
    if (answer.type === 'opaqueredirect' || (answer.status >= 300 && answer.status < 400)) {
      await answer.body?.cancel();
      return new ProtocolError('The service answered with a redirect, which this request does not follow.', {
        code: 'redirect',
        status: answer.status,
        requestId: requestIdOf(answer.headers),
      });
    }
    // The status says enough where the body breaks off.
    const text = await readText(answer, progress).catch(() => '');
    return errorOf(answer, text, this.#settings.clock.now(), this.#redact);
  }

  #explain(error: unknown, host: string, silence: number | undefined): unknown {
    if (error instanceof StorelensError) return error;
    if (silence !== undefined) {
      return new ConnectionError(`${host} was silent for ${silence / 1000} s.`, { code: 'timeout' });
    }
    const { code, message } = causeOf(error);
    const what = this.#redact(code === undefined ? message : `${code}: ${message}`);
    return new ConnectionError(`${host} cannot be reached, or hung up (${what}).`, {
      code: code ?? 'connection',
      cause: error,
    });
  }

  async #requestToken(signal: AbortSignal): Promise<Token> {
    const { tokenUrl, resource, clientId, clientSecret, clock } = this.#settings;
    const began = clock.now();
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      resource,
    });
    const call: Call = { url: new URL(tokenUrl), method: 'POST', body: form, signal, authorized: false };
    try {
      const text = await this.call(call, readText);
      const token = readToken(parseJson(text), began);
      this.#secrets.splice(1, this.#secrets.length - 4);
      this.#secrets.push(token.value);
      return token;
    } catch (error) {
      // A refused grant answers 400 or 401; either way the credentials are what to look at.
      if (error instanceof InvalidRequestError || error instanceof AuthenticationError) {
        throw new AuthenticationError(
          `No token was granted (${error.status} ${error.code}): ${error.data.join(' ')}`,
          error,
        );
      }
      throw error;
    }
  }
}

/** The text of an answer. */
export const readText: Read<string> = async (answer, progress) => {
  const decoder = new TextDecoder();
  let text = '';
  const reader = answer.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    progress.touch();
    text += decoder.decode(value, { stream: true });
  }
  progress.end();
  return text + decoder.decode();
};

/** The JSON in a text. Throws ProtocolError if there is none; broken off or not, another attempt may help. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own error is no cause to pass on: it quotes the text, which may hold a token.
    throw new ProtocolError('The answer is not JSON, or it broke off.', { code: 'unreadable' });
  }
}

const never = new AbortController().signal;

function bodyOf({ body }: Call): RequestInit {
  const made = typeof body === 'function' ? body() : body;
  if (made === undefined) return {};
  // Node sends streams in this mode alone, and its types do not know the option.
  return made instanceof ReadableStream
    ? ({ body: made, duplex: 'half' } as RequestInit)
    : { body: made as BodyInit };
}

/** The most telling code and message of an error and its causes. */
function causeOf(error: unknown): { readonly code: string | undefined; readonly message: string } {
  const { cause, code, message } = error as { cause?: unknown; code?: unknown; message?: unknown };
  if (cause instanceof Error) return causeOf(cause);
  return {
    code: typeof code === 'string' ? code : undefined,
    message: typeof message === 'string' && message !== '' ? message : 'no reason given',
  };
}
