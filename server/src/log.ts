/**
 * The server's log: JSON lines for machines, one short line per record on a terminal. Records never hold secrets:
 * request headers and bodies are not logged at all, addresses lose the values of secret parameters, and fields
 * that carry credentials are blanked wherever they stand. It does not decide what is logged; callers do.
 */
import { Writable } from 'node:stream';
import type { FastifyBaseLogger } from 'fastify';
import { pino } from 'pino';
import type { Settings } from './config.js';
import { type Clock, systemClock } from './system.js';

/** The log as features see it: `info({fields}, 'message')` and its siblings, and `child({fields})`. */
export type Log = FastifyBaseLogger;

/** Where records go: standard error, or a stream of a test. */
export type LogStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  hasColors?(): boolean;
};

const secretFields = [
  'authorization',
  'client_secret',
  'clientSecret',
  'client_assertion',
  'access_token',
  'operatorKey',
  'password',
];

const secretParameters =
  /([?&;](?:client_secret|client_assertion|access_token|refresh_token|id_token|password|secret|sig|signature|api[-_]?key|operator[-_]?key)=)[^&;#\s]*/gi;

/** A request target without the values of parameters that carry secrets. */
export function withoutSecrets(target: string): string {
  let decoded = target;
  try {
    decoded = decodeURIComponent(target);
  } catch {
    // Undecodable targets are matched as they came.
  }
  // A name that is percent-encoded hides from the first pattern; then nothing after the path is shown.
  const hidden = target.replace(secretParameters, '$1(hidden)');
  if (hidden === target && decoded.replace(secretParameters, '') !== decoded) {
    return `${target.split('?', 1)[0]}?(hidden)`;
  }
  return hidden;
}

/** Creates the log. A terminal gets readable lines, everything else JSON lines with `level`, `time` and `msg`. */
export function createLog(
  settings: Pick<Settings, 'log-level'>,
  stream: LogStream,
  clock: Clock = systemClock,
): Log {
  return pino(
    {
      level: settings['log-level'],
      base: null,
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secretFields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '(hidden)',
      },
    },
    stream.isTTY === true ? readable(stream) : stream,
  );
}

const colours: Readonly<Record<string, string>> = {
  fatal: '\x1b[31m',
  error: '\x1b[31m',
  warn: '\x1b[33m',
  info: '\x1b[32m',
  debug: '\x1b[2m',
};

/** A stream that takes JSON lines and writes them to `target` as lines for people. */
function readable(target: LogStream): Writable {
  const coloured = target.hasColors?.() === true;
  return new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      for (const line of String(chunk).split('\n')) {
        if (line !== '') target.write(`${readableLine(line, coloured)}\n`);
      }
      done();
    },
  });
}

/** One JSON record as a line for people: local time, level, message, then the other fields as `name=value`. */
function readableLine(line: string, coloured: boolean): string {
  const { level, time, msg, err, ...fields } = asSentence(JSON.parse(line) as Record<string, unknown>);
  const label = String(level).padEnd(5);
  const at = new Date(String(time)).toLocaleTimeString('en-GB');
  const parts = [at, coloured ? `${colours[String(level)] ?? ''}${label}\x1b[0m` : label];
  if (msg !== undefined) parts.push(printable(String(msg)));
  for (const [name, value] of Object.entries(fields)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    parts.push(`${name}=${printable(text)}`);
  }
  if (typeof err === 'object' && err !== null) {
    const { stack, message } = err as { readonly stack?: unknown; readonly message?: unknown };
    parts.push(`\n  ${printable(String(stack ?? message), true)}`);
  }
  return parts.join(' ');
}

/** The record of an answered request as a sentence; its id, which clients report with errors, only with those. */
function asSentence(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { method, url, status, milliseconds, requestId, address: _, ...rest } = record;
  if (method === undefined || typeof status !== 'number') return record;
  const id = status >= 400 ? { requestId } : {};
  return { ...rest, ...id, msg: `${status} ${method} ${url} ${milliseconds} ms` };
}

/** Text without the control characters that could drive a terminal; line ends are indented if kept. */
function printable(text: string, keepLines = false): string {
  const safe = text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '\u{fffd}');
  return keepLines ? safe.replaceAll('\n', '\n  ') : safe.replaceAll('\n', ' ');
}
