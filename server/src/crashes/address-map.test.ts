import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressMap, asAddress } from './address-map.js';

test('every address of every range is found, whatever the order and the overlaps', () => {
  const ranges = [
    { base: 50n, size: 10, name: 'last' },
    { base: 10n, size: 20, name: 'wide' },
    { base: 12n, size: 3, name: 'inside' },
    { base: 25n, size: 10, name: 'across' },
    { base: 10n, size: 5, name: 'short' },
    { base: 40n, size: 0, name: 'empty' },
  ];
  const map = new AddressMap(ranges);
  const holds = (address: bigint) =>
    ranges.some(({ base, size }) => base <= address && address < base + BigInt(size));
  for (let address = 0n; address < 70n; address++) {
    assert.equal(map.at(address) !== undefined, holds(address), String(address));
  }
  assert.equal(map.at(13n)?.name, 'wide');
  assert.equal(map.at(26n)?.name, 'across');
  assert.equal(map.at(40n), undefined);
  assert.equal(new AddressMap([]).at(0n), undefined);
});

test('an extended sign is taken back on x86 alone', () => {
  assert.equal(asAddress(0xffffffff80000000n, 'x86'), 0x80000000n);
  assert.equal(asAddress(0xffffffff80000000n, 'x64'), 0xffffffff80000000n);
  assert.equal(asAddress(0x100000000n, 'x86'), 0x100000000n);
});
