/**
 * Answers reports: parse, validate, plan, SQL, engine, envelope. This is the only way in; nothing before the engine
 * touches data. Rows are rendered by the engine and passed through as bytes.
 */
import { datasets, type ReportEntry } from '@storelens/contract';
import type { Engine, EngineSettings } from '../engine/index.js';
import type { Ledger, Mark, Rollups } from '../ledger/index.js';
import type { AccountProducts } from '../products/index.js';
import type { Clock, Random } from '../system.js';
import { AnswerCache, type CodedForms, isMomentary, type KeptAnswer } from './answer-cache.js';
import { enclose, enclosedCopy, templateFor } from './envelope.js';
import {
  type FoundFile,
  foundFile,
  ignoredNotices,
  recordName,
  unknownFile,
  unknownRecord,
} from './found-file.js';
import { type LinkForm, nextLink } from './link.js';
import { hasBounds, mayMiss, mirrorTableOf, noticesOf } from './mirrored.js';
import { withNewestRows } from './newest-rows.js';
import { PageIndexes } from './page-index.js';
import { type FramesPlan, type Plan, plan, type RowsPlan, type StepsPlan } from './plan.js';
import { ProductSizes } from './product-sizes.js';
import { isCut, type Limits, type Reach, reachOf } from './reach.js';
import { readSettings } from './read-settings.js';
import { fileStatement, framesStatement } from './record-sql.js';
import { RepeatedQuestions } from './repeated.js';
import type { RowShape } from './row-shape.js';
import { rowTemplate } from './row-text.js';
import { SmallAnswers } from './small-answers.js';
import { type Chosen, runOf, Snapshots } from './snapshots.js';
import { extentStatement, mirrorGroupingsStatement, pageStatement, stepsStatement } from './sql.js';
import type { Statement } from './sql-writer.js';
import { enter, type Timings, timed, watched } from './stages.js';
import { type Question, validate } from './validate.js';
import { type WholeAnswer, type WholeOptions, type WholeRoom, wholeAnswer } from './whole.js';

export type { CodedForms } from './answer-cache.js';
export type { Form } from './forms.js';
export type { FoundFile } from './found-file.js';
export type { RowShape } from './row-shape.js';
export type { Timings } from './stages.js';
export type { WholeAnswer } from './whole.js';

/** Who asks: the account whose rows may be read, and the application for its paging runs. */
export interface QueryScope {
  readonly accountId: string;
  readonly sellerId: string;
  readonly applicationId: string;
  readonly products: AccountProducts;
  /** Whether the caller may download crash files. */
  readonly mayDownload: boolean;
}

/** A complete answer body and what `Storelens-Notice` should say. */
export interface Answer {
  /** Undefined: the caller has it, as the tag says. */
  readonly body: Buffer | undefined;
  readonly notices: readonly string[];
  /** Equal for equal answers only. Undefined: nothing to compare. */
  readonly tag: string | undefined;
  /** The body in content codings, where it is kept. */
  readonly coded: CodedForms | undefined;
}

/** What a caller may say besides the question. */
export interface RunOptions {
  /** Nobody wants the answer once it aborts: engine queries that have not begun are left out. */
  readonly signal?: AbortSignal;
  /** Whether the caller has the answer with this tag. */
  readonly has?: (tag: string) => boolean;
}

/** An answer, and where its time went. */
export type TimedAnswer = Answer & { readonly timings: Timings };

/** The report engine room. */
export interface Query {
  /**
   * Answers one request; `rawQuery` is the part of the request target after the question mark. Throws `Failure`.
   */
  run(entry: ReportEntry, rawQuery: string, scope: QueryScope, options?: RunOptions): Promise<TimedAnswer>;
  /** What `run` would answer, if it did so before to the same words and nothing has changed; else undefined. */
  repeat(
    entry: ReportEntry,
    rawQuery: string,
    scope: QueryScope,
    options?: RunOptions,
  ): Promise<TimedAnswer | undefined>;
  /** The whole result of one request, however many rows it has. Throws `Failure` as `run` until rows come. */
  whole(entry: ReportEntry, rawQuery: string, scope: QueryScope, options: WholeOptions): Promise<WholeAnswer>;
  /**
   * For reports of kind `file`: the file that a request names. Throws `Failure` as `run`, and `not-found` where no
   * such failure is known, or its file is not there or past its time.
   */
  find(entry: ReportEntry, rawQuery: string, scope: QueryScope, signal?: AbortSignal): Promise<FoundFile>;
}

/** What {@link createQuery} needs. */
export interface QueryOptions {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly rollups: Rollups;
  readonly clock: Clock;
  readonly settings: Limits & {
    readonly 'query-seconds': number;
    readonly 'query-memory-mib': number;
    readonly 'stream-seconds': number;
    readonly 'crash-file-days': number;
    readonly 'answer-cache-mib': number;
    readonly 'row-shape': RowShape;
  };
  readonly random: Random;
  readonly linkForm: () => LinkForm;
}

/** Creates the report engine room. */
export function createQuery({
  engine: bare,
  ledger,
  rollups,
  clock,
  random,
  settings,
  linkForm,
}: QueryOptions): Query {
  const engine = withNewestRows(watched(bare), ledger, clock);
  const limits: EngineSettings = {
    max_execution_time: settings['query-seconds'],
    max_memory_usage: settings['query-memory-mib'] * 1024 * 1024,
  };
  const indexes = new PageIndexes(engine, limits);
  const snapshots = new Snapshots(ledger, clock);
  // Asked beside questions, whose time it is not.
  const smallAnswers = new SmallAnswers(render, clock, new ProductSizes(bare, clock));
  const answers = new AnswerCache(
    settings['answer-cache-mib'] * 1024 * 1024,
    random.bytes(16).toString('base64'),
  );
  const repeated = new RepeatedQuestions();

  async function render(
    planned: Plan,
    statement: Statement,
    signal: AbortSignal | undefined,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the engine's placeholder, not ours
    template = '${data}',
    further: EngineSettings = {},
    begun: (() => void) | undefined = undefined,
  ) {
    const rows = await engine.query({
      account: planned.accountId,
      ...statement,
      signal,
      format: 'Template',
      ...(begun !== undefined && { begun }),
      settings: {
        ...limits,
        ...readSettings(planned),
        format_template_row_format: rowTemplate(planned.fields),
        format_template_rows_between_delimiter: ',',
        format_template_resultset_format: template,
        output_format_json_quote_64bit_integers: 0,
        output_format_json_escape_forward_slashes: 0,
        ...further,
      },
    });
    enter('render');
    return rows;
  }

  /** The first row of an answer as values; undefined if there is none. */
  async function firstRow(
    accountId: string,
    statement: Statement,
    signal: AbortSignal | undefined,
  ): Promise<readonly unknown[] | undefined> {
    const bytes = await engine.query({
      account: accountId,
      ...statement,
      format: 'JSONCompactEachRow',
      signal,
      settings: limits,
    });
    const [line = ''] = Buffer.from(bytes).toString('utf8').split('\n', 1);
    return line === '' ? undefined : (JSON.parse(line) as unknown[]);
  }

  async function extentNotice(
    question: Question,
    planned: Plan,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const [first, last, rows] = (await firstRow(planned.accountId, extentStatement(planned), signal)) ?? [];
    if (Number(rows) > 0) return `data begins ${first} and ends ${last}`;
    return question.lookups.length === 0 ? 'there is no data yet for this query' : unknownRecord(question);
  }

  /** The member that says in the form of 2022 how fresh the rows are, with its comma; else nothing. */
  async function freshnessOf(entry: ReportEntry, accountId: string, snapshot: number): Promise<string> {
    if (entry.freshness !== true || settings['row-shape'] !== '2022') return '';
    const doneAt = await ledger.doneAt(accountId, snapshot);
    const moment = doneAt === undefined ? null : new Date(doneAt).toISOString().slice(0, 19);
    return `,"DataFreshnessTimestamp":${JSON.stringify(moment)}`;
  }

  /**
   * Any page, by the index of its answer, of which the parts that the page does not lie in may be counted beside it;
   * `restOf` gives what follows the rows, by their number.
   */
  async function pageOf(
    planned: RowsPlan,
    { top, skip }: Question,
    restOf: (total: number) => string,
    signal: AbortSignal | undefined,
  ) {
    const index = indexes.of(planned, signal);
    const place = await index.locate(skip, top);
    if (place === undefined) {
      const total = await index.total;
      return { body: enclosedCopy(Buffer.alloc(0), restOf(total)), total };
    }
    const room = Buffer.byteLength(restOf(Number.MAX_SAFE_INTEGER));
    const statement = pageStatement(planned, top, place.offset, place.window);
    const [rows, total] = await Promise.all([
      render(planned, statement, signal, templateFor(room)),
      index.total,
    ]);
    return { body: enclose(rows, room, restOf(total)), total };
  }

  /** What is to be said where mirrored days are part of an answer. */
  async function mirrorNotices(
    question: Question,
    planned: RowsPlan | StepsPlan,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const sources = planned.kind === 'steps' ? planned.steps.map(({ source }) => source) : planned.sources;
    const part = sources.find(({ mirror }) => mirror !== undefined)?.mirror;
    if (part === undefined || !hasBounds(question)) return [];
    const bytes = await engine.query({
      account: planned.accountId,
      ...mirrorGroupingsStatement(planned, part),
      format: 'JSONEachRow',
      signal,
      settings: limits,
    });
    const lines = Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean);
    const groupings = lines.map((line) => (JSON.parse(line) as { grouping: string }).grouping);
    return noticesOf(question, groupings);
  }

  /** What is to be said of an answer with rows or, where it is empty, of why it is. */
  async function rowNotices(
    question: Question,
    planned: RowsPlan | StepsPlan,
    empty: boolean,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    if (planned.kind === 'steps') return mirrorNotices(question, planned, signal);
    const told = !empty || question.level === 'hour' || mayMiss(question);
    const notices = told ? await mirrorNotices(question, planned, signal) : [];
    return empty && notices.length === 0 ? [await extentNotice(question, planned, signal)] : notices;
  }

  async function rowsAnswer(
    question: Question,
    planned: RowsPlan,
    snapshot: number,
    signal: AbortSignal | undefined,
  ): Promise<KeptAnswer> {
    const { top, skip } = question;
    const [freshness, small] = await Promise.all([
      freshnessOf(question.entry, planned.accountId, snapshot),
      skip === 0 ? smallAnswers.of(planned, top, signal) : undefined,
    ]);
    const restOf = (total: number) => {
      const next = skip + top;
      const link = next < total ? JSON.stringify(nextLink(question, next, snapshot, linkForm())) : 'null';
      return `],"@nextLink":${link},"TotalCount":${total}${freshness}}`;
    };
    const { body, total } =
      small === undefined
        ? await pageOf(planned, question, restOf, signal)
        : { body: enclosedCopy(small.rows, restOf(small.total)), total: small.total };
    return { body, notices: await rowNotices(question, planned, total === 0, signal) };
  }

  async function stepsAnswer(
    question: Question,
    planned: StepsPlan,
    signal: AbortSignal | undefined,
  ): Promise<KeptAnswer> {
    const rows = await render(planned, stepsStatement(planned), signal);
    const notices = await mirrorNotices(question, planned, signal);
    const tail = `],"TotalCount":${planned.steps.length}}`;
    return { body: Buffer.concat([Buffer.from('{"Value":['), rows, Buffer.from(tail)]), notices };
  }

  async function framesAnswer(
    question: Question,
    planned: FramesPlan,
    reach: Reach | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KeptAnswer> {
    const rows = Buffer.from(await render(planned, framesStatement(planned), signal)).toString('utf8');
    // A stack has a hundred frames or so, and all of them are here.
    const total = (JSON.parse(`[${rows}]`) as unknown[]).length;
    const body = Buffer.from(`{"Value":[${rows}],"@nextLink":null,"TotalCount":${total}}`);
    if (total > 0) return { body, notices: [] };
    const extent = await firstRow(planned.accountId, extentStatement(planned, true), signal);
    if (Number(extent?.[2]) > 0) {
      return { body, notices: [`the failure with ${recordName(question)} has no stack`] };
    }
    return { body, notices: [unknownRecord(question), ...(reach === undefined ? [] : [reach.notice])] };
  }

  function answer(
    question: Question,
    planned: Plan,
    snapshot: number,
    reach: Reach | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KeptAnswer> {
    switch (planned.kind) {
      case 'grouped':
      case 'records':
        return rowsAnswer(question, planned, snapshot, signal);
      case 'steps':
        return stepsAnswer(question, planned, signal);
      case 'frames':
        return framesAnswer(question, planned, reach, signal);
      case 'file':
        throw new TypeError(`${question.entry.name} answers no rows`);
    }
  }

  /** What a question is remembered under: the account first, and the words last. */
  function textOf(entry: ReportEntry, rawQuery: string, scope: QueryScope): string {
    return `${scope.accountId}\n${scope.applicationId}\n${scope.mayDownload}\n${entry.name}\n${rawQuery}`;
  }

  function circumstancesOf({ sellerId, products }: QueryScope, present: number, now: number) {
    return { sellerId, products, present, now, origin: linkForm().publicUrl };
  }

  /** The commit up to which the rows of a report are summed; several tables are not read as sums. */
  async function summedMark({ sources }: ReportEntry, accountId: string): Promise<Mark | undefined> {
    const [source, ...others] = sources;
    if (source === undefined || others.length > 0 || datasets[source.table]?.summed === undefined)
      return undefined;
    return await rollups.mark(accountId, source.table);
  }

  /** Whether the sums up to a mark hold every row that a snapshot sees of a report. */
  async function isAllSummed({ sources }: ReportEntry, accountId: string, mark: Mark, snapshot: number) {
    const table = sources[0]?.table ?? '';
    return mark.whole && (await ledger.storedRows(accountId, table, mark.seq, snapshot)) === 0;
  }

  /** What the caller asks, and how to plan it at a snapshot. */
  function understand(entry: ReportEntry, rawQuery: string, scope: QueryScope) {
    const now = clock.now();
    const question = validate(rawQuery, entry, scope.products, now, settings['row-shape']);
    const reach = reachOf(entry, question.level, settings, now);
    const { accountId, sellerId, products } = scope;
    const files = { days: settings['crash-file-days'], readable: scope.mayDownload };
    enter('plan');
    const planAt = async (snapshot: number, mark?: Mark) => {
      // After the snapshot was taken: whoever may see mirrored rows knows that there are some.
      const mirror = mirrorTableOf(entry);
      const mirrored = mirror !== undefined && (await ledger.hasStored(accountId, mirror));
      const circumstances = {
        accountId,
        sellerId,
        products,
        snapshot,
        summedTo: mark?.seq ?? 0,
        allSummed: mark !== undefined && (await isAllSummed(entry, accountId, mark, snapshot)),
        now,
        files,
        reach,
        mirrored,
      };
      return plan(question, circumstances);
    };
    return { question, reach, planAt, now };
  }

  return {
    run: (entry, rawQuery, scope, options = {}) => timed(() => run(entry, rawQuery, scope, options)),

    async repeat(entry, rawQuery, scope, { has = () => false } = {}) {
      const began = performance.now();
      const present = await ledger.snapshot(scope.accountId);
      const circumstances = circumstancesOf(scope, present, clock.now());
      const understood = repeated.find(textOf(entry, rawQuery, scope), circumstances);
      if (understood === undefined) return undefined;
      const { tag, notices, run } = understood;
      const known = has(tag) ? 'theirs' : answers.get(tag);
      if (known === undefined) return undefined;
      if (run !== undefined) snapshots.begin(run, present);
      const timings = { parse: performance.now() - began, plan: 0, queue: 0, engine: 0, render: 0 };
      if (known === 'theirs') return { body: undefined, notices: [], tag, coded: undefined, timings };
      const { body, notices: further } = known;
      return { body, notices: [...notices, ...further], tag, coded: answers.codedOf(tag), timings };
    },

    async whole(entry, rawQuery, scope, options) {
      const { question, reach, planAt } = understand(entry, rawQuery, scope);
      const notices = ignoredNotices(question);
      if (question.mismatch !== undefined) notices.push(question.mismatch);
      else if (reach !== undefined && isCut(question, reach)) notices.push(reach.notice);
      const room: WholeRoom = {
        engine,
        seconds: settings['stream-seconds'],
        memoryBytes: Number(limits.max_memory_usage),
        choose: () => snapshots.choose(question, scope),
        replace: (lost) => snapshots.replace(scope.accountId, lost),
        isPurged: (...which) => snapshots.isPurged(...which),
        tagOf: (plan, further) => answers.tagOf(plan, [...further, reach?.notice]),
        noticesOf: (plan, empty) => rowNotices(question, plan, empty, options.signal),
      };
      const summed = await summedMark(entry, scope.accountId);
      const understood = {
        question,
        accountId: scope.accountId,
        notices,
        planAt: (snapshot: number) => planAt(snapshot, summed),
      };
      return await wholeAnswer(understood, room, options);
    },

    async find(entry, rawQuery, scope, signal) {
      const { question, reach, planAt, now } = understand(entry, rawQuery, scope);
      if (question.mismatch !== undefined) throw unknownFile(question, question.mismatch);
      const planned = await planAt(await ledger.snapshot(scope.accountId));
      if (planned.kind !== 'file') throw new TypeError(`${entry.name} answers no file`);
      const row = await firstRow(planned.accountId, fileStatement(planned), signal);
      return foundFile(question, planned, row, reach, { days: settings['crash-file-days'], now });
    },
  };

  async function run(
    entry: ReportEntry,
    rawQuery: string,
    scope: QueryScope,
    { signal, has = () => false }: RunOptions,
  ): Promise<Answer> {
    const { question, reach, planAt, now } = understand(entry, rawQuery, scope);
    const ignored = ignoredNotices(question);
    if (question.mismatch !== undefined) {
      const snapshot = await ledger.snapshot(scope.accountId);
      const body = emptyBody(question, await freshnessOf(entry, scope.accountId, snapshot));
      const notices = [...ignored, question.mismatch];
      return { body, notices, tag: undefined, coded: undefined };
    }
    if (reach !== undefined && isCut(question, reach)) ignored.push(reach.notice);

    // A mark that moves meanwhile is none the worse.
    const summed = await summedMark(entry, scope.accountId);
    const read = async ({ snapshot, notice, present, begins, steady }: Chosen) => {
      const planned = await planAt(snapshot, summed);
      const notices = notice === undefined ? ignored : [...ignored, notice];
      const link = nextLink(question, question.skip + question.top, snapshot, linkForm());
      const tag = answers.tagOf(planned, [link, reach?.notice, ...notices]);
      const reading = find(planned, snapshot, tag, notices);
      // The engine is at work by now; nobody has to wait for what follows.
      const run = begins ? runOf(question, scope) : undefined;
      if (run !== undefined) snapshots.begin(run, present);
      if (steady && !isMomentary(planned)) {
        const circumstances = circumstancesOf(scope, present, now);
        repeated.remember(textOf(entry, rawQuery, scope), circumstances, { tag, notices, run });
      }
      return reading;
    };
    const find = async (planned: Plan, snapshot: number, tag: string, notices: readonly string[]) => {
      if (has(tag)) return { body: undefined, notices: [], tag, coded: undefined, whole: true };
      const known = answers.get(tag);
      const found = known ?? (await answer(question, planned, snapshot, reach, signal));
      // A purge may have overtaken the query, which then has seen rows go.
      const whole = known !== undefined || !(await snapshots.isPurged(entry, scope.accountId, snapshot));
      if (known === undefined && whole) answers.keep(tag, planned, found);
      const all = [...notices, ...found.notices];
      return { body: found.body, notices: all, tag, coded: answers.codedOf(tag), whole };
    };
    const chosen = await snapshots.choose(question, scope);
    let given = await read(chosen);
    if (!given.whole) given = await read(await snapshots.replace(scope.accountId, chosen.snapshot));
    const { whole: _, ...said } = given;
    return said;
  }
}

/** The answer of a product that cannot have rows in the report; the funnel has no next link. */
function emptyBody({ entry }: Question, freshness: string): Buffer {
  const link = entry.kind === 'steps' ? '' : '"@nextLink":null,';
  return Buffer.from(`{"Value":[],${link}"TotalCount":0${freshness}}`);
}
