/**
 * The bare engine as a process of its own on a copy of a folder: the limit that a server over it could reach. Speaks
 * over the child's channel; milliseconds are measured inside, so that the channel does not count.
 */
import { fork } from 'node:child_process';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWith, hasEnded } from '../processes.mjs';

const file = fileURLToPath(import.meta.url);

/** Copies the engine's folder beside the original and returns its path. */
export async function copyEngine(folder) {
  const copy = `${folder}.engine`;
  await rm(copy, { recursive: true, force: true });
  await cp(join(folder, 'engine'), copy, { recursive: true });
  return copy;
}

/** Starts a process with an engine on a folder of its own. */
export async function startEngine(folder) {
  const child = fork(file, [folder], { serialization: 'advanced' });
  endWith(child);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const answer = () =>
    new Promise((resolve, reject) => {
      child.once('message', resolve);
      ended.then(() => reject(new Error('the bare engine has ended')));
    });
  await answer();
  const call = async (message) => {
    const got = answer();
    child.send(message);
    const said = await got;
    if (said.error !== undefined) throw new Error(said.error);
    return said;
  };
  return {
    pid: child.pid,
    /** Runs a query, `{bytes, milliseconds}`; without a format it is a statement that answers nothing. */
    async query(sql, format, settings = {}) {
      const { bytes, milliseconds } = await call({ sql, format, settings });
      return { bytes: Buffer.from(bytes), milliseconds };
    },
    /** Inserts the bytes of a file as they are, under a token; answers milliseconds without reading the file. */
    insert: async (table, path, format, token) =>
      (await call({ insert: { table, path, format, token } })).milliseconds,
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
      hasEnded(child);
    },
  };
}

/** Inserts bytes as `chdb` does it, with the token without which a repeated batch would count twice. */
export const insertBytes = (session, table, values, format, token) =>
  session.insert({ table, values, format, settings: { insert_deduplication_token: token } });

async function serve(folder) {
  let engine;
  // Between two calls, or before the first: nothing is lost.
  process.on('disconnect', async () => {
    await engine?.close();
    process.exit(0);
  });
  const [{ openChdb }, { Session }] = await Promise.all([
    import('../../../server/dist/src/engine/chdb.js'),
    import('chdb'),
  ]);
  engine = await openChdb({ folder, sessions: 1, queueLength: 10 });
  const writer = new Session(folder);
  const perform = async ({ sql, format, settings, insert }) => {
    const values = insert === undefined ? undefined : await readFile(insert.path);
    const began = performance.now();
    let bytes = new Uint8Array(0);
    if (insert !== undefined) await insertBytes(writer, insert.table, values, insert.format, insert.token);
    else if (format === undefined) await engine.command({ account: '', sql, settings });
    else bytes = await engine.query({ account: '', sql, format, settings });
    return { bytes, milliseconds: performance.now() - began };
  };
  process.on('message', async (message) => {
    process.send(await perform(message).catch((error) => ({ error: String(error) })));
  });
  process.send('ready');
}

if (process.argv[1] === file && process.send !== undefined) await serve(process.argv[2]);
