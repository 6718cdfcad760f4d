/**
 * Crash files for the comparison: one dump of a program, sent with whole events so that nothing but its name and its
 * stack is read of it, and symbols that come and go, so that reading it again renames the failures there are.
 */
import assert from 'node:assert/strict';
import { datasets } from '@storelens/contract';
import { sample } from '../crashes/samples.js';
import type { Frame } from './failures.js';
import { timeOn, today } from './generate-data.js';
import { bodyOf, type PostedRow, type PostedValue } from './posted.js';
import type { Dice } from './random.js';
import type { CrashStack, OracleProduct } from './store.js';
import type { Wire, WireAnswer } from './wire.js';

/** What the documents say that the dump is called, once its symbols are there. */
const nameWithSymbols = 'NULL_POINTER_SIGSEGV_crashme!game::Inventory::CountOf';

/** Name of failures that came with one; it outlasts all symbols. */
const givenName = 'GIVEN_crash!name';

/** Whether a failure came with a name of its own. */
export const keepsName = (failureName: string): boolean => failureName === givenName;

/** An event that leaves nothing to be read of the file but the stack, and mostly the name. */
export function someEvent(products: readonly OracleProduct[], dice: Dice): PostedRow {
  const source = dice.pick(['app', 'desktop'] as const);
  const row: Record<string, PostedValue> = { timestamp: timeOn(today - dice.whole(0, 3), dice), source };
  row.applicationId = dice.pick(products.filter(({ kind }) => kind === source)).id;
  for (const column of datasets.failures?.columns ?? []) {
    if (column.type !== 'text' || column.name in row) continue;
    if (['failureName', 'failureHash', 'symbol'].includes(column.name)) continue;
    row[column.name] = column.values?.[0] ?? `${column.name} ${dice.whole(1, 2)}`;
  }
  if (dice.chance(0.3)) row.failureName = givenName;
  return row;
}

function good(answer: WireAnswer, status = 200): WireAnswer {
  assert.equal(answer.status, status, answer.body);
  return answer;
}

/** Ids, name and hash that the server answers to a crash. */
export interface CrashReceipt {
  readonly cabId: string;
  readonly cabIdHash: string;
  readonly failureName: string;
  readonly failureHash: string;
}

/** Sends the dump with an event. */
export async function sendCrash(wire: Wire, event: PostedRow): Promise<CrashReceipt> {
  const part = (name: string, file: string): string =>
    `--border\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n`;
  const row = bodyOf([event], 'ndjson').trim();
  const body = Buffer.concat([
    Buffer.from(`${part('event', '')}${row}\r\n${part('file', '; filename="a.dmp"')}`),
    sample('linux-null.dmp'),
    Buffer.from('\r\n--border--\r\n'),
  ]);
  const got = good(await wire.post('/ingest/v1/crashes', body, 'multipart/form-data; boundary=border'));
  return JSON.parse(got.body) as CrashReceipt;
}

/** The stack of a stored crash as its detail tells it, under the name that it got. */
export async function stackOf(wire: Wire, { cabIdHash, failureName }: CrashReceipt): Promise<CrashStack> {
  const got = good(await wire.get(`/ingest/v1/crashes/${cabIdHash}`));
  const detail = JSON.parse(got.body) as { readonly frames: readonly Frame[] };
  const frames = detail.frames.map(({ image, function: name, offset }) => ({
    image,
    function: name,
    offset,
  }));
  assert.ok(frames.length > 1, got.body);
  return { failureName, frames };
}

/** Sends the dump's symbols and returns their debug id. */
export async function sendSymbols(wire: Wire): Promise<string> {
  const got = good(await wire.post('/ingest/v1/symbols', Buffer.from(sample('crashme.sym')), 'text/plain'));
  return (JSON.parse(got.body) as { readonly debugId: string }).debugId;
}

/** Removes symbols. */
export async function removeSymbols(wire: Wire, debugId: string): Promise<void> {
  good(await wire.remove(`/ingest/v1/symbols/${debugId}`), 204);
}

/** Reads all crash files once more; returns how many failures have another stack or name now. */
export async function rereadCrashes(wire: Wire): Promise<number> {
  const got = good(await wire.post('/ingest/v1/crashes/reprocess', '{}', 'application/json'));
  const { changed, next } = JSON.parse(got.body) as {
    readonly changed: number;
    readonly next: string | null;
  };
  assert.equal(next, null);
  return changed;
}

/** Checks the names that the dump got without and with its symbols. */
export function checkNames(without: CrashStack, withSymbols: CrashStack): void {
  assert.match(without.failureName, /^NULL_POINTER_SIGSEGV_crashme![0-9a-f]+$/);
  assert.equal(withSymbols.failureName, nameWithSymbols);
  assert.notDeepEqual(without.frames, withSymbols.frames);
}
