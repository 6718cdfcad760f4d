/**
 * Reads stored crash files once more, with the symbols of now, and stores the rows that come out different: each takes
 * the place of the old one in one commit, so that no reader sees both or none. Some crashes at a time; the caller goes
 * on where the last call ended.
 */
import { createHash } from 'node:crypto';
import type { DatasetEntry } from '@storelens/contract';
import { asciiLower, BodyFields, badField } from '../body.js';
import type { Engine, EngineParams } from '../engine/index.js';
import { Failure } from '../failure.js';
import { crashFileKey, type Files } from '../files/index.js';
import type { Ingest, Row } from '../ingest/index.js';
import type { Ledger } from '../ledger/index.js';
import { KeyLocks } from '../locks.js';
import type { AccountProducts } from '../products/index.js';
import { type Clock, newGuid, type Random, utcDay } from '../system.js';
import type { Reprocessed, ReprocessRequest } from './index.js';
import type { Reading } from './reading.js';
import { hasGivenFrames, type Renamed, renameFailure, type StoredFailure } from './rename.js';

/** What {@link createReprocess} needs. */
export interface ReprocessOptions {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly files: Files;
  readonly ingest: Pick<Ingest, 'store'>;
  readonly dataset: DatasetEntry;
  readonly clock: Clock;
  readonly random: Random;
  /** Crash files that are read at the same time. */
  readonly atOnce: number;
  /** Reads a stored file with the account's symbols; undefined if that does not work now. */
  read(accountId: string, path: string): Promise<Reading | undefined>;
}

/** Crashes of one call at most; their rows are in memory. */
const crashesAtOnce = 200;

/** A call takes no new file after this time: callers wait for an answer. */
const callMilliseconds = 15_000;

/** Clients' keys hold no blank, so none of them is ever taken for one of these. */
const batchPrefix = 'reprocess ';

/** Where a run is: it looks at what was stored when it began, in the order of `seq` and `cabIdHash`. */
interface Position {
  /** Snapshot of the first call; what later calls store lies above. */
  readonly upTo: number;
  readonly seq: number;
  readonly cabIdHash: string;
}

/** A row as it is selected. */
type SelectedFailure = StoredFailure & { readonly seq: number; readonly timestamp: string };

const guid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const positionPattern = new RegExp(`^(\\d{1,15})\\.(\\d{1,15})\\.(${guid})$`);
const sources = ['app', 'desktop', 'driver', 'ihvdriver', 'hardware'] as const;

/** Days that the engine knows; those beyond count as the nearest of them. */
const [firstDay, lastDay] = ['1970-01-01', '2149-06-06'];

function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && utcDay(time) === text;
}

function clamped(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  return text < firstDay ? firstDay : text > lastDay ? lastDay : text;
}

function positionOf(text: string): Position {
  const [, upTo, seq, cabIdHash = ''] = positionPattern.exec(text) ?? [];
  return { upTo: Number(upTo), seq: Number(seq), cabIdHash };
}

const textOf = ({ upTo, seq, cabIdHash }: Position): string => `${upTo}.${seq}.${cabIdHash}`;

/** What narrows a run, as a caller sends it. Throws Failure `invalid-body` naming the field. */
export function readReprocess(input: unknown): Omit<ReprocessRequest, 'accountId' | 'products'> {
  const fields = BodyFields.of(input, [
    'source',
    'applicationId',
    'failureHash',
    'startDate',
    'endDate',
    'after',
  ]);
  const date = (name: string) => {
    const text = fields.optionalText(name, /^\d{4}-\d\d-\d\d$/, 'a day as YYYY-MM-DD');
    if (text === undefined || isDay(text)) return text;
    throw badField(name, text, 'a day that there is');
  };
  const [startDate, endDate] = [date('startDate'), date('endDate')];
  if (startDate !== undefined && endDate !== undefined && startDate > endDate) {
    throw badField('endDate', endDate, `a day from startDate ${startDate} on`);
  }
  return {
    source: fields.optionalText(
      'source',
      new RegExp(`^(?:${sources.join('|')})$`, 'i'),
      `one of ${sources.join(', ')}`,
    ),
    applicationId: fields.optionalText('applicationId', /^.{1,256}$/su, 'the id of a product'),
    failureHash: fields.optionalText('failureHash', /^.{1,255}$/su, 'a failureHash'),
    startDate,
    endDate,
    after: fields.optionalText('after', positionPattern, 'the `next` of the last answer'),
  };
}

/** The registry's spelling of a product; somebody else's and unknown ones are refused alike. */
function productOf(id: string, products: AccountProducts): string {
  const product = products.find(id);
  if (product !== undefined) return product.id;
  throw new Failure('forbidden', [`The product '${id}' is not one of this account.`]);
}

/** The rows of one call: live ones with a file, in the order of the run. */
function selection(
  request: ReprocessRequest,
  { upTo, seq, cabIdHash }: Position,
): { readonly sql: string; readonly params: EngineParams } {
  const { source, applicationId, failureHash, startDate, endDate } = request;
  const params: Record<string, string | number> = { account: request.accountId, upTo, seq, cabIdHash };
  const terms = [
    'accountId = {account:String}',
    'cabBytes > 0',
    'supersededBy = 0',
    'seq <= {upTo:UInt64}',
    // The first half alone uses the index on seq.
    'seq >= {seq:UInt64} AND (seq > {seq:UInt64} OR cabIdHash > {cabIdHash:String})',
  ];
  const narrow = (name: string, value: string | undefined, term: string) => {
    if (value === undefined) return;
    params[name] = value;
    terms.push(term);
  };
  narrow('source', source === undefined ? undefined : asciiLower(source), 'source = {source:String}');
  narrow(
    'application',
    applicationId === undefined ? undefined : productOf(applicationId, request.products),
    'applicationId = {application:String}',
  );
  narrow(
    'hash',
    failureHash === undefined ? undefined : asciiLower(failureHash),
    '(lower(failureHash) = {hash:String} OR has(formerHashes, {hash:String}))',
  );
  narrow('start', clamped(startDate), 'date >= toDate({start:String})');
  narrow('end', clamped(endDate), 'date <= toDate({end:String})');
  return {
    sql: `SELECT seq, cabIdHash FROM failures WHERE ${terms.join(' AND ')}
      ORDER BY seq, cabIdHash LIMIT ${crashesAtOnce}`,
    params,
  };
}

/** Whole rows are read for those of the call alone: their stacks are far larger than everything else. */
const rowsSql = `SELECT * EXCEPT (accountId, date, supersededBy) FROM failures
  WHERE accountId = {account:String} AND cabIdHash IN {hashes:Array(String)} AND seq >= {from:UInt64}
  AND seq <= {to:UInt64} AND supersededBy = 0 AND cabBytes > 0 ORDER BY seq, cabIdHash`;

/** Opens reprocessing: one call at a time for each account. */
export function createReprocess(
  options: ReprocessOptions,
): (request: ReprocessRequest) => Promise<Reprocessed> {
  const { engine, ledger, files, ingest, dataset, clock, random } = options;
  const locks = new KeyLocks();

  /**
   * An earlier call whose rows are not settled yet will still supersede the rows it read: taking them up again would
   * leave two rows of one crash.
   */
  async function refuseUnsettled(accountId: string): Promise<void> {
    for (const { commit } of await ledger.unfinished()) {
      if (commit.accountId !== accountId || !commit.batchId.startsWith(batchPrefix)) continue;
      throw new Failure('unavailable', ['What an earlier reprocessing made is still being stored.'], {
        retryAfter: 10,
      });
    }
  }

  async function rowsOf<Selected>(account: string, sql: string, params: EngineParams): Promise<Selected[]> {
    const settings = { output_format_json_quote_64bit_integers: 0 };
    const bytes = await engine.query({ account, sql, params, format: 'JSONEachRow', settings });
    const lines = Buffer.from(bytes).toString('utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Selected);
  }

  async function select(request: ReprocessRequest, position: Position): Promise<SelectedFailure[]> {
    const { accountId } = request;
    const { sql, params } = selection(request, position);
    const keys = await rowsOf<{ seq: number; cabIdHash: string }>(accountId, sql, params);
    const [first, last] = [keys[0], keys.at(-1)];
    if (first === undefined || last === undefined) return [];
    return await rowsOf<SelectedFailure>(accountId, rowsSql, {
      account: accountId,
      hashes: keys.map(({ cabIdHash }) => cabIdHash),
      from: first.seq,
      to: last.seq,
    });
  }

  /** What becomes of one crash. */
  async function renamed(accountId: string, selected: SelectedFailure): Promise<Renamed | undefined> {
    const { seq: _, ...stored } = selected;
    if (hasGivenFrames(stored)) return undefined;
    const timestamp = `${stored.timestamp.replace(' ', 'T')}Z`;
    const path = await files.localPath(crashFileKey(accountId, timestamp.slice(0, 10), stored.cabIdHash));
    const reading = path === undefined ? undefined : await options.read(accountId, path);
    return reading === undefined ? undefined : renameFailure({ ...stored, timestamp }, reading);
  }

  /**
   * Goes through crashes, some at once, until the time is over; tells what became of those that it came to, in order.
   * One that fails ends the call there, and fails it if it is the first.
   */
  async function renameAll(accountId: string, selected: readonly SelectedFailure[]) {
    const until = clock.now() + callMilliseconds;
    const done: (Renamed | undefined)[] = [];
    let begun = 0;
    const failed: { at: number; error: unknown }[] = [];
    const work = async () => {
      for (let one = selected[begun]; one !== undefined; one = selected[begun]) {
        if (failed.length > 0 || (begun > 0 && clock.now() >= until)) return;
        const at = begun;
        begun += 1;
        try {
          done[at] = await renamed(accountId, one);
        } catch (error) {
          failed.push({ at, error });
        }
      }
    };
    await Promise.all(Array.from({ length: options.atOnce }, work));
    const examined = Math.min(begun, ...failed.map(({ at }) => at));
    for (const { at, error } of failed) if (at === 0) throw error;
    return { examined, changes: done.slice(0, examined).filter((one) => one !== undefined) };
  }

  async function store(accountId: string, rows: readonly Row[]): Promise<void> {
    await ingest.store({
      accountId,
      dataset,
      batchId: `${batchPrefix}${newGuid(random)}`,
      bodyHash: createHash('sha256').update(JSON.stringify(rows), 'utf8').digest('hex'),
      rows,
      files: [],
      supersedes: rows.map(({ cabIdHash }) => String(cabIdHash)),
    });
  }

  async function reprocess(request: ReprocessRequest): Promise<Reprocessed> {
    const { accountId, after } = request;
    await refuseUnsettled(accountId);
    const snapshot = await ledger.snapshot(accountId);
    const { upTo, ...at } =
      after === undefined ? { upTo: snapshot, seq: 0, cabIdHash: '' } : positionOf(after);
    const begin = { upTo: Math.min(upTo, snapshot), ...at };
    const selected = await select(request, begin);
    const { examined, changes } = await renameAll(accountId, selected);
    const last = selected[examined - 1];
    if (changes.length > 0)
      await store(
        accountId,
        changes.map(({ row }) => row),
      );
    const ended = last === undefined || (examined === selected.length && selected.length < crashesAtOnce);
    return {
      examined,
      changed: changes.length,
      renamed: changes.filter((change) => change.renamed).length,
      next: ended ? null : textOf({ ...begin, seq: last.seq, cabIdHash: last.cabIdHash }),
    };
  }

  return (request) => locks.run(request.accountId, () => reprocess(request));
}
