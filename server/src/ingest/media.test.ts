/** Content types, encodings and keys as headers give them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../failure.js';
import { acceptedEncodings, readIdempotencyKey, readMedia } from './media.js';

const refused = (error: unknown) => error instanceof Failure && error.code === 'unsupported-media-type';

test('formats', () => {
  assert.equal(readMedia('application/x-ndjson', undefined).format, 'lines');
  assert.equal(readMedia('APPLICATION/JSON ; Charset=UTF8', '').format, 'array');
  assert.equal(readMedia('text/csv;charset="utf-8"; header=present', 'identity').format, 'csv');
  for (const type of [
    undefined,
    '',
    'text/plain',
    'toString',
    'text/csv; charset=utf-16',
    'text/csv; header=absent',
  ]) {
    assert.throws(() => readMedia(type, undefined), refused, type);
  }
});

test('encodings', () => {
  assert.equal(readMedia('text/csv', 'identity').decoder, undefined);
  assert.ok(readMedia('text/csv', ' GZip ').decoder);
  for (const encoding of ['br', 'deflate', 'gzip, gzip', 'x', '__proto__']) {
    assert.throws(() => readMedia('text/csv', encoding), refused, encoding);
  }
  assert.ok(acceptedEncodings.includes('gzip'));
});

test('keys', () => {
  assert.equal(readIdempotencyKey(undefined), undefined);
  assert.equal(readIdempotencyKey('~'.repeat(255)), '~'.repeat(255));
  for (const key of ['', ' ', 'a b', 'a\tb', '\u00fc', 'x'.repeat(256)]) {
    assert.throws(() => readIdempotencyKey(key), /1 to 255 visible ASCII characters/, key);
  }
});
