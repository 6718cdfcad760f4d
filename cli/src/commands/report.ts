/** `storelens report`: a report as a table, a chart, or in a form for programs. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Client, ProtocolError, unlisted } from '@storelens/client';
import { literalReports, type ReportEntry, reports } from '@storelens/contract';
import { accountOptions, clientOf } from '../account.js';
import { type Command, type Context, type Input, UsageError } from '../command.js';
import { aligned, harmless, harmlessLines, tellNotice } from '../output.js';
import { chart } from '../report/chart.js';
import { dayOf } from '../report/days.js';
import { CsvColumns, csvHead, csvLine, type Row } from '../report/delimited.js';
import { jsonRow } from '../report/json-row.js';
import { padded, widthOf } from '../width.js';

const formats = ['table', 'csv', 'ndjson', 'json', 'parquet', 'chart'] as const;
type Format = (typeof formats)[number];

/** Media types of the forms that a server may write itself: exact numbers, and no rows in our memory. */
const mediaTypes: Readonly<Partial<Record<Format, string>>> = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
};

/** Rows of a table that nobody asked to be longer. */
const tableRows = 50;
const defaultWidth = 80;

const withRows = Object.values(reports).filter(({ kind }) => kind !== 'file');
const reportNames = withRows.map(({ name }) => name);

/** Shows reports. */
export const report: Command = {
  name: 'report',
  summary: 'Show a report as a table or a chart, or write it as CSV, NDJSON, JSON or Parquet',
  actions: {
    '': {
      summary: 'Show a report as a table or a chart, or write it as CSV, NDJSON, JSON or Parquet',
      operands: [{ name: 'REPORT', help: `one of ${reportNames.join(', ')}`, choices: reportNames }],
      options: {
        app: { type: 'text', value: 'ID', help: 'Product: applicationId.' },
        addon: { type: 'text', value: 'ID', help: 'Add-on: inAppProductId.' },
        failure: { type: 'text', value: 'HASH', help: 'failureHash, for the details of a failure.' },
        cab: { type: 'text', value: 'ID', help: 'cabId or cabIdHash, for a stack trace.' },
        since: {
          type: 'text',
          value: 'DAY',
          help: "First day: 2026-05-31, today, yesterday, 30d, 12w, 6m, 2y ago; default: the report's, mostly today.",
        },
        until: { type: 'text', value: 'DAY', help: 'Last day, in the same forms.' },
        filter: {
          type: 'text',
          value: 'TEXT',
          help: `As the API takes it: "market eq 'US' and gender ne 'm'".`,
        },
        groupby: { type: 'text', value: 'FIELDS', help: 'Fields to group by, with commas between them.' },
        level: {
          type: 'text',
          value: 'LEVEL',
          help: 'Width of a bucket: day, week, month, or hour for failurehits.',
          choices: ['day', 'week', 'month', 'hour'],
        },
        order: { type: 'text', value: 'FIELDS', help: 'Fields to sort by: "date desc,market".' },
        top: { type: 'text', value: 'N', help: `Rows to show; tables show ${tableRows}.` },
        all: { type: 'flag', help: 'All rows, through all pages.' },
        format: {
          type: 'text',
          value: 'FORMAT',
          help: `${formats.join(', ')}; default: table on a terminal, csv in a pipe.`,
          choices: formats,
        },
        measure: {
          type: 'text',
          value: 'FIELD',
          help: 'What a chart adds up; default: the first count of the report.',
        },
        raw: { type: 'flag', help: "CSV without the ' before text that a spreadsheet would run." },
        ...accountOptions,
      },
      notes: [
        'Examples:',
        '  storelens report appacquisitions --app 9NBLGGGZ5QDR --since 30d --groupby market --format chart',
        '  storelens report failurehits --app 9NBLGGGZ5QDR --since 6m --level week --groupby failureName --all > hits.csv',
      ],
      run,
    },
  },
};

async function run(input: Input, context: Context): Promise<void> {
  const entry = entryOf(input.operand('REPORT'));
  const format = formatOf(input, context);
  refuseIdle(input, format);
  const parameters = parametersOf(entry, input, context, format);
  const client = await clientOf(input, context, {
    onRetry: ({ delay, error }) =>
      context.err.write(`${harmlessLines(error.message)} Trying again in ${Math.ceil(delay / 1000)} s.\n`),
  });
  const type = mediaTypes[format];
  // A part of the rows is a page, whose size everybody understands.
  const wanted = input.flag('all') || format === 'parquet';
  if (type !== undefined && wanted && (await copied(client, entry, parameters, type, input, context))) return;
  if (format === 'parquet')
    throw new UsageError('this service does not write Parquet; csv, ndjson and json work with every service');

  const whole = input.flag('all') || format === 'chart';
  const rows: Row[] = [];
  let total: number | undefined;
  const columns = new CsvColumns(entry);
  // A reader that has gone is noticed with the next piece, before another page is asked for.
  let gone: Error | undefined;
  context.out.once('error', (error) => {
    gone = error;
  });
  const write = async (text: string) => {
    if (gone !== undefined) throw gone;
    if (!context.out.write(text)) await once(context.out, 'drain');
  };
  if (format === 'json') await write('[');
  let count = 0;
  for await (const page of client.pages(unlisted(entry.name), parameters, {
    moved: whole ? 'throw' : 'ignore',
    // What people look at may be rounded, what programs read may not.
    exactNumbers: format !== 'table' && format !== 'chart',
  })) {
    for (const notice of page.notices) tellNotice(context, notice);
    total = page.total;
    if (format === 'csv' && count === 0) {
      const head = columns.begin(page.rows as readonly Row[], parameters.groupby);
      // Which fields rows without groups have is the service's matter: one that writes CSV tells by its own header.
      const asked =
        page.rows.length === 0 && parameters.groupby === undefined && type !== undefined && !whole;
      if (asked && entry.kind === 'grouped') {
        if (await copied(client, entry, parameters, type, input, context, { notices: false })) return;
      }
      await write(csvHead(head));
    }
    for (const row of page.rows as readonly Row[]) {
      if (format === 'table' || format === 'chart') rows.push(row);
      else if (format === 'csv') {
        columns.look(row);
        await write(csvLine(row, columns.names, entry.fields, input.flag('raw')));
      } else {
        const text = jsonRow(row, entry.fields);
        await write(format === 'json' ? `${count === 0 ? '' : ','}\n${text}` : `${text}\n`);
      }
      count += 1;
    }
    if (!whole) break;
  }
  if (format === 'json') await write(count === 0 ? ']\n' : '\n]\n');
  for (const name of columns.lost)
    context.err.write(
      `note: ${harmless(name)} stands in later rows only and is left out; ndjson and json have it\n`,
    );
  if (format === 'table') await write(table(rows));
  if (format === 'chart') await write(drawn(entry, rows, input, context));
  if (total !== undefined && total > count)
    context.err.write(`${count} of ${total} rows; --all for all of them, --top N for more\n`);
}

function entryOf(name: string): ReportEntry {
  const entry = Object.hasOwn(literalReports, name.toLowerCase()) ? reports[name.toLowerCase()] : undefined;
  if (entry !== undefined && entry.kind !== 'file') return entry;
  const advice =
    entry === undefined ? `the reports are ${reportNames.join(', ')}` : 'use `storelens crash download`';
  throw new UsageError(`${name} has no rows to show; ${advice}`);
}

function formatOf(input: Input, { out }: Context): Format {
  const text = input.text('format') ?? (out.isTTY === true ? 'table' : 'csv');
  const format = formats.find((one) => one === text);
  if (format === undefined)
    throw new UsageError(`--format is '${text}'; expected one of ${formats.join(', ')}`);
  if (format === 'parquet' && out.isTTY === true)
    throw new UsageError(
      'Parquet is no text: send it to a file, as in `storelens report ... --format parquet > rows.parquet`',
    );
  return format;
}

/** Options that would say nothing are mistakes. */
function refuseIdle(input: Input, format: Format): void {
  const has = (name: string) => input.text(name) !== undefined || input.flag(name);
  if (has('top') && has('all')) throw new UsageError('--top and --all exclude each other');
  if (has('top') && format === 'chart')
    throw new UsageError('--top says nothing for a chart, which needs all rows');
  if (has('measure') && format !== 'chart')
    throw new UsageError(`--measure is for charts, not for ${format}`);
  if (has('raw') && format !== 'csv') throw new UsageError(`--raw is for csv, not for ${format}`);
}

/** The parameters of the API, in its own names. */
function parametersOf(entry: ReportEntry, input: Input, { now }: Context, format: Format) {
  const day = (option: string) => {
    const text = input.text(option);
    return text === undefined ? undefined : dayOf(text, option, now());
  };
  const top = input.integer('top', 1, 10_000);
  const limit = format === 'table' && !input.flag('all') ? (top ?? tableRows) : top;
  const cab = entry.lookups?.find(({ parameter }) => parameter !== 'failureHash')?.parameter ?? 'cabId';
  return {
    applicationId: input.text('app'),
    inAppProductId: input.text('addon'),
    failureHash: input.text('failure'),
    [cab]: input.text('cab'),
    startDate: day('since'),
    endDate: day('until'),
    aggregationLevel: input.text('level'),
    groupby: groupingOf(entry, input, format),
    filter: input.text('filter'),
    orderby: input.text('order'),
    top: entry.paging === undefined || format === 'chart' || input.flag('all') ? undefined : limit,
  };
}

/** A chart over time needs few rows, not those of full grain. */
function groupingOf(entry: ReportEntry, input: Input, format: Format): readonly string[] | undefined {
  const given = input.text('groupby');
  if (given !== undefined) return given.split(',').map((name) => name.trim());
  if (format !== 'chart' || !entry.groupby) return undefined;
  // By name: not every report and not every service has a date in its rows otherwise.
  return entry.fields.some(({ name, groupby }) => name === 'date' && groupby === true) ? ['date'] : undefined;
}

/** Copies the answer of a service that writes the form itself, all rows of it; false if it does not. */
async function copied(
  client: Client,
  entry: ReportEntry,
  parameters: ReturnType<typeof parametersOf>,
  type: string,
  input: Input,
  context: Context,
  { notices = true }: { readonly notices?: boolean } = {},
): Promise<boolean> {
  const query = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(String(value))}`],
  );
  // A service that knows this form says so by sending it; one that does not must have something to send instead.
  const accept = `${type}${input.flag('raw') ? '; raw=true' : ''}, application/json; q=0.1`;
  const answer = await client.request(`/v1.0/my/analytics/${entry.name}?${query.join('&')}`, {
    headers: { accept },
  });
  if (answer.headers.get('content-type')?.startsWith(type) !== true) {
    await answer.body?.cancel();
    return false;
  }
  const notice = answer.headers.get('storelens-notice');
  if (notice !== null && notices) tellNotice(context, decoded(notice));
  if (answer.body === null) throw new ProtocolError('The answer has no body.', { code: 'no-body' });
  await pipeline(Readable.fromWeb(answer.body as never), context.out, { end: false });
  return true;
}

/** A header that percent-encodes what is not ASCII, or somebody else's with a percent sign. */
function decoded(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}

/** Columns as wide as their widest cell, numbers to the right. */
function table(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (names.length === 0) return 'no rows\n';
  const cells = rows.map((row) => names.map((name) => cell(row[name])));
  const widths = names.map((name, index) =>
    cells.reduce((widest, line) => Math.max(widest, widthOf(line[index] ?? '')), widthOf(name)),
  );
  const numeric = names.map((name) =>
    rows.every((row) => row[name] === null || typeof row[name] === 'number'),
  );
  const lines = [names.map(harmless), ...cells].map((line) =>
    line.map((text, index) => (numeric[index] ? padded(text, widths[index] ?? 0, 'right') : text)),
  );
  return aligned(lines);
}

function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (typeof value === 'number') return value.toLocaleString('en-US', { maximumFractionDigits: 6 });
  return harmless(typeof value === 'string' ? value : JSON.stringify(value));
}

function drawn(
  entry: ReportEntry,
  rows: readonly Row[],
  input: Input,
  { out, environment }: Context,
): string {
  const measures = entry.fields
    .filter(({ role, type }) => role === 'measure' && type !== 'text')
    .map(({ name }) => name);
  const measure =
    input.text('measure') ??
    measures.find((name) => rows.length === 0 || typeof rows[0]?.[name] === 'number');
  if (measure === undefined || (rows.length > 0 && typeof rows[0]?.[measure] !== 'number')) {
    throw new UsageError(
      measures.length === 0
        ? `${entry.name} has nothing to draw`
        : `--measure is '${measure ?? ''}'; the counts of ${entry.name} are ${measures.join(', ')}`,
    );
  }
  // Steps have no date; each is a bar.
  const dated = entry.fields.some(({ role }) => role === 'date');
  const label = dated ? 'date' : entry.fields.find(({ type }) => type === 'text')?.name;
  const [by = label ?? 'date'] =
    input
      .text('groupby')
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== 'date') ?? [];
  const distinct = entry.sources.some(({ measures: of }) => of[measure]?.aggregate === 'distinct');
  const head = `${measure} by ${by}${distinct ? ' (added up over rows: who is in several of them counts several times)' : ''}\n`;
  return (
    head +
    chart(rows, {
      ...{
        by,
        measure,
        level: input.text('level'),
        plain: environment.plain,
        whole: entry.steps === undefined,
      },
      width: out.columns ?? environment.columns ?? defaultWidth,
    })
  );
}
