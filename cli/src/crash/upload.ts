/** `storelens crash upload`: sends crash files, each of them counted once however often it is sent. */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { InvalidRequestError } from '@storelens/client';
import { accountOptions, clientOf } from '../account.js';
import { type Action, type Input, RefusedError, UsageError } from '../command.js';
import { printList, type Row } from '../output.js';
import { Progress } from '../progress.js';
import { readGivenFile } from '../server-call.js';
import { programmeOptions, sourceOf } from './programmes.js';

/** Sends files. */
export const upload: Action = {
  summary: 'Send crash files: minidumps, or cabinets with one',
  operands: [{ name: 'FILE', help: 'minidump or cabinet', repeated: true }],
  options: {
    ...programmeOptions,
    event: {
      type: 'text',
      value: 'FILE',
      help: 'A row of failures as JSON, with what the crash file does not tell: market, deviceId, packageVersion.',
    },
    name: {
      type: 'text',
      value: 'TEXT',
      help: 'The same file under another name is another crash; without it it counts once.',
    },
    json: { type: 'flag', help: 'Print JSON.' },
    ...accountOptions,
  },
  notes: ['A file that was sent within 30 days is recognised by its content, and answered as it was then.'],
  async run(input, context) {
    const files = input.operands('FILE');
    const event = await eventOf(input);
    const client = await clientOf(input, context);
    const progress = new Progress(context, files.length);
    const sent: Row[] = [];
    let refused = 0;
    for (const file of files) {
      const content = await readGivenFile(file, 'FILE', context.in);
      const hash = createHash('sha256')
        .update(JSON.stringify([event, input.text('name') ?? '']))
        .update(content);
      const form = () => {
        const made = new FormData();
        made.append('event', event);
        made.append('file', new Blob([new Uint8Array(content)]), basename(file));
        return made;
      };
      try {
        const answer = await client.request('/ingest/v1/crashes', {
          method: 'POST',
          headers: { 'idempotency-key': `storelens-${hash.digest('hex')}` },
          body: form,
        });
        sent.push({ file, ...((await answer.json()) as Row) });
      } catch (error) {
        if (!(error instanceof InvalidRequestError)) throw error;
        refused += 1;
        for (const line of error.data.length > 0 ? error.data : [error.message])
          progress.note(`${file}: ${line}`);
      }
      progress.add(1, `${sent.length} of ${files.length} files sent`);
    }
    progress.end();
    const id = sourceOf(input) === 'app' ? 'cabId' : 'cabIdHash';
    if (sent.length > 0)
      printList(input, context, sent, ['file', id, 'failureName', 'processed', 'duplicate']);
    if (refused > 0) throw new RefusedError(`${refused} of ${files.length} files refused`, 4);
  },
};

/** The event as JSON: of the file that is named, with programme and product of the options. */
async function eventOf(input: Input): Promise<string> {
  const file = input.text('event');
  let event: Row = {};
  if (file !== undefined) {
    try {
      event = JSON.parse((await readGivenFile(file, '--event')).toString('utf8')) as Row;
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      throw new UsageError(`${file} is no JSON: ${(error as Error).message}`);
    }
    if (typeof event !== 'object' || event === null || Array.isArray(event))
      throw new UsageError(`${file} holds no JSON object`);
  }
  const app = input.text('app');
  const source =
    input.text('source') !== undefined || event.source === undefined ? sourceOf(input) : event.source;
  return JSON.stringify({ ...event, source, ...(app !== undefined && { applicationId: app }) });
}
