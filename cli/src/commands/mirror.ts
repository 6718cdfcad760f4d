/** `storelens mirror`: copies reports from one server of the API to another, and tells what was copied. */
import { constants } from 'node:os';
import { StorelensError } from '@storelens/client';
import { type Account, accountOf, accountOptions, connectTo, type Manner } from '../account.js';
import { type Command, type Context, Input, RefusedError, UsageError } from '../command.js';
import { exitCodeOf, explained } from '../exit-codes.js';
import { type MirrorConfig, readConfig, reportNames } from '../mirror/config.js';
import { copyReport, nothingYet, type Outcome } from '../mirror/copy.js';
import { Patience } from '../mirror/patience.js';
import { type DayState, type KnownReport, Target, TargetError, type ToldDay } from '../mirror/target.js';
import { aligned, harmless, printList } from '../output.js';

const { 'allow-http': allowHttp, ca } = accountOptions;

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
        ca,
      },
      notes: [
        'Days are copied one by one, each replaced as a whole; a run may be stopped at any time, and repeated.',
        `Reports: ${reportNames.join(', ')}.`,
        '',
        'storelens mirror status shows what was copied.',
      ],
      profiles: async (input, context) => {
        const { source, target } = await readConfig(input, context.now());
        return [source, target];
      },
      run,
    },
    status: {
      summary: 'Show what was copied: days that are settled, read, empty, failed, kept or without rows',
      options: {
        target,
        failed: { type: 'flag', help: 'List every day that failed, with its error.' },
        without: {
          type: 'flag',
          help: 'List every day, stack and file that the source has not, with the reason.',
        },
        json: { type: 'flag', help: 'Print JSON.' },
        'allow-http': allowHttp,
        ca,
      },
      notes: [
        'settled: stored, and not read again. read: stored, and read again while it is recent. empty: known to have no',
        'rows. failed: could not be read the last time, and is tried again; what was stored before is still there.',
        'kept: stored, and the source has it no longer. without: the source has it no longer, or never had it, and',
        'nothing is stored. Neither is a failure: nothing can be done about it.',
      ],
      profiles: async (input) => [input.text('target')],
      run: status,
    },
  },
};

/** The account of a profile, or the one that commands act for without any, and a client for it. */
async function partyOf(
  role: 'source' | 'target',
  profile: string | undefined,
  input: Input,
  context: Context,
  manner: Manner,
) {
  const flags = input.flag('allow-http') ? { 'allow-http': true } : {};
  const chosen = new Input({}, { ...(profile === undefined ? {} : { profile }), ...flags });
  try {
    const account = await accountOf(chosen, context);
    return { account, client: connectTo(account, chosen, { ...manner, clock: context }) };
  } catch (error) {
    // Two accounts are at work: which of them it is about matters.
    if (!(error instanceof UsageError)) throw error;
    const option = profile === undefined ? `; or --${role} NAME names its profile` : '';
    throw new UsageError(`the ${role}: ${error.message}${option}`);
  }
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
  const stop = stopSignal();
  try {
    for (;;) {
      const began = context.now();
      let problem: Error | undefined;
      try {
        await copyAll(config, input, context, stop.signal);
      } catch (error) {
        if (!(error instanceof RefusedError || error instanceof StorelensError)) throw error;
        problem = error;
      }
      if (config.every === undefined) {
        if (problem !== undefined) throw problem;
        return;
      }
      if (problem !== undefined) context.err.write(`storelens: ${problem.message}\n`);
      if (stop.signal.aborted) return;
      const next = Math.max(began + config.every, context.now());
      showLine(context, `next run at ${new Date(next).toISOString().slice(0, 16)}Z`);
      await context.wait(next - context.now(), stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
      showLine(context, '');
      if (stop.signal.aborted) return;
    }
  } finally {
    stop.end();
  }
}

/** Aborts with the first SIGINT or SIGTERM; a second one ends the process as ever. */
function stopSignal(): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const names = ['SIGINT', 'SIGTERM'] as const;
  const stop = (name: (typeof names)[number]) => {
    end();
    const exitCode = 128 + constants.signals[name];
    controller.abort(new RefusedError(`stopped by ${name}; the next run goes on from here`, exitCode));
  };
  const end = () => {
    for (const name of names) process.off(name, stop);
  };
  for (const name of names) process.on(name, stop);
  return { signal: controller.signal, end };
}

/** Shows a line in the place of the one before, on a terminal alone. */
function showLine({ err }: Context, text: string): void {
  if (err.isTTY !== true) return;
  err.write(`\r\x1b[K${[...harmless(text)].slice(0, (err.columns ?? 80) - 1).join('')}`);
}

async function copyAll(
  config: MirrorConfig,
  input: Input,
  context: Context,
  signal: AbortSignal,
): Promise<void> {
  const { err } = context;
  const progress = (text: string) => showLine(context, text);
  const patience = new Patience();
  const from = await partyOf('source', config.source, input, context, {
    minInterval: config.pace,
    onRetry: (retry) => {
      patience.onRetry(retry);
      progress(`${retry.error.message} Trying again in ${Math.ceil(retry.delay / 1000)} s.`);
    },
  });
  const to = await partyOf('target', config.target, input, context, {
    onRetry: ({ error }) => progress(`The target: ${error.message} Trying again.`),
  });
  if (isSame(from.account, to.account)) {
    throw new RefusedError(
      `source (${from.account.origin}) and target (${to.account.origin}) are the same account, ` +
        `tenant ${to.account.tenantId} at ${to.account.url ?? "Microsoft's service"}; --target NAME names another one`,
    );
  }
  const source = from.client;
  const target = new Target(to.client, signal);
  const outcomes: Outcome[] = [];
  let problem: unknown;
  for (const [index, subject] of config.subjects.entries()) {
    const onWindow = (_: unknown, { first, last }: { readonly first: string; readonly last: string }) =>
      progress(`${index + 1}/${config.subjects.length} ${nameOf(subject)} ${first} to ${last}`);
    const outcome = nothingYet(subject);
    outcomes.push(outcome);
    try {
      await copyReport(source, target, { ...config, now: context.now, patience, onWindow, signal }, outcome);
    } catch (error) {
      // What the target refuses of one report says nothing of the others.
      if (error instanceof TargetError && error.refused) {
        outcome.error ??= error.message;
        continue;
      }
      problem = error;
      break;
    }
  }
  progress('');
  if (problem === undefined || outcomes.some(hasBegun)) {
    // A report that the target does not want has no figures.
    const shown = outcomes.filter((outcome) => outcome.error === undefined || hasBegun(outcome));
    if (shown.length > 0) context.out.write(summary(shown));
  }
  for (const line of [...errorsOf(outcomes), ...lossesOf(outcomes)]) err.write(`${harmless(line)}\n`);
  if (problem instanceof StorelensError) {
    throw new RefusedError(`the source: ${explained(problem)}`, exitCodeOf(problem));
  }
  if (problem !== undefined) throw problem;
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
  if (failed > 0) {
    throw new RefusedError(
      `${failed} ${failed === 1 ? 'day' : 'days'} could not be copied; the next run tries again`,
    );
  }
  if (outcomes.some(({ error }) => error !== undefined)) {
    throw new RefusedError('not all reports could be copied');
  }
}

/** Whether two accounts are one, which would be copied onto itself. */
function isSame(one: Account, other: Account): boolean {
  const place = ({ url, tenantId }: Account) =>
    `${url === undefined ? '' : new URL(url).origin} ${tenantId.toLowerCase()}`;
  return place(one) === place(other);
}

function hasBegun({ read, kept, lost, failed }: Outcome): boolean {
  return read + kept + lost + failed > 0;
}

/** A line for every report of which days were lost: it is told once. */
function lossesOf(outcomes: readonly Outcome[]): readonly string[] {
  const told = (days: string, them: string) =>
    `${days} could never be read, and the source has dropped ${them}: \`storelens mirror status --without\` lists ${them}`;
  return outcomes
    .filter(({ lost }) => lost > 0)
    .map(({ subject, lost }) => {
      const what = lost === 1 ? told('1 day', 'it') : told(`${lost} days`, 'them');
      return `${nameOf(subject)} ${what}`;
    });
}

/** A line for every error; what several reports of a product have in common is said once. */
function errorsOf(outcomes: readonly Outcome[]): readonly string[] {
  const subjects = new Map<string, Outcome['subject'][]>();
  for (const { subject, error } of outcomes) {
    if (error !== undefined) subjects.set(error, [...(subjects.get(error) ?? []), subject]);
  }
  return [...subjects].map(([error, [first, ...more]]) => {
    const others = more.length === 0 ? '' : ` and ${more.length} more: `;
    return `${first === undefined ? '' : nameOf(first)}${others || ' '}${error}`;
  });
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
  const { client } = await partyOf('target', input.text('target'), input, context, {});
  const target = new Target(client);
  const { reports } = await target.state();
  const listed = (['failed', 'without'] as const).filter((state) => input.flag(state));
  if (input.flag('json') && listed.length === 0) {
    context.out.write(`${JSON.stringify(reports)}\n`);
    return;
  }
  const states: readonly DayState[] = listed.length === 0 ? ['failed'] : listed;
  const failures: FailedDay[] = [];
  const wanted = reports.filter(({ days }) => states.some((state) => days[state] > 0));
  for (const report of new Set(wanted.map(({ report }) => report))) {
    for (const { state, settled, ...day } of (await target.state({ report })).days ?? []) {
      if (states.some((one) => one === state)) failures.push({ report, ...day });
    }
  }
  const at = ({ failedAt, goneAt }: FailedDay) => failedAt ?? goneAt ?? '';
  failures.sort((one, other) => (at(one) < at(other) ? 1 : -1));
  if (listed.length > 0) {
    const times = listed.map((state) => (state === 'failed' ? 'failedAt' : 'goneAt'));
    printList(input, context, failures, ['report', 'applicationId', 'day', 'rows', ...times, 'error']);
    return;
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
    'kept',
    'without',
    'lastRun',
  ];
  printList(input, context, reports.map(statusRow), columns);
  for (const { report, applicationId, day, error } of failures.slice(0, shownFailures)) {
    context.out.write(`${harmless([report, applicationId, `${day}:`, error].filter(Boolean).join(' '))}\n`);
  }
  const more = failures.length - shownFailures;
  if (more > 0) context.out.write(`and ${more} more failed: --failed lists them all\n`);
}

/** A day that is not there, and why. */
type FailedDay = { readonly report: string } & Omit<ToldDay, 'state' | 'settled'>;

/** Failed days that are shown with their errors, the latest. */
const shownFailures = 10;

function statusRow({ report, applicationId, first, last, days, cursor, cursorAt }: KnownReport) {
  const { ranAt } = (cursor ?? {}) as { readonly ranAt?: string };
  // Stacks and files are known by identifiers, which have no first and last.
  const day = (text: string | null) => (/^\d{4}-\d\d-\d\d$/.test(text ?? '') ? text : null);
  return {
    ...{ report, applicationId, first: day(first), last: day(last), ...days },
    lastRun: (ranAt ?? cursorAt)?.replace(/\.\d+Z$/, 'Z'),
  };
}
