/** `storelens crash list|stack|download`: failures of an account, on any server of the API. */
import { once } from 'node:events';
import { access, open, rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Client, type FileReportName, unlisted } from '@storelens/client';
import { accountOptions, clientOf } from '../account.js';
import { type Action, type Context, type Input, RefusedError } from '../command.js';
import { printList, type Row, tellNotice } from '../output.js';
import { Progress } from '../progress.js';
import { dayOf } from '../report/days.js';
import { lookupOf, productOf, programmeOptions, reportOf, sourceOf } from './programmes.js';

const defaultSince = '30d';
const defaultTop = 20;

const id = { name: 'ID', help: 'cabId or cabIdHash, as `storelens crash list --failure` shows it' } as const;

const text = (value: unknown) => (typeof value === 'string' ? value : '');

/** Failures by number of events, or the occurrences of one. */
export const list: Action = {
  summary: 'List failures, the most frequent first; or single crashes of one',
  options: {
    ...programmeOptions,
    failure: { type: 'text', value: 'HASH', help: 'failureHash: list the crashes of this failure.' },
    since: {
      type: 'text',
      value: 'DAY',
      help: `First day, as \`storelens report\` takes it; default: ${defaultSince}.`,
    },
    until: { type: 'text', value: 'DAY', help: 'Last day; default: today.' },
    top: { type: 'text', value: 'N', help: `Lines to show; default: ${defaultTop}.` },
    json: { type: 'flag', help: 'Print JSON.' },
    ...accountOptions,
  },
  async run(input, context) {
    const client = await clientOf(input, context);
    const dates = {
      startDate: dayOf(input.text('since') ?? defaultSince, 'since', context.now()),
      endDate: dayOf(input.text('until') ?? 'today', 'until', context.now()),
    };
    const top = input.integer('top', 1, 10_000) ?? defaultTop;
    const hash = input.text('failure');
    await (hash === undefined
      ? listFailures(client, input, context, dates, top)
      : listCrashes(client, input, context, { ...dates, failureHash: hash }, top));
  },
};

async function listFailures(
  client: Client,
  input: Input,
  context: Context,
  dates: Readonly<Record<string, string>>,
  top: number,
): Promise<void> {
  const entry = reportOf(sourceOf(input), 'failurehits');
  const failures = new Map<string, { failureHash: string; failureName: string; events: number }>();
  const rows = client.rows(unlisted(entry.name), {
    ...productOf(entry, input),
    ...dates,
    aggregationLevel: 'month',
    groupby: ['failureName', 'failureHash'],
  });
  for await (const row of rows) {
    const { failureHash, failureName, eventCount } = row as Row;
    const key = `${text(failureHash)} ${text(failureName)}`;
    const found = failures.get(key) ?? {
      failureHash: text(failureHash),
      failureName: text(failureName),
      events: 0,
    };
    failures.set(key, { ...found, events: found.events + Number(eventCount ?? 0) });
  }
  const sorted = [...failures.values()].sort((a, b) => b.events - a.events);
  printList(input, context, sorted.slice(0, top), ['events', 'failureHash', 'failureName']);
  more(context, Math.min(top, sorted.length), sorted.length, 'failures');
}

/** What tells crashes apart, as far as a programme's rows have it. */
const crashColumns = [
  'date',
  'cabId',
  'cabIdHash',
  'cabDownloadable',
  'market',
  'osVersion',
  'osBuild',
  'packageVersion',
  'applicationVersion',
  'moduleVersion',
  'deviceModel',
  'model',
];

async function listCrashes(
  client: Client,
  input: Input,
  context: Context,
  parameters: Readonly<Record<string, string>>,
  top: number,
): Promise<void> {
  const entry = reportOf(sourceOf(input), 'failuredetails');
  const page = await client.page(unlisted(entry.name), {
    ...productOf(entry, input),
    ...parameters,
    orderby: 'date desc',
    top,
  });
  for (const notice of page.notices) tellNotice(context, notice);
  const columns = crashColumns.filter((name) => entry.fields.some((field) => field.name === name));
  printList(input, context, page.rows as readonly Row[], columns);
  more(context, page.rows.length, page.total ?? 0, 'crashes');
}

function more({ err }: Context, shown: number, all: number, what: string): void {
  if (all > shown) err.write(`${shown} of ${all} ${what}; --top N for more\n`);
}

/** The stack of one crash, a line a frame. */
export const stack: Action = {
  summary: 'Print the stack of a crash',
  operands: [id],
  options: { ...programmeOptions, json: { type: 'flag', help: 'Print JSON.' }, ...accountOptions },
  async run(input, context) {
    const entry = reportOf(sourceOf(input), 'stacktrace');
    const client = await clientOf(input, context);
    const parameters = { ...productOf(entry, input), ...lookupOf(entry, input.operand('ID')) };
    const { rows } = await client.page(unlisted(entry.name), parameters);
    if (input.flag('json')) return printList(input, context, rows as readonly Row[], []);
    if (rows.length === 0) {
      throw new RefusedError(
        `crash '${input.operand('ID')}' has no stack: there is none of this id, or nothing could be read of it`,
      );
    }
    for (const row of rows as readonly Row[]) {
      const [image, name, offset] = [text(row.image), text(row.function), text(row.offset)];
      const place = `${image}${name === '' ? '' : `!${name}`}${offset === '' ? '' : `+${offset}`}`;
      context.out.write(
        `${text(row.level).padStart(3)}  ${place.replace(/[\x00-\x1f\x7f-\x9f]/g, '\u{fffd}')}\n`,
      );
    }
  },
};

/** The file of one crash. */
export const download: Action = {
  summary: 'Download the file of a crash, a cabinet',
  operands: [id],
  options: {
    ...programmeOptions,
    out: { type: 'text', value: 'FILE', help: 'Where to write it; - for standard output; default: ID.cab.' },
    force: { type: 'flag', help: 'Replace a file that is there.' },
    ...accountOptions,
  },
  async run(input, context) {
    const crash = input.operand('ID');
    const entry = reportOf(sourceOf(input), 'cabdownload');
    const parameters = { ...productOf(entry, input), ...lookupOf(entry, crash) };
    const out = input.text('out') ?? `${basename(crash.replaceAll('\\', '/'))}.cab`;
    if (out !== '-' && !input.flag('force') && (await exists(out)))
      throw new RefusedError(`${out} is there already; --force replaces it, --out names another`);
    const client = await clientOf(input, context);
    const file = await client.download(entry.name as FileReportName, parameters as never);
    const progress = new Progress(context, file.size);
    const pieces = file.body as unknown as AsyncIterable<Uint8Array>;
    if (out === '-') {
      for await (const piece of pieces) if (!context.out.write(piece)) await once(context.out, 'drain');
      return;
    }
    // Complete or not at all.
    const part = `${out}.part`;
    const target = await open(part, 'w', 0o600).catch((error: Error) => {
      throw new RefusedError(`${part} cannot be written: ${error.message}`);
    });
    let bytes = 0;
    try {
      for await (const piece of pieces) {
        await target.writeFile(piece);
        bytes += piece.byteLength;
        progress.add(piece.byteLength, `${bytes.toLocaleString('en-US')} bytes`);
      }
      await target.close();
      await rename(part, out);
    } catch (error) {
      await target.close().catch(() => undefined);
      await rm(part, { force: true });
      throw error;
    } finally {
      progress.end();
    }
    context.err.write(`wrote ${out}, ${bytes} bytes\n`);
  },
};

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
