import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, remoteReason } from './operator-access.js';

test('loopback is 127.0.0.0/8 and ::1, also as mapped addresses', () => {
  for (const address of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1', '::FFFF:127.0.0.1']) {
    assert.equal(isLoopback(address), true, address);
  }
  for (const address of ['10.0.0.1', '128.0.0.1', '::ffff:10.0.0.1', '::', '1127.0.0.1', '', undefined]) {
    assert.equal(isLoopback(address), false, address);
  }
});

test('a request is remote by its address or by any forwarding header', () => {
  assert.equal(remoteReason('127.0.0.1', {}), undefined);
  assert.match(remoteReason('192.0.2.1', {}) ?? '', /from 192\.0\.2\.1/);
  assert.match(remoteReason('127.0.0.1', { 'x-forwarded-for': '' }) ?? '', /'x-forwarded-for'/);
  assert.match(remoteReason(undefined, {}) ?? '', /unknown address/);
});
