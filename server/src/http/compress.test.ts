import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codingFor } from './compress.js';

test('the coding that a header prefers, brotli where it has the choice', () => {
  const cases: readonly (readonly [string | undefined, 'br' | 'gzip' | undefined])[] = [
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['gzip, deflate, br', 'br'],
    ['gzip, deflate, br, zstd', 'br'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['deflate', undefined],
    ['br;q=0.5, gzip', 'gzip'],
    ['br;q=0.5,gzip;q=0.5', 'br'],
    ['gzip;q=0.001', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *', 'gzip'],
    ['*;q=0', undefined],
    ['gzip;q=0', undefined],
    ['gzip;q=0.5, identity', undefined],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['br; q=1.0 , gzip ; q=0.8', 'br'],
    ['br;q=2, gzip;q=abc', undefined],
    ['brotli, ;;, br', 'br'],
  ];
  for (const [header, coding] of cases) assert.equal(codingFor(header), coding, String(header));
});

test('a small body travels plain unless the header refuses plain bytes', () => {
  const cases: readonly (readonly [string, 'br' | 'gzip' | undefined])[] = [
    ['gzip, br', undefined],
    ['gzip, identity;q=0', 'gzip'],
    ['*;q=0, br', 'br'],
    ['identity;q=0.1, *;q=0, br', undefined],
    ['identity;q=0', undefined],
  ];
  for (const [header, coding] of cases) assert.equal(codingFor(header, 100), coding, header);
});
