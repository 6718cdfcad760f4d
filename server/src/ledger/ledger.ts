/**
 * The ledger over the registry: plain SQL that SQLite and PostgreSQL both take. Taking numbers and recording the open
 * commits is one transaction whose first statement locks the account; the low-water mark is read in one statement. A
 * number drawn in one step and recorded in a later one would let readers see rows appear.
 */
import type { Registry, RegistryQueries, RegistryRow, RegistryValue } from '../registry/index.js';
import type { Clock } from '../system.js';
import type { Begun, CommitRequest, Ledger, OpenCommit, PurgeMark, Written } from './index.js';

/** The only shard so far. */
const shard = 0;

function numberOf(value: RegistryValue | undefined): number {
  const result = Number(value);
  if (value === null || value === undefined || !Number.isSafeInteger(result)) {
    throw new TypeError(`the ledger holds '${value}' where a whole number belongs`);
  }
  return result;
}

function textOf(value: RegistryValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`the ledger holds '${value}' where text belongs`);
  return value;
}

function openCommit(request: CommitRequest, seq: number, ofShard: number): OpenCommit {
  return {
    accountId: request.accountId,
    dataset: request.dataset,
    batchId: request.batchId,
    bodyHash: request.bodyHash,
    rows: request.rows,
    seq,
    shard: ofShard,
    token: `${request.accountId}:${seq}:${request.bodyHash}`,
  };
}

function known(request: CommitRequest, row: RegistryRow): Begun {
  if (textOf(row.body_hash) !== request.bodyHash) return { outcome: 'conflict' };
  switch (row.state) {
    case 'done':
      return { outcome: 'duplicate', rows: numberOf(row.row_count), seq: numberOf(row.seq) };
    case 'open':
      return {
        outcome: 'open',
        commit: openCommit(request, numberOf(row.seq), numberOf(row.shard)),
        takenOver: true,
      };
    default:
      return { outcome: 'closing' };
  }
}

/** Begins commits of one account inside a transaction. */
async function beginIn(
  queries: RegistryQueries,
  accountId: string,
  requests: readonly CommitRequest[],
  now: number,
): Promise<Begun[]> {
  // The row lock of this statement is the lock of the account, so it comes before anything is looked at.
  const locked = await queries.get(
    `INSERT INTO account_commits (account_id, last_seq) VALUES ($1, 0)
     ON CONFLICT (account_id) DO UPDATE SET last_seq = account_commits.last_seq RETURNING last_seq`,
    [accountId],
  );
  const before = numberOf(locked?.last_seq);
  const [first] = requests;
  if (first === undefined) return [];
  if (requests.some((one) => one.accountId !== accountId || one.dataset !== first.dataset))
    throw new TypeError('commits that begin together are of one account and dataset');
  const ids = requests.map((_, index) => `$${index + 3}`).join(', ');
  const found = await queries.all(
    `SELECT batch_id, seq, shard, body_hash, row_count, state FROM commits
     WHERE account_id = $1 AND dataset = $2 AND batch_id IN (${ids})`,
    [accountId, first.dataset, ...requests.map(({ batchId }) => batchId)],
  );
  const rows = new Map(found.map((row) => [textOf(row.batch_id), row]));
  let last = before;
  const begun = requests.map((request): Begun => {
    const row = rows.get(request.batchId);
    if (row !== undefined) return known(request, row);
    last += 1;
    return { outcome: 'open', commit: openCommit(request, last, shard), takenOver: false };
  });
  if (last === before) return begun;
  const fresh = begun.flatMap((one) => (one.outcome === 'open' && !one.takenOver ? [one.commit] : []));
  const values = fresh.map((_, index) => {
    const [seq, batchId, bodyHash, rowCount] = [4, 5, 6, 7].map((place) => `$${4 * index + place}`);
    return `($1, ${seq}, $2, ${batchId}, ${bodyHash}, ${shard}, ${rowCount}, 'open', $3)`;
  });
  await queries.all(
    `INSERT INTO commits (account_id, seq, dataset, batch_id, body_hash, shard, row_count, state, begun_at)
     VALUES ${values.join(', ')}`,
    [
      accountId,
      first.dataset,
      now,
      ...fresh.flatMap((one) => [one.seq, one.batchId, one.bodyHash, one.rows]),
    ],
  );
  await queries.all('UPDATE account_commits SET last_seq = $2 WHERE account_id = $1', [accountId, last]);
  return begun;
}

/** Finishes commits of one account inside a transaction, or a single one. */
async function finishIn(queries: RegistryQueries, written: readonly Written[], now: number): Promise<void> {
  const [first] = written;
  if (first === undefined) return;
  const { accountId } = first.commit;
  const values = written.map((_, index) => {
    const [seq, firstDay, lastDay] = [3, 4, 5].map((place) => `$${3 * index + place}`);
    return `(CAST(${seq} AS BIGINT), CAST(${firstDay} AS TEXT), CAST(${lastDay} AS TEXT))`;
  });
  const touched = await queries.all(
    `UPDATE commits SET state = 'done', first_day = w.column2, last_day = w.column3, done_at = $2
     FROM (VALUES ${values.join(', ')}) AS w
     WHERE commits.account_id = $1 AND commits.seq = w.column1 AND commits.state = 'open' RETURNING commits.seq`,
    [accountId, now, ...written.flatMap(({ commit, firstDay, lastDay }) => [commit.seq, firstDay, lastDay])],
  );
  if (touched.length === written.length) return;
  const done = new Set(touched.map(({ seq }) => numberOf(seq)));
  for (const { commit } of written) {
    if (done.has(commit.seq)) continue;
    // Two attempts of one batch may both arrive here; the second finds the commit done.
    const key = [accountId, commit.seq];
    const row = await queries.get('SELECT state FROM commits WHERE account_id = $1 AND seq = $2', key);
    if (row?.state !== 'done') {
      throw new Error(`commit ${commit.seq} cannot be finished: it is ${row?.state ?? 'unknown'}`);
    }
  }
}

/** The ledger of a migrated registry. Registry errors pass through. */
export function createLedger(registry: Registry, clock: Clock): Ledger {
  async function purgeMark(accountId: string, dataset: string): Promise<PurgeMark> {
    const row = await registry.get(
      'SELECT checked_seq, horizon_seq FROM purges WHERE account_id = $1 AND dataset = $2',
      [accountId, dataset],
    );
    if (row === undefined) return { checked: 0, horizon: 0 };
    return { checked: numberOf(row.checked_seq), horizon: numberOf(row.horizon_seq) };
  }

  async function beginAll(requests: readonly CommitRequest[]): Promise<readonly Begun[]> {
    const [first] = requests;
    if (first === undefined) return [];
    const now = clock.now();
    return await registry.transaction((queries) => beginIn(queries, first.accountId, requests, now));
  }

  return {
    async begin(request) {
      const [begun] = await beginAll([request]);
      if (begun === undefined) throw new TypeError('a request has an answer');
      return begun;
    },

    beginAll,

    async finish(commit, firstDay, lastDay) {
      await finishIn(registry, [{ commit, firstDay, lastDay }], clock.now());
    },

    async finishAll(written, next = []) {
      const [first, ...others] = written;
      if (first === undefined) return await beginAll(next);
      const now = clock.now();
      if (others.length + next.length === 0) {
        await finishIn(registry, written, now);
        return [];
      }
      return await registry.transaction(async (queries) => {
        await finishIn(queries, written, now);
        return next.length === 0 ? [] : await beginIn(queries, first.commit.accountId, next, now);
      });
    },

    async abandon(commit) {
      await registry.all(
        `UPDATE commits SET state = 'void', batch_id = NULL, done_at = $3
         WHERE account_id = $1 AND seq = $2 AND state IN ('open', 'closing')`,
        [commit.accountId, commit.seq, clock.now()],
      );
    },

    async giveUp(commit) {
      await registry.all(
        `UPDATE commits SET state = 'closing' WHERE account_id = $1 AND seq = $2 AND state = 'open'`,
        [commit.accountId, commit.seq],
      );
    },

    async snapshot(accountId) {
      const row = await registry.get(
        `SELECT coalesce((SELECT min(c.seq) - 1 FROM commits c
                          WHERE c.account_id = k.account_id AND c.state IN ('open', 'closing')),
                         k.last_seq) AS seq
         FROM account_commits k WHERE k.account_id = $1`,
        [accountId],
      );
      return row === undefined ? 0 : numberOf(row.seq);
    },

    async newest(accountId) {
      const row = await registry.get('SELECT last_seq FROM account_commits WHERE account_id = $1', [
        accountId,
      ]);
      return row === undefined ? 0 : numberOf(row.last_seq);
    },

    async doneAt(accountId, snapshot) {
      const row = await registry.get(
        `SELECT done_at FROM commits WHERE account_id = $1 AND seq <= $2 AND state = 'done'
         ORDER BY seq DESC LIMIT 1`,
        [accountId, snapshot],
      );
      return row === undefined ? undefined : numberOf(row.done_at);
    },

    async unfinished() {
      const rows = await registry.all(
        `SELECT account_id, seq, dataset, batch_id, body_hash, shard, row_count, state, begun_at
         FROM commits WHERE state IN ('open', 'closing') ORDER BY begun_at, account_id, seq`,
      );
      return rows.map((row) => ({
        commit: openCommit(
          {
            accountId: textOf(row.account_id),
            dataset: textOf(row.dataset),
            batchId: textOf(row.batch_id),
            bodyHash: textOf(row.body_hash),
            rows: numberOf(row.row_count),
          },
          numberOf(row.seq),
          numberOf(row.shard),
        ),
        state: row.state === 'closing' ? 'closing' : 'open',
        begunAt: numberOf(row.begun_at),
      }));
    },

    async forget(accountId) {
      await registry.transaction(async (queries) => {
        for (const table of ['commits', 'purges', 'account_commits']) {
          await queries.all(`DELETE FROM ${table} WHERE account_id = $1`, [accountId]);
        }
      });
    },

    async forgetBatches(doneBefore) {
      const rows = await registry.all(
        `UPDATE commits SET batch_id = NULL
         WHERE batch_id IS NOT NULL AND done_at < $1 AND state = 'done' RETURNING seq`,
        [doneBefore],
      );
      return rows.length;
    },

    async settled(accountId, doneBefore) {
      const row = await registry.get(
        `SELECT least.seq AS unsettled, k.last_seq AS last_seq
         FROM account_commits k LEFT JOIN (
           SELECT min(seq) AS seq FROM commits
           WHERE account_id = $1 AND (state IN ('open', 'closing') OR done_at >= $2)) least ON 1 = 1
         WHERE k.account_id = $1`,
        [accountId, doneBefore],
      );
      if (row === undefined) return 0;
      return row.unsettled === null ? numberOf(row.last_seq) : numberOf(row.unsettled) - 1;
    },

    async accountsWith(dataset, from, to) {
      const rows = await registry.all(
        `SELECT DISTINCT account_id FROM commits
         WHERE dataset = $1 AND done_at >= $2 AND done_at < $3 AND state = 'done'`,
        [dataset, from, to],
      );
      return rows.map((row) => textOf(row.account_id));
    },

    async stored(accountId, dataset, above, upTo) {
      const rows = await registry.all(
        `SELECT seq, row_count FROM commits
         WHERE account_id = $1 AND seq > $2 AND seq <= $3 AND dataset = $4 AND state = 'done'
         ORDER BY seq LIMIT 1000`,
        [accountId, above, upTo, dataset],
      );
      return rows.map((row) => ({ seq: numberOf(row.seq), rows: numberOf(row.row_count) }));
    },

    async storedRows(accountId, dataset, above, upTo) {
      const row = await registry.get(
        `SELECT coalesce(sum(row_count), 0) AS row_count FROM commits
         WHERE account_id = $1 AND seq > $2 AND seq <= $3 AND dataset = $4 AND state = 'done'`,
        [accountId, above, upTo, dataset],
      );
      return numberOf(row?.row_count);
    },

    async touchedDays(accountId, dataset, above, upTo) {
      const row = await registry.get(
        `SELECT min(first_day) AS first_day, max(last_day) AS last_day FROM commits
         WHERE account_id = $1 AND seq > $2 AND seq <= $3 AND dataset = $4 AND state = 'done'`,
        [accountId, above, upTo, dataset],
      );
      if (row === undefined || row.first_day === null || row.last_day === null) return undefined;
      return { first: textOf(row.first_day), last: textOf(row.last_day) };
    },

    async hasStored(accountId, dataset) {
      const row = await registry.get(
        "SELECT seq FROM commits WHERE account_id = $1 AND dataset = $2 AND state = 'done' LIMIT 1",
        [accountId, dataset],
      );
      return row !== undefined;
    },

    async purgedBelow(accountId, dataset) {
      return (await purgeMark(accountId, dataset)).horizon;
    },

    purgeMark,

    async markPurged(accountId, dataset, mark) {
      await registry.transaction(async (queries) => {
        const row = await queries.get(
          `UPDATE purges SET
             checked_seq = CASE WHEN checked_seq > $3 THEN checked_seq ELSE $3 END,
             horizon_seq = CASE WHEN horizon_seq > $4 THEN horizon_seq ELSE $4 END
           WHERE account_id = $1 AND dataset = $2 RETURNING account_id`,
          [accountId, dataset, mark.checked, mark.horizon],
        );
        if (row !== undefined) return;
        await queries.all(
          'INSERT INTO purges (account_id, dataset, checked_seq, horizon_seq) VALUES ($1, $2, $3, $4)',
          [accountId, dataset, mark.checked, mark.horizon],
        );
      });
    },
  };
}
