/**
 * Whole answers from a ClickHouse server, piece by piece as they arrive over HTTP. The status line comes with the first
 * bytes, so an error may follow them: the server then breaks the connection off. What it says before that is not handed
 * on, because it is no part of the answer.
 */
import { addAbortSignal, type Readable } from 'node:stream';
import { type Client, deadline, splitLists } from './clickhouse.js';
import { toEngineError } from './errors.js';
import type { Engine, EngineStream } from './index.js';
import { Shares } from './shares.js';
import { queryText } from './statement.js';

/** The answer is sent while it is made; a reader that has gone ends the query, which the server does for reads alone. */
const streamSettings = {
  wait_end_of_query: 0,
  readonly: '2',
  cancel_http_readonly_queries_on_client_close: 1,
} as const;

/** Bytes at the end that are held back until the answer is complete: an error's text has 16 KiB at most. */
const heldBack = 20 * 1024;

/** Streams over a client, so many at once. */
export function openStreams(
  client: Client,
  streams: number,
  queueLength: number,
): { readonly stream: Engine['stream']; close(): Promise<void> } {
  const slots = new Shares(
    Array.from({ length: streams }, (_, index) => index),
    queueLength,
  );

  async function* stream(request: EngineStream): AsyncGenerator<Uint8Array> {
    const { giveBack } = await slots.take(request.account, request.signal);
    const stop = new AbortController();
    const signal = AbortSignal.any([
      stop.signal,
      deadline(request.settings),
      ...(request.signal === undefined ? [] : [request.signal]),
    ]);
    try {
      const { text, params } = splitLists(queryText(request), request.params);
      const answer = await client.exec({
        query: text,
        query_params: { ...params },
        abort_signal: signal,
        clickhouse_settings: streamSettings,
      });
      yield* complete(addAbortSignal(signal, answer.stream), answer.response_headers);
    } catch (error) {
      throw toEngineError(error, 'query');
    } finally {
      // Without effect on an answer that is over.
      stop.abort();
      giveBack();
    }
  }

  return { stream, close: () => slots.close() };
}

/** The bytes of an answer but for those that tell of an error; throws instead of ending with them. */
async function* complete(
  stream: Readable,
  headers: Readonly<Record<string, unknown>>,
): AsyncGenerator<Uint8Array> {
  let tail: Buffer = Buffer.alloc(0);
  const tag = headers['x-clickhouse-exception-tag'];
  const mark = `__exception__\r\n${String(tag)}\r\n`;
  const said = () => {
    const at = tag === undefined ? -1 : tail.indexOf(mark);
    return at < 0 ? undefined : new Error(tail.subarray(at + mark.length).toString('utf8'));
  };
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const all = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
      const ready = Math.max(0, all.length - heldBack);
      if (ready > 0) yield all.subarray(0, ready);
      tail = all.subarray(ready);
    }
  } catch (error) {
    throw said() ?? error;
  }
  const error = said();
  if (error !== undefined) throw error;
  if (tail.length > 0) yield tail;
}
