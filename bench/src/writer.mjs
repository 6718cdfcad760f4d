/** Writers in a process of their own, so that they do not hold up those who measure. */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createClient, load } from './client.mjs';
import { endWith, hasEnded } from './processes.mjs';

const file = fileURLToPath(import.meta.url);

/** Cuts a file into bodies of so many lines. */
function bodiesOf(path, lines) {
  const all = readFileSync(path, 'utf8').trim().split('\n');
  return Array.from({ length: Math.floor(all.length / lines) }, (_, index) =>
    Buffer.from(`${all.slice(index * lines, (index + 1) * lines).join('\n')}\n`),
  );
}

/** Starts the process: it posts pieces of `lines` lines of a file to `path`. */
export function startWriters({ url, path, authorization, from, lines }) {
  const child = fork(file, [JSON.stringify({ url, path, authorization, from, lines })]);
  endWith(child);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    /** Lets so many writers post for some seconds; answers rows a second, rows, requests refused with 503. */
    async write(writers, seconds) {
      const answer = new Promise((resolve, reject) => {
        child.once('message', resolve);
        ended.then(() => reject(new Error('the writers have ended')));
      });
      child.send({ writers, seconds });
      const { error, ...said } = await answer;
      if (error !== undefined) throw new Error(error);
      return said;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
      hasEnded(child);
    },
  };
}

function serve({ url, path, authorization, from, lines }) {
  const bodies = bodiesOf(from, lines);
  const client = createClient(url, authorization);
  let next = 0;
  let stored = 0;
  let refused = 0;
  const once = async () => {
    next += 1;
    const body = bodies[next % bodies.length];
    const answer = await client.send('POST', path, { 'content-type': 'application/x-ndjson' }, body);
    if (answer.status === 200) stored += lines;
    else if (answer.status === 503) {
      refused += 1;
      // Much sooner than it was told.
      await new Promise((resolve) => setTimeout(resolve, 100));
    } else throw new Error(`${answer.status} ${answer.body}`);
  };
  const write = async ({ writers, seconds }) => {
    stored = 0;
    refused = 0;
    const began = performance.now();
    await load(writers, seconds, once);
    return { rate: (stored * 1000) / (performance.now() - began), rows: stored, refused };
  };
  process.on('message', async (message) => {
    process.send(await write(message).catch((error) => ({ error: String(error) })));
  });
  process.on('disconnect', () => process.exit(0));
}

if (process.argv[1] === file && process.send !== undefined) serve(JSON.parse(process.argv[2]));
