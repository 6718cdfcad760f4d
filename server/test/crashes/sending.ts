/** Sends crashes to a server of a test as a client would, and reads back what became of them. */
import type { TestAccount, TestAnswer, TestServer } from '../harness.js';

/** Products of every kind that crashes have. */
export const products = [
  { kind: 'app', id: '9NBLGGGZ5QDR', name: 'Contoso Game' },
  { kind: 'desktop', id: '10238467886765136388', name: 'Contoso Desktop' },
  { kind: 'driver', id: '13635057453013917', name: 'Contoso Driver' },
] as const;

/** What to send; a part that is left out is not sent. */
export interface Crash {
  readonly file?: Uint8Array;
  /** Text of the part `event`, or a row. */
  readonly event?: string | object;
  /** Query behind the path, with its question mark. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer of a stored crash. */
export interface CrashAnswer {
  readonly dataset: string;
  readonly accepted: number;
  readonly batch: string;
  readonly duplicate: boolean;
  readonly cabId: string;
  readonly cabIdHash: string;
  readonly failureName: string;
  readonly failureHash: string;
  readonly processed: string;
}

/** Sends a crash and returns whatever is answered. */
export async function send(
  server: Pick<TestServer, 'request'>,
  account: Pick<TestAccount, 'token'>,
  crash: Crash,
): Promise<TestAnswer> {
  const form = new FormData();
  if (crash.event !== undefined) {
    form.append('event', typeof crash.event === 'string' ? crash.event : JSON.stringify(crash.event));
  }
  if (crash.file !== undefined) form.append('file', new Blob([crash.file]), '../../crash.bin');
  return await server.request(`/ingest/v1/crashes${crash.query ?? ''}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${account.token}`, ...crash.headers },
    body: form,
  });
}

/** Sends a crash that must be stored. */
export async function stored(
  server: Pick<TestServer, 'request'>,
  account: Pick<TestAccount, 'token'>,
  crash: Crash,
): Promise<CrashAnswer> {
  const answer = await send(server, account, crash);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return answer.json as CrashAnswer;
}

/** The sentences of a refusal, after its status. */
export function refusalOf({ status, json }: TestAnswer): readonly [number, ...string[]] {
  const body = json as { innererror?: { data?: string[] } } | undefined;
  return [status, ...(body?.innererror?.data ?? [])];
}
