/**
 * How many crashes a second the server takes: uploads events with dumps of 50 KB over 120 keep-alive connections and
 * measures how many are answered (that is: durable) and how long until the reports count them. Sender and server
 * share the machine; the processor time of both, and of other programs, is told.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createClient, load } from '../client.mjs';
import { hotApp } from '../data.mjs';
import { emptyFolder, register } from '../folder.mjs';
import { cleanly } from '../processes.mjs';
import { machineSeconds, secondsOf } from '../processors.mjs';
import { root, startServer } from '../server.mjs';

const connections = 120;
const boundary = 'storelens-bench';
const sample = (name) => readFileSync(`${root}/server/test/crash-samples/${name}`);

/** A genuine dump, filled up to 50 KB with bytes of which half compress: dumps hold memory nobody asked for. */
function dump() {
  const genuine = sample('linux-null.dmp');
  const rest = 50_000 - genuine.length;
  return Buffer.concat([genuine, randomBytes(rest / 2), Buffer.alloc(rest - Math.floor(rest / 2), 'stack')]);
}

const part = (name, type) =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="x"\r\nContent-Type: ${type}\r\n\r\n`;

/** One body; events differ in time and device. */
function body(number, file) {
  const event = JSON.stringify({
    timestamp: new Date().toISOString(),
    source: 'app',
    applicationId: hotApp,
    deviceId: `device-${number % 5000}`,
    market: ['US', 'DE', 'JP'][number % 3],
    packageVersion: `1.${number % 4}.0.0`,
  });
  const head = `${part('event', 'application/json')}${event}\r\n${part('file', 'application/octet-stream')}`;
  return Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]);
}

/** Measures on a folder of its own; without symbols, as a stack is then named by what the dump holds. */
export const crashes = ({ quick }) =>
  cleanly(async (undo) => {
    const folder = await emptyFolder('crashes');
    undo(() => rm(folder, { recursive: true, force: true }));
    const server = await startServer(folder);
    undo(() => server.stop());
    const client = createClient(server.url);
    undo(() => client.close());
    await client.signIn(await register(server));

    /** How many failures the reports count. */
    const counted = async () => {
      const day = (offset) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
      const range = { startDate: day(-1), endDate: day(1), groupby: 'failureName' };
      const answer = await client.ask('failurehits', { applicationId: hotApp, ...range });
      return JSON.parse(answer.body.toString()).Value.reduce((sum, row) => sum + row.eventCount, 0);
    };

    const file = dump();
    const type = { 'content-type': `multipart/form-data; boundary=${boundary}` };
    let sent = 0;
    const send = (times) => async () => {
      sent += 1;
      times.push((await client.fine('POST', '/ingest/v1/crashes', type, body(sent, file))).milliseconds);
    };
    await load(connections, 2, send([]));
    const before = await secondsOf(server.pid);
    const machineBefore = await machineSeconds();
    const ownBefore = process.cpuUsage();
    const answered = [];
    const began = performance.now();
    const rate = await load(connections, quick ? 4 : 20, send(answered));
    const took = (performance.now() - began) / 1000;
    const own = process.cpuUsage(ownBefore);
    const machine = ((await machineSeconds()) - machineBefore) / took;
    const cores = ((await secondsOf(server.pid)) - before) / took;
    let seen = await counted();
    while (seen < sent) seen = await counted();
    assert.equal(seen, sent, 'every crash that was answered is counted once');
    const queryable = (answered.length * 1000) / (performance.now() - began);
    const sender = (own.user + own.system) / 1e6 / took;
    const others = Math.max(0, machine - cores - sender);
    const each = (cores * 1000) / rate;
    const shares = Object.entries({ server: cores, sender, others }).map(
      ([who, share]) => `${who} ${share.toFixed(2)}`,
    );
    const remark = `${sent} crashes, answered ${rate.toFixed(0)}/s, ${each.toFixed(1)} ms of processor time each; cores: ${shares.join(', ')}`;
    return [{ id: 'crashes', value: queryable, times: { answer: answered }, remark }];
  });
