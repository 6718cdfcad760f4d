/** Crashes over HTTP: what is stored of a file, with an event and alone, and what the reports then say. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cabLimits, readCab } from '../../src/crashes/cab.js';
import { crashFileKey } from '../../src/files/index.js';
import { startServer, type TestAccount, type TestServer } from '../harness.js';
import { rawCab } from './raw-cab.js';
import { missing, sample } from './samples.js';
import { type CrashAnswer, products, refusalOf, send, stored } from './sending.js';

const now = Date.UTC(2026, 10, 23, 9);
const day = '2026-11-22';
const app = '9NBLGGGZ5QDR';
const crashed = 'NULL_POINTER_READ_c0000005_ContosoGame.exe!1820';
const appEvent = { timestamp: `${day}T10:00:00Z`, source: 'app', applicationId: app };

/** Kernel dumps begin so; nothing else of them is looked at. */
const kernelDump = Buffer.concat([Buffer.from('PAGEDU64'), Buffer.alloc(5000, 7)]);

/** A cabinet whose one folder is LZX (with a window of 2^21 bytes): what is in it does not matter. */
const lzx = rawCab({
  folders: [{ type: 0x1503, blocks: [{ data: Buffer.alloc(100, 1), unpacked: 4000 }] }],
  files: [{ name: 'minidump.dmp', size: 4000 }],
});

let server: TestServer;
let account: TestAccount;

before(async () => {
  server = await startServer({ now });
  account = await server.account({ products });
});

after(() => server.close());

async function detail(of: CrashAnswer) {
  const answer = await account.get(`/ingest/v1/crashes/${of.cabIdHash}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json as Record<string, unknown> & {
    frames: readonly {
      image: string;
      function: string;
      offset: string;
      found: string;
      line: number | null;
    }[];
  };
}

/** Path of the stored file of a crash. */
async function fileOf({ cabIdHash }: CrashAnswer, on = day): Promise<string | undefined> {
  return await server.app.parts.files.localPath(crashFileKey(account.accountId, on, cabIdHash));
}

async function cabinetOf(crash: CrashAnswer, on = day): Promise<Buffer> {
  const path = await fileOf(crash, on);
  assert.ok(path, 'no file is stored');
  return readFileSync(path);
}

describe('a stored crash', () => {
  it('is named after its dump and answers with its ids', async () => {
    const answer = await stored(server, account, { file: sample('win-av.dmp'), event: appEvent });
    const { batch, cabId, cabIdHash, ...rest } = answer;
    assert.match(cabId, /^[1-9]\d{12}$/);
    assert.match(cabIdHash, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.notEqual(batch, '');
    assert.deepEqual(rest, {
      dataset: 'failures',
      accepted: 1,
      duplicate: false,
      failureName: crashed,
      failureHash: rest.failureHash,
      processed: 'read',
    });
    const { frames, ...told } = await detail(answer);
    assert.equal(told.timestamp, '2026-11-22T10:00:00.000Z');
    assert.equal(told.exceptionCode, '0xc0000005');
    assert.deepEqual(frames[0], {
      level: 0,
      image: 'ContosoGame.exe',
      function: '',
      offset: '0x1820',
      found: 'context',
      file: null,
      line: null,
    });
  });

  for (const name of ['report-mszip.cab', 'report-stored.cab']) {
    it(`comes from ${name} as it is sent`, async () => {
      const answer = await stored(server, account, { file: sample(name), event: appEvent });
      assert.equal(answer.failureName, crashed);
      assert.equal(answer.processed, 'read');
      assert.deepEqual(new Uint8Array(await cabinetOf(answer)), sample(name));
    });
  }

  it('needs no event: time, system, module and frames are the dump’s', async () => {
    const query = `?source=app&applicationId=${app.toLowerCase()}`;
    const answer = await stored(server, account, { file: sample('linux-null.dmp'), query });
    assert.match(answer.failureName, /^NULL_POINTER_SIGSEGV_crashme!/);
    const told = await detail(answer);
    assert.equal(told.applicationId, app);
    assert.equal(told.timestamp, '2026-11-22T12:35:21.000Z');
    assert.equal(told.exceptionCode, 'SIGSEGV');
    const report = `failuredetails?applicationId=${app}&failureHash=${answer.failureHash}&startDate=${day}&endDate=${day}`;
    const { json, status, text } = await account.get(`/v1.0/my/analytics/${report}`);
    assert.equal(status, 200, text);
    const [row] = (json as { Value: Record<string, unknown>[] }).Value;
    assert.equal(row?.osVersion, 'Linux');
    assert.equal(row?.cabId, answer.cabId);
  });

  it('keeps what the event says; the dump fills the rest', async () => {
    const event = {
      ...appEvent,
      failureName: 'Mine!here',
      osVersion: 'Windows 10',
      frames: [{ image: 'mine.dll', function: 'here', offset: 604 }],
    };
    const answer = await stored(server, account, { file: sample('win-av.dmp'), event });
    assert.equal(answer.failureName, 'Mine!here');
    const told = await detail(answer);
    assert.deepEqual(
      told.frames.map(({ image, offset, found }) => [image, offset, found]),
      [['mine.dll', '0x25C', 'given']],
    );
    assert.equal(told.exceptionCode, '0xc0000005');
  });

  it('takes program and versions of a desktop program from the dump', async () => {
    const query = `?applicationId=${products[1].id}&source=desktop`;
    const answer = await stored(server, account, { file: sample('report-mszip.cab'), query });
    const report = `desktop/failurehits?applicationId=${products[1].id}&startDate=${day}&endDate=${day}`;
    const { json } = await account.get(`/v1.0/my/analytics/${report}`);
    const [row] = (json as { Value: Record<string, unknown>[] }).Value;
    assert.equal(row?.fileName, 'ContosoGame.exe');
    assert.equal(row?.failureHash, answer.failureHash);
    assert.equal(row?.osVersion, 'Windows 7');
  });

  it('is of its receipt if neither event nor dump says a credible time', async () => {
    const future = Buffer.from(sample('linux-div.dmp'));
    future.writeUInt32LE(Math.floor(now / 1000) + 3 * 86_400, 20);
    const answer = await stored(server, account, {
      file: future,
      query: `?source=app&applicationId=${app}`,
    });
    assert.equal((await detail(answer)).timestamp, '2026-11-23T09:00:00.000Z');
  });

  it('is another crash once its key was forgotten, and leaves the file of the first one alone', async () => {
    const crash = { event: appEvent, headers: { 'idempotency-key': 'crash-of-the-month' } };
    const first = await stored(server, account, { ...crash, file: sample('linux-div.dmp') });
    const before = await cabinetOf(first);
    const operator = await server.operatorKey();
    server.setTime(now + 31 * 86_400_000);
    try {
      await server.app.parts.ingest.purge();
      const form = new FormData();
      form.append('event', JSON.stringify(appEvent));
      form.append('file', new Blob([sample('linux-null.dmp')]));
      const answer = await server.request('/ingest/v1/crashes', {
        method: 'POST',
        // The account's token is over by now.
        headers: {
          ...crash.headers,
          authorization: `Bearer ${operator}`,
          'storelens-tenant': account.tenantId,
        },
        body: form,
      });
      assert.equal(answer.status, 200, answer.text);
      const second = answer.json as CrashAnswer;
      assert.equal(second.duplicate, false);
      assert.notEqual(second.cabIdHash, first.cabIdHash);
      assert.notEqual(second.cabId, first.cabId);
      assert.deepEqual(await cabinetOf(first), before);
    } finally {
      server.setTime(now);
    }
  });

  it('is counted once per key, and answers as it did', async () => {
    const crash = {
      file: sample('linux-div.dmp'),
      event: appEvent,
      headers: { 'idempotency-key': 'crash-17' },
    };
    const first = await stored(server, account, crash);
    assert.equal(first.batch, 'crash-17');
    assert.deepEqual(await stored(server, account, crash), { ...first, duplicate: true });
    const other = await send(server, account, { ...crash, file: sample('linux-null.dmp') });
    assert.equal(other.status, 409, other.text);
    const elsewhere = await server.account({ products });
    const theirs = await stored(server, elsewhere, crash);
    assert.equal(theirs.duplicate, false);
    assert.notEqual(theirs.cabIdHash, first.cabIdHash);
    const foreign = await elsewhere.get(`/ingest/v1/crashes/${first.cabIdHash}`);
    assert.deepEqual(refusalOf(foreign), [404, `There is no crash '${first.cabIdHash}'.`]);
  });

  it('takes nulls and empty texts of an event for missing', async () => {
    const event = { ...appEvent, timestamp: null, market: null, osVersion: '', exception: null, frames: [] };
    const answer = await stored(server, account, { file: sample('report-stored.cab'), event });
    assert.equal(answer.failureName, crashed);
    const told = await detail(answer);
    assert.equal(told.timestamp, '2026-11-22T12:35:35.000Z');
    assert.ok(told.frames.length > 1);
  });

  it('of hardware needs no product', async () => {
    const answer = await stored(server, account, { file: sample('win-av.dmp'), query: '?source=hardware' });
    assert.equal(answer.processed, 'read');
    const report = `hardware/failuredetails?failureHash=${answer.failureHash}&startDate=${day}&endDate=${day}`;
    const { json, status, text } = await account.get(`/v1.0/my/analytics/${report}`);
    assert.equal(status, 200, text);
    const [row] = (json as { Value: Record<string, unknown>[] }).Value;
    assert.deepEqual(
      [row?.failureName, row?.moduleName, row?.osVersion, row?.cabType, row?.cabIdHash],
      [answer.failureName, 'ContosoGame.exe', '6.1.7601', 'MINI', answer.cabIdHash],
    );
  });

  it('is counted by what became of it', async () => {
    const authorization = `Bearer ${await server.operatorKey()}`;
    const { text } = await server.request('/metrics', { headers: { authorization } });
    assert.match(text, /^storelens_crashes_total\{outcome="read"\} [1-9]/m);
  });

  it('may be sent by the operator for a tenant', async () => {
    const headers = {
      authorization: `Bearer ${await server.operatorKey()}`,
      'storelens-tenant': account.tenantId,
    };
    const answer = await stored(server, account, { file: sample('linux-div.dmp'), event: appEvent, headers });
    assert.equal((await detail(answer)).source, 'app');
  });
});

describe('a crash of a program with symbols', () => {
  /** Function without arguments and line of each frame. */
  async function stackOf(answer: CrashAnswer, count: number) {
    const { frames } = await detail(answer);
    return frames.slice(0, count).map((frame) => [frame.function.replace(/\(.*$/, ''), frame.line]);
  }

  before(async () => {
    const answer = await server.request('/ingest/v1/symbols', {
      method: 'POST',
      headers: { authorization: `Bearer ${account.token}` },
      body: sample('crashme.sym'),
    });
    assert.equal(answer.status, 200, answer.text);
  });

  it('shows functions and lines: a null pointer', async () => {
    const answer = await stored(server, account, { file: sample('linux-null.dmp'), event: appEvent });
    assert.equal(answer.failureName, 'NULL_POINTER_SIGSEGV_crashme!game::Inventory::CountOf');
    assert.deepEqual(await stackOf(answer, 3), [
      ['game::Inventory::CountOf', 52],
      ['game::Inventory::Lookup', 55],
      ['RunLevel', 62],
    ]);
    const { json } = await account.get(
      `/v1.0/my/analytics/stacktrace?applicationId=${app}&cabId=${answer.cabId}`,
    );
    const [top] = (json as { Value: Record<string, unknown>[] }).Value;
    assert.match(String(top?.function), /^game::Inventory::CountOf/);
  });

  it('shows functions and lines: a division', async () => {
    const answer = await stored(server, account, { file: sample('linux-div.dmp'), event: appEvent });
    assert.equal(answer.failureName, 'INTEGER_DIVIDE_BY_ZERO_SIGFPE_crashme!DivideScore');
    assert.deepEqual(await stackOf(answer, 1), [['DivideScore', 64]]);
  });
});

describe('the file of a bare dump', () => {
  for (const [program, args] of [
    ['cabextract', (cabinet: string, folder: string) => ['-q', '-d', folder, cabinet]],
    ['gcab', (cabinet: string, folder: string) => ['-x', '-n', '-C', folder, cabinet]],
  ] as const) {
    it(`is a cabinet that ${program} opens`, { skip: missing(program) }, async () => {
      const answer = await stored(server, account, { file: sample('win-av.dmp'), event: appEvent });
      const folder = mkdtempSync(join(tmpdir(), 'storelens-cab-'));
      try {
        writeFileSync(join(folder, 'x.cab'), await cabinetOf(answer));
        const run = spawnSync(program, args(join(folder, 'x.cab'), folder), { encoding: 'utf8' });
        assert.equal(run.status, 0, run.stderr);
        assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'minidump.dmp'))), sample('win-av.dmp'));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }

  it('holds a kernel dump as it came', async () => {
    const event = { ...appEvent, source: 'driver', applicationId: products[2].id, failureName: '0x139_x!y' };
    const answer = await stored(server, account, { file: kernelDump, event });
    assert.equal(answer.processed, 'The file is a kernel dump; kernel dumps are kept but not read.');
    assert.equal(answer.failureName, '0x139_x!y');
    const cab = readCab(await cabinetOf(answer), cabLimits);
    assert.deepEqual(Buffer.from(cab.extract('memory.dmp')), kernelDump);
  });
});

describe('a file that is kept unread', () => {
  it('says why', async () => {
    const answer = await stored(server, account, { file: lzx, event: appEvent });
    assert.equal(answer.processed, 'The cabinet is compressed with lzx, which is kept but not opened.');
    assert.equal((await detail(answer)).processed, answer.processed);
    assert.deepEqual(new Uint8Array(await cabinetOf(answer)), new Uint8Array(lzx));
    const bare = rawCab({
      folders: [{ blocks: [{ data: Buffer.from('{}') }] }],
      files: [{ name: 'metadata.json', size: 2 }],
    });
    const without = await stored(server, account, { file: bare, event: appEvent });
    assert.equal(without.processed, 'The cabinet holds no dump.');
  });

  it('needs a name where kernels fail', async () => {
    for (const source of ['driver', 'ihvdriver', 'hardware']) {
      const event = { ...appEvent, source, applicationId: products[2].id };
      const answer = await send(server, account, { file: kernelDump, event });
      assert.deepEqual(refusalOf(answer), [
        400,
        `The file is a kernel dump; kernel dumps are kept but not read. A failure of source '${source}' needs a failureName then.`,
      ]);
    }
  });
});
