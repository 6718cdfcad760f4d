/**
 * Stacks and crash files of single failures: copied before the day of the failure is, so that a run that ends between
 * the two does not lose what the source deletes first. What the source has not is noted, and asked for once more when the
 * day is read for the last time: stacks may be made late.
 */
import {
  AuthenticationError,
  type Client,
  type FileReportName,
  ForbiddenError,
  InvalidRequestError,
  NotFoundError,
  StorelensError,
  unlisted,
} from '@storelens/client';
import { type ReportEntry, reports } from '@storelens/contract';
import type { Manner } from './copy.js';
import { isDueOnceMore, type KnownDay, type Wanted } from './days.js';
import type { SourceRow, Subject } from './source.js';
import { type Target, TargetError } from './target.js';

/** What can be had of a single failure, beside its row. */
interface Attachment {
  readonly subject: Subject;
  /** Parameter that names it, and the field of the failure's row that has the value. */
  readonly parameter: string;
  /**
   * What the target knows of identifiers in lower case: when it was noted that one cannot be had, ISO; null of those that
   * were copied.
   */
  readonly known: Map<string, string | null>;
}

/** What became of the stacks and files of a day. */
export interface Copied {
  readonly files: number;
  /** Why the first one was not copied that another attempt may bring. */
  readonly error: Error | undefined;
}

/** Copies of the stacks and files of one product's failures. */
export interface Records {
  /** Copies what the failures of a day come with and the target has not. */
  copy(day: string, rows: readonly SourceRow[]): Promise<Copied>;
}

/** How often a file is begun that does not come to its end. */
const attempts = 3;

/** Stacks and files in a run that fail for a time before the others are left for the next run. */
const mostFailures = 3;

/** Looks up what the target has. Undefined for reports whose rows come without stacks and files. */
export async function recordsOf(
  source: Client,
  target: Target,
  subject: Subject,
  wanted: Pick<Wanted, 'today' | 'recentDays'>,
  { signal, patience }: Pick<Manner, 'signal' | 'patience'>,
): Promise<Records | undefined> {
  const { entry, applicationId } = subject;
  if (!entry.name.endsWith('failuredetails')) return undefined;
  const attachments: Attachment[] = [];
  for (const kind of ['stacktrace', 'cabdownload']) {
    const report: ReportEntry | undefined = reports[entry.name.replace('failuredetails', kind)];
    const parameter = report?.lookups?.[0]?.parameter;
    if (report === undefined || parameter === undefined) continue;
    const { days = [] } = await target.state({ report: report.name, applicationId });
    const known = new Map(days.map((one) => [one.day.toLowerCase(), notedAt(one)]));
    attachments.push({ subject: { entry: report, applicationId }, parameter, known });
  }
  let failures = 0;
  let last: Error | undefined;
  return {
    async copy(day, rows) {
      let files = 0;
      let failure: Error | undefined;
      for (const row of rows) {
        for (const attachment of attachments) {
          const id = row[attachment.parameter];
          if (typeof id !== 'string' || !/^[\w-]{1,64}$/.test(id)) continue;
          const noted = attachment.known.get(id.toLowerCase());
          if (noted === null || (noted !== undefined && !isDueOnceMore(noted, day, wanted))) continue;
          // Reports on drivers and hardware do not tell whether there is a file.
          if (attachment.subject.entry.kind === 'file' && row.cabDownloadable === false) continue;
          if (failures >= mostFailures) {
            failure ??= last;
            continue;
          }
          try {
            if (await copyOne(source, target, attachment, id, day, signal)) files += 1;
            attachment.known.set(id.toLowerCase(), null);
            patience.heard();
          } catch (error) {
            // One file that does not come must not keep away the others, nor the rows of its day.
            if (!(error instanceof StorelensError) || error instanceof AuthenticationError) throw error;
            failures += 1;
            last = error;
            failure ??= error;
            patience.failed(error);
          }
        }
      }
      return { files, error: failure };
    },
  };
}

function notedAt({ rows, goneAt, failedAt }: KnownDay): string | null {
  return rows === null ? (goneAt ?? failedAt ?? null) : null;
}

async function copyOne(
  source: Client,
  target: Target,
  { subject, parameter }: Attachment,
  id: string,
  day: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { entry, applicationId } = subject;
  const parameters = { ...(applicationId === undefined ? {} : { applicationId }), [parameter]: id };
  try {
    if (entry.kind === 'file') {
      for (let attempt = 1; ; attempt++) {
        const file = await source.download(entry.name as FileReportName, parameters as never, { signal });
        const { body, broken } = observed(file.body);
        try {
          await target.putRecord(subject, id, day, body, 'application/vnd.ms-cab-compressed');
          return true;
        } catch (error) {
          const reason = broken() ?? error;
          if (signal?.aborted === true || attempt >= attempts || isFinal(reason)) throw reason;
        }
      }
    }
    const frames = await source.rows(unlisted(entry.name), parameters, { signal }).toArray();
    if (frames.length > 0) {
      await target.putRecord(subject, id, day, JSON.stringify(frames), 'application/json');
      return true;
    }
    await target.gone(subject, id, 'The source has no frames.');
  } catch (error) {
    // Gone, not for us, or not to be kept: the next run would fare no better.
    if (!isFinal(error)) throw error;
    if (error instanceof TargetError) await target.fail(subject, id, error.message);
    else await target.gone(subject, id, error.message);
  }
  return false;
}

function isFinal(error: unknown): error is Error {
  if (error instanceof TargetError) return error.refused;
  return (
    error instanceof NotFoundError || error instanceof ForbiddenError || error instanceof InvalidRequestError
  );
}

/** A stream, and what broke it: whoever sends it on tells that as a failure of the receiver. */
function observed(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  let failure: unknown;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        failure = error;
        controller.error(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { body, broken: () => failure };
}
