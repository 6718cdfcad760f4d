import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError, InvalidRequestError, ResultMovedError } from '@storelens/client';
import { exitCodeOf, proxyHint } from './exit-codes.js';

test('what may work later, as it is, ends with 5', () => {
  assert.equal(exitCodeOf(new ResultMovedError('moved', { code: 'moved' })), 5);
  assert.equal(exitCodeOf(new ConnectionError('away', { code: 'timeout' })), 5);
  assert.equal(exitCodeOf(new InvalidRequestError('wrong', { code: 'BadRequest' })), 4);
});

test('a proxy that is named but not used is a hint where nothing can be reached', () => {
  const away = new ConnectionError('away', { code: 'timeout' });
  assert.match(proxyHint(away, { https_proxy: 'http://proxy' }), /^ https_proxy counts only with /);
  assert.equal(proxyHint(away, { HTTPS_PROXY: 'http://proxy', NODE_USE_ENV_PROXY: '1' }), '');
  assert.equal(proxyHint(away, { HTTPS_PROXY: '' }), '');
  assert.equal(proxyHint(new InvalidRequestError('no', { code: 'x' }), { HTTPS_PROXY: 'http://proxy' }), '');
});
