/**
 * Group commit: batches of one account and dataset that wait at the same time share one durable insert. Each keeps a
 * commit, an idempotency and a refusal of its own; numbers are taken together, rows carry theirs, and all of a group
 * become visible together. What rows look like in the file, those who bring batches say (`made.ts`, `small.ts`).
 */
import type { DatasetEntry } from '@storelens/contract';
import type { Failure } from '../failure.js';
import type { Begun, CommitRequest, Ledger, OpenCommit } from '../ledger/index.js';
import type { KeyLocks } from '../locks.js';
import { busy, conflict, onDisk } from './answers.js';
import { batchKey, groupKey, type Kept } from './kept.js';
import type { Days, Spool, Staged, StagedFile, Supersedes } from './spool.js';
import type { Statement } from './statement.js';
import type { Outcome, Store } from './store.js';

/** Most bytes of the rows of a group, unless a single batch has more. */
const mostBytes = 4 * 1024 * 1024;

/** Longest that a group waits for others to join, in milliseconds. */
const longestPatience = 25;

/** What groups work with. */
export interface GroupParts {
  readonly ledger: Ledger;
  readonly spool: Spool;
  readonly store: Store;
  readonly kept: Kept;
  readonly locks: KeyLocks;
}

/** A batch that may share an insert. */
export interface GroupBatch {
  readonly accountId: string;
  readonly dataset: DatasetEntry;
  readonly batchId: string;
  /** Equal for a repetition of the same batch. */
  readonly bodyHash: string;
  readonly rows: number;
  /** Bytes of its rows, or nearly so. */
  readonly bytes: number;
  /** Of an account and dataset, batches with the same text here may share an insert. */
  readonly form: string;
  readonly files: readonly StagedFile[];
  /** `cabIdHash` of earlier rows that these take the place of. */
  readonly supersedes: readonly string[];
}

/** A batch with the number that its rows are to carry. */
export interface Numbered<Batch> {
  readonly batch: Batch;
  readonly seq: number;
}

/** The rows of a group: the file's text, and the statement that reads it. */
export interface GroupRows {
  readonly statement: Statement;
  readonly text: readonly (string | Uint8Array)[];
  /** Days of each batch, if they are known. */
  readonly days?: readonly Days[];
}

/** Puts the rows of a group's batches, which are not none, into one file. */
export type Compose<Batch> = (group: readonly [Numbered<Batch>, ...Numbered<Batch>[]]) => GroupRows;

/** What became of a good batch: stored now, stored now from what was kept of an earlier attempt, or stored before. */
export interface Grouped {
  readonly seq: number;
  readonly outcome: 'new' | 'kept' | 'duplicate';
}

/** A batch that waits for its group. */
interface Member<Batch> {
  readonly batch: Batch;
  readonly resolve: (stored: Grouped) => void;
  readonly reject: (error: unknown) => void;
}

/** Members that share an insert, with what the ledger said of each if it was asked already. */
interface Group<Batch> {
  readonly members: readonly Member<Batch>[];
  readonly begun?: readonly Begun[];
}

/** Members in the order in which they came, and what is known of the group before. */
interface Line<Batch> {
  readonly members: Member<Batch>[];
  /** The next group if its commits began with the end of the group before. */
  next: Group<Batch> | undefined;
  /** Batches of the group before. */
  size: number;
  /** How long that one took. */
  milliseconds: number;
  /** Called when a member comes. */
  arrived: () => void;
}

/** A member with the commit that it was given. */
interface Begin<Batch> {
  readonly member: Member<Batch>;
  readonly commit: OpenCommit;
}

/** Stores batches of one kind in groups. */
export class Groups<Batch extends GroupBatch> {
  /** By who may share. A key is there while its groups are worked on. */
  readonly #lines = new Map<string, Line<Batch>>();

  /** Takes how many batches a group may have. */
  constructor(
    readonly parts: GroupParts,
    readonly compose: Compose<Batch>,
    readonly mostBatches: number,
  ) {}

  /** Stores a batch: once, whole, durable. Throws `RefusedRows` for bad rows, Failure `conflict` and `unavailable`. */
  async store(batch: Batch): Promise<Grouped> {
    const key = batchKey({ ...batch, dataset: batch.dataset.name });
    return await this.parts.locks.run(
      key,
      () => new Promise((resolve, reject) => this.#enqueue({ batch, resolve, reject })),
    );
  }

  #enqueue(member: Member<Batch>): void {
    const { accountId, dataset, form } = member.batch;
    const lock = groupKey({ accountId, dataset: dataset.name });
    const key = lock + form;
    const line = this.#lines.get(key);
    if (line !== undefined) {
      line.members.push(member);
      line.arrived();
    } else {
      const arrived = () => undefined;
      const begun: Line<Batch> = { members: [member], next: undefined, size: 1, milliseconds: 0, arrived };
      this.#lines.set(key, begun);
      void this.#work(key, lock, begun);
    }
  }

  /** Stores groups until nobody waits. While one is stored the next one gathers. */
  async #work(key: string, lock: string, line: Line<Batch>): Promise<void> {
    const { locks, store } = this.parts;
    while (line.next !== undefined || line.members.length > 0) {
      await locks.run(lock, () =>
        store.inTurn(async () => {
          const began = performance.now();
          const group = line.next ?? { members: nextGroup(line.members, this.mostBatches) };
          line.next = undefined;
          await this.#answered(group, line);
          line.size = group.members.length;
          line.milliseconds = performance.now() - began;
        }),
      );
      if (line.next === undefined) await company(line, this.mostBatches);
    }
    // In the same turn as the last look: whoever comes later begins anew.
    this.#lines.delete(key);
  }

  /** Stores a group and answers every member; the next group of the line may begin with its end. */
  async #answered(group: Group<Batch>, line?: Line<Batch>): Promise<void> {
    try {
      await this.#group(group, line);
    } catch (error) {
      for (const { reject } of group.members) reject(error);
    }
  }

  /** Stores a group; answers every member that it does not throw for. */
  async #group(group: Group<Batch>, line?: Line<Batch>): Promise<void> {
    const ready = group.begun === undefined ? await this.#withoutRivals(group.members) : group.members;
    const begun = group.begun ?? (await this.parts.ledger.beginAll(requestsOf(ready)));
    const fresh: Begin<Batch>[] = [];
    const open: Begin<Batch>[] = [];
    for (const [index, member] of ready.entries()) {
      const found = begun[index];
      if (found === undefined) throw new TypeError('every request has an answer');
      if (found.outcome === 'open') (found.takenOver ? open : fresh).push({ member, commit: found.commit });
      else answerKnown(member, found);
    }
    await this.#takeOver(open);
    const [first, ...others] = fresh;
    if (first !== undefined) await this.#insert([first, ...others], line);
  }

  /**
   * The members whose commits begin with the end of a group: one transaction and one flush instead of two, while which
   * nothing else happens. None when too few have come, or when earlier changes have to be settled first.
   */
  #following(line: Line<Batch> | undefined, size: number): readonly Member<Batch>[] {
    if (line === undefined || line.members.length < Math.max(size >> 1, 1)) return [];
    if (line.members.some(({ batch }) => batch.supersedes.length > 0)) return [];
    return nextGroup(line.members, this.mostBatches);
  }

  /**
   * Members that may be stored now. Of two commits that supersede the same row the later one has to be stored later:
   * whatever is left of earlier ones is settled first.
   */
  async #withoutRivals(members: readonly Member<Batch>[]): Promise<readonly Member<Batch>[]> {
    const rival = members.find(({ batch }) => batch.supersedes.length > 0);
    if (rival === undefined) return members;
    const { accountId, dataset } = rival.batch;
    const same = (commit: OpenCommit) => commit.accountId === accountId && commit.dataset === dataset.name;
    for (const staged of this.parts.kept.all()) {
      if (staged.supersedes.length > 0 && same(staged.commits[0])) await this.repeat(staged);
    }
    const left = await this.parts.ledger.unfinished();
    if (!left.some(({ commit, state }) => same(commit) && (state === 'closing' || this.#isKept(commit)))) {
      return members;
    }
    for (const { batch, reject } of members) {
      if (batch.supersedes.length > 0) reject(busy('Earlier changes of the same rows are not settled yet.'));
    }
    return members.filter(({ batch }) => batch.supersedes.length === 0);
  }

  #isKept(commit: OpenCommit): boolean {
    return (this.parts.kept.of(commit)?.supersedes.length ?? 0) > 0;
  }

  /** Members whose commits are open: their groups are repeated as they were, and never a member alone. */
  async #takeOver(open: readonly Begin<Batch>[]): Promise<void> {
    const { ledger, kept } = this.parts;
    const staged = open.map(({ commit }) => kept.of(commit));
    const outcomes = new Map<Staged | undefined, Outcome>();
    for (const [index, { member, commit }] of open.entries()) {
      const group = staged[index];
      const outcome = outcomes.get(group) ?? (group === undefined ? undefined : await this.repeat(group));
      if (outcome === undefined) {
        // Rows of its group may be stored, under a token that is lost: under another one they would be stored twice.
        await ledger.giveUp(commit);
        member.reject(beingRemoved());
        continue;
      }
      outcomes.set(group, outcome);
      if (outcome.outcome === 'done') member.resolve({ seq: commit.seq, outcome: 'kept' });
      else if (outcome.outcome === 'open' || group?.commits.length === 1) member.reject(outcome.error);
      // Another one may be to blame; alone it gets what it deserves.
      else await this.#group({ members: [member] }).catch(member.reject);
    }
  }

  /** Repeats the insert of a kept group. To be called by whoever has the group's lock and a place among the writers. */
  async repeat(staged: Staged): Promise<Outcome> {
    const { store, kept, spool } = this.parts;
    const result = await store.settle(staged, true);
    if (result.outcome === 'open') return result;
    kept.delete(staged);
    await spool.remove(staged.id);
    return result;
  }

  async #insert(begun: readonly [Begin<Batch>, ...Begin<Batch>[]], line?: Line<Batch>): Promise<void> {
    const { ledger, spool, store, kept } = this.parts;
    const { text, ...rows } = this.compose(numbered(begun));
    const staged = stagedOf(spool.newId(), begun, rows);
    try {
      await onDisk(spool.putGroup(staged, text));
    } catch (error) {
      await spool.remove(staged.id);
      for (const { commit } of begun) await ledger.abandon(commit);
      throw error;
    }
    kept.add(staged);
    let following: readonly Member<Batch>[] = [];
    const result = await store.settle(staged, false, () => {
      following = this.#following(line, begun.length);
      return requestsOf(following);
    });
    if (line !== undefined && following.length > 0) {
      if (result.outcome === 'done') line.next = { members: following, begun: result.begun };
      else line.members.unshift(...following);
    }
    if (result.outcome !== 'open') {
      kept.delete(staged);
      spool.removeGroup(staged.id);
    }
    if (result.outcome === 'ended' && begun.length > 1) {
      // Nothing is stored. Halves of halves find who is to blame in few inserts.
      const members = begun.map(({ member }) => member);
      const half = members.length >> 1;
      for (const part of [members.slice(0, half), members.slice(half)]) {
        await this.#answered({ members: part });
      }
      return;
    }
    if (result.outcome === 'ended') await store.dropFiles(staged.files);
    for (const { member, commit } of begun) {
      if (result.outcome === 'done') member.resolve({ seq: commit.seq, outcome: 'new' });
      else member.reject(result.error);
    }
  }
}

function beingRemoved(): Failure {
  return busy('An earlier attempt of this batch is being removed.');
}

/** Answers a member whose batch id the ledger knows and will not open again. */
function answerKnown(
  { batch, resolve, reject }: Member<GroupBatch>,
  found: Exclude<Begun, { outcome: 'open' }>,
): void {
  switch (found.outcome) {
    case 'duplicate':
      resolve({ seq: found.seq, outcome: 'duplicate' });
      return;
    case 'conflict':
      reject(conflict(batch.batchId, batch.dataset.name));
      return;
    case 'closing':
      reject(beingRemoved());
  }
}

function requestOf({ accountId, dataset, batchId, bodyHash, rows }: GroupBatch) {
  return { accountId, dataset: dataset.name, batchId, bodyHash, rows };
}

/**
 * Those that were just answered are likely to send again at once. Who comes first does not begin without them: an
 * insert of one costs nearly as much as one of sixty, and all others would wait for it. So the next group begins when
 * half as many have come as the last one had, and no later than after a quarter of the time that it took. Two halves
 * are then on their way in turns, one received while the other is stored. A lone sender never waits.
 */
async function company(line: Line<unknown>, most: number): Promise<void> {
  const wanted = Math.min(line.size >> 1, most);
  if (line.members.length >= wanted) return;
  await new Promise<void>((resolve) => {
    const patience = setTimeout(resolve, Math.min(line.milliseconds / 4, longestPatience));
    line.arrived = () => {
      if (line.members.length < wanted) return;
      clearTimeout(patience);
      resolve();
    };
  });
  line.arrived = () => undefined;
}

function requestsOf(members: readonly Member<GroupBatch>[]): readonly CommitRequest[] {
  return members.map(({ batch }) => requestOf(batch));
}

/** Takes as many members as a group may have. */
function nextGroup<Batch extends GroupBatch>(
  waiting: Member<Batch>[],
  most: number,
): readonly Member<Batch>[] {
  let count = 0;
  let bytes = 0;
  for (const member of waiting) {
    bytes += member.batch.bytes;
    if (count > 0 && (count === most || bytes > mostBytes)) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

function numbered<Batch>([first, ...others]: readonly [Begin<Batch>, ...Begin<Batch>[]]) {
  const one = ({ member: { batch }, commit: { seq } }: Begin<Batch>): Numbered<Batch> => ({ batch, seq });
  return [one(first), ...others.map(one)] as const;
}

function stagedOf(
  id: string,
  begun: readonly [Begin<GroupBatch>, ...Begin<GroupBatch>[]],
  rows: Omit<GroupRows, 'text'>,
): Staged {
  const [{ commit }, ...others] = begun;
  const supersedes = begun.flatMap(({ member, commit: { seq } }): readonly Supersedes[] => {
    const { supersedes: cabIdHashes } = member.batch;
    return cabIdHashes.length === 0 ? [] : [{ seq, cabIdHashes }];
  });
  return {
    id,
    commits: [commit, ...others.map((one) => one.commit)],
    // Numbers are never given twice, so the id of the group makes its token no less its own.
    token: `${commit.accountId}:${commit.seq}:${id}`,
    ...rows,
    reads: 'rows',
    group: true,
    files: begun.flatMap(({ member }) => member.batch.files),
    supersedes,
  };
}
