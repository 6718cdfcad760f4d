/**
 * Answers reports: parse, validate, plan, SQL, engine, envelope. This is the only way in; nothing before the engine
 * touches data. Rows are rendered by the engine and passed through as bytes.
 */
import type { ReportEntry } from '@storelens/contract';
import type { Engine, EngineSettings } from '../engine/index.js';
import type { Ledger } from '../ledger/index.js';
import type { AccountProducts } from '../products/index.js';
import type { Clock } from '../system.js';
import { type LinkForm, nextLink } from './link.js';
import { PageIndexes } from './page-index.js';
import { type Plan, plan, type RowsPlan } from './plan.js';
import { type Chosen, Snapshots } from './snapshots.js';
import { extentStatement, pageStatement, rowTemplate, type Statement, stepsStatement } from './sql.js';
import { type Question, validate } from './validate.js';

/** Who asks: the account whose rows may be read, and the application for its paging runs. */
export interface QueryScope {
  readonly accountId: string;
  readonly applicationId: string;
  readonly products: AccountProducts;
}

/** A complete answer body and what `Storelens-Notice` should say. */
export interface Answer {
  readonly body: Buffer;
  readonly notices: readonly string[];
}

/** The report engine room. */
export interface Query {
  /**
   * Answers one request; `rawQuery` is the part of the request target after the question mark. Throws `Failure`.
   * Once the signal aborts nobody wants the answer, and engine queries that have not begun are left out.
   */
  run(entry: ReportEntry, rawQuery: string, scope: QueryScope, signal?: AbortSignal): Promise<Answer>;
}

/** What {@link createQuery} needs. */
export interface QueryOptions {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly settings: { readonly 'query-seconds': number; readonly 'query-memory-mib': number };
  readonly linkForm: () => LinkForm;
}

/** Creates the report engine room. */
export function createQuery({ engine, ledger, clock, settings, linkForm }: QueryOptions): Query {
  const limits: EngineSettings = {
    max_execution_time: settings['query-seconds'],
    max_memory_usage: settings['query-memory-mib'] * 1024 * 1024,
  };
  const indexes = new PageIndexes(engine, limits);
  const snapshots = new Snapshots(ledger, clock);

  const render = (planned: Plan, statement: Statement, signal: AbortSignal | undefined) =>
    engine.query({
      account: planned.accountId,
      ...statement,
      signal,
      format: 'Template',
      settings: {
        ...limits,
        format_template_row_format: rowTemplate(planned.fields),
        format_template_rows_between_delimiter: ',',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the engine's placeholder, not ours
        format_template_resultset_format: '${data}',
        output_format_json_quote_64bit_integers: 0,
        output_format_json_escape_forward_slashes: 0,
      },
    });

  async function extentNotice(planned: Plan, signal: AbortSignal | undefined): Promise<string> {
    const bytes = await engine.query({
      account: planned.accountId,
      ...extentStatement(planned),
      format: 'JSONCompactEachRow',
      signal,
      settings: limits,
    });
    const [first, last, rows] = JSON.parse(Buffer.from(bytes).toString('utf8')) as [
      string,
      string,
      string | number,
    ];
    return Number(rows) === 0
      ? 'there is no data yet for this query'
      : `data begins ${first} and ends ${last}`;
  }

  async function rowsAnswer(
    question: Question,
    planned: RowsPlan,
    snapshot: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const { top, skip } = question;
    const index = await indexes.of(planned, signal);
    const { total } = index;
    let rows: Uint8Array = Buffer.alloc(0);
    if (skip < total) {
      const place = index.locate(skip, top);
      rows = await render(planned, pageStatement(planned, top, place.offset, place.window), signal);
    }
    const link =
      skip + top < total ? JSON.stringify(nextLink(question, skip + top, snapshot, linkForm())) : 'null';
    const tail = `],"@nextLink":${link},"TotalCount":${total}}`;
    const body = Buffer.concat([Buffer.from('{"Value":['), rows, Buffer.from(tail)]);
    return { body, notices: total === 0 ? [await extentNotice(planned, signal)] : [] };
  }

  async function answer(
    question: Question,
    planned: Plan,
    snapshot: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    if (planned.kind !== 'steps') return rowsAnswer(question, planned, snapshot, signal);
    const rows = await render(planned, stepsStatement(planned), signal);
    const tail = `],"TotalCount":${planned.steps.length}}`;
    return { body: Buffer.concat([Buffer.from('{"Value":['), rows, Buffer.from(tail)]), notices: [] };
  }

  return {
    async run(entry, rawQuery, scope, signal) {
      const question = validate(rawQuery, entry, scope.products, clock.now());
      const notices = question.ignored.map(
        (name) => `${name} is no parameter of ${entry.name} and was ignored`,
      );
      if (question.mismatch !== undefined) {
        return { body: emptyBody(question), notices: [...notices, question.mismatch] };
      }
      const read = ({ snapshot }: Chosen) =>
        answer(
          question,
          plan(question, { accountId: scope.accountId, snapshot, products: scope.products }),
          snapshot,
          signal,
        );
      let chosen = await snapshots.choose(question, scope);
      let found = await read(chosen);
      if (await snapshots.isPurged(entry, scope.accountId, chosen.snapshot)) {
        // The purge overtook the query, which may have seen rows go.
        chosen = await snapshots.replace(scope.accountId, chosen.snapshot);
        found = await read(chosen);
      }
      if (chosen.notice !== undefined) notices.push(chosen.notice);
      return { body: found.body, notices: [...notices, ...found.notices] };
    },
  };
}

/** The answer of a product that cannot have rows in the report; the funnel has no next link. */
function emptyBody({ entry }: Question): Buffer {
  const link = entry.paging === undefined ? '' : '"@nextLink":null,';
  return Buffer.from(`{"Value":[],${link}"TotalCount":0}`);
}
