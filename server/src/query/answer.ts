/**
 * From a plan to the body of its answer: the rows in their envelope, and what is to be said of them or, where there are
 * none, of why. Which technique finds the rows is decided here, and nowhere else.
 */
import type { ReportEntry } from '@storelens/contract';
import type { Ledger } from '../ledger/index.js';
import type { KeptAnswer } from './answer-cache.js';
import { enclose, enclosedCopy, templateFor } from './envelope.js';
import { recordName, unknownRecord } from './found-file.js';
import { type LinkForm, nextLink } from './link.js';
import { hasBounds, mayMiss, noticesOf } from './mirrored.js';
import type { PageIndexes } from './page-index.js';
import type { FramesPlan, Plan, RowsPlan, StepsPlan } from './plan.js';
import type { Reach } from './reach.js';
import type { Reader } from './reader.js';
import { framesStatement } from './record-sql.js';
import type { RowShape } from './row-shape.js';
import type { SmallAnswers } from './small-answers.js';
import { extentStatement, mirrorGroupingsStatement, pageStatement, stepsStatement } from './sql.js';
import type { Question } from './validate.js';

/** What answers are made with. */
export interface AnswerParts {
  readonly reader: Reader;
  readonly indexes: PageIndexes;
  readonly smallAnswers: SmallAnswers;
  readonly ledger: Pick<Ledger, 'doneAt'>;
  readonly rowShape: RowShape;
  readonly linkForm: () => LinkForm;
}

/** Answers planned questions. */
export class Answers {
  constructor(private readonly parts: AnswerParts) {}

  /** The answer to a question as it was planned; `reach` is the limit that its range is cut at. */
  of(
    question: Question,
    plan: Plan,
    reach: Reach | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KeptAnswer> {
    switch (plan.kind) {
      case 'grouped':
      case 'records':
        return this.rows(question, plan, signal);
      case 'steps':
        return this.steps(question, plan, signal);
      case 'frames':
        return this.frames(question, plan, reach, signal);
      case 'file':
        throw new TypeError(`${question.entry.name} answers no rows`);
    }
  }

  /** The answer of a product that cannot have rows in the report; the funnel has no next link. */
  async empty({ entry }: Question, accountId: string, snapshot: number): Promise<Buffer> {
    const link = entry.kind === 'steps' ? '' : '"@nextLink":null,';
    const freshness = await this.freshness(entry, accountId, snapshot);
    return Buffer.from(`{"Value":[],${link}"TotalCount":0${freshness}}`);
  }

  private async rows(
    question: Question,
    plan: RowsPlan,
    signal: AbortSignal | undefined,
  ): Promise<KeptAnswer> {
    const { top, skip } = question;
    const [freshness, small] = await Promise.all([
      this.freshness(question.entry, plan.accountId, plan.snapshot),
      skip === 0 ? this.parts.smallAnswers.of(plan, top, signal) : undefined,
    ]);
    const restOf = (total: number) => {
      const next = skip + top;
      const link =
        next < total
          ? JSON.stringify(nextLink(question, next, plan.snapshot, this.parts.linkForm()))
          : 'null';
      return `],"@nextLink":${link},"TotalCount":${total}${freshness}}`;
    };
    const { body, total } =
      small === undefined
        ? await this.page(plan, question, restOf, signal)
        : { body: enclosedCopy(small.rows, restOf(small.total)), total: small.total };
    return { body, notices: await this.noticesOf(question, plan, total === 0, signal) };
  }

  /**
   * Any page, by the index of its answer, of which the parts that the page does not lie in may be counted beside it;
   * `restOf` gives what follows the rows, by their number.
   */
  private async page(
    plan: RowsPlan,
    { top, skip }: Question,
    restOf: (total: number) => string,
    signal: AbortSignal | undefined,
  ) {
    const index = await this.parts.indexes.of(plan, signal);
    const place = await index.locate(skip, top);
    if (place === undefined) {
      const total = await index.total;
      return { body: enclosedCopy(Buffer.alloc(0), restOf(total)), total };
    }
    const room = Buffer.byteLength(restOf(Number.MAX_SAFE_INTEGER));
    const write = (written: RowsPlan) => pageStatement(written, top, place.offset, place.window);
    const [rows, total] = await Promise.all([
      this.parts.reader.rendered(plan, write, { signal, template: templateFor(room) }),
      index.total,
    ]);
    return { body: enclose(rows, room, restOf(total)), total };
  }

  private async steps(
    question: Question,
    plan: StepsPlan,
    signal: AbortSignal | undefined,
  ): Promise<KeptAnswer> {
    const rows = await this.parts.reader.rendered(plan, stepsStatement, { signal });
    const notices = await this.mirrorNotices(question, plan, signal);
    const tail = `],"TotalCount":${plan.steps.length}}`;
    return { body: Buffer.concat([Buffer.from('{"Value":['), rows, Buffer.from(tail)]), notices };
  }

  private async frames(
    question: Question,
    plan: FramesPlan,
    reach: Reach | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KeptAnswer> {
    const { reader } = this.parts;
    const rows = Buffer.from(await reader.rendered(plan, framesStatement, { signal })).toString('utf8');
    // A stack has a hundred frames or so, and all of them are here.
    const total = (JSON.parse(`[${rows}]`) as unknown[]).length;
    const body = Buffer.from(`{"Value":[${rows}],"@nextLink":null,"TotalCount":${total}}`);
    if (total > 0) return { body, notices: [] };
    const [extent] = await reader.values(plan, (written) => extentStatement(written, true), { signal });
    if (Number(extent?.[2]) > 0) {
      return { body, notices: [`the failure with ${recordName(question)} has no stack`] };
    }
    return { body, notices: [unknownRecord(question), ...(reach === undefined ? [] : [reach.notice])] };
  }

  /** The member that says in the form of 2022 how fresh the rows are, with its comma; else nothing. */
  private async freshness(entry: ReportEntry, accountId: string, snapshot: number): Promise<string> {
    if (entry.freshness !== true || this.parts.rowShape !== '2022') return '';
    const doneAt = await this.parts.ledger.doneAt(accountId, snapshot);
    const moment = doneAt === undefined ? null : new Date(doneAt).toISOString().slice(0, 19);
    return `,"DataFreshnessTimestamp":${JSON.stringify(moment)}`;
  }

  /** What is to be said of an answer with rows or, where it is empty, of why it is. */
  async noticesOf(
    question: Question,
    plan: RowsPlan | StepsPlan,
    empty: boolean,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    if (plan.kind === 'steps') return this.mirrorNotices(question, plan, signal);
    const told = !empty || question.level === 'hour' || mayMiss(question);
    const notices = told ? await this.mirrorNotices(question, plan, signal) : [];
    return empty && notices.length === 0 ? [await this.extentNotice(question, plan, signal)] : notices;
  }

  /** What is to be said where mirrored days are part of an answer. */
  private async mirrorNotices(
    question: Question,
    plan: RowsPlan | StepsPlan,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[]> {
    const sources = plan.kind === 'steps' ? plan.steps.map(({ source }) => source) : plan.sources;
    const part = sources.find(({ mirror }) => mirror !== undefined)?.mirror;
    if (part === undefined || !hasBounds(question)) return [];
    const write = (written: RowsPlan | StepsPlan) => mirrorGroupingsStatement(written, part);
    const rows = await this.parts.reader.values(plan, write, { signal });
    return noticesOf(
      question,
      rows.map(([grouping]) => String(grouping)),
    );
  }

  private async extentNotice(
    question: Question,
    plan: RowsPlan,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const [extent = []] = await this.parts.reader.values(plan, extentStatement, { signal });
    const [first, last, rows] = extent;
    if (Number(rows) > 0) return `data begins ${first} and ends ${last}`;
    return question.lookups.length === 0 ? 'there is no data yet for this query' : unknownRecord(question);
  }
}
