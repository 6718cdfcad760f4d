/** Completed rows of failures: names and hashes, given ones, exceptions, frames, ids. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readSchema } from '../engine/migrate.js';
import type { Row } from '../ingest/index.js';
import { failureHash } from './failure-hash.js';
import { cabIdOf, failureRow } from './failure-row.js';

const ids = { cabId: '1000000000001', cabIdHash: '5e6f2f0e-6d8c-4d70-8bd1-1e1a1c1b1a19' };
const row = (given: Row, extras = {}) => failureRow({ source: 'app', ...given }, { ...ids, ...extras });

test('the row has every column of the table but those that ingestion adds', async () => {
  const steps = await readSchema();
  const sql = steps.map((step) => step.sql).find((text) => text.includes('EXISTS failures'));
  const columns = Array.from(sql?.matchAll(/^ {2}([a-z]\w*) (?!TYPE)/gm) ?? [], ([, name]) => name);
  const full = row({ exception: { code: 1 }, market: 'US' });
  for (const name of Object.keys(full)) assert.ok(columns.includes(name), name);
  const made = columns.slice(columns.indexOf('exceptionCode'), columns.indexOf('seq'));
  assert.equal(made.length, 11);
  for (const name of [...made, 'failureName', 'failureHash', 'symbol']) assert.ok(name && name in full, name);
  assert.equal('exception' in full, false);
});

test('names and hashes are made, and equal the published pairs when their names are given', () => {
  const made = row({ exception: { code: '0xc0000005' }, moduleName: 'Contoso.Game.exe' });
  assert.equal(made.failureName, 'APPLICATION_FAULT_c0000005_Contoso.Game.exe!Unknown');
  assert.equal(made.failureHash, failureHash('APPLICATION_FAULT_c0000005_Contoso.Game.exe!Unknown', 'um'));
  assert.equal(made.symbol, 'contoso_game!Unknown');
  assert.deepEqual([made.nameGiven, made.hashGiven, made.namingVersion], [false, false, 1]);
  const file = new URL('../../../test/crash-samples/failure-hash-pairs.json', import.meta.url);
  const { pairs } = JSON.parse(readFileSync(file, 'utf8')) as { pairs: Record<string, string>[] };
  for (const { mode, failureName, failureHash: expected } of pairs) {
    for (const source of mode === 'um' ? ['app', 'desktop'] : ['driver', 'ihvdriver', 'Hardware']) {
      assert.equal(row({ source, failureName }).failureHash, expected, failureName);
    }
  }
});

test('a given name, hash and symbol are kept', () => {
  const kept = row({ failureName: ' Mine\u0000\n ', failureHash: ' My-Hash ', symbol: 'a!b' });
  assert.equal(kept.failureName, 'Mine');
  assert.equal(kept.failureHash, 'My-Hash');
  assert.equal(kept.symbol, 'a!b');
  assert.deepEqual([kept.nameGiven, kept.hashGiven], [true, true]);
  assert.equal(row({ failureName: 'Mine' }).failureHash, failureHash('Mine', 'um'));
  assert.equal(row({ failureName: '  ', failureHash: '\t' }).nameGiven, false);
});

test('codes: Windows numbers and texts, signals, bug checks, whatever else as it is', () => {
  const of = (source: string, code: unknown) => {
    const { failureName, exceptionCode } = row({ source, exception: { code }, moduleName: 'm.dll' });
    return [exceptionCode, failureName];
  };
  assert.deepEqual(of('app', 3221225477), ['0xc0000005', 'APPLICATION_FAULT_c0000005_m.dll!Unknown']);
  assert.deepEqual(of('app', -1073741571), ['0xc00000fd', 'STACK_OVERFLOW_c00000fd_m.dll!Unknown']);
  assert.deepEqual(of('desktop', 'C0000094'), [
    '0xc0000094',
    'INTEGER_DIVIDE_BY_ZERO_c0000094_m.dll!Unknown',
  ]);
  assert.deepEqual(of('desktop', 'sigabrt'), ['SIGABRT', 'ABORT_SIGABRT_m.dll!Unknown']);
  assert.deepEqual(of('hardware', 'SIGABRT'), ['SIGABRT', 'APPLICATION_FAULT_IMAGE_m.dll']);
  assert.deepEqual(of('driver', '0x139'), ['0x139', '0x139_IMAGE_m.dll']);
  assert.deepEqual(of('ihvdriver', 0xd1), ['0xd1', 'AV_IMAGE_m.dll']);
  assert.deepEqual(of('app', ' odd '), ['odd', 'APPLICATION_FAULT_m.dll!Unknown']);
  assert.deepEqual(of('app', null), ['', 'APPLICATION_FAULT_m.dll!Unknown']);
  assert.equal(row({ exception: { class: 'My.Error' } }).exceptionClass, 'My.Error');
  assert.equal(row({ exception: null, eventType: 'Hang' }).failureName, 'APPLICATION_HANG_cfffffff');
});

test('given frames are named after and stored; offsets of numbers print as hex', () => {
  const frames = [
    { image: 'ntdll.dll', function: 'memcpy', offset: 604 },
    { image: 'C:\\Game.exe', offset: '0x1820' },
    { function: null, offset: null },
    {},
  ];
  const stored = row({ exception: { code: 0xc0000005 }, frames });
  assert.equal(stored.failureName, 'APPLICATION_FAULT_c0000005_Game.exe!1820');
  const given = { found: 'given', file: '', line: 0 };
  assert.deepEqual(stored.frames, [
    { image: 'ntdll.dll', function: 'memcpy', offset: '0x25C', ...given },
    { image: 'C:\\Game.exe', function: '', offset: '0x1820', ...given },
    { image: '', function: '', offset: '', ...given },
    { image: '', function: '', offset: '', ...given },
  ]);
});

test('what a crash file tells of the stack stands in place of what the row gives', () => {
  const stored = row(
    { frames: [{ image: 'x' }] },
    {
      exception: { signal: 'SIGSEGV', address: 0n },
      frames: [
        {
          image: '/usr/bin/crashme',
          function: 'f',
          functionOffset: 22n,
          offset: 99n,
          found: 'context',
          line: 7,
        },
        { image: 'crashme', offset: 0xabcn, found: 'scan' },
      ],
      cabBytes: 5,
      processed: 'read',
      formerHashes: ['old'],
    },
  );
  assert.equal(stored.failureName, 'NULL_POINTER_SIGSEGV_crashme!f');
  assert.equal(stored.exceptionCode, 'SIGSEGV');
  assert.deepEqual(stored.frames, [
    { image: '/usr/bin/crashme', function: 'f', offset: '0x16', found: 'context', file: '', line: 7 },
    { image: 'crashme', function: '', offset: '0xABC', found: 'scan', file: '', line: 0 },
  ]);
  assert.deepEqual([stored.cabBytes, stored.processed, stored.formerHashes], [5, 'read', ['old']]);
});

test('the exception of a crash file counts under the class of the row, unless the row has another code', () => {
  const found = { code: 0xc0000005, parameters: [0n, 0n] };
  const named = (exception: Row | undefined) =>
    row({ exception }, { exception: found, frames: [{ image: 'a.exe', offset: 1n, found: 'context' }] });
  const own = 'NULL_POINTER_READ_c0000005_a.exe!1';
  for (const same of [undefined, {}, { code: 'C0000005' }, { code: 3221225477 }, { code: '0xc0000005' }]) {
    assert.equal(named(same).failureName, own);
  }
  assert.equal(named({ class: 'Mine' }).failureName, 'Mine_c0000005_a.exe!1');
  assert.equal(named({ class: 'Mine' }).exceptionClass, 'Mine');
  assert.equal(named({ code: '0xc00000fd' }).failureName, 'STACK_OVERFLOW_c00000fd_a.exe!1');
  assert.equal(named({ code: 'E_ODD' }).exceptionCode, 'E_ODD');
  const signal = { signal: 'SIGSEGV', address: 0n };
  for (const code of ['SIGSEGV', 'sigsegv', undefined]) {
    const { failureName } = row({ exception: { code } }, { exception: signal, frames: [] });
    assert.equal(failureName, 'NULL_POINTER_SIGSEGV');
  }
  assert.equal(
    row({ exception: { code: 'SIGABRT' } }, { exception: signal, frames: [] }).failureName,
    'ABORT_SIGABRT',
  );
  assert.equal(row({ exception: { code: 'odd' } }, { exception: signal }).exceptionCode, 'odd');
  // What is stored of a file's code is given again when the row is renamed, for drivers as a bug check.
  const small = { code: 0x22 };
  const driver = (exception: Row | undefined) => row({ source: 'driver', exception }, { exception: small });
  const { exceptionCode, failureName } = driver(undefined);
  assert.equal(driver({ code: exceptionCode }).failureName, failureName);
});

test('a cabId has 13 digits', () => {
  assert.equal(cabIdOf(Buffer.alloc(8)), '1000000000000');
  assert.match(cabIdOf(Buffer.alloc(8, 0xff)), /^[1-9]\d{12}$/);
});
