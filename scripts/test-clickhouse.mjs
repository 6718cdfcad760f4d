/**
 * Runs the tests that need a real ClickHouse server: those under `server/test/clickhouse`, and whatever files the
 * arguments name, against one server that is started for the run (STORELENS_TEST_CLICKHOUSE_URL).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { clickHouseForTests } from '../server/dist/test/clickhouse/server.js';

const server = await clickHouseForTests();
const files = process.argv.length > 2 ? process.argv.slice(2) : ['server/dist/test/clickhouse/'];
const child = spawn(process.execPath, [fileURLToPath(new URL('test.mjs', import.meta.url)), ...files], {
  stdio: 'inherit',
  env: { ...process.env, STORELENS_TEST_CLICKHOUSE_URL: server.url },
});
const [status] = await once(child, 'exit');
await server.stop();
process.exit(status ?? 1);
