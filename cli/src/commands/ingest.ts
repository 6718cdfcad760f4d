/** `storelens ingest`: sends files of rows, in batches that are counted once however often they are sent. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Client, ConnectionError, InvalidRequestError } from '@storelens/client';
import { datasets } from '@storelens/contract';
import { accountOptions, clientOf } from '../account.js';
import { type Command, type Context, type Input, RefusedError, UsageError } from '../command.js';
import { type Batch, batchesOf, forms } from '../ingest/batches.js';
import { bytesOf, formOf, sizeOf } from '../ingest/files.js';
import { printList, type Row } from '../output.js';
import { Progress } from '../progress.js';

/** Files under way at the same time. The batches of one follow each other, or a repeated run could count some twice. */
const parallel = 2;
/** Packs twice as fast as the default, and nearly as well. */
const level = 3;
const pack = promisify(gzip);

const names = Object.keys(datasets);

/** What became of a file. */
interface Outcome extends Row {
  readonly file: string;
  readonly rows: number;
  readonly batches: number;
  /** Rows among them that an earlier run had stored. */
  readonly storedBefore: number;
}

/** Sends rows. */
export const ingest: Command = {
  name: 'ingest',
  summary: 'Send files of rows: NDJSON, JSON, CSV or Parquet',
  actions: {
    '': {
      summary: 'Send files of rows: NDJSON, JSON, CSV or Parquet',
      operands: [
        { name: 'DATASET', help: `one of ${names.join(', ')}`, choices: names },
        { name: 'FILE', help: 'file, plain or gzip; - for standard input', repeated: true },
      ],
      options: {
        type: {
          type: 'text',
          value: 'FORM',
          help: `${forms.join(', ')}; default: what the name of the file ends with.`,
          choices: forms,
        },
        name: {
          type: 'text',
          value: 'TEXT',
          help: 'The same rows under another name are other rows; without it they count once.',
        },
        json: { type: 'flag', help: 'Print what became of the files as JSON.' },
        ...accountOptions,
      },
      notes: [
        'A file goes in batches, each whole or not at all. To resume, run the command again: what is stored already is',
        'recognised by its content for 30 days. That holds for files that are complete: rows appended to a file since would',
        'change its last batch, which would count again.',
        'Refused rows are named with their numbers, and nothing of the file behind them is sent; correct them and run again.',
        '',
        'Examples:',
        '  storelens ingest acquisitions 2026-11-*.ndjson.gz',
        '  zcat events.gz | storelens ingest usage - --type csv',
      ],
      run,
    },
  },
};

async function run(input: Input, context: Context): Promise<void> {
  const dataset = input.operand('DATASET').toLowerCase();
  if (!names.includes(dataset))
    throw new UsageError(`there is no dataset '${dataset}'; the datasets are ${names.join(', ')}`);
  const files = input.operands('FILE');
  const work = files.map((file) => ({ file, form: formOf(file, input.text('type')) }));
  const progress = new Progress(context, await sizeOf(files));
  const client = await clientOf(input, context, {
    onRetry: ({ delay, error }) =>
      progress.note(`${error.message} Trying again in ${Math.ceil(delay / 1000)} s.`),
  });
  /** By the place of the file among the operands: one that is named twice has two. */
  const outcomes: (Outcome | undefined)[] = files.map(() => undefined);
  let refused = 0;
  let stopped = false;
  const sum = { rows: 0, before: 0 };

  const one = async ([place, { file, form }]: readonly [number, (typeof work)[number]]): Promise<void> => {
    let outcome: Outcome = { file, rows: 0, batches: 0, storedBefore: 0 };
    const scope = [dataset, input.text('name') ?? ''];
    const told = () =>
      `${sum.rows.toLocaleString('en-US')} rows${sum.before > 0 ? `, ${sum.before.toLocaleString('en-US')} of them stored before` : ''}`;
    try {
      const bytes = bytesOf(file, context.in, (count) => progress.add(count, told()));
      for await (const batch of batchesOf(bytes, form, scope)) {
        const { accepted, duplicate } = await send(client, dataset, batch);
        const { rows, batches, storedBefore } = outcome;
        outcome = {
          file,
          rows: rows + accepted,
          batches: batches + 1,
          storedBefore: storedBefore + (duplicate ? accepted : 0),
        };
        sum.rows += accepted;
        sum.before += duplicate ? accepted : 0;
        progress.add(0, told());
        if (stopped) return;
      }
      if (outcome.batches === 0) progress.note(`${file}: there are no rows in it; nothing was sent`);
      outcomes[place] = outcome;
    } catch (error) {
      const lines =
        error instanceof InvalidRequestError
          ? error.data.length > 0
            ? error.data
            : [error.message]
          : error instanceof RefusedError
            ? [error.message]
            : undefined;
      if (lines === undefined) throw error;
      refused += 1;
      const before = outcome.rows;
      for (const line of lines) progress.note(`${file}: ${atRow(line, before)}`);
      progress.note(`${file}: ${before === 0 ? 'nothing' : `rows 1 to ${before}`} of it stored`);
    }
  };

  const queue = work.entries();
  const worker = async () => {
    for (const next of queue) {
      if (stopped) return;
      await one(next);
    }
  };
  // Who stops it is told how it goes on; the signal then ends the process as ever.
  const interrupted = () => {
    progress.note('stopped; the same command goes on where it was: what is stored counts once');
    process.kill(process.pid, 'SIGINT');
  };
  process.once('SIGINT', interrupted);
  // What is on its way is waited for: its answer is worth knowing.
  const ends = await Promise.allSettled(
    Array.from({ length: parallel }, () =>
      worker().catch((error) => {
        stopped = true;
        throw error;
      }),
    ),
  );
  process.off('SIGINT', interrupted);
  progress.end();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  const inOrder = outcomes.filter((outcome) => outcome !== undefined);
  if (inOrder.length > 0) printList(input, context, inOrder, ['file', 'rows', 'batches', 'storedBefore']);
  if (refused > 0) throw new RefusedError(`${refused} of ${files.length} files refused`, 4);
}

/** Sends a batch; again under the same key if the answer breaks off. */
async function send(
  client: Client,
  dataset: string,
  { body, contentType, key }: Batch,
): Promise<{ readonly accepted: number; readonly duplicate: boolean }> {
  const packed = contentType.endsWith('parquet') ? body : await pack(body, { level });
  const headers = {
    'content-type': contentType,
    'idempotency-key': key,
    ...(packed !== body && { 'content-encoding': 'gzip' }),
  };
  for (let attempt = 1; ; attempt++) {
    const answer = await client.request(`/ingest/v1/${dataset}`, { method: 'POST', headers, body: packed });
    try {
      const { accepted, duplicate } = (await answer.json()) as { accepted: unknown; duplicate: unknown };
      return { accepted: Number(accepted), duplicate: duplicate === true };
    } catch (cause) {
      if (attempt === 3)
        throw new ConnectionError('The answer to a batch broke off.', { code: 'broken-off', cause });
    }
  }
}

/** The server counts the rows of a batch; people count those of the file. */
function atRow(line: string, before: number): string {
  return line.replace(/^row (\d+)/, (_, row: string) => `row ${Number(row) + before}`);
}
