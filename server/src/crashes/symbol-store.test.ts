/** The store of symbols on a real registry and folder: what is taken, replaced, found and removed. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { sample } from '../../test/crashes/samples.js';
import { Failure } from '../failure.js';
import { openFolder } from '../files/folder.js';
import { openLibsqlRegistry } from '../registry/libsql.js';
import { migrateRegistry } from '../registry/migrate.js';
import { newGuid, systemRandom } from '../system.js';
import { checkSymbols, SymbolCache } from './symbol-reading.js';
import { createSymbolStore, type SymbolStore } from './symbol-store.js';

const mib = 1024 * 1024;
const crashme = sample('crashme.sym');
const debugId = '6665FEAE09C7306804147C5669CFDC1E0';
const codeId = 'AEFE6566C709683004147C5669CFDC1E38EE39D8';

interface Bench {
  readonly store: SymbolStore;
  readonly folder: string;
  setTime(milliseconds: number): void;
  /** Takes text, or bytes as they are; in pieces if told. */
  accept(body: string | Uint8Array, encoding?: string, pieces?: number): ReturnType<SymbolStore['accept']>;
}

async function bench(
  context: TestContext,
  { quota = 0, ...limits }: { unpackedBytes?: number; ratio?: number; quota?: number } = {},
): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'storelens-symbols-'));
  const registry = await openLibsqlRegistry(join(folder, 'registry.db'));
  await migrateRegistry(registry);
  context.after(async () => {
    await registry.close();
    await rm(folder, { recursive: true });
  });
  let now = Date.UTC(2024, 1, 29, 12);
  const store = createSymbolStore({
    registry,
    files: await openFolder(join(folder, 'files')),
    clock: { now: () => now },
    quota,
    limits: { wireBytes: mib, unpackedBytes: 64 * mib, ratio: 200, ...limits },
    newFile: () => join(folder, `${newGuid(systemRandom)}.file`),
    check: async (path) => checkSymbols(path),
  });
  return {
    store,
    folder,
    setTime(milliseconds) {
      now = milliseconds;
    },
    accept(body, encoding, pieces = 1) {
      const bytes = Buffer.from(body);
      const size = Math.ceil(bytes.length / pieces);
      const chunks = Array.from({ length: pieces }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
      return store.accept('one', Readable.from(chunks, { objectMode: false }), encoding);
    },
  };
}

const text = (id: string, line = 'FUNC 10 10 0 f') => `MODULE Linux x86_64 ${id} app\n${line}\n`;

const failing = (code: string, sentence: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.code, code);
  assert.match(error.data.join('\n'), sentence);
  return true;
};

test('an account has its files up to the quota; one that takes the place of another counts once', async (context) => {
  const { store, accept } = await bench(context, { quota: 1 });
  const line = `FUNC 10 10 0 ${'f'.repeat(90)}`;
  // 0.6 MiB each.
  const large = (id: string) => text(id, Array.from({ length: 6000 }, () => line).join('\n'));
  const [first, second] = ['1'.repeat(33), '2'.repeat(33)] as const;
  await accept(large(first));
  await accept(large(first));
  await assert.rejects(
    accept(large(second)),
    failing('too-large', /take 1 MiB, this one 1 MiB; together they may take 1 MiB \(symbols-quota-mib\)/),
  );
  assert.equal((await store.list('one')).length, 1);
  await store.remove('one', first);
  await accept(large(second));
});

for (const [form, body, encoding, pieces] of [
  ['plain', crashme, undefined, 7],
  ['gzip by its header', gzipSync(crashme), 'gzip', 3],
  ['gzip by its first bytes', gzipSync(crashme), undefined, 3],
  ['gzip in pieces of a byte', gzipSync(crashme), 'identity', gzipSync(crashme).length],
] as const) {
  test(`a file that comes ${form} is listed by what it says itself`, async (context) => {
    const { accept, store, folder } = await bench(context);
    const info = await accept(body, encoding, pieces);
    assert.deepEqual(info, {
      module: 'crashme',
      debugId,
      codeId,
      os: 'Linux',
      architecture: 'x86_64',
      bytes: crashme.length,
      functions: 7,
      storedAt: '2024-02-29T12:00:00.000Z',
    });
    assert.deepEqual(await store.list('one'), [info]);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith('.file')),
      [],
    );
    const [found] = await store.find('one', [{ name: 'crashme', debugId, codeId: undefined }]);
    assert.ok(found);
    const place = new SymbolCache(mib).index(found)?.lookup(0x11b0);
    assert.equal(place?.function, 'ThrowUri(char const*)');
  });
}

test('modules are found by debug id, else by code id, in any letter case, for their own account alone', async (context) => {
  const { accept, store } = await bench(context);
  await accept(crashme);
  const unknown = '0123456789ABCDEF0123456789ABCDEF1';
  const modules = [
    { name: 'libc', debugId: unknown, codeId: undefined },
    { name: 'crashme', debugId: debugId.toLowerCase(), codeId: undefined },
    { name: 'crashme', debugId: undefined, codeId: codeId.toLowerCase() },
    { name: 'crashme', debugId: unknown, codeId },
    { name: 'bare', debugId: undefined, codeId: undefined },
  ];
  const found = await store.find('one', modules);
  assert.deepEqual(
    found.map(({ module }) => module),
    [1, 2, 3],
  );
  assert.equal(new Set(found.map(({ version }) => version)).size, 1);
  assert.deepEqual(await store.find('two', modules), []);
  assert.deepEqual(await store.list('two'), []);
  assert.equal(await store.remove('two', debugId), false);
  assert.equal((await store.find('one', modules)).length, 3);
});

test('the ids of PE images are compared without case too, and the newest file with a code id is taken', async (context) => {
  const { accept, store, setTime } = await bench(context);
  const first = '11111111111111111111111111111111A';
  const second = '22222222222222222222222222222222A';
  await accept(text(second, 'INFO CODE_ID 5C2A3B8E1F000 app.exe'));
  setTime(Date.UTC(2024, 2, 1));
  await accept(text(first, 'INFO CODE_ID 5C2A3B8E1F000 app.exe'));
  const [found] = await store.find('one', [{ name: 'app.exe', debugId: undefined, codeId: '5c2a3b8e1f000' }]);
  assert.match(found?.path ?? '', new RegExp(`${first}\\.sym\\.gz$`));
  assert.deepEqual(
    (await store.list('one')).map((info) => info.debugId),
    [first, second],
  );
});

test('a file takes the place of the one with its id, and caches read it anew', async (context) => {
  const { accept, store } = await bench(context);
  const id = '11111111111111111111111111111111A';
  const cache = new SymbolCache(mib);
  const lookup = async () => {
    const [found] = await store.find('one', [{ name: 'app', debugId: id, codeId: undefined }]);
    return found === undefined ? undefined : cache.index(found)?.lookup(0x10)?.function;
  };
  await accept(text(id, 'FUNC 10 10 0 before'));
  assert.equal(await lookup(), 'before');
  const again = await accept(text(id.toLowerCase(), 'FUNC 10 10 0 after'));
  assert.equal(again.debugId, id);
  assert.equal(await lookup(), 'after');
  assert.equal((await store.list('one')).length, 1);
  assert.equal(await store.remove('one', id.toLowerCase()), true);
  assert.equal(await store.remove('one', id), false);
  assert.equal(await lookup(), undefined);
});

test('a file whose row was never written is removed, all others stay', async (context) => {
  const { accept, store, folder } = await bench(context);
  const id = '11111111111111111111111111111111A';
  await store.sweep();
  await accept(text(id));
  const symbols = join(folder, 'files', 'symbols');
  await mkdir(join(symbols, 'two'));
  await copyFile(join(symbols, 'one', `${id}.sym.gz`), join(symbols, 'two', `${id}.sym.gz`));
  await copyFile(join(symbols, 'one', `${id}.sym.gz`), join(symbols, 'one', `${debugId}.sym.gz`));
  await store.sweep();
  assert.deepEqual(await readdir(symbols), ['one']);
  assert.deepEqual(await readdir(join(symbols, 'one')), [`${id}.sym.gz`]);
});

test('the cache keeps to its budget and forgets what was unused for longest', async (context) => {
  const { accept, store } = await bench(context);
  const ids = ['1', '2', '3'].map((digit) => `${digit.repeat(32)}0`);
  for (const id of ids) await accept(text(id));
  const found = await store.find(
    'one',
    ids.map((id) => ({ name: 'app', debugId: id, codeId: undefined })),
  );
  const [a, b, c] = found;
  assert.ok(a && b && c);
  // Room for two.
  const cache = new SymbolCache(4 * 2 * text(ids[0] ?? '').length);
  const [first, second] = [cache.index(a), cache.index(b)];
  assert.equal(cache.index(a), first);
  assert.ok(cache.index(c));
  assert.equal(cache.index(a), first);
  assert.notEqual(cache.index(b), second);
  const none = new SymbolCache(10);
  assert.ok(none.index(a));
  assert.notEqual(none.index(a), none.index(a));
});

test('what is no symbol file is refused with its line, and nothing of it stays', async (context) => {
  const { accept, store, folder } = await bench(context);
  const id = '11111111111111111111111111111111A';
  const refused = [
    ['', /^Line 1: the symbol file is empty/],
    ['PK\u0003\u0004', /^Line 1: a symbol file starts with a MODULE record/],
    [text('11'), /^Line 1: the debug id is "11"/],
    [text(id, 'FUNC 10 10'), /^Line 2: FUNC needs/],
    [`${text(id)}FUNC zz 1 0 f\n`, /^Line 3: /],
    [text('0'.repeat(33)), /^Line 1: the debug id is zero/],
    [gzipSync(gzipSync(crashme)), /^Line 1: /],
  ] as const;
  for (const [body, sentence] of refused) {
    await assert.rejects(accept(body), failing('invalid-symbols', sentence));
  }
  await assert.rejects(accept(crashme, 'gzip'), failing('invalid-body', /not valid gzip/));
  await assert.rejects(accept(gzipSync(crashme).subarray(0, 500)), failing('invalid-body', /not valid gzip/));
  await assert.rejects(accept(crashme, 'br'), failing('unsupported-media-type', /'br' is not supported/));
  assert.deepEqual(await store.list('one'), []);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.file')),
    [],
  );
});

test('bodies over a limit are refused while they arrive', async (context) => {
  const { accept, folder } = await bench(context);
  const bomb = gzipSync(Buffer.alloc(256 * mib, '0'));
  assert.ok(bomb.length < mib);
  await assert.rejects(
    accept(Buffer.alloc(2 * mib, 'x'), undefined, 64),
    failing('too-large', /1 MiB on the wire/),
  );
  await assert.rejects(accept(bomb, undefined, 64), failing('too-large', /200 times as large/));
  const high = await bench(context, { ratio: 100_000 });
  await assert.rejects(high.accept(bomb, 'gzip'), failing('too-large', /64 MiB after decompression/));
  for (const each of [folder, high.folder]) {
    assert.deepEqual(
      (await readdir(each)).filter((name) => name.endsWith('.file')),
      [],
    );
  }
});
