/**
 * An acknowledged crash has its row and its file, and counts once: senders upload crashes and repeat them under the same
 * keys while the server, a process of its own, is killed at random. In the end no file is without its row.
 */

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cabLimits, readCab } from '../../src/crashes/cab.js';
import { type Ready, ServerProcess } from '../ingest/process.js';
import { Dice } from '../oracle/random.js';
import { sample } from './samples.js';
import type { CrashAnswer } from './sending.js';

const seed = Number(process.env.STORELENS_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const app = '9NBLGGGZ5QDR';
const day = '2026-11-20';

/** Calls wait for a server that comes and goes, and are repeated until they are answered. */
class Client {
  #ready: Promise<Ready>;
  token = '';
  repeated = 0;

  constructor(readonly server: ServerProcess) {
    this.#ready = server.start();
  }

  async killAndStart(): Promise<void> {
    await this.#ready;
    const gone = this.server.kill();
    this.#ready = gone.then(() => this.server.start());
    await this.#ready;
  }

  async setUp(): Promise<{ accountId: string }> {
    const key = (await readFile((await this.#ready).operatorKeyFile, 'utf8')).trim();
    const admin = async (path: string, body: object) =>
      (await this.call(`/admin/v1/tenants${path}`, () => ({
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }))) as Record<string, string>;
    const { tenantId, accountId = '' } = await admin('', { name: 'Durable' });
    const { clientId = '' } = await admin(`/${tenantId}/applications`, { name: 'Sender', role: 'Manager' });
    const { clientSecret = '' } = await admin(`/${tenantId}/applications/${clientId}/keys`, {});
    await admin(`/${tenantId}/products`, { kind: 'app', id: app, name: 'Durable' });
    const granted = (await this.call(`/${tenantId}/oauth2/token`, () => ({
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        resource: 'https://manage.devcenter.microsoft.com',
      }),
    }))) as { access_token: string };
    this.token = granted.access_token;
    return { accountId };
  }

  get(target: string): Promise<unknown> {
    return this.call(target, () => ({ headers: { authorization: `Bearer ${this.token}` } }));
  }

  /** `init` is made anew for each attempt: a body is sent once. */
  async call(target: string, init: () => RequestInit): Promise<unknown> {
    for (;;) {
      const { url } = await this.#ready;
      try {
        const answer = await fetch(url + target, init());
        const text = await answer.text();
        if (answer.status < 300) return JSON.parse(text);
        assert.equal(answer.status, 503, text);
      } catch (error) {
        // fetch reports a lost connection as a TypeError.
        if (!(error instanceof TypeError)) throw error;
      }
      this.repeated += 1;
      await sleep(20);
    }
  }
}

/** Kills a server so many times while crashes are uploaded; every crash must be there once, with its file. */
export async function killWhileUploading(rounds: number): Promise<void> {
  console.log(`STORELENS_TEST_SEED=${seed}`);
  const dice = new Dice(seed);
  const folder = await mkdtemp(join(tmpdir(), 'storelens-crashes-'));
  const client = new Client(new ServerProcess(folder));
  const acknowledged = new Map<string, CrashAnswer>();
  const progress = new EventEmitter();
  const files = ['linux-div.dmp', 'win-av.dmp', 'report-mszip.cab'].map((name) => sample(name));
  let duplicates = 0;
  let over = false;

  async function upload(sender: number): Promise<void> {
    for (let number = 0; !over; number += 1) {
      const key = `s${sender}-${number}`;
      const file = files[dice.below(files.length)];
      assert.ok(file);
      const event = { timestamp: `${day}T12:00:00Z`, source: 'app', applicationId: app, deviceId: key };
      const answer = (await client.call('/ingest/v1/crashes', () => {
        const body = new FormData();
        body.append('event', JSON.stringify(event));
        body.append('file', new Blob([file]));
        return {
          method: 'POST',
          headers: { authorization: `Bearer ${client.token}`, 'idempotency-key': key },
          body,
        };
      })) as CrashAnswer;
      if (answer.duplicate) duplicates += 1;
      acknowledged.set(key, answer);
      progress.emit('crash');
    }
  }

  try {
    const { accountId } = await client.setUp();
    const work = Promise.all([1, 2, 3, 4].map(upload));
    let failed: unknown;
    work.catch((error: unknown) => {
      failed = error;
    });
    for (let round = 0; round < rounds && failed === undefined; round += 1) {
      const wanted = acknowledged.size + (dice.chance(0.25) ? 0 : 4 + dice.below(12));
      while (acknowledged.size < wanted && failed === undefined) await sleep(5);
      await sleep(dice.below(80));
      await client.killAndStart();
    }
    await Promise.race([work, once(progress, 'crash')]);
    over = true;
    await work;
    // What a kill left half done is settled at the start.
    await client.killAndStart();

    const hits = (await client.get(
      `/v1.0/my/analytics/failurehits?applicationId=${app}&startDate=${day}&endDate=${day}&groupby=failureName`,
    )) as { Value: readonly { eventCount: number; deviceCount: number }[] };
    const counted = hits.Value.reduce((sum, row) => sum + row.eventCount, 0);
    const devices = hits.Value.reduce((sum, row) => sum + row.deviceCount, 0);
    assert.deepEqual([counted, devices], [acknowledged.size, acknowledged.size]);

    const ids = new Set<string>();
    for (const { cabIdHash, failureName } of acknowledged.values()) {
      ids.add(cabIdHash);
      const told = (await client.get(`/ingest/v1/crashes/${cabIdHash}`)) as { failureName: string };
      assert.equal(told.failureName, failureName);
    }
    assert.equal(ids.size, acknowledged.size);
    const stored = join(folder, 'files', 'crashes', accountId, day);
    const names = await readdir(stored);
    assert.deepEqual(new Set(names), new Set([...ids].map((id) => `${id}.cab`)));
    for (const name of names)
      assert.ok(readCab(await readFile(join(stored, name)), cabLimits).files.length > 0);
    assert.deepEqual(await readdir(join(folder, 'spool')), []);
    console.log(
      `${rounds} kills, ${acknowledged.size} crashes, ${client.repeated} calls repeated, ` +
        `${duplicates} answered as duplicates`,
    );
    assert.ok(acknowledged.size >= rounds);
  } finally {
    over = true;
    await client.server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
