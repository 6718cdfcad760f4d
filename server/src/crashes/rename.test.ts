/** Renaming of stored rows: what changes with a stack, what a client gave and keeps, hashes that were. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../ingest/index.js';
import { failureHash } from './failure-hash.js';
import { type FailureExtras, failureRow } from './failure-row.js';
import type { DumpFacts, FoundFrame, Reading } from './reading.js';
import { hasGivenFrames, renameFailure, type StoredFailure } from './rename.js';

const ids = { cabId: '1000000000001', cabIdHash: '5e6f2f0e-6d8c-4d70-8bd1-1e1a1c1b1a19', cabBytes: 70 };
const exception = { code: 0xc0000005, parameters: [0n, 0n] };

const frame = (known: Partial<FoundFrame>): FoundFrame => ({
  image: 'a.exe',
  function: undefined,
  offset: 0x1820n,
  functionOffset: undefined,
  found: 'context',
  file: undefined,
  line: undefined,
  ...known,
});

const bare = [frame({}), frame({ image: 'b.dll', offset: 5n, found: 'scan' })];
const symbolized = [
  frame({ function: 'Game::Load(int)', functionOffset: 0x20n, file: '/src/game.cc', line: 12 }),
  frame({ image: 'b.dll', offset: 5n, found: 'cfi' }),
];

/** A row as it is stored: completed, with what stands for missing values. */
function stored(given: Row = {}, extras: Partial<FailureExtras> = {}): StoredFailure {
  const row = failureRow(
    { source: 'app', timestamp: '2024-02-29T11:00:00.000Z', market: 'US', ...given },
    { ...ids, processed: 'read', exception, frames: bare, ...extras },
  );
  return { moduleName: 'Unknown', fileName: '', driverName: '', ...row } as unknown as StoredFailure;
}

function read(frames: readonly FoundFrame[], processed = 'read'): Reading {
  const facts = processed === 'read' ? ({ exception, frames } as unknown as DumpFacts) : undefined;
  return { processed, facts, written: undefined };
}

test('the same stack changes nothing', () => {
  assert.equal(renameFailure(stored(), read(bare)), undefined);
  assert.equal(renameFailure(stored({ exception: { class: 'Said' } }), read(bare)), undefined);
  assert.equal(renameFailure(stored({ exception: { code: '0xc00000fd' } }), read(bare)), undefined);
  assert.equal(renameFailure(stored({ symbol: 'mine!f', failureName: 'Mine' }), read(bare)), undefined);
  assert.equal(renameFailure(stored({ source: 'driver' }), read(bare)), undefined);
});

test('a function that is known now gives name, hash, symbol and frames; the rest of the row stays', () => {
  const old = stored();
  assert.equal(old.failureName, 'NULL_POINTER_READ_c0000005_a.exe!1820');
  const now = renameFailure(old, read(symbolized));
  const name = 'NULL_POINTER_READ_c0000005_a.exe!Game::Load';
  assert.deepEqual(now, {
    renamed: true,
    row: {
      ...old,
      failureName: name,
      failureHash: failureHash(name, 'um'),
      symbol: 'a!Game::Load',
      formerHashes: [old.failureHash],
      frames: [
        {
          image: 'a.exe',
          function: 'Game::Load(int)',
          offset: '0x20',
          found: 'context',
          file: '/src/game.cc',
          line: 12,
        },
        { image: 'b.dll', function: '', offset: '0x5', found: 'cfi', file: '', line: 0 },
      ],
    },
  });
  assert.ok(now);
  assert.equal(renameFailure(now.row as StoredFailure, read(symbolized)), undefined);
});

test('lines alone change the stack and not the name', () => {
  const first = renameFailure(stored(), read(symbolized))?.row as StoredFailure;
  const moved = symbolized.map((one) => ({ ...one, line: one.line === undefined ? undefined : 13 }));
  const now = renameFailure(first, read(moved));
  assert.equal(now?.renamed, false);
  assert.equal(now?.row.failureHash, first.failureHash);
  assert.deepEqual(now?.row.formerHashes, first.formerHashes);
});

test('a hash that comes back is no former one any more', () => {
  const old = stored();
  const first = renameFailure(old, read(symbolized))?.row as StoredFailure;
  const back = renameFailure(first, read(bare))?.row as StoredFailure;
  assert.equal(back.failureHash, old.failureHash);
  assert.deepEqual(back.formerHashes, [first.failureHash]);
});

test('what a client gave is kept: name, hash, symbol, and frames, which no symbols change', () => {
  const name = renameFailure(stored({ failureName: 'Mine' }), read(symbolized));
  assert.equal(name?.row.failureName, 'Mine');
  assert.equal(name?.row.nameGiven, true);
  assert.equal(name?.renamed, false);
  assert.equal(name?.row.symbol, 'a!Game::Load');
  const hash = renameFailure(stored({ failureHash: 'My-Hash' }), read(symbolized));
  assert.equal(hash?.row.failureHash, 'My-Hash');
  assert.equal(hash?.row.failureName, 'NULL_POINTER_READ_c0000005_a.exe!Game::Load');
  assert.equal(hash?.renamed, false);
  const symbol = renameFailure(stored({ symbol: 'mine!f' }), read(symbolized));
  assert.equal(symbol?.row.symbol, 'mine!f');
  assert.equal(symbol?.renamed, true);
  const frames = stored({ frames: [{ image: 'x.exe', function: 'f' }] }, { frames: undefined });
  assert.equal(hasGivenFrames(frames), true);
  assert.equal(renameFailure(frames, read(symbolized)), undefined);
});

test('a file that cannot be read now leaves its row alone; one that can be read at last gives a stack', () => {
  assert.equal(renameFailure(stored(), read([], 'It took longer than 10 s.')), undefined);
  const unread = stored(
    { fileName: 'a.exe' },
    { frames: undefined, exception: undefined, processed: 'Too slow.' },
  );
  assert.equal(unread.failureName, 'APPLICATION_FAULT_a.exe!Unknown');
  const now = renameFailure(unread, read(bare));
  assert.equal(now?.row.failureName, 'NULL_POINTER_READ_c0000005_a.exe!1820');
  assert.equal(now?.row.processed, 'read');
  assert.equal(now?.row.fileName, 'a.exe');
  const unknown = renameFailure(unread, read([]))?.row;
  assert.equal(unknown?.moduleName, 'Unknown');
  assert.equal(unknown?.failureName, 'NULL_POINTER_READ_c0000005_a.exe!Unknown');
});
