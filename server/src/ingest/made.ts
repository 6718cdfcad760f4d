/**
 * Group commit: batches that were made here and wait at the same time share one insert. Each keeps a commit of its own;
 * numbers are taken together, rows carry theirs, and all of a group become visible together.
 */
import type { DatasetEntry } from '@storelens/contract';
import type { Failure } from '../failure.js';
import type { Begun, Ledger, OpenCommit } from '../ledger/index.js';
import type { KeyLocks } from '../locks.js';
import { busy, conflict } from './answers.js';
import { onDisk } from './disk.js';
import type { MadeBatch, StoredBatch } from './index.js';
import { batchKey, groupKey, type Kept } from './kept.js';
import type { Spool, Staged, StagedFile, Supersedes } from './spool.js';
import { madeStatementOf } from './statement.js';
import type { Outcome, Store } from './store.js';
import { Turns } from './turns.js';

/** Most batches of a group, and most characters of its rows unless a single batch has more. */
const groupLimits = { batches: 256, characters: 16 * 1024 * 1024 } as const;

/** Most batches that wait. */
const maxWaiting = 1000;

/** What groups work with. */
export interface MadeParts {
  readonly ledger: Ledger;
  readonly spool: Spool;
  readonly store: Store;
  readonly kept: Kept;
  readonly locks: KeyLocks;
  /** Most inserts that are kept for repetition. */
  readonly maxKept: number;
}

/** A batch that waits for its group. */
interface Member {
  readonly batch: MadeBatch;
  /** Its rows as JSON without the first brace, so that the number can be put there. */
  readonly rows: readonly string[];
  readonly characters: number;
  readonly files: readonly StagedFile[];
  readonly resolve: (stored: StoredBatch) => void;
  readonly reject: (error: unknown) => void;
}

/** A member with the commit that it was given. */
interface Begin {
  readonly member: Member;
  readonly commit: OpenCommit;
}

/** Stores made batches. */
export class MadeBatches {
  /** Members in the order in which they came, by group key. A key is there while its groups are worked on. */
  readonly #waiting = new Map<string, Member[]>();
  #count = 0;

  constructor(readonly parts: MadeParts) {}

  /** Stores a batch. Its files are this object's from the call on, whatever becomes of it. */
  async store(batch: MadeBatch): Promise<StoredBatch> {
    const { spool, kept, locks, maxKept } = this.parts;
    const files = batch.files.map(({ path, key }) => ({ name: spool.nameOf(path), key }));
    const names = files.map(({ name }) => name);
    if (this.#count >= maxWaiting || kept.size >= maxKept) {
      await spool.drop(names);
      throw busy(`${this.#count + kept.size} batches wait to be stored.`);
    }
    this.#count += 1;
    try {
      const rows = await textsOf(batch.rows);
      const characters = rows.reduce((sum, { length }) => sum + length, 0);
      const key = batchKey({ ...batch, dataset: batch.dataset.name });
      return await locks.run(
        key,
        () =>
          new Promise((resolve, reject) => {
            this.#enqueue({ batch, rows, characters, files, resolve, reject });
          }),
      );
    } finally {
      this.#count -= 1;
      // A kept insert needs its files, and one that is done has taken them.
      if (!kept.all().some((staged) => staged.files.some(({ name }) => names.includes(name)))) {
        await spool.drop(names);
      }
    }
  }

  #enqueue(member: Member): void {
    const { accountId, dataset } = member.batch;
    const key = groupKey({ accountId, dataset: dataset.name });
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) waiting.push(member);
    else {
      const members = [member];
      this.#waiting.set(key, members);
      void this.#work(key, members);
    }
  }

  /** Stores groups until nobody waits. While one is stored the next one gathers. */
  async #work(key: string, waiting: Member[]): Promise<void> {
    const { locks, store } = this.parts;
    while (waiting.length > 0) {
      await locks.run(key, () =>
        store.inTurn(async () => {
          const members = nextGroup(waiting);
          await this.#group(members).catch((error: unknown) => {
            for (const { reject } of members) reject(error);
          });
        }),
      );
    }
    this.#waiting.delete(key);
  }

  /** Stores a group; answers every member that it does not throw for. */
  async #group(members: readonly Member[]): Promise<void> {
    const ready = await this.#withoutRivals(members);
    const requests = ready.map(({ batch, rows }) => requestOf(batch, rows.length));
    const begun = await this.parts.ledger.beginAll(requests);
    const fresh: Begin[] = [];
    const open: Begin[] = [];
    for (const [index, member] of ready.entries()) {
      const found = begun[index];
      if (found === undefined) throw new TypeError('every request has an answer');
      if (found.outcome === 'open') (found.takenOver ? open : fresh).push({ member, commit: found.commit });
      else answerKnown(member, found);
    }
    await this.#takeOver(open);
    const [first, ...others] = fresh;
    if (first !== undefined) await this.#insert([first, ...others]);
  }

  /**
   * Members that may be stored now. Of two commits that supersede the same row the later one has to be stored later:
   * whatever is left of earlier ones is settled first.
   */
  async #withoutRivals(members: readonly Member[]): Promise<readonly Member[]> {
    const rival = members.find(({ batch }) => supersedes(batch));
    if (rival === undefined) return members;
    const { accountId, dataset } = rival.batch;
    const same = (commit: OpenCommit) => commit.accountId === accountId && commit.dataset === dataset.name;
    for (const staged of this.parts.kept.all()) {
      if (staged.made && staged.supersedes.length > 0 && same(staged.commits[0])) await this.repeat(staged);
    }
    const left = await this.parts.ledger.unfinished();
    if (!left.some(({ commit, state }) => same(commit) && (state === 'closing' || this.#isKept(commit)))) {
      return members;
    }
    for (const { batch, reject } of members) {
      if (supersedes(batch)) reject(busy('Earlier changes of the same rows are not settled yet.'));
    }
    return members.filter(({ batch }) => !supersedes(batch));
  }

  #isKept(commit: OpenCommit): boolean {
    return (this.parts.kept.of(commit)?.supersedes.length ?? 0) > 0;
  }

  /** Members whose commits are open: their groups are repeated as they were, and never a member alone. */
  async #takeOver(open: readonly Begin[]): Promise<void> {
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
      if (outcome.outcome === 'done') member.resolve({ seq: commit.seq, duplicate: true });
      else member.reject(outcome.error);
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

  async #insert(begun: readonly [Begin, ...Begin[]]): Promise<void> {
    const { ledger, spool, store, kept } = this.parts;
    const staged = stagedOf(spool.newId(), begun);
    try {
      await this.#stage(staged, begun);
    } catch (error) {
      await spool.remove(staged.id);
      for (const { commit } of begun) await ledger.abandon(commit);
      throw error;
    }
    kept.add(staged);
    const result = await store.settle(staged, false);
    if (result.outcome !== 'open') {
      kept.delete(staged);
      await spool.remove(staged.id);
    }
    if (result.outcome === 'ended' && begun.length > 1) {
      // Nothing is stored. One of them may be to blame: alone each gets what it deserves.
      for (const { member } of begun) await this.#group([member]).catch(member.reject);
      return;
    }
    if (result.outcome === 'ended') await store.dropFiles(staged.files);
    for (const { member, commit } of begun) {
      if (result.outcome === 'done') member.resolve({ seq: commit.seq, duplicate: false });
      else member.reject(result.error);
    }
  }

  async #stage(staged: Staged, begun: readonly Begin[]): Promise<void> {
    const lines = begun.map(({ member, commit }) =>
      member.rows.map((row) => `{"seq":${commit.seq}${row === '}' ? '' : ','}${row}\n`).join(''),
    );
    const { spool } = this.parts;
    await onDisk(spool.write(staged.id, lines));
    await onDisk(spool.stage(staged));
  }
}

function beingRemoved(): Failure {
  return busy('An earlier attempt of this batch is being removed.');
}

/** Answers a member whose batch id the ledger knows and will not open again. */
function answerKnown({ batch, resolve, reject }: Member, found: Exclude<Begun, { outcome: 'open' }>): void {
  switch (found.outcome) {
    case 'duplicate':
      resolve({ seq: found.seq, duplicate: true });
      return;
    case 'conflict':
      reject(conflict(batch.batchId, batch.dataset.name));
      return;
    case 'closing':
      reject(beingRemoved());
  }
}

/** Rows as JSON without their first brace. */
async function textsOf(rows: MadeBatch['rows']): Promise<readonly string[]> {
  if (rows.length === 0) throw new TypeError('a batch has rows');
  const turns = new Turns();
  const texts: string[] = [];
  for (const row of rows) {
    texts.push(JSON.stringify(row).slice(1));
    await turns.give();
  }
  return texts;
}

function supersedes({ supersedes: ids = [] }: MadeBatch): boolean {
  return ids.length > 0;
}

function requestOf({ accountId, dataset, batchId, bodyHash }: MadeBatch, rows: number) {
  return { accountId, dataset: dataset.name, batchId, bodyHash, rows };
}

/** Takes as many members as a group may have. */
function nextGroup(waiting: Member[]): readonly Member[] {
  let count = 0;
  let characters = 0;
  for (const member of waiting) {
    characters += member.characters;
    if (count > 0 && (count === groupLimits.batches || characters > groupLimits.characters)) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

function stagedOf(id: string, begun: readonly [Begin, ...Begin[]]): Staged {
  const [{ member, commit }, ...others] = begun;
  const { dataset, accountId }: { dataset: DatasetEntry; accountId: string } = member.batch;
  const replaced = begun.flatMap((one): readonly Supersedes[] => {
    const cabIdHashes = one.member.batch.supersedes ?? [];
    return cabIdHashes.length === 0 ? [] : [{ seq: one.commit.seq, cabIdHashes }];
  });
  return {
    id,
    commits: [commit, ...others.map((one) => one.commit)],
    // Numbers are never given twice, so the id of the group makes its token no less its own.
    token: `${accountId}:${commit.seq}:${id}`,
    statement: madeStatementOf(dataset, accountId),
    reads: 'rows',
    made: true,
    files: begun.flatMap((one) => one.member.files),
    supersedes: replaced,
  };
}
