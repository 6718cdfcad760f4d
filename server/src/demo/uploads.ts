/** Brings the demo's crash files and symbols to the crash side, the way a client's uploads come. */
import { Readable } from 'node:stream';
import type { Crashes } from '../crashes/index.js';
import type { AccountProducts } from '../products/index.js';
import { symbolText } from './dump-writer.js';
import type { FailureEvent } from './failures.js';
import { programs } from './programs.js';

/** Where uploads go. */
export interface Uploads {
  readonly crashes: Pick<Crashes, 'accept' | 'acceptSymbols' | 'symbols'>;
  readonly accountId: string;
  readonly products: AccountProducts;
  /** How many may be under way at the same time. */
  readonly atOnce: number;
}

/** Uploads the symbols that the account lacks. */
export async function uploadSymbols({ crashes, accountId }: Uploads): Promise<void> {
  const present = new Set((await crashes.symbols(accountId)).map(({ debugId }) => debugId));
  for (const program of programs) {
    if (present.has(program.debugId)) continue;
    await crashes.acceptSymbols(accountId, Readable.from([Buffer.from(symbolText(program))]), undefined);
  }
}

/** Uploads failures with their files; returns how many. One that was uploaded before counts once. */
export async function uploadCrashes(uploads: Uploads, events: Iterable<FailureEvent>): Promise<number> {
  const { crashes, accountId, products, atOnce } = uploads;
  const waiting = events[Symbol.iterator]();
  let count = 0;
  const lane = async () => {
    for (let next = waiting.next(); !next.done; next = waiting.next()) {
      const { id, upload } = next.value;
      if (upload === undefined) throw new TypeError(`the failure ${id} has no file`);
      const { body, contentType } = multipart(upload());
      await crashes.accept({
        accountId,
        products,
        body: Readable.from([body]),
        contentType,
        contentEncoding: undefined,
        contentLength: body.length,
        source: undefined,
        applicationId: undefined,
        idempotencyKey: `demo-crash-${id}`,
      });
      count += 1;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.max(1, Math.min(8, atOnce)) }, lane));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
  return count;
}

const boundary = 'storelens-demo-7MA4YWxkTrZu0gW';

function multipart({ event, file }: { readonly event: object; readonly file: Buffer }) {
  const part = (head: string) =>
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`);
  const body = Buffer.concat([
    part('name="event"\r\nContent-Type: application/json'),
    Buffer.from(JSON.stringify(event)),
    Buffer.from('\r\n'),
    part('name="file"; filename="crash.dmp"\r\nContent-Type: application/octet-stream'),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return { body, contentType: `multipart/form-data; boundary=${boundary}` };
}
