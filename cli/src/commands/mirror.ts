/** `storelens mirror`: copies reports from one server of the API to another, and tells what was copied. */
import { setTimeout as wait } from 'node:timers/promises';
import { StorelensError } from '@storelens/client';
import { accountOf, accountOptions, connectTo, type Manner } from '../account.js';
import { type Command, type Context, Input, RefusedError } from '../command.js';
import { explained } from '../exit-codes.js';
import { type MirrorConfig, readConfig, reportNames } from '../mirror/config.js';
import { copyReport, type Outcome } from '../mirror/copy.js';
import { type KnownReport, Target } from '../mirror/target.js';
import { aligned, printList } from '../output.js';

const { 'allow-http': allowHttp } = accountOptions;

const target = {
  type: 'text',
  value: 'NAME',
  help: 'Profile of the account that keeps the copies; default: as for other commands.',
} as const;

/** Copies reports. */
export const mirror: Command = {
  name: 'mirror',
  summary: "Copy reports from Microsoft's service, or any server of the API, and keep them",
  actions: {
    '': {
      summary: "Copy reports from Microsoft's service, or any server of the API, and keep them",
      options: {
        source: { type: 'text', value: 'NAME', help: 'Profile of the account that is copied.' },
        target,
        app: { type: 'list', value: 'ID', help: 'An app to copy; may be repeated.' },
        desktop: { type: 'list', value: 'ID', help: 'A desktop product to copy; may be repeated.' },
        driver: { type: 'list', value: 'ID', help: 'A driver product to copy; may be repeated.' },
        report: {
          type: 'list',
          value: 'REPORT',
          help: 'A report to copy; may be repeated. Default: all that are about a product.',
        },
        since: {
          type: 'text',
          value: 'DAY',
          help: 'First day: 2026-05-31, or 30d, 12w, 6m, 2y ago; default 90d.',
        },
        'recent-days': {
          type: 'text',
          value: 'N',
          help: 'Days that are read in every run, since they are still revised; default 10.',
        },
        'failure-days': {
          type: 'text',
          value: 'N',
          help: 'Days that the source keeps failures; default 30, as Microsoft does.',
        },
        pace: { type: 'text', value: 'SECONDS', help: 'Least time between two requests; default 3.3.' },
        once: { type: 'flag', help: 'One run; the default.' },
        every: { type: 'text', value: 'TIME', help: 'A run every 30m, 6h or 1d, until it is stopped.' },
        config: {
          type: 'text',
          value: 'FILE',
          help: 'JSON with source, target, products, reports, ...; default storelens-mirror.json.',
        },
        'allow-http': allowHttp,
      },
      notes: [
        'Days are copied one by one, each replaced as a whole; a run may be stopped at any time, and repeated.',
        `Reports: ${reportNames.join(', ')}.`,
        '',
        'storelens mirror status shows what was copied.',
      ],
      run,
    },
    status: {
      summary: 'Show what was copied: days that are settled, read, empty or failed',
      options: { target, json: { type: 'flag', help: 'Print JSON.' }, 'allow-http': allowHttp },
      notes: [
        'settled: stored, and not read again. read: stored, and read again while it is recent. empty: known to have no',
        'rows. failed: could not be read the last time; what was stored before is still there.',
      ],
      run: status,
    },
  },
};

/** A client for the account of a profile, or for the one that commands act for without any. */
async function clientFor(profile: string | undefined, input: Input, context: Context, manner: Manner) {
  const flags = input.flag('allow-http') ? { 'allow-http': true } : {};
  const chosen = new Input({}, { ...(profile === undefined ? {} : { profile }), ...flags });
  return connectTo(await accountOf(chosen, context), chosen, manner);
}

async function run(input: Input, context: Context): Promise<void> {
  const config = await readConfig(input, context.now());
  if (config.source === config.target) {
    throw new RefusedError(
      config.source === undefined
        ? 'nothing to copy from: --source NAME names the profile; `storelens login --profile NAME` stores it'
        : `source and target are the same profile, ${config.source}`,
    );
  }
  for (;;) {
    const began = context.now();
    let problem: Error | undefined;
    try {
      await copyAll(config, input, context);
    } catch (error) {
      if (!(error instanceof RefusedError || error instanceof StorelensError)) throw error;
      problem = error;
    }
    if (config.every === undefined) {
      if (problem !== undefined) throw problem;
      return;
    }
    const told = problem instanceof StorelensError ? explained(problem) : problem?.message;
    if (told !== undefined) context.err.write(`storelens: ${told}\n`);
    await wait(Math.max(0, began + config.every - context.now()));
  }
}

async function copyAll(config: MirrorConfig, input: Input, context: Context): Promise<void> {
  const { err } = context;
  const terminal = err.isTTY === true;
  const progress = (text: string) => {
    if (terminal) err.write(`\r\x1b[K${text}`);
  };
  const source = await clientFor(config.source, input, context, {
    minInterval: config.pace,
    onRetry: ({ delay, error }) => progress(`${error.message} Trying again in ${Math.ceil(delay / 1000)} s.`),
  });
  const target = new Target(await clientFor(config.target, input, context, {}));
  const outcomes: Outcome[] = [];
  for (const [index, subject] of config.subjects.entries()) {
    const onWindow = (_: unknown, { first, last }: { readonly first: string; readonly last: string }) =>
      progress(
        `${index + 1}/${config.subjects.length} ${subject.entry.name} ${subject.applicationId ?? ''} ${first} to ${last}`,
      );
    outcomes.push(await copyReport(source, target, subject, { ...config, now: context.now, onWindow }));
  }
  progress('');
  context.out.write(summary(outcomes));
  for (const { subject, error } of outcomes) {
    if (error !== undefined) err.write(`${nameOf(subject)}: ${error}\n`);
  }
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
  if (failed > 0) {
    throw new RefusedError(
      `${failed} ${failed === 1 ? 'day' : 'days'} could not be read; the next run tries again`,
    );
  }
}

function nameOf({ entry, applicationId }: Outcome['subject']): string {
  return applicationId === undefined ? entry.name : `${entry.name} ${applicationId}`;
}

function summary(outcomes: readonly Outcome[]): string {
  const columns = ['read', 'changed', 'empty', 'kept', 'failed', 'rows', 'files'] as const;
  const head = ['REPORT', 'PRODUCT', ...columns.map((name) => name.toUpperCase())];
  const lines = outcomes.map((outcome) => [
    outcome.subject.entry.name,
    outcome.subject.applicationId ?? '-',
    ...columns.map((name) => String(outcome[name])),
  ]);
  return aligned([head, ...lines]);
}

async function status(input: Input, context: Context): Promise<void> {
  const target = new Target(await clientFor(input.text('target'), input, context, {}));
  const { reports } = await target.state();
  if (input.flag('json')) {
    context.out.write(`${JSON.stringify(reports)}\n`);
    return;
  }
  const failures: string[] = [];
  for (const { report, days } of reports) {
    if (days.failed === 0) continue;
    const known = (await target.state({ report })).days ?? [];
    for (const { day, state, applicationId, error } of known) {
      if (state === 'failed') failures.push(`${report} ${applicationId ?? ''} ${day}: ${error}`);
    }
  }
  const columns = [
    'report',
    'applicationId',
    'first',
    'last',
    'settled',
    'read',
    'empty',
    'failed',
    'lastRun',
  ];
  printList(input, context, reports.map(statusRow), columns);
  for (const line of [...new Set(failures)].slice(-shownFailures)) context.out.write(`${line}\n`);
}

/** Failed days that are shown with their errors. */
const shownFailures = 10;

function statusRow({ report, applicationId, first, last, days, cursor, cursorAt }: KnownReport) {
  const { ranAt } = (cursor ?? {}) as { readonly ranAt?: string };
  return { report, applicationId, first, last, ...days, lastRun: ranAt ?? cursorAt };
}
