/**
 * How many crashes a second the server takes: uploads events with dumps of 50 KB over some keep-alive connections and
 * measures how many are answered (that is: durable) and how many the reports count. Sender and server share the machine.
 *
 * node bench/crashes.mjs [--connections 60] [--seconds 20] [--symbols]
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { busySeconds, peakMemory, setUp, startServer, threadSeconds } from './server.mjs';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '20' },
    symbols: { type: 'boolean', default: false },
  },
});
const connections = Number(values.connections);
const seconds = Number(values.seconds);
const product = '9NBLGGGZ5QDR';
const sample = (name) => readFileSync(new URL(`../server/test/crash-samples/${name}`, import.meta.url));

/** A genuine dump, filled up to 50 KB with bytes of which half compress: dumps hold memory nobody asked for. */
function dump() {
  const genuine = sample('linux-null.dmp');
  const rest = 50_000 - genuine.length;
  return Buffer.concat([genuine, randomBytes(rest / 2), Buffer.alloc(rest - Math.floor(rest / 2), 'stack')]);
}

const boundary = 'storelens-bench';
const part = (name, type) =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="x"\r\nContent-Type: ${type}\r\n\r\n`;

/** One body; events differ in time and device. */
function body(number, file) {
  const event = JSON.stringify({
    timestamp: new Date().toISOString(),
    source: 'app',
    applicationId: product,
    deviceId: `device-${number % 5000}`,
    market: ['US', 'DE', 'JP'][number % 3],
    packageVersion: `1.${number % 4}.0.0`,
  });
  return Buffer.concat([
    Buffer.from(
      `${part('event', 'application/json')}${event}\r\n${part('file', 'application/octet-stream')}`,
    ),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

function post(agent, url, token, content) {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/ingest/v1/crashes`,
      {
        method: 'POST',
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': `multipart/form-data; boundary=${boundary}`,
          'content-length': content.length,
        },
      },
      (answer) => {
        let text = '';
        answer.on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode, text }));
        answer.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(content);
  });
}

const server = await startServer(['--log-level', 'warn']);
try {
  const token = await setUp(server, [{ kind: 'app', id: product, name: 'Bench' }]);
  const authorization = `Bearer ${token}`;
  if (values.symbols) {
    const answer = await fetch(`${server.url}/ingest/v1/symbols`, {
      method: 'POST',
      headers: { authorization },
      body: sample('crashme.sym'),
    });
    if (!answer.ok) throw new Error(`symbols: ${answer.status} ${await answer.text()}`);
  }
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const file = dump();

  /** How many failures the reports count. */
  async function counted() {
    const day = (offset) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
    const query = `applicationId=${product}&startDate=${day(-1)}&endDate=${day(1)}&groupby=failureName`;
    const answer = await fetch(`${server.url}/v1.0/my/analytics/failurehits?${query}`, {
      headers: { authorization },
    });
    const { Value } = await answer.json();
    return Value.reduce((sum, row) => sum + row.eventCount, 0);
  }

  let number = 0;
  const refused = new Map();
  async function send(until, times) {
    while (performance.now() < until) {
      number += 1;
      const content = body(number, file);
      const begun = performance.now();
      const { status, text } = await post(agent, server.url, token, content);
      if (status === 200) times.push(performance.now() - begun);
      else refused.set(status, { count: (refused.get(status)?.count ?? 0) + 1, text });
    }
  }
  const run = (length, times) =>
    Promise.all(Array.from({ length: connections }, () => send(performance.now() + length * 1000, times)));

  const warm = [];
  await run(2, warm);
  const before = await threadSeconds(server.pid);
  const processorBefore = process.cpuUsage();
  const machineBefore = await busySeconds();
  const times = [];
  const begun = performance.now();
  await run(seconds, times);
  const answeredIn = (performance.now() - begun) / 1000;
  const own = process.cpuUsage(processorBefore);
  const after = await threadSeconds(server.pid);
  const machine = (await busySeconds()) - machineBefore;
  const total = warm.length + times.length;
  let seen = await counted();
  while (seen < total) seen = await counted();
  const queryableIn = (performance.now() - begun) / 1000;

  times.sort((left, right) => left - right);
  const at = (share) => (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(0);
  console.log(`${connections} connections, ${availableParallelism()} cores, dumps of ${file.length} bytes`);
  console.log(
    `answered   ${times.length} in ${answeredIn.toFixed(1)} s: ${(times.length / answeredIn).toFixed(0)}/s`,
  );
  console.log(`queryable  ${seen} of ${total}: ${(times.length / queryableIn).toFixed(0)}/s`);
  console.log(`latency    p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`);
  console.log(`memory     ${(await peakMemory(server.pid)) ?? '?'} MiB at most`);
  const busy = [...after]
    .map(([thread, now]) => [thread, now - (before.get(thread) ?? 0)])
    .sort((left, right) => right[1] - left[1]);
  const share = (time) => `${((time / answeredIn) * 100).toFixed(0)} %`;
  const all = busy.reduce((sum, [, time]) => sum + time, 0);
  const each = (time) => `${((time * 1000) / times.length).toFixed(1)} ms`;
  console.log(`a crash    takes ${each(all)} of the server's processor time`);
  const named = busy.filter(([, time]) => time / answeredIn > 0.03);
  const sender = (own.user + own.system) / 1e6;
  const others = Math.max(0, machine - all - sender);
  console.log(
    `processor  server ${share(all)}, sender ${share(sender)}, others ${share(others)} of one core`,
  );
  for (const [thread, time] of named) console.log(`           ${thread}: ${share(time)}`);
  const limit =
    machine / answeredIn > availableParallelism() * 0.85
      ? `the processors${others > machine / 4 ? ', which other programs took much of: not a figure of this server' : ''}`
      : 'waiting: for the disk, and for the next group of a product to be stored';
  console.log(`limit      ${limit}`);
  for (const [status, { count, text }] of refused) console.log(`refused    ${count} with ${status}: ${text}`);
} finally {
  await server.close();
}
