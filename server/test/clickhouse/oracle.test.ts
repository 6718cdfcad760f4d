/** The answers of a ClickHouse server are the oracle's too. */
import { test } from 'node:test';
import { compareServer } from '../oracle/run.js';
import { clickHouseForTests, freshDatabase } from './server.js';

test('300 random valid and as many invalid requests are answered as the oracle says', async (t) => {
  const amount = { valid: 300, invalid: 300, batchEvery: 5 };
  // With STORELENS_TEST_CLICKHOUSE_URL set the harness takes that server by itself.
  if (process.env.STORELENS_TEST_CLICKHOUSE_URL) {
    await compareServer(t, amount);
    return;
  }
  const clickhouse = await clickHouseForTests();
  const database = freshDatabase(clickhouse.url);
  try {
    await compareServer(t, amount, ['--clickhouse-url', database.url]);
  } finally {
    await clickhouse.stop();
  }
});
