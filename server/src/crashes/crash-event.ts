/**
 * What is known of a crash when its file comes in: the event that the sender wrote, or source and product from the
 * query; and what the dump adds. Keys of the event win, the dump fills what is missing. Naming is `failure-row.ts`;
 * values are checked by ingestion.
 */
import { createHash } from 'node:crypto';
import { asciiLower } from '../body.js';
import { Failure } from '../failure.js';
import type { Row } from '../ingest/index.js';
import { isSystemImage } from './blamed-frame.js';
import { failureMode } from './failure-hash.js';
import type { DumpFacts } from './reading.js';

/** The sources of failures. */
const sources = ['app', 'desktop', 'driver', 'ihvdriver', 'hardware'] as const;

/** What the sender says of a crash. */
export interface CrashEvent {
  /** Its keys. */
  readonly row: Row;
  /** The row as JSON, with a timestamp: what ingestion is to check. */
  readonly json: string;
}

/** Where the sender says what crashed: exactly one of part and query. */
export interface EventSource {
  /** Text of the part `event`. */
  readonly event: string | undefined;
  readonly source: string | undefined;
  readonly applicationId: string | undefined;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/**
 * Checks the query alone, before the body is read. Throws Failure `invalid-parameters` for an applicationId without
 * source and for a source that nobody has.
 */
export function checkQuery({ source, applicationId }: Omit<EventSource, 'event'>): void {
  if (source === undefined) {
    if (applicationId === undefined) return;
    throw new Failure('invalid-parameters', [
      'applicationId is given without source; give both, or neither and the part event.',
    ]);
  }
  if (!(sources as readonly string[]).includes(asciiLower(source))) {
    throw new Failure('invalid-parameters', [
      `source is '${source}'; expected one of ${sources.join(', ')}.`,
    ]);
  }
}

/** Reads what the sender says. Throws Failure `invalid-body` for both or none of event and query, `invalid-rows`. */
export function readEvent({ event, source, applicationId }: EventSource, receipt: number): CrashEvent {
  const timestamp = new Date(receipt).toISOString();
  if (event === undefined) {
    if (source === undefined) {
      throw new Failure('invalid-body', [
        "The part 'event' is missing; without it the query says source and applicationId.",
      ]);
    }
    const row = { source, ...(applicationId === undefined ? {} : { applicationId }) };
    return { row, json: JSON.stringify({ timestamp, ...row }) };
  }
  if (source !== undefined) {
    throw new Failure('invalid-body', ["There is a part 'event' and source in the query; give one of them."]);
  }
  const row = parsed(event);
  if (!isMissing(row.timestamp)) return { row, json: event };
  const { timestamp: _, ...others } = row;
  // The sender's own text is checked, so that keys given twice and odd numbers are seen; it only gains a key.
  const json = Object.hasOwn(row, 'timestamp')
    ? JSON.stringify({ timestamp, ...others })
    : event.replace('{', `{"timestamp":"${timestamp}"${Object.keys(others).length > 0 ? ',' : ''}`);
  return { row: others, json };
}

function parsed(event: string): Row {
  let value: unknown;
  try {
    value = JSON.parse(event);
  } catch (cause) {
    throw new Failure('invalid-rows', [`The part 'event' is no JSON: ${(cause as Error).message}.`], {
      cause,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure('invalid-rows', ["The part 'event' is no JSON object; expected one row of failures."]);
  }
  return value as Row;
}

/** Clocks of devices go wrong: a dump from later than this after its receipt is taken to be of its receipt. */
const aheadMilliseconds = 86_400_000;

/** A text of a dump as a row may have it: no control characters, not overlong. */
function clean(text: string | undefined): string | undefined {
  return text
    ?.replace(/\p{Cc}/gu, '')
    .slice(0, 255)
    .replace(/[\ud800-\udbff]$/, '');
}

/** What the dump knows of the keys of a row. */
function fillings(source: string, facts: DumpFacts | undefined, receipt: number): Row {
  const kernel = failureMode(source) === 'km';
  const written = facts?.time;
  const credible = written !== undefined && written > 0 && written <= receipt + aheadMilliseconds;
  const always = {
    timestamp: new Date(credible ? written : receipt).toISOString(),
    eventType: kernel ? 'System crash' : 'crash',
    cabType: kernel ? 'MINI' : 'Mini',
  };
  if (facts === undefined) return always;
  const { crashed, program } = facts;
  const driver = kernel && crashed !== undefined && !isSystemImage(crashed.name) ? crashed : undefined;
  return {
    ...always,
    // Reports of drivers and hardware print the build where the others print the family.
    osVersion: kernel ? facts.osBuild : facts.osName,
    osName: facts.osName,
    osRelease: facts.osRelease,
    osBuild: facts.osBuild,
    architecture: facts.architecture,
    moduleName: clean(crashed?.name),
    moduleVersion: crashed?.version,
    ...(source === 'desktop' ? { fileName: clean(program?.name), applicationVersion: program?.version } : {}),
    ...(source === 'driver' || source === 'ihvdriver'
      ? { driverName: clean(driver?.name), driverVersion: driver?.version }
      : {}),
  };
}

/** The event with what the dump adds. A version is filled only beside a name that is filled. */
export function mergedRow({ row }: CrashEvent, facts: DumpFacts | undefined, receipt: number): Row {
  const source = asciiLower(String(row.source));
  const filled: Record<string, unknown> = { ...row };
  const added = fillings(source, facts, receipt);
  const beside: Readonly<Record<string, string>> = {
    moduleVersion: 'moduleName',
    applicationVersion: 'fileName',
    driverVersion: 'driverName',
  };
  for (const [key, value] of Object.entries(added)) {
    const name = beside[key];
    if (name !== undefined && !isMissing(row[name]) && row[name] !== added[name]) continue;
    if (isMissing(filled[key]) && value !== undefined) filled[key] = value;
  }
  return filled;
}

/** Whether the event gives frames of its own. */
export function givesFrames({ row }: CrashEvent): boolean {
  return Array.isArray(row.frames) && row.frames.length > 0;
}

/** Equal for the same crash sent again: over what the query says, the event as it was written and the file. */
export function bodyHash(
  { source, applicationId }: Omit<EventSource, 'event'>,
  upload: { readonly event: string | undefined; readonly hash: string },
): string {
  const said = JSON.stringify([source ?? null, applicationId ?? null, upload.event ?? null, upload.hash]);
  return createHash('sha256').update(said, 'utf8').digest('hex');
}
