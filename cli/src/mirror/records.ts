/**
 * Stacks and crash files of single failures: copied before the day of the failure is, so that a run that ends between
 * the two does not lose what the source deletes first. What the source has not is noted, and not asked for again.
 */
import {
  type Client,
  type FileReportName,
  ForbiddenError,
  InvalidRequestError,
  NotFoundError,
  unlisted,
} from '@storelens/client';
import { type ReportEntry, reports } from '@storelens/contract';
import type { SourceRow, Subject } from './source.js';
import type { Target } from './target.js';

/** What can be had of a single failure, beside its row. */
interface Attachment {
  readonly subject: Subject;
  /** Parameter that names it, and the field of the failure's row that has the value. */
  readonly parameter: string;
  /** Identifiers in lower case that the target knows something of. */
  readonly known: Set<string>;
}

/** Copies of the stacks and files of one product's failures. */
export interface Records {
  /** Copies what the failures of a day come with and the target has not. Returns how many were copied. */
  copy(day: string, rows: readonly SourceRow[]): Promise<number>;
}

/** Looks up what the target has. Undefined for reports whose rows come without stacks and files. */
export async function recordsOf(
  source: Client,
  target: Target,
  subject: Subject,
): Promise<Records | undefined> {
  const { entry, applicationId } = subject;
  if (!entry.name.endsWith('failuredetails')) return undefined;
  const attachments: Attachment[] = [];
  for (const kind of ['stacktrace', 'cabdownload']) {
    const report: ReportEntry | undefined = reports[entry.name.replace('failuredetails', kind)];
    const parameter = report?.lookups?.[0]?.parameter;
    if (report === undefined || parameter === undefined) continue;
    const { days = [] } = await target.state({ report: report.name, applicationId });
    const known = new Set(days.map(({ day }) => day.toLowerCase()));
    attachments.push({ subject: { entry: report, applicationId }, parameter, known });
  }
  return {
    async copy(day, rows) {
      let copied = 0;
      for (const row of rows) {
        for (const attachment of attachments) {
          const id = row[attachment.parameter];
          if (typeof id !== 'string' || !/^[\w-]{1,64}$/.test(id)) continue;
          if (attachment.known.has(id.toLowerCase())) continue;
          if (attachment.subject.entry.kind === 'file' && row.cabDownloadable !== true) continue;
          if (await copyOne(source, target, attachment, id, day)) copied += 1;
          attachment.known.add(id.toLowerCase());
        }
      }
      return copied;
    },
  };
}

async function copyOne(
  source: Client,
  target: Target,
  { subject, parameter }: Attachment,
  id: string,
  day: string,
): Promise<boolean> {
  const { entry, applicationId } = subject;
  const parameters = { ...(applicationId === undefined ? {} : { applicationId }), [parameter]: id };
  try {
    if (entry.kind === 'file') {
      const file = await source.download(entry.name as FileReportName, parameters as never);
      await target.putRecord(subject, id, day, file.body, 'application/vnd.ms-cab-compressed');
      return true;
    }
    const frames = await source.rows(unlisted(entry.name), parameters).toArray();
    if (frames.length > 0) {
      await target.putRecord(subject, id, day, JSON.stringify(frames), 'application/json');
      return true;
    }
    await target.fail(subject, id, 'The source has no frames.');
  } catch (error) {
    // Gone, not for us, or not to be kept: the next run would fare no better. Anything else fails the day.
    if (!isFinal(error)) throw error;
    await target.fail(subject, id, error.message);
  }
  return false;
}

function isFinal(error: unknown): error is Error {
  return (
    error instanceof NotFoundError || error instanceof ForbiddenError || error instanceof InvalidRequestError
  );
}
