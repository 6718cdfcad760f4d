/**
 * PostgreSQL behind a small Fastify handler, as a good engineer would write it: JSON made in the server, the right
 * index, once on the raw rows and once on a daily rollup. The cluster lives in a folder of its own and ends with it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { endWith, hasEnded, removeWith } from '../processes.mjs';
import { startHandler } from './handler.mjs';

const file = fileURLToPath(import.meta.url);

/** Folder of the server's programs; undefined where Debian's package is not installed. */
export async function programs() {
  const base = '/usr/lib/postgresql';
  const [version] = existsSync(base) ? (await readdir(base)).sort((a, b) => Number(b) - Number(a)) : [];
  return version === undefined ? undefined : join(base, version, 'bin');
}

const columns = [
  ['accountId', 'text'],
  ['applicationId', 'text'],
  ['date', 'date'],
  ['inAppProductId', 'text'],
  ['acquisitionType', 'text'],
  ['quantity', 'integer'],
  ['deviceType', 'text'],
  ['osVersion', 'text'],
  ['storeClient', 'text'],
  ['orderName', 'text'],
  ['market', 'text'],
  ['gender', 'text'],
  ['ageGroup', 'text'],
  ['seq', 'bigint'],
];
const quoted = (name) => `"${name}"`;

/** What the bare engine exports for COPY. */
export const exportSql = `SELECT ${columns.map(([name]) => quoted(name)).join(', ')} FROM acquisitions`;

/** Runs a program as the user that PostgreSQL wants; root may not run it. */
function asUser(command, args, options = {}) {
  return process.getuid?.() === 0
    ? ['runuser', ['-u', 'postgres', '--', command, ...args], options]
    : [command, args, options];
}

/** Gives a folder to the user that the server runs as. */
async function ownedByServer(folder) {
  if (process.getuid?.() !== 0) return;
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'])));
  await chown(folder, uid, gid);
}

/** Whether the user that the server runs as can reach a folder: a clone below /root, for one, it cannot. */
export function reaches(folder) {
  try {
    execFileSync(...asUser('test', ['-x', folder], { cwd: '/', stdio: 'ignore' }));
    return true;
  } catch {
    return false;
  }
}

/** Starts a cluster; it is made, and filled from the CSV file that `csv` writes, unless the folder holds it already. */
export async function startPostgres(folder, csv) {
  const bin = await programs();
  if (bin === undefined) throw new Error('PostgreSQL is not installed (apt-get install postgresql)');
  const fresh = !existsSync(join(folder, 'filled'));
  // The path of a socket may have some hundred bytes; a folder's may be longer.
  const sockets = await mkdtemp(join(tmpdir(), 'bench-pg-'));
  removeWith(sockets);
  await ownedByServer(sockets);
  if (fresh) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o700);
    await ownedByServer(folder);
    const [command, args] = asUser(join(bin, 'initdb'), [
      '-D',
      join(folder, 'db'),
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
      '-A',
      'trust',
      '-U',
      'bench',
    ]);
    execFileSync(command, args, { stdio: 'ignore', cwd: '/' });
  }
  const settings = {
    listen_addresses: '',
    unix_socket_directories: sockets,
    shared_buffers: '4GB',
    work_mem: '512MB',
    effective_cache_size: '12GB',
    max_wal_size: '8GB',
    jit: 'off',
    max_parallel_workers_per_gather: 2,
    random_page_cost: 1.1,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [command, args] = asUser(join(bin, 'postgres'), ['-D', join(folder, 'db'), ...options]);
  const server = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'], cwd: '/' });
  // The program itself or, for root, runuser, which passes SIGTERM on.
  endWith(server);
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const psql = (sql, input) =>
    spawn(
      'psql',
      ['-h', sockets, '-U', 'bench', '-d', 'postgres', '-v', 'ON_ERROR_STOP=1', '-qAt', '-c', sql],
      {
        stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'inherit'],
      },
    );
  const run = async (sql, input) => {
    const child = psql(sql, input);
    const code = new Promise((resolve) => child.once('exit', resolve));
    child.stdout.resume();
    if (input !== undefined) await pipeline(createReadStream(input), child.stdin);
    if ((await code) !== 0) throw new Error(`psql: ${sql.slice(0, 100)}`);
  };
  for (let attempt = 0; ; attempt += 1) {
    try {
      execFileSync('psql', ['-h', sockets, '-U', 'bench', '-d', 'postgres', '-c', 'SELECT 1'], {
        stdio: 'ignore',
      });
      break;
    } catch (error) {
      if (attempt > 100 || server.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  const [pid] = (await readFile(join(folder, 'db', 'postmaster.pid'), 'utf8')).split('\n').map(Number);
  // SIGINT is PostgreSQL's fast shutdown; it waits for nobody.
  endWith({ pid }, 'SIGINT');
  if (fresh) {
    await run(
      `CREATE TABLE acquisitions (${columns.map(([name, type]) => `${quoted(name)} ${type} NOT NULL`).join(', ')})`,
    );
    await run(`COPY acquisitions FROM STDIN (FORMAT csv)`, await csv());
    await run('CREATE INDEX ON acquisitions ("accountId", "applicationId", date)');
    const keys = columns
      .filter(([name]) => name !== 'quantity' && name !== 'seq')
      .map(([name]) => quoted(name));
    await run(
      `CREATE TABLE acquisitions_daily AS SELECT ${keys.join(', ')}, sum(quantity)::bigint AS quantity, max(seq) AS seq FROM acquisitions GROUP BY ${keys.join(', ')}`,
    );
    await run('CREATE INDEX ON acquisitions_daily ("accountId", "applicationId", date)');
    await run('VACUUM ANALYZE');
    await run('CHECKPOINT');
    execFileSync(...asUser('touch', [join(folder, 'filled')], { cwd: '/' }));
  }
  const handler = await startHandler(file, [sockets]);
  return {
    url: handler.url,
    version: execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).trim(),
    async stop() {
      await handler.stop();
      process.kill(pid, 'SIGINT');
      await ended;
      hasEnded({ pid });
      hasEnded(server);
    },
  };
}

/** The handler: takes SQL of its own table and answers the envelope; rows and total in one statement. */
async function serve(host) {
  process.on('disconnect', () => process.exit(0));
  const [{ default: fastify }, { default: pg }] = await Promise.all([import('fastify'), import('pg')]);
  const pool = new pg.Pool({ host, user: 'bench', database: 'postgres', max: 4 });
  const app = fastify();
  app.post('/page', async (request, reply) => {
    const { sql, table, skip, top } = request.body;
    const grouped = sql.replace('FROM acquisitions ', `FROM ${table} `);
    const text = `WITH g AS MATERIALIZED (${grouped}), p AS (SELECT * FROM g LIMIT ${Number(top)} OFFSET ${Number(skip)})
SELECT '{"Value":' || coalesce((SELECT json_agg(p) FROM p)::text, '[]') || ',"TotalCount":' || (SELECT count(*) FROM g) || '}' AS body`;
    const { rows } = await pool.query(text);
    return reply.header('content-type', 'application/json; charset=utf-8').send(rows[0].body);
  });
  process.send(await app.listen({ host: '127.0.0.1', port: 0 }));
}

if (process.argv[1] === file && process.send !== undefined) await serve(process.argv[2]);
