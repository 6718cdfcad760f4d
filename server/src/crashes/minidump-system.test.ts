import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DumpBuilder, numbers } from '../../test/crashes/dump-builder.js';
import { readMinidump } from './minidump.js';

function system(
  version: [number, number, number],
  more: { platform?: number; processor?: number; server?: boolean; servicePack?: string } = {},
): string[] {
  const { osName, osRelease, osBuild, architecture } = readMinidump(
    new DumpBuilder().system({ platform: numbers.windows, processor: numbers.x64, version, ...more }).build(),
  ).system;
  return [osName, osRelease, osBuild, architecture];
}

test('Windows by version, build and service pack', () => {
  assert.deepEqual(system([10, 0, 10240]), ['Windows 10', 'Version 1507', '10.0.10240', 'x64']);
  assert.deepEqual(system([10, 0, 14393]), ['Windows 10', 'Version 1607', '10.0.14393', 'x64']);
  assert.deepEqual(system([10, 0, 21999]), ['Windows 10', 'Unknown', '10.0.21999', 'x64']);
  assert.deepEqual(system([10, 0, 22000]), ['Windows 11', 'Version 2110', '10.0.22000', 'x64']);
  assert.deepEqual(system([6, 1, 7601], { servicePack: 'Service Pack 1' }), [
    'Windows 7',
    'Service Pack 1',
    '6.1.7601',
    'x64',
  ]);
  assert.deepEqual(system([6, 2, 9200], { servicePack: 'anything' }), [
    'Windows 8',
    'Unknown',
    '6.2.9200',
    'x64',
  ]);
  assert.deepEqual(system([4, 0, 1]), ['Unknown', 'Unknown', '4.0.1', 'x64']);
});

test('servers', () => {
  const server = true;
  assert.deepEqual(system([10, 0, 14393], { server }).slice(0, 2), ['Windows Server 2016', 'Version 1607']);
  assert.deepEqual(system([10, 0, 16299], { server }).slice(0, 2), ['Windows Server 1709', 'RTM']);
  assert.deepEqual(system([6, 3, 9600], { server }).slice(0, 2), ['Windows Server 2012 R2', 'Unknown']);
});

test('other systems and processors', () => {
  assert.deepEqual(system([5, 4, 0], { platform: 0x8203, processor: numbers.arm64 }), [
    'Android',
    'Unknown',
    '5.4.0',
    'arm64',
  ]);
  assert.deepEqual(system([14, 1, 0], { platform: 0x8101 }).slice(0, 2), ['macOS', 'Unknown']);
  assert.deepEqual(system([1, 2, 3], { platform: 77, processor: 77 }), [
    'Unknown',
    'Unknown',
    '1.2.3',
    'Unknown',
  ]);
  assert.equal(system([10, 0, 1], { processor: numbers.x86 })[3], 'x86');
});
