/** What is asked of the engine while commits come, and what of it is answered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine, EngineQuery } from '../engine/index.js';
import { ofAllRows, withNewestRows } from './newest-rows.js';

const sql =
  'SELECT 1 FROM failures AS t WHERE t.accountId = {p0:String} AND t.seq <= {snapshot:UInt64} AND t.seq <= {p1:UInt64} ' +
  'AND (t.supersededBy = 0 OR t.supersededBy > {snapshot:UInt64})';
const query: EngineQuery = { account: 'a', sql, params: { p0: 'a', snapshot: 7, p1: 7 }, format: 'TSV' };
const bare =
  'SELECT 1 FROM failures AS t WHERE t.accountId = {p0:String} AND t.seq <= {p1:UInt64} AND t.supersededBy = 0';

test('the snapshot is left out, and nothing that looks like it', () => {
  assert.deepEqual(ofAllRows(query), {
    snapshot: 7,
    query: { ...query, sql: bare, params: { p0: 'a', p1: 7 } },
  });
  assert.equal(ofAllRows({ ...query, params: { p0: 'a', p1: 7 } }), undefined);
});

test('an answer that a commit has overtaken is thrown away, and its account rests', async () => {
  let newest = 7;
  let now = 0;
  let overtaken = false;
  const asked: string[] = [];
  const bareEngine = {
    async query({ sql: text }: EngineQuery) {
      asked.push(text === bare ? 'all rows' : text === sql ? 'by snapshot' : text);
      if (overtaken && text === bare) newest += 1;
      return Buffer.from(text);
    },
  } as unknown as Engine;
  const engine = withNewestRows(bareEngine, { newest: async () => newest }, { now: () => now });
  const ask = async () => {
    asked.length = 0;
    const answer = Buffer.from(await engine.query(query)).toString();
    return [...asked, answer === bare ? 'all rows' : 'by snapshot'].join(', ');
  };
  assert.equal(await ask(), 'all rows, all rows');
  newest = 8;
  assert.equal(await ask(), 'by snapshot, by snapshot', 'rows of commit 8 may be there');
  newest = 7;
  overtaken = true;
  assert.equal(await ask(), 'all rows, by snapshot, by snapshot');
  newest = 7;
  overtaken = false;
  assert.equal(await ask(), 'by snapshot, by snapshot', 'it rests');
  now += 60_000;
  assert.equal(await ask(), 'all rows, all rows');
});
