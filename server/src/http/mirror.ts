/** Days of reports that a client copied from another server come in, and what is known of them. */
import { type MirrorTable, mirrorTables, programmeOf, type ReportEntry, reports } from '@storelens/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BodyFields, badField } from '../body.js';
import { Failure } from '../failure.js';
import type { Caller } from '../identity/index.js';
import type { MirroredFrame, RecordKey } from '../mirror/index.js';
import type { AccountProducts } from '../products/index.js';
import { utcDay } from '../system.js';
import { bodyOf, drain, ingestCaller, onlyMethods, requireRight, sendJson } from './ingest-caller.js';
import { readJson } from './json-body.js';
import type { Parts } from './parts.js';

const firstDay = '1970-01-01';
const lastDay = '2149-06-06';

/** Most characters of what is remembered for a report, and of an error. */
const most = { cursor: 16_384, error: 2000 } as const;

/** Registers `PUT /ingest/v1/mirror/{report}/{day}` and `/ingest/v1/mirror/state`. */
export function registerMirrorRoutes(server: FastifyInstance, parts: Parts): void {
  const { mirror, products, clock } = parts;

  async function callerOf(request: FastifyRequest, path: string, target: string): Promise<Caller> {
    const action = `${request.method} /ingest/v1/mirror/${path}`;
    const caller = await ingestCaller(request, parts, { action, target });
    requireRight(caller, 'ingest');
    return caller;
  }

  async function putRecord(request: FastifyRequest, reply: FastifyReply, entry: ReportEntry, id: string) {
    onlyMethods(request, reply, ['PUT']);
    const { accountId } = await callerOf(request, ':report/:id', `mirror/${entry.name}/${id}`);
    const given = parametersOf(request.url, ['applicationId', 'date']);
    const scope = scopeOf(entry, given.get('applicationId'), await products.of(accountId));
    const date = given.get('date');
    if (date === undefined) {
      throw new Failure('invalid-parameters', [
        'date is missing; it is the day of the failure as yyyy-MM-dd.',
      ]);
    }
    const day = realDay(date, `date is '${date}'`);
    const key: RecordKey = {
      ...{ accountId, report: entry.name, programme: programmeOf(entry), scope, day },
      name: identifierOf(id),
    };
    const answer =
      entry.kind === 'file'
        ? await mirror.putFile(key, request.raw)
        : await mirror.putStack(key, framesOf(await readJson(request)));
    return sendJson(reply, answer);
  }

  server.all<{ Params: { '*': string } }>('/ingest/v1/mirror/*', async (request, reply) => {
    try {
      const { name, day } = pathOf(request.params['*']);
      const table = day === undefined ? undefined : named(mirrorTables, name);
      const record = day === undefined ? undefined : named(singleFailures, name);
      if (record !== undefined && day !== undefined) return await putRecord(request, reply, record, day);
      if (table === undefined || day === undefined) throw unknownPath(request.params['*']);
      onlyMethods(request, reply, ['PUT']);
      const { accountId } = await callerOf(request, ':report/:day', `mirror/${name}/${day}`);
      const given = parametersOf(request.url, ['applicationId', 'aggregationLevel', 'groupby', 'settled']);
      const owned = await products.of(accountId);
      const answer = await mirror.put({
        accountId,
        table,
        scope: scopeOf(table.report, given.get('applicationId'), owned),
        day: dayOf(day, clock.now()),
        level: levelOf(given.get('aggregationLevel')),
        grouping: groupingOf(table, given.get('groupby')),
        settled: settledOf(given.get('settled')),
        products: owned,
        ...bodyOf(request),
      });
      return sendJson(reply, answer);
    } finally {
      drain(request.raw);
    }
  });

  server.all('/ingest/v1/mirror/state', async (request, reply) => {
    onlyMethods(request, reply, ['GET']);
    const { accountId } = await callerOf(request, 'state', 'mirror/state');
    const given = parametersOf(request.url, ['report', 'applicationId', 'from', 'to']);
    const report = given.get('report');
    const entry = report === undefined ? undefined : mirrored(report);
    if (report !== undefined && entry === undefined) {
      throw new Failure('invalid-parameters', [
        `report is '${report}', which is not mirrored; expected ${names}.`,
      ]);
    }
    const applicationId = given.get('applicationId');
    const owned = await products.of(accountId);
    const known = applicationId === undefined ? undefined : owned.find(applicationId)?.id;
    const day = (name: 'from' | 'to') => {
      const value = given.get(name);
      return value === undefined ? undefined : realDay(value, `${name} is '${value}'`);
    };
    const state = await mirror.state({
      accountId,
      report: entry?.name,
      scope: known ?? applicationId,
      from: day('from'),
      to: day('to'),
    });
    return sendJson(reply, state);
  });

  server.all<{ Params: { '*': string } }>('/ingest/v1/mirror/state/*', async (request, reply) => {
    try {
      const { name, day } = pathOf(request.params['*']);
      const entry = mirrored(name);
      if (entry === undefined) throw unknownPath(`state/${request.params['*']}`);
      onlyMethods(request, reply, ['PUT']);
      const { accountId } = await callerOf(request, 'state/:report/:day', `mirror/state/${name}`);
      const given = parametersOf(request.url, ['applicationId']);
      const scope = scopeOf(entry, given.get('applicationId'), await products.of(accountId));
      const body = await readJson(request);
      const key = { accountId, report: name, scope };
      if (day === undefined) await mirror.remember(key, cursorOf(body));
      else {
        const what = entry.name in singleFailures ? identifierOf(day) : dayOf(day, clock.now());
        const { state, error } = noteOf(body);
        await mirror[state]({ ...key, day: what }, error);
      }
      return reply.code(204).header('cache-control', 'no-store').send();
    } finally {
      drain(request.raw);
    }
  });
}

const names = Object.keys(reports).join(', ');

/** Reports on single failures: their stacks and files are put by identifier. */
const singleFailures: Readonly<Record<string, ReportEntry>> = Object.fromEntries(
  Object.entries(reports).filter(([, { kind }]) => kind === 'frames' || kind === 'file'),
);

/** The identifier of a failure's crash file, in lower case. */
function identifierOf(id: string): string {
  if (/^[0-9a-z-]{1,64}$/i.test(id)) return id.toLowerCase();
  throw new Failure('invalid-parameters', [
    `'${id}' in the path is no identifier; expected 1 to 64 letters, digits and hyphens.`,
  ]);
}

/** Most frames of a stack. */
const mostFrames = 1000;

/** The frames of a body: rows as the report prints them, in their order. */
function framesOf(body: unknown): readonly MirroredFrame[] {
  if (!Array.isArray(body) || body.length > mostFrames) {
    throw new Failure('invalid-body', [`The body is no JSON array of at most ${mostFrames} frames.`]);
  }
  const problems: string[] = [];
  const frames = body.map((frame: unknown, index) => {
    const values = typeof frame === 'object' && frame !== null ? (frame as Record<string, unknown>) : {};
    const text = (name: string): string => {
      const value = values[name] ?? '';
      if (typeof value === 'string' && value.length <= 4096) return value;
      problems.push(`row ${index + 1}: ${name}: expected text of at most 4096 characters`);
      return '';
    };
    return { image: text('image'), function: text('function'), offset: text('offset') };
  });
  if (problems.length > 0) throw new Failure('invalid-rows', problems.slice(0, 100));
  return frames;
}

function mirrored(name: string): ReportEntry | undefined {
  return named(reports, name.toLowerCase());
}

/**
 * The report and the day behind it, if there is one. No pattern over the whole path, which may have a hundred thousand
 * characters and whoever sent it no token.
 */
function pathOf(tail: string): { readonly name: string; readonly day: string | undefined } {
  const path = tail.endsWith('/') ? tail.slice(0, -1) : tail;
  const slash = path.lastIndexOf('/');
  const last = path.slice(slash + 1);
  if (slash < 0 || !/\d/.test(last)) return { name: path.toLowerCase(), day: undefined };
  return { name: path.slice(0, slash).toLowerCase(), day: last };
}

/** What a list of the contract has under a name that came in; undefined for all other names. */
function named<Entry>(list: Readonly<Record<string, Entry>>, name: string): Entry | undefined {
  return Object.hasOwn(list, name) ? list[name] : undefined;
}

function unknownPath(path: string): Failure {
  return new Failure('not-found', [
    `There is no '/ingest/v1/mirror/${path}'; expected the name of a report and a day as yyyy-MM-dd. ` +
      `Mirrored by day are ${Object.keys(mirrorTables).join(', ')}.`,
  ]);
}

function parametersOf(url: string, known: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [given, value] of new URLSearchParams(/\?(.*)$/s.exec(url)?.[1] ?? '')) {
    const name = known.find((one) => one.toLowerCase() === given.toLowerCase());
    if (name === undefined) {
      throw new Failure('invalid-parameters', [
        `Unknown parameter '${given}'; expected ${known.join(', ')}.`,
      ]);
    }
    if (found.has(name)) throw new Failure('invalid-parameters', [`${name} is given twice.`]);
    found.set(name, value);
  }
  return found;
}

function scopeOf(entry: ReportEntry, applicationId: string | undefined, owned: AccountProducts): string {
  const { parameters, needs } = entry.identity;
  if (needs === 'none') {
    if (applicationId === undefined) return '';
    throw new Failure('invalid-parameters', [
      `applicationId is given, but days of ${entry.name} are those of the whole account.`,
    ]);
  }
  const kind = parameters.find(({ name }) => name === 'applicationId')?.kind;
  if (applicationId === undefined) {
    throw new Failure('invalid-parameters', [
      `applicationId is missing; a day of ${entry.name} is one product's.`,
    ]);
  }
  const product = owned.find(applicationId);
  if (product === undefined || product.kind !== kind) {
    throw new Failure('invalid-parameters', [
      `applicationId is '${applicationId}', which is no product of the account of kind ${kind}.`,
    ]);
  }
  return product.id;
}

function realDay(text: string, what: string): string {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || utcDay(time) !== text || text < firstDay || text > lastDay) {
    throw new Failure('invalid-parameters', [`${what}; expected a day as yyyy-MM-dd, from ${firstDay} on.`]);
  }
  return text;
}

function dayOf(text: string, now: number): string {
  const day = realDay(text, `The day in the path is '${text}'`);
  if (day > utcDay(now + 86_400_000)) {
    throw new Failure('invalid-parameters', [`The day in the path is '${text}', which is in the future.`]);
  }
  return day;
}

function levelOf(level: string | undefined): 'day' {
  if (level === undefined || level.toLowerCase() === 'day') return 'day';
  throw new Failure('invalid-parameters', [
    `aggregationLevel is '${level}'; days are mirrored at level day.`,
  ]);
}

/** Canonical names in the order of the report's fields. */
function groupingOf({ report }: MirrorTable, groupby: string | undefined): string {
  if (groupby === undefined || groupby.trim() === '') return '';
  const wanted = groupby.split(',').map((name) => name.trim().toLowerCase());
  const takes = report.fields.filter(({ role, groupby: groupable }) => groupable || role === 'date');
  const unknown = wanted.find((name) => !takes.some((field) => field.name.toLowerCase() === name));
  if (!report.groupby || unknown !== undefined) {
    const expected = report.groupby ? takes.map(({ name }) => name).join(', ') : 'none';
    throw new Failure('invalid-parameters', [
      `groupby names '${unknown ?? groupby}'; ${report.name} is grouped by ${expected}.`,
    ]);
  }
  return takes
    .map(({ name }) => name)
    .filter((name) => wanted.includes(name.toLowerCase()))
    .join(',');
}

function settledOf(settled: string | undefined): boolean {
  if (settled === undefined || settled === 'false') return false;
  if (settled === 'true') return true;
  throw new Failure('invalid-parameters', [`settled is '${settled}'; expected true or false.`]);
}

function cursorOf(body: unknown): object {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Failure('invalid-body', ['The body is no JSON object.']);
  }
  if (JSON.stringify(body).length > most.cursor) {
    throw new Failure('too-large', [`What is remembered may have ${most.cursor} characters of JSON.`]);
  }
  return body;
}

function noteOf(body: unknown): { readonly state: 'fail' | 'gone'; readonly error: string } {
  const fields = BodyFields.of(body, ['state', 'error']);
  const state = fields.value('state');
  if (state !== 'failed' && state !== 'gone') throw badField('state', state, "'failed' or 'gone'");
  const error = fields.value('error');
  if (typeof error !== 'string' || error.trim() === '' || error.length > most.error) {
    throw badField('error', error, `a text of 1 to ${most.error} characters`);
  }
  return { state: state === 'failed' ? 'fail' : state, error };
}
