/**
 * The adapter for one ClickHouse server over HTTP, through `@clickhouse/client`. It sends the same SQL as the
 * embedded adapter; a batch travels as the request body and is read by `input()`. It repeats nothing by itself:
 * after a lost connection an insert may have happened, and only the ledger may decide to send it again.
 */
import { openAsBlob } from 'node:fs';
import { open } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { openStreams } from './clickhouse-stream.js';
import { type EngineCall, toEngineError } from './errors.js';
import {
  type Engine,
  EngineError,
  type EngineFileQuery,
  type EngineParams,
  type EngineSettings,
  type EngineValue,
} from './index.js';
import { Queue } from './queue.js';
import { commandText, fileQueryText, insertText, queryText, quoteText, valueText } from './statement.js';

/** Where the server is (`http(s)://user:password@host:port/database`), how many queries run at once and may wait. */
export interface ClickHouseOptions {
  readonly url: string;
  readonly sessions: number;
  readonly queueLength: number;
  /** Whole answers that are read at once; 1 if missing. */
  readonly streams?: number;
}

/**
 * Settings of every call. The whole answer is made before its status line, so that an error is an error status;
 * progress headers would send the status before an insert is checked; a shard that is down is an error.
 */
const callSettings = {
  wait_end_of_query: 1,
  send_progress_in_http_headers: 0,
  skip_unavailable_shards: 0,
  async_insert: 0,
} as const;

/** Seconds that a call may take when its settings name no `max_execution_time`. */
const defaultSeconds = 600;
/** Seconds on top of it for the way there and back. */
const networkSeconds = 15;
const pingSeconds = 10;

const unknownDatabase = 81;

/** Aborts a call that takes longer than the engine's own limit allows: then the network is at fault. */
export function deadline(settings: EngineSettings = {}): AbortSignal {
  const limit = Number(settings.max_execution_time ?? 0);
  return AbortSignal.timeout(((limit > 0 ? limit : defaultSeconds) + networkSeconds) * 1000);
}

/** Longest value of a URL parameter that ClickHouse takes is 128 KiB as encoded; lists are split well below it. */
const listBytes = 100_000;

/** Cuts a list so that each part, encoded for a URL, is short enough for one parameter. */
function partsOf(list: readonly string[]): readonly (readonly string[])[] {
  const parts: string[][] = [[]];
  let length = 0;
  for (const text of list) {
    // Backslashes and quotes are doubled; the quotes around and the comma take three characters each.
    const added = 2 * new URLSearchParams({ text }).toString().length + 9;
    if (length + added > listBytes) {
      parts.push([]);
      length = 0;
    }
    parts.at(-1)?.push(text);
    length += added;
  }
  return parts;
}

function isTexts(value: EngineValue): value is readonly string[] {
  return typeof value === 'object' && typeof value[0] === 'string';
}

/** Binds lists that are too long for one URL parameter in parts: the names of a publisher's thousands of add-ons. */
export function splitLists(
  text: string,
  params: EngineParams = {},
): { readonly text: string; readonly params: EngineParams } {
  const bound: Record<string, EngineValue> = {};
  let statement = text;
  for (const [name, value] of Object.entries(params)) {
    const parts = isTexts(value) ? partsOf(value) : [];
    if (parts.length < 2) {
      bound[name] = value;
      continue;
    }
    for (const [index, part] of parts.entries()) bound[`${name}_${index}`] = part;
    const concatenation = `arrayConcat(${parts.map((_, index) => `{${name}_${index}:Array(String)}`).join(', ')})`;
    statement = statement.replaceAll(
      new RegExp(`\\{\\s*${name}\\s*:\\s*Array\\(String\\)\\s*\\}`, 'g'),
      concatenation,
    );
  }
  return { text: statement, params: bound };
}

/** Parses the URL; the message of a bad one does not repeat it, for it may hold a password. */
function parseUrl(text: string): { readonly origin: string; readonly database: string; readonly url: URL } {
  const wrong = (detail: string) =>
    new Error(`clickhouse-url ${detail}; expected http(s)://user:password@host:port/database`);
  if (!URL.canParse(text)) throw wrong('is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong(`starts with ${url.protocol}`);
  if (url.search !== '' || url.hash !== '') throw wrong('has a part after the database');
  const database = decodeURIComponent(url.pathname.slice(1)) || 'default';
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(database)) {
    throw wrong(`names the database '${database}', which is not a plain identifier`);
  }
  return { origin: url.origin, database, url };
}

function connect(url: URL, database: string, connections: number) {
  return createClient({
    url: url.origin,
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    database,
    application: 'storelens',
    clickhouse_settings: callSettings,
    compression: { request: false, response: false },
    max_open_connections: connections,
    keep_alive: { enabled: true, eagerly_destroy_stale_sockets: true },
    // Calls have deadlines of their own; the client's one clock for all of them must not cut in.
    request_timeout: 2 ** 31 - 1,
    log: { level: ClickHouseLogLevel.OFF },
  });
}

/** A client of a server, with the settings that all calls share. */
export type Client = ReturnType<typeof connect>;

/** Sends one statement and collects the answer. */
async function send(
  client: Client,
  call: EngineCall,
  statement: string,
  values: EngineParams | undefined,
  settings: EngineSettings | undefined,
  body?: Readable,
): Promise<Uint8Array> {
  const signal = deadline(settings);
  const { text, params } = splitLists(statement, values);
  const request = { query: text, query_params: { ...params }, abort_signal: signal };
  try {
    const { stream } = await client.exec(body === undefined ? request : { ...request, values: body });
    return await buffer(addAbortSignal(signal, stream));
  } catch (error) {
    throw toEngineError(error, call);
  } finally {
    body?.destroy();
  }
}

/** Sends a statement with a file that it reads as a table; the client has no way to. */
async function sendWithFile(url: URL, database: string, query: EngineFileQuery): Promise<Uint8Array> {
  const { text, params } = splitLists(fileQueryText(query, 'batch_file'), query.params);
  const form = new FormData();
  form.set('batch_file', await openAsBlob(query.file), 'batch');
  const address = new URL(url.origin);
  const given = {
    database,
    query: text,
    batch_file_format: query.inputFormat,
    batch_file_structure: query.structure,
    ...Object.fromEntries(Object.entries(params).map(([name, value]) => [`param_${name}`, valueText(value)])),
    wait_end_of_query: '1',
    skip_unavailable_shards: '0',
  };
  for (const [name, value] of Object.entries(given)) address.searchParams.set(name, value);
  const user = Buffer.from(
    `${decodeURIComponent(url.username) || 'default'}:${decodeURIComponent(url.password)}`,
  );
  const headers = { authorization: `Basic ${user.toString('base64')}` };
  try {
    const answer = await fetch(address, {
      method: 'POST',
      headers,
      body: form,
      signal: deadline(query.settings),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    throw toEngineError(error, 'query');
  }
}

/** Opens a batch's file first and reads it later: an error of the file must not look like one of the network. */
async function openFile(path: string): Promise<Readable> {
  try {
    const stream = (await open(path)).createReadStream();
    // The request listens only once it has a socket; until then nobody would hear of an error.
    stream.on('error', () => {});
    return stream;
  } catch (cause) {
    throw new EngineError('fault', `cannot read the batch: ${String(cause)}`, undefined, cause);
  }
}

/** Makes sure that the server answers and has the database; creates it if it is missing. */
async function prepareDatabase(client: Client, url: URL, database: string, origin: string): Promise<void> {
  const ask = (asked: Client, sql: string) =>
    send(asked, 'command', sql, undefined, { max_execution_time: pingSeconds });
  try {
    await ask(client, 'SELECT 1');
    return;
  } catch (error) {
    if (!(error instanceof Error && 'engineCode' in error && error.engineCode === unknownDatabase)) {
      throw new Error(
        `ClickHouse at ${origin} does not answer: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }
  const bare = connect(url, 'default', 1);
  try {
    await ask(bare, `CREATE DATABASE IF NOT EXISTS \`${database}\``);
  } catch (cause) {
    throw new Error(
      `ClickHouse at ${origin} has no database '${database}' and does not let this user create it: ` +
        `run CREATE DATABASE ${database} there. ${String(cause)}`,
      { cause },
    );
  } finally {
    await bare.close();
  }
}

/** Connects to a ClickHouse server and creates the database of the URL if it is missing. */
export async function openClickHouse({
  url: text,
  sessions,
  queueLength,
  streams = 1,
}: ClickHouseOptions): Promise<Engine> {
  const { origin, database, url } = parseUrl(text);
  const client = connect(url, database, 2 * sessions + streams + 1);
  try {
    await prepareDatabase(client, url, database, origin);
  } catch (error) {
    await client.close();
    throw error;
  }
  const slots = Array.from({ length: sessions }, (_, index) => index);
  const readers = new Queue(slots, queueLength);
  const writers = new Queue(slots, queueLength);
  const streaming = openStreams(client, streams, queueLength);
  let closing: Promise<void> | undefined;

  return {
    kind: 'clickhouse',
    async query(query) {
      const statement = queryText(query);
      return await readers.run(() => {
        query.begun?.();
        return send(client, 'query', statement, query.params, query.settings);
      }, query);
    },
    stream: streaming.stream,
    async queryFile(query) {
      return await readers.run(() => sendWithFile(url, database, query), query);
    },
    async insert(batch) {
      const body = `${insertText(batch, `input(${quoteText(batch.structure)})`)}\nFORMAT ${batch.format}`;
      await writers.run(async () => {
        const file = await openFile(batch.file);
        return await send(client, 'insert', body, batch.params, batch.settings, file);
      });
    },
    async command(statement) {
      const command = commandText(statement);
      await writers.run(() => send(client, 'command', command, statement.params, statement.settings));
    },
    async ping() {
      await send(client, 'query', 'SELECT 1', undefined, { max_execution_time: pingSeconds });
    },
    close() {
      closing ??= Promise.all([readers.close(), writers.close(), streaming.close()]).then(() =>
        client.close(),
      );
      return closing;
    },
  };
}
