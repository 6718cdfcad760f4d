/**
 * Drives the comparison of a running server with the oracle: random valid requests paged to the end while batches
 * arrive, and random invalid ones. Every request follows from the seed and its number; a difference is shrunk and
 * printed with all that is needed to see it again.
 */
import { type ErrorEntry, errorBody, errors, type ReportEntry, reports } from '@storelens/contract';
import { sourceOf } from './cab-ids.js';
import { bigApp, manyAcquisitions, someProducts, today } from './generate-data.js';
import { type Mistake, someMistake } from './generate-invalid.js';
import { type Ask, queryOf, someAsk, somePage } from './generate-query.js';
import { bodyOf } from './posted.js';
import { Dice } from './random.js';
import { readRequest, type Shape } from './request.js';
import { shrinkAsk, shrinkRows } from './shrink.js';
import type { OracleProduct } from './store.js';
import { Tenant } from './tenant.js';
import { analyticsBase, Wire, type WireAnswer } from './wire.js';

/** How a test reaches a server: an account with the given products. */
export interface Target {
  readonly origin: string;
  readonly shape: Shape;
  account(products: readonly OracleProduct[]): Promise<{ readonly token: string; readonly sellerId: string }>;
}

/** How much is compared. */
export interface Size {
  readonly seed: number;
  readonly valid: number;
  readonly invalid: number;
  /** A batch is posted in the background after this many requests. */
  readonly batchEvery: number;
  /** Requests in flight. */
  readonly workers: number;
}

/** What was compared. */
export interface Tally {
  valid: number;
  pages: number;
  rows: number;
  batches: number;
  /** Paging runs during which the account's data changed. */
  disturbed: number;
  /** Whole results. */
  whole: number;
  /** Runs that counted `skip` by hand instead of following the link. */
  counted: number;
  invalid: number;
  readonly mistakes: Map<string, number>;
  /** Answers with rows, by report; of reports of files, answers. */
  readonly shown: Map<string, number>;
}

/** A difference, told so that it can be seen again. */
export class Difference extends Error {}

/** How often a kind of report takes its turn: those without range and filters have less to go wrong. */
const turns: Readonly<Record<ReportEntry['kind'], number>> = {
  grouped: 4,
  records: 4,
  steps: 4,
  frames: 2,
  file: 1,
};

const all: readonly ReportEntry[] = [0, 1, 2, 3].flatMap((turn) =>
  Object.values(reports).filter(({ kind }) => turn < turns[kind]),
);

/** Where two texts part, with some text around. */
function parting(got: string, expected: string): string {
  let at = 0;
  while (at < got.length && at < expected.length && got[at] === expected[at]) at += 1;
  const around = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 120), at + 120));
  return `first difference at character ${at}\n  server ${around(got)}\n  oracle ${around(expected)}`;
}

/** Sources of the failures that symbols rename. */
const renamed: readonly string[] = ['app', 'desktop'];

/** The report whose turn it is. */
function turnOf(number: number): ReportEntry {
  const report = all[number % all.length];
  if (report === undefined) throw new Error('no report');
  return report;
}

async function openTenant(target: Target, products: readonly OracleProduct[]): Promise<Tenant> {
  const { token, sellerId } = await target.account(products);
  return new Tenant(new Wire(target.origin, token), products, sellerId, target.shape);
}

/** Compares as much as `size` says; throws a `Difference` at the first one, else returns what was done. */
export async function compare(target: Target, size: Size): Promise<Tally> {
  const { seed } = size;
  const tally: Tally = {
    valid: 0,
    pages: 0,
    rows: 0,
    batches: 0,
    disturbed: 0,
    whole: 0,
    counted: 0,
    invalid: 0,
    mistakes: new Map(),
    shown: new Map(),
  };
  // The accounts share product ids: one must never see the other's rows.
  const tenants = [await openTenant(target, someProducts('A')), await openTenant(target, someProducts('B'))];
  const [first] = tenants;
  if (first === undefined) throw new Error('no tenant');
  for (const tenant of tenants) await tenant.fill(seed);
  // Few requests go to the account with more rows than fit on a page: its pages are large.
  const big = await openTenant(target, [bigApp]);
  await big.post('acquisitions', manyAcquisitions(bigApp.id, 11_000, new Dice('big', seed)));

  const background: Promise<void>[] = [];
  let failure: unknown;
  const arrive = (work: Promise<void>): void => {
    tally.batches += 1;
    background.push(
      work.catch((error: unknown) => {
        failure ??= error;
      }),
    );
  };
  const write = (tenant: Tenant, number: number): void =>
    arrive(tenant.postSome(new Dice('batch', seed, number)));
  const run = async (count: number, one: (number: number) => Promise<void>): Promise<void> => {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count && failure === undefined) {
        const number = next;
        next += 1;
        try {
          await one(number);
        } catch (error) {
          failure ??= error;
        }
      }
    };
    await Promise.all(Array.from({ length: size.workers }, worker));
    if (failure !== undefined) throw failure;
  };
  try {
    await run(size.valid, async (number) => {
      const toBig = turnOf(number).name === 'appacquisitions' && number % 2 === 0;
      const tenant = toBig ? big : (tenants[number % 3 === 2 ? 1 : 0] ?? first);
      if (number % size.batchEvery === 0) write(tenant, number);
      // Now and then a crash file comes, and symbols come or go and rename the failures there are.
      if (number % 200 === 101 && tenant !== big) arrive(tenant.postCrash(new Dice('crash', seed, number)));
      if (number % 300 === 30 && tenant !== big) arrive(tenant.turnSymbols());
      await compareRun(target, tenant, seed, number, tally);
    });
    await Promise.all(background);
    await run(size.invalid, async (number) => {
      const at = number % 3 === 2 ? 1 : 0;
      const others = (tenants[1 - at] ?? first).store.products.map(({ id }) => id);
      await refuse(tenants[at] ?? first, others, seed, number, tally);
    });
    return tally;
  } finally {
    await Promise.all(background);
    for (const tenant of [...tenants, big]) tenant.wire.close();
  }
}

/** One valid request, paged to the end. */
async function compareRun(
  target: Target,
  tenant: Tenant,
  seed: number,
  number: number,
  tally: Tally,
): Promise<void> {
  const dice = new Dice('valid', seed, number);
  const report = turnOf(number);
  const record = await tenant.someRecord(report, dice);
  let ask = someAsk(report, tenant.store.products, dice, record, tenant.shape);
  const known = tenant.expected(report, queryOf(ask), tenant.acknowledged);
  if (report.kind === 'file' && (known.status === 404 || known.status === 302)) {
    const reach = known.status === 404 ? missFile : fetchFile;
    await reach(tenant, report, queryOf(ask), `seed ${seed}, request ${number}`);
    tally.valid += 1;
    tally.shown.set(report.name, (tally.shown.get(report.name) ?? 0) + 1);
    return;
  }
  if (known.status !== 200)
    throw new Error(`the generated request ${number} is invalid: ${known.problem}: ${queryOf(ask)}`);
  const page = somePage(known.total, dice);
  const ignored = report.paging === undefined && dice.chance(0.8);
  if (!ignored) ask = { ...ask, top: page.top?.toString(), skip: page.skip?.toString() };
  const query = queryOf(ask);

  const least = tenant.acknowledged;
  const got = await tenant.wire.get(`${analyticsBase}${report.name}?${query}`);
  await tenant.learnFor(report, query);
  const snapshot = agreed(tenant, ask, query, got, least);
  tally.valid += 1;
  tally.pages += 1;
  if (snapshot === undefined) throw await told(target, tenant, ask, seed, number, got, least);
  let expected = tenant.expected(report, query, snapshot);
  if (expected.status !== 200) throw new Error('the oracle changed its mind');
  tally.rows += expected.total;
  if (expected.total > 0) tally.shown.set(report.name, (tally.shown.get(report.name) ?? 0) + 1);
  const notice = wrongNotice(report, query, expected, got);
  if (notice !== undefined)
    throw new Difference(`seed ${seed}, request ${number}: ${report.name}?${query}\n${notice}`);

  if (report.paging !== undefined && dice.chance(0.12)) {
    await compareWhole(tenant, ask, snapshot, `seed ${seed}, request ${number}`);
    tally.whole += 1;
  }
  const byHand = expected.next !== null && (ask.skip === undefined || ask.skip === '0') && dice.chance(0.15);
  if (byHand) tally.counted += 1;
  const top = Number(ask.top ?? report.paging?.defaultTop);
  for (let turn = 1; expected.next !== null; turn += 1) {
    // Between two pages something arrives now and then; it must not show.
    if (dice.chance(0.15)) {
      await tenant.postSome(dice);
      tally.batches += 1;
    }
    // Renamed failures take the place of those that this run is showing; it must go on showing the old ones.
    if (turn === 1 && renamed.includes(sourceOf(report)) && dice.chance(0.25)) {
      await tenant.turnSymbols();
      tally.batches += 1;
    }
    let answer: WireAnswer;
    let asked: string;
    if (byHand) {
      asked = queryOf({ ...ask, skip: String(turn * top) });
      answer = await tenant.wire.get(`${analyticsBase}${report.name}?${asked}`);
    } else {
      asked = expected.next.slice(expected.next.indexOf('?') + 1);
      answer = await tenant.wire.follow(expected.next);
    }
    if (turn === 1 && tenant.begun > snapshot) tally.disturbed += 1;
    tally.pages += 1;
    expected = tenant.expected(report, asked, snapshot);
    if (expected.status !== 200) throw new Error(`the oracle refuses page ${turn + 1}: ${asked}`);
    if (answer.status !== 200 || answer.body !== expected.body) {
      const where = `page ${turn + 1} at snapshot ${snapshot}, ${byHand ? 'skip counted by hand' : 'next link'}: ${asked}`;
      const how = `status ${answer.status}, ${parting(answer.body, expected.body)}`;
      throw new Difference(`seed ${seed}, request ${number}: ${report.name}?${query}\n${where}\n${how}`);
    }
  }
}

/** The whole result at a snapshot: the rows of all pages, line by line. */
async function compareWhole(tenant: Tenant, ask: Ask, snapshot: number, where: string): Promise<void> {
  const { report } = ask;
  const pinned = { ...ask, top: undefined, skip: undefined };
  const rows: string[] = [];
  for (let query = `${queryOf(pinned)}&snapshot=${snapshot}`; ; ) {
    const page = tenant.expected(report, query, snapshot);
    if (page.status !== 200) throw new Error(`the oracle refuses ${query}`);
    rows.push(...rowsOf(page.body));
    if (page.next === null) break;
    query = page.next.slice(page.next.indexOf('?') + 1);
  }
  const target = `${analyticsBase}${report.name}?${queryOf(pinned)}&snapshot=${snapshot}`;
  const got = await tenant.wire.get(target, { accept: 'application/x-ndjson' });
  const expected = rows.map((row) => `${row}\n`).join('');
  if (got.status !== 200 || got.body !== expected) {
    const how = `status ${got.status}, ${parting(got.body, expected)}`;
    throw new Difference(`${where}, as a whole: ${target}\n${how}`);
  }
}

/** The texts of a page's rows. Rows are flat, and no text holds a line feed. */
function rowsOf(body: string): string[] {
  const end = body.lastIndexOf('],"@nextLink":');
  const rows = body.slice('{"Value":['.length, end);
  return rows === '' ? [] : rows.replaceAll(/\},\{"(?=[A-Za-z]+":)/g, '}\n{"').split('\n');
}

/** A file that is there: a redirect to an address that serves a cabinet. */
async function fetchFile(tenant: Tenant, report: ReportEntry, query: string, where: string): Promise<void> {
  const got = await tenant.wire.get(`${analyticsBase}${report.name}?${query}`);
  const url = got.location === undefined ? undefined : new URL(got.location, tenant.wire.origin);
  const file = url === undefined ? undefined : await tenant.wire.get(`${url.pathname}${url.search}`);
  if (got.status === 302 && file?.status === 200 && file.body.startsWith('MSCF')) return;
  throw new Difference(
    `${where}: ${report.name}?${query}\nstatus ${got.status}, then ${file?.status}: ${got.body}`,
  );
}

/** A file that is not there: 404 in the documented envelope. */
async function missFile(tenant: Tenant, report: ReportEntry, query: string, where: string): Promise<void> {
  const got = await tenant.wire.get(`${analyticsBase}${report.name}?${query}`);
  const problem = wrongEnvelope(errors['not-found'], got);
  if (problem !== undefined)
    throw new Difference(`${where}: ${report.name}?${query}\n${problem}\n${got.body}`);
}

/** What is wrong with the notice of a good answer: it names every parameter that is ignored, and why there are no rows. */
function wrongNotice(
  report: ReportEntry,
  query: string,
  { total }: { readonly total: number },
  { notice = '' }: WireAnswer,
): string | undefined {
  const { ignored } = readRequest(report, query, today);
  const unnamed = ignored.find((name) => !notice.includes(name));
  if (unnamed !== undefined) return `the notice does not name ${unnamed}, which is ignored: ${notice}`;
  if (total === 0 && report.kind !== 'steps' && notice === '') return 'no notice says why there are no rows';
  return undefined;
}

/** The snapshot at which the answer is the oracle's: the one its link names, else any that a reader could get. */
function agreed(tenant: Tenant, ask: Ask, query: string, got: WireAnswer, least: number): number | undefined {
  if (got.status !== 200) return undefined;
  const named = /&snapshot=(\d+)","TotalCount":\d+[,}]/.exec(got.body)?.[1];
  for (const snapshot of tenant.snapshots(ask.report, query, least)) {
    if (named !== undefined && Number(named) !== snapshot) continue;
    const expected = tenant.expected(ask.report, query, snapshot);
    if (expected.status === 200 && expected.body === got.body) return snapshot;
  }
  return undefined;
}

/** The whole story of a difference on a first page, shrunk as far as that goes. */
async function told(
  target: Target,
  tenant: Tenant,
  ask: Ask,
  seed: number,
  number: number,
  got: WireAnswer,
  least: number,
): Promise<Difference> {
  await tenant.settled();
  const snapshot = tenant.acknowledged;
  const { name } = ask.report;
  const lines = [`seed ${seed}, request ${number}: ${name}?${queryOf(ask)}`];
  const expected = tenant.expected(ask.report, queryOf(ask), least);
  lines.push(`status ${got.status}, expected the oracle's answer at a snapshot of at least ${least}`);
  lines.push(parting(got.body, expected.status === 200 ? expected.body : ''));
  const shrunk = await shrinkAsk(tenant, ask, snapshot);
  if (shrunk === undefined) lines.push(`at snapshot ${snapshot} both agree: the difference depends on time`);
  else {
    const [small, pair] = shrunk;
    lines.push(
      `smallest request: ${name}?${decodeURIComponent(pair.query)}`,
      `  to the letter: ${pair.query}`,
    );
    lines.push(`status ${pair.status}, ${parting(pair.got, pair.expected)}`);
    const query = queryOf(small);
    const rows = await shrinkRows(ask.report, query, tenant.batches.slice(0, snapshot), () =>
      openTenant(target, tenant.store.products),
    );
    for (const batch of rows?.batches ?? []) {
      lines.push(`batch of ${batch.dataset}: ${bodyOf(batch.rows.slice(0, 5), 'ndjson').trim()}`);
      if (batch.rows.length > 5) lines.push(`  and ${batch.rows.length - 5} more rows`);
    }
    if (rows !== undefined) lines.push(`answers: ${parting(rows.pair.got, rows.pair.expected)}`);
  }
  return new Difference(lines.join('\n'));
}

/** One invalid request: refused in the documented envelope, with data that names the problem. */
async function refuse(
  tenant: Tenant,
  others: readonly string[],
  seed: number,
  number: number,
  tally: Tally,
): Promise<void> {
  const dice = new Dice('invalid', seed, number);
  const report = turnOf(number);
  const own = new Set(tenant.store.products.map(({ id }) => id));
  const foreign = others.filter((id) => !own.has(id));
  const mistake = someMistake(report, tenant.store.products, foreign, dice, tenant.shape);
  const oracle = tenant.expected(mistake.report, mistake.query, tenant.acknowledged);
  if (oracle.status !== mistake.status)
    throw new Error(`the oracle answers ${oracle.status} to ${mistake.query}`);
  const got = await tenant.wire.get(`${analyticsBase}${mistake.report.name}?${mistake.query}`);
  tally.invalid += 1;
  tally.mistakes.set(mistake.kind, (tally.mistakes.get(mistake.kind) ?? 0) + 1);
  const problem = wrongRefusal(mistake, got);
  if (problem !== undefined) {
    throw new Difference(
      `seed ${seed}, invalid request ${number} (${mistake.kind}): ${problem}\n${mistake.report.name}?${mistake.query}\n` +
        `status ${got.status}, body ${got.body.slice(0, 2000)}`,
    );
  }
}

/** What is wrong with a refusal; undefined when it is in the documented envelope and has sentences. */
function wrongEnvelope(entry: ErrorEntry, got: WireAnswer): string | undefined {
  if (got.status !== entry.status) return `expected status ${entry.status}`;
  let data: unknown;
  try {
    data = (JSON.parse(got.body) as { innererror?: { data?: unknown } }).innererror?.data;
  } catch {
    return 'the body is no JSON';
  }
  if (!Array.isArray(data) || data.length === 0) return 'innererror.data is empty';
  if (!data.every((text) => typeof text === 'string' && text !== ''))
    return 'innererror.data holds no sentences';
  const expected = JSON.stringify(errorBody(entry, data as string[]));
  if (got.body !== expected) return `the envelope is not the documented one, ${parting(got.body, expected)}`;
  return undefined;
}

/** What is wrong with the answer to an invalid request; undefined when it is as it should be. */
export function wrongRefusal(mistake: Mistake, got: WireAnswer): string | undefined {
  const wrong = wrongEnvelope(mistake.status === 403 ? errors.forbidden : errors['invalid-parameters'], got);
  if (wrong !== undefined) return wrong;
  const { innererror } = JSON.parse(got.body) as { innererror: { data: readonly string[] } };
  const text = innererror.data.join('\n').toLowerCase();
  if (!mistake.names.some((name) => text.includes(name.toLowerCase()))) {
    return `innererror.data names none of ${mistake.names.join(', ')}`;
  }
  return undefined;
}
