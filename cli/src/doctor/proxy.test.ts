import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knowsProxies, lookAtProxy, proxyFor } from './proxy.js';

const api = new URL('https://manage.devcenter.microsoft.com');
const login = new URL('https://login.microsoftonline.com');
const own = new URL('http://stats.example.com:4700');
const asked = { NODE_USE_ENV_PROXY: '1' };
const proxy = { HTTPS_PROXY: 'http://user:secret@proxy.example.com:3128' };

test('a proxy counts where Node is told to use it, and can be', () => {
  for (const [version, known] of [
    ['20.19.0', false],
    ['22.20.0', false],
    ['22.21.0', true],
    ['23.11.0', false],
    ['24.0.0', true],
  ] as const)
    assert.equal(knowsProxies(version), known, version);
  assert.equal(proxyFor(api, {}, '24.1.0'), undefined);
  assert.equal(proxyFor(api, proxy, '24.1.0')?.used, false);
  assert.equal(proxyFor(api, { ...proxy, ...asked }, '20.19.0')?.used, false);
  assert.equal(proxyFor(api, { ...proxy, ...asked }, '24.1.0')?.used, true);
  assert.equal(proxyFor(api, { ...proxy, NODE_OPTIONS: '--use-env-proxy' }, '24.1.0')?.used, true);
  assert.equal(proxyFor(own, proxy, '24.1.0'), undefined, 'one for https is none for http');
  assert.equal(proxyFor(api, { http_proxy: 'http://p:1' }, '24.1.0')?.variable, 'http_proxy');
});

test('NO_PROXY names hosts, their ends, and ports', () => {
  for (const [list, exempt] of [
    ['*', true],
    ['other.example.com, manage.devcenter.microsoft.com', true],
    ['.microsoft.com', true],
    ['*.microsoft.com', true],
    ['microsoft.com', false],
    ['manage.devcenter.microsoft.com:443', true],
    ['manage.devcenter.microsoft.com:8443', false],
    ['', false],
  ] as const)
    assert.equal(proxyFor(api, { ...proxy, NO_PROXY: list }, '24.1.0')?.exempt, exempt, list);
});

test('what is said of it shows no password', () => {
  const told = (variables: Record<string, string>, version = '24.1.0') =>
    lookAtProxy([api, login], variables, version);
  assert.deepEqual(told({}), { state: 'ok', told: 'none is named' });
  assert.deepEqual(told({ ...proxy, ...asked }), {
    state: 'ok',
    told: 'HTTPS_PROXY names http://proxy.example.com:3128: calls to manage.devcenter.microsoft.com and login.microsoftonline.com go through it',
  });
  assert.deepEqual(told({ ...proxy, ...asked, NO_PROXY: '*' }), {
    state: 'ok',
    told: 'HTTPS_PROXY names http://proxy.example.com:3128, but NO_PROXY exempts manage.devcenter.microsoft.com and login.microsoftonline.com',
  });
  assert.deepEqual(told(proxy, '20.19.0'), {
    state: 'note',
    told: 'HTTPS_PROXY names http://proxy.example.com:3128, which calls do not use',
    advice: 'To go through it, use Node 22.21, 24 or newer with NODE_USE_ENV_PROXY=1; this is Node 20.19.0.',
  });
  assert.match(told(proxy).advice ?? '', /^To go through it, set NODE_USE_ENV_PROXY=1/);
});
