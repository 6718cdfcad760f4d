/** Limits on crashes besides their size: rate, quota, time to read, and what is kept of a file. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { startServer, type TestServer } from '../harness.js';
import { sample } from './samples.js';
import { products, refusalOf, send, stored } from './sending.js';

const now = Date.UTC(2026, 10, 23, 9);
const app = products[0].id;
const event = { timestamp: '2026-11-22T10:00:00Z', source: 'app', applicationId: app };
const dump = sample('linux-div.dmp');

async function withServer(args: readonly string[], test: (server: TestServer) => Promise<void>) {
  const server = await startServer({ now, args });
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

describe('limits on crashes', () => {
  it('hold the crashes of a product in a minute', async () => {
    await withServer(['--crash-rate', '2'], async (server) => {
      const account = await server.account({ products });
      const other = await server.account({ products });
      await stored(server, account, { file: dump, event });
      await stored(server, account, { file: dump, query: `?source=app&applicationId=${app.toLowerCase()}` });
      const third = await send(server, account, { file: dump, event });
      assert.deepEqual(refusalOf(third), [
        429,
        'More than 2 crashes of the product in a minute (crash-rate).',
      ]);
      assert.equal(third.headers.get('retry-after'), '60');
      await stored(server, other, { file: dump, event });
      const desktop = { ...event, source: 'desktop', applicationId: products[1].id };
      await stored(server, account, { file: dump, event: desktop });
      server.setTime(now + 60_000);
      await stored(server, account, { file: dump, event });
    });
  });

  it('hold the room that the files of a product take', async () => {
    await withServer(['--crash-quota-mib', '1'], async (server) => {
      const account = await server.account({ products });
      // Bytes that do not compress: a genuine dump may end with memory that its streams do not name.
      const noise = Buffer.alloc(600_000);
      for (let at = 0, seed = 1; at < noise.length; at += 1) {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
        noise[at] = seed >>> 16;
      }
      const large = Buffer.concat([dump, noise]);
      const keyed = { file: large, event, headers: { 'idempotency-key': 'first' } };
      await stored(server, account, keyed);
      const sentence = `The crash files of '${app}' take 1 MiB; together they may take 1 MiB (crash-quota-mib).`;
      assert.deepEqual(refusalOf(await send(server, account, { file: large, event })), [413, sentence]);
      // One that is stored already takes no more room when it comes again; under another key it would.
      assert.equal((await stored(server, account, keyed)).duplicate, true);
      const again = { ...keyed, headers: { 'idempotency-key': 'second' } };
      assert.deepEqual(refusalOf(await send(server, account, again)), [413, sentence]);
      await stored(server, account, { file: dump, event });
      const driver = { ...event, source: 'driver', applicationId: products[2].id };
      await stored(server, account, { file: large, event: driver });
      // After a minute the sum is asked of the engine again.
      server.setTime(now + 61_000);
      assert.deepEqual(refusalOf(await send(server, account, { file: large, event })), [413, sentence]);
    });
  });

  it('may leave the stack alone', async () => {
    await withServer(['--crash-files', 'stack-only'], async (server) => {
      const account = await server.account({ products });
      const { cabIdHash, processed } = await stored(server, account, { file: sample('win-av.dmp'), event });
      assert.equal(processed, 'read');
      const told = (await account.get(`/ingest/v1/crashes/${cabIdHash}`)).json;
      const { cabBytes, frames } = told as { cabBytes: number; frames: readonly unknown[] };
      assert.equal(cabBytes, 0);
      assert.ok(frames.length > 1);
      assert.deepEqual(await readdir(join(server.folder, 'files')), []);
      assert.deepEqual(await readdir(join(server.folder, 'spool')), []);
    });
  });

  it('give up on a file that takes too long, keep it, and read the next one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'storelens-slow-'));
    try {
      // Symbols of the sample's program that take far longer to read than a second.
      const lines = Array.from({ length: 1_300_000 }, (_, index) => {
        const at = (0x100000 + index * 16).toString(16);
        return `FUNC ${at} 10 0 f${index}\n${at} 10 ${index} 1\n`;
      });
      const symbols = Readable.from([Buffer.from(sample('crashme.sym')), Buffer.from(lines.join(''))]);
      const patient = await startServer({ folder, now, args: ['--crash-seconds', '120'] });
      const account = await patient.account({ products });
      try {
        await patient.app.parts.crashes.acceptSymbols(account.accountId, symbols, undefined);
      } finally {
        await patient.close();
      }

      const hasty = await startServer({ folder, now, args: ['--crash-seconds', '1'] });
      try {
        const slow = await stored(hasty, account, { file: sample('linux-null.dmp'), event });
        const late = 'Reading the file took longer than 1 second.';
        assert.equal(slow.processed, late);
        const told = (
          await hasty.request(`/ingest/v1/crashes/${slow.cabIdHash}`, {
            headers: { authorization: `Bearer ${account.token}` },
          })
        ).json as { cabBytes: number };
        assert.ok(told.cabBytes > 0);
        // On a machine that is busy with other things a small dump may take a second, too; a thread that is lost would
        // never read one.
        let read = 0;
        for (let sent = 0; read < 3; sent += 1) {
          assert.ok(sent < 60, `of ${sent} dumps ${read} were read`);
          const next = await stored(hasty, account, { file: sample('win-av.dmp'), event });
          if (next.processed === 'read') read += 1;
          else assert.equal(next.processed, late);
        }
      } finally {
        await hasty.close();
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
