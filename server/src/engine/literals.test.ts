import assert from 'node:assert/strict';
import { test } from 'node:test';
import { literalsOf } from './literals.js';

test('values become literals of their type, of harmless characters alone', () => {
  const bind = literalsOf({ a: "it's \\ {b:String}", b: ['x', "'"], c: 7, d: '2025-01-31' });
  assert.equal(bind('{a:String}'), "'it\\x27s\\x20\\x5c\\x20\\x7bb\\x3aString\\x7d'");
  assert.equal(
    bind('{b:Array(String)}'),
    "_CAST('\\x5b\\x27x\\x27\\x2c\\x27\\x5c\\x27\\x27\\x5d', 'Array(String)')",
  );
  assert.equal(
    bind('a <= {c:UInt64} AND b = {c:UInt64}'),
    "a <= _CAST('7', 'UInt64') AND b = _CAST('7', 'UInt64')",
  );
  assert.equal(bind("{d:DateTime64(3, 'UTC')}"), "_CAST('2025\\x2d01\\x2d31', 'DateTime64(3, \\'UTC\\')')");
});
