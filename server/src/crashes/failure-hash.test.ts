import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Dice } from '../../test/oracle/random.js';
import { type FailureMode, failureHash, failureMode } from './failure-hash.js';
import { md5 } from './md5.js';

interface Pair {
  readonly mode: FailureMode;
  readonly failureName: string;
  readonly failureHash: string;
}

const file = new URL('../../../test/crash-samples/failure-hash-pairs.json', import.meta.url);
const { pairs } = JSON.parse(readFileSync(file, 'utf8')) as { pairs: Pair[] };

test('every published pair of name and hash is equal to ours', () => {
  assert.equal(pairs.length, 15);
  for (const pair of pairs) {
    assert.equal(failureHash(pair.failureName, pair.mode), pair.failureHash, pair.failureName);
    const other = pair.mode === 'um' ? 'km' : 'um';
    assert.notEqual(failureHash(pair.failureName, other), pair.failureHash, pair.failureName);
  }
});

test('the case of a name does not matter, in any alphabet and beside any letter', () => {
  for (const [left, right] of [
    ['AV_NETIO!Stream', 'av_netio!STREAM'],
    ['ÄÖÜ!ß', 'äöü!ß'],
    ['ΑΣ', 'ας'.replace('ς', 'σ')],
    ['ДРАЙВЕР.sys', 'драйвер.SYS'],
  ] as const) {
    assert.equal(failureHash(left, 'um'), failureHash(right, 'um'), left);
  }
  // A letter whose lower case is two units keeps its own.
  assert.notEqual(failureHash('İ', 'um'), failureHash('i̇', 'um'));
});

test('our MD5 is the MD5, at every length around the padding and for random bytes', () => {
  const dice = new Dice('md5', 7);
  const lengths = Array.from({ length: 200 }, (_, length) => length);
  for (const length of [...lengths, 1000, 4095, 4096, 65_537]) {
    const bytes = Uint8Array.from({ length }, () => dice.whole(0, 255));
    assert.equal(
      Buffer.from(md5(bytes)).toString('hex'),
      createHash('md5').update(bytes).digest('hex'),
      `${length}`,
    );
  }
});

test('random names hash like the rule written with the library', () => {
  const dice = new Dice('failure hash', 11);
  for (let turn = 0; turn < 2000; turn += 1) {
    const name = Array.from({ length: dice.whole(0, 300) }, () =>
      String.fromCharCode(dice.whole(0x20, 0x7e)),
    ).join('');
    const mode = dice.pick(['um', 'km'] as const);
    const bytes = createHash('md5')
      .update(Buffer.from(`${mode}:${name}`.toLowerCase(), 'utf16le'))
      .digest();
    const groups = [
      bytes.readUInt32LE(0).toString(16).padStart(8, '0'),
      bytes.readUInt16LE(4).toString(16).padStart(4, '0'),
      bytes.readUInt16LE(6).toString(16).padStart(4, '0'),
      bytes.toString('hex', 8, 10),
      bytes.toString('hex', 10),
    ];
    assert.equal(failureHash(name, mode), groups.join('-'));
  }
});

test('drivers and hardware are kernel mode, the rest is user mode', () => {
  const modes = ['app', 'desktop', 'driver', 'ihvdriver', 'hardware'].map(failureMode);
  assert.deepEqual(modes, ['um', 'um', 'km', 'km', 'km']);
});
