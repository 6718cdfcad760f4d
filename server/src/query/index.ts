/**
 * Answers reports: parse, validate, plan, SQL, engine, envelope. This is the only way in; nothing before the engine
 * touches data. Rows are rendered by the engine and passed through as bytes.
 */
import type { ReportEntry } from '@storelens/contract';
import type { Engine } from '../engine/index.js';
import type { Ledger, Rollups } from '../ledger/index.js';
import type { AccountProducts } from '../products/index.js';
import type { Clock, Random } from '../system.js';
import { Answers } from './answer.js';
import { AnswerCache, type CodedForms, isMomentary } from './answer-cache.js';
import { type FoundFile, foundFile, unknownFile } from './found-file.js';
import { type LinkForm, nextLink } from './link.js';
import { mirrorTableOf } from './mirrored.js';
import { NewestRows } from './newest-rows.js';
import { PageIndexes } from './page-index.js';
import { type Plan, plan } from './plan.js';
import { ignoredNotices } from './problems.js';
import { ProductSizes } from './product-sizes.js';
import { isCut, type Limits, reachOf } from './reach.js';
import { Reader } from './reader.js';
import { fileStatement } from './record-sql.js';
import { RepeatedQuestions } from './repeated.js';
import type { RowShape } from './row-shape.js';
import { SmallAnswers } from './small-answers.js';
import { type Chosen, runOf, Snapshots } from './snapshots.js';
import { enter, type Timings, timed, watched } from './stages.js';
import { CountedDays } from './stored-counts.js';
import { summedOf } from './summed-rows.js';
import { validate } from './validate.js';
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
  const engine = watched(bare);
  const memoryBytes = settings['query-memory-mib'] * 1024 * 1024;
  const reader = new Reader(engine, new NewestRows(ledger, clock), {
    max_execution_time: settings['query-seconds'],
    max_memory_usage: memoryBytes,
  });
  const answers = new Answers({
    reader,
    indexes: new PageIndexes(reader, new CountedDays(ledger, rollups)),
    // Sizes are asked beside questions, whose time it is not.
    smallAnswers: new SmallAnswers(reader, clock, new ProductSizes(bare, clock)),
    ledger,
    rowShape: settings['row-shape'],
    linkForm,
  });
  const kept = new AnswerCache(
    settings['answer-cache-mib'] * 1024 * 1024,
    random.bytes(16).toString('base64'),
  );
  const snapshots = new Snapshots(ledger, clock);
  const repeated = new RepeatedQuestions();

  /** What a question is remembered under: the account first, and the words last. */
  function textOf(entry: ReportEntry, rawQuery: string, scope: QueryScope): string {
    return `${scope.accountId}\n${scope.applicationId}\n${scope.mayDownload}\n${entry.name}\n${rawQuery}`;
  }

  function circumstancesOf({ sellerId, products }: QueryScope, present: number, now: number) {
    return { sellerId, products, present, now, origin: linkForm().publicUrl };
  }

  /** What the caller asks, what is to be said whatever the answer, and how to plan it at a snapshot. */
  function understand(entry: ReportEntry, rawQuery: string, scope: QueryScope) {
    const now = clock.now();
    const question = validate(rawQuery, entry, scope.products, now, settings['row-shape']);
    const reach = reachOf(entry, question.level, settings, now);
    const notices = ignoredNotices(question);
    if (question.mismatch !== undefined) notices.push(question.mismatch);
    else if (reach !== undefined && isCut(question, reach)) notices.push(reach.notice);
    const { accountId, sellerId, products } = scope;
    const files = { days: settings['crash-file-days'], readable: scope.mayDownload };
    enter('plan');
    const planAt = async (snapshot: number) => {
      // After the snapshot was taken: whoever may see mirrored rows knows that there are some.
      const mirror = mirrorTableOf(entry);
      const mirrored = mirror !== undefined && (await ledger.hasStored(accountId, mirror));
      const summed = await summedOf(entry, accountId, snapshot, ledger, rollups);
      const when = { snapshot, now, reach, mirrored, ...summed };
      return plan(question, { accountId, sellerId, products, files, ...when });
    };
    return { question, reach, notices, planAt, now };
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
      const known = has(tag) ? 'theirs' : kept.get(tag);
      if (known === undefined) return undefined;
      if (run !== undefined) snapshots.begin(run, present);
      const timings = { parse: performance.now() - began, plan: 0, queue: 0, engine: 0, render: 0 };
      if (known === 'theirs') return { body: undefined, notices: [], tag, coded: undefined, timings };
      const { body, notices: further } = known;
      return { body, notices: [...notices, ...further], tag, coded: kept.codedOf(tag), timings };
    },

    async whole(entry, rawQuery, scope, options) {
      const { question, reach, notices, planAt } = understand(entry, rawQuery, scope);
      const room: WholeRoom = {
        engine,
        seconds: settings['stream-seconds'],
        memoryBytes,
        choose: () => snapshots.choose(question, scope),
        replace: (lost) => snapshots.replace(scope.accountId, lost),
        isPurged: (...which) => snapshots.isPurged(...which),
        tagOf: (plan, further) => kept.tagOf(plan, [...further, reach?.notice]),
        noticesOf: (plan, empty) => answers.noticesOf(question, plan, empty, options.signal),
      };
      return await wholeAnswer({ question, accountId: scope.accountId, notices, planAt }, room, options);
    },

    async find(entry, rawQuery, scope, signal) {
      const { question, reach, notices, planAt, now } = understand(entry, rawQuery, scope);
      if (question.mismatch !== undefined) throw unknownFile(question, question.mismatch);
      const planned = await planAt(await ledger.snapshot(scope.accountId));
      if (planned.kind !== 'file') throw new TypeError(`${entry.name} answers no file`);
      const [row] = await reader.values(planned, fileStatement, { signal });
      const found = foundFile(question, planned, row, reach, { days: settings['crash-file-days'], now });
      return { ...found, notices };
    },
  };

  async function run(
    entry: ReportEntry,
    rawQuery: string,
    scope: QueryScope,
    { signal, has = () => false }: RunOptions,
  ): Promise<Answer> {
    const { question, reach, notices: first, planAt, now } = understand(entry, rawQuery, scope);
    if (question.mismatch !== undefined) {
      const snapshot = await ledger.snapshot(scope.accountId);
      const body = await answers.empty(question, scope.accountId, snapshot);
      return { body, notices: first, tag: undefined, coded: undefined };
    }

    const read = async ({ snapshot, notice, present, begins, steady }: Chosen) => {
      const planned = await planAt(snapshot);
      const notices = notice === undefined ? first : [...first, notice];
      const link = nextLink(question, question.skip + question.top, snapshot, linkForm());
      const tag = kept.tagOf(planned, [link, reach?.notice, ...notices]);
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
      const known = kept.get(tag);
      const found = known ?? (await answers.of(question, planned, reach, signal));
      // A purge may have overtaken the query, which then has seen rows go.
      const whole = known !== undefined || !(await snapshots.isPurged(entry, scope.accountId, snapshot));
      if (known === undefined && whole) kept.keep(tag, planned, found);
      const all = [...notices, ...found.notices];
      return { body: found.body, notices: all, tag, coded: kept.codedOf(tag), whole };
    };
    const chosen = await snapshots.choose(question, scope);
    let given = await read(chosen);
    if (!given.whole) given = await read(await snapshots.replace(scope.accountId, chosen.snapshot));
    const { whole: _, ...said } = given;
    return said;
  }
}
