/**
 * An acknowledged batch is durable and counted once: writers post batches and repeat them under the same keys while
 * the server, a process of its own, is killed at random. Beside them somebody pages through a report.
 */

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dice } from '../oracle/random.js';
import { type Ready, ServerProcess } from './process.js';

const seed = Number(process.env.STORELENS_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const app = '9NBLGGGZ5QDR';
const range = 'startDate=2024-01-01&endDate=2024-01-31&aggregationLevel=day';

interface Page {
  readonly Value: readonly { readonly orderName: string; readonly acquisitionQuantity: number }[];
  readonly '@nextLink': string | null;
  readonly TotalCount: number;
}

/** A server that comes and goes; calls wait for it and are repeated until they are answered. */
class KilledServer {
  #ready: Promise<Ready>;
  #token = '';
  kills = 0;
  repeated = 0;

  constructor(readonly server: ServerProcess) {
    this.#ready = server.start();
  }

  async setUp(): Promise<void> {
    const { operatorKeyFile } = await this.#ready;
    const key = (await readFile(operatorKeyFile, 'utf8')).trim();
    const admin = async (path: string, body: object) => {
      const answer = await this.#call(`/admin/v1/tenants${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return JSON.parse(answer.text) as Record<string, string>;
    };
    const { tenantId } = await admin('', { name: 'Durable' });
    const { clientId } = await admin(`/${tenantId}/applications`, { name: 'Writer', role: 'Manager' });
    const { clientSecret } = await admin(`/${tenantId}/applications/${clientId}/keys`, {});
    await admin(`/${tenantId}/products`, { kind: 'app', id: app, name: 'Durable' });
    const granted = await this.#call(`/${tenantId}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId ?? '',
        client_secret: clientSecret ?? '',
        resource: 'https://manage.devcenter.microsoft.com',
      }),
    });
    this.#token = (JSON.parse(granted.text) as { access_token: string }).access_token;
  }

  /** Calls with the token; 5xx and lost connections are repeated, whatever else comes is returned. */
  async call(
    target: string,
    init: RequestInit = {},
  ): Promise<{ readonly status: number; readonly text: string }> {
    return await this.#call(target, {
      ...init,
      headers: { authorization: `Bearer ${this.#token}`, ...(init.headers as Record<string, string>) },
    });
  }

  async page(target: string): Promise<Page> {
    const { status, text } = await this.call(`/v1.0/my/analytics/${target}`);
    assert.equal(status, 200, text);
    return JSON.parse(text) as Page;
  }

  async killAndStart(): Promise<void> {
    await this.#ready;
    this.kills += 1;
    const gone = this.server.kill();
    this.#ready = gone.then(() => this.server.start());
    await this.#ready;
  }

  async #call(
    target: string,
    init: RequestInit,
  ): Promise<{ readonly status: number; readonly text: string }> {
    for (;;) {
      const { url } = await this.#ready;
      try {
        const answer = await fetch(url + target, init);
        const text = await answer.text();
        if (answer.status < 500) return { status: answer.status, text };
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

/** Every row of the pages stands for one batch, named by orderName, whose size its name tells. */
function checkWhole(rows: Page['Value']): void {
  for (const { orderName, acquisitionQuantity } of rows) {
    assert.equal(acquisitionQuantity, Number(orderName.split('-')[2]), `${orderName} is not whole`);
  }
}

/** Kills a server so many times while batches are written; every batch must be there once and whole. */
export async function killWhileWriting(rounds: number): Promise<void> {
  console.log(`STORELENS_TEST_SEED=${seed}`);
  const dice = new Dice(seed);
  const folder = await mkdtemp(join(tmpdir(), 'storelens-durability-'));
  const killed = new KilledServer(new ServerProcess(folder));
  const acknowledged = new Map<string, number>();
  const progress = new EventEmitter();
  let duplicates = 0;
  let over = false;
  let pagingRuns = 0;

  async function write(writer: number): Promise<void> {
    for (let number = 0; !over; number += 1) {
      const count = 1 + dice.below(dice.chance(0.1) ? 4000 : 200);
      const key = `w${writer}-${number}-${count}`;
      const row = {
        timestamp: `2024-01-${String(1 + dice.below(31)).padStart(2, '0')}T12:00:00Z`,
        applicationId: app,
        orderName: key,
      };
      const answer = await killed.call('/ingest/v1/acquisitions', {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': key },
        body: `${JSON.stringify(row)}\n`.repeat(count),
      });
      assert.equal(answer.status, 200, answer.text);
      const body = JSON.parse(answer.text) as { accepted: number; duplicate: boolean };
      assert.equal(body.accepted, count);
      if (body.duplicate) duplicates += 1;
      acknowledged.set(key, count);
      progress.emit('batch');
    }
  }

  async function read(): Promise<void> {
    while (!over) {
      const top = 1 + dice.below(40);
      const base = `appacquisitions?applicationId=${app}&${range}&groupby=orderName`;
      const pages: Page[] = [];
      let target: string | null = `${base}&top=${top}`;
      while (target !== null && pages.length < 50) {
        const page: Page = await killed.page(target);
        pages.push(page);
        target = page['@nextLink'];
      }
      const rows = pages.flatMap(({ Value }) => Value);
      checkWhole(rows);
      const [first] = pages;
      assert.ok(first);
      for (const { TotalCount } of pages)
        assert.equal(TotalCount, first.TotalCount, 'the total of a run changed');
      if (target === null) assert.equal(rows.length, first.TotalCount);
      assert.equal(new Set(rows.map(({ orderName }) => orderName)).size, rows.length, 'a row came twice');
      const snapshot = /snapshot=(\d+)/.exec(first['@nextLink'] ?? '')?.[1];
      if (snapshot === undefined) continue;
      const again = await killed.page(`${base}&top=10000&snapshot=${snapshot}`);
      assert.deepEqual(again.Value.slice(0, rows.length), rows, 'a row appeared or vanished');
      pagingRuns += 1;
      progress.emit('run');
    }
  }

  try {
    await killed.setUp();
    const work = Promise.all([write(1), write(2), write(3), read()]);
    // A failure of a writer or the reader ends the rounds.
    let failed: unknown;
    work.catch((error: unknown) => {
      failed = error;
    });
    for (let round = 0; round < rounds && failed === undefined; round += 1) {
      // Most kills come after a few more batches, some at once: into a start's first writes.
      const wanted = acknowledged.size + (dice.chance(0.25) ? 0 : 2 + dice.below(8));
      while (acknowledged.size < wanted && failed === undefined) await sleep(5);
      await sleep(dice.below(60));
      await killed.killAndStart();
    }
    // The last start has to serve a writer and the reader too.
    await Promise.race([work, Promise.all([once(progress, 'batch'), once(progress, 'run')])]);
    over = true;
    await work;

    const { Value, TotalCount } = await killed.page(
      `appacquisitions?applicationId=${app}&${range}&groupby=orderName&top=10000`,
    );
    assert.equal(Value.length, TotalCount);
    assert.deepEqual(
      new Map(Value.map(({ orderName, acquisitionQuantity }) => [orderName, acquisitionQuantity])),
      new Map(Value.map(({ orderName }) => [orderName, acknowledged.get(orderName) ?? 'never acknowledged'])),
    );
    assert.equal(Value.length, acknowledged.size, 'an acknowledged batch is missing');
    assert.deepEqual(await readdir(join(folder, 'spool')), []);
    console.log(
      `${killed.kills} kills, ${acknowledged.size} batches, ${killed.repeated} calls repeated, ` +
        `${duplicates} answered as duplicates, ${pagingRuns} paging runs`,
    );
    assert.ok(killed.kills === rounds && acknowledged.size >= rounds && pagingRuns > 0);
  } finally {
    over = true;
    await killed.server.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
