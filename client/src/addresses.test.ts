import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPrivateHost } from './addresses.js';

const host = (text: string) => new URL(`https://${text}/`).hostname;

test('loopback, local networks and link-local addresses are private, however they are written', () => {
  for (const text of [
    'localhost',
    'LOCALHOST.',
    'db',
    'printer.local',
    'api.internal',
    'x.localhost',
    '127.0.0.1',
    '127.1',
    '0x7f.0.0.1',
    '2130706433',
    '017700000001',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[::127.0.0.1]',
    '[64:ff9b::10.0.0.1]',
    '[64:ff9b:1::1]',
    '[2002:7f00:1::]',
    '[fc00::1]',
    '[fd12:3456::1]',
    '[fe80::1]',
    '[ff02::1]',
  ]) {
    assert.equal(isPrivateHost(host(text)), true, text);
  }
});

test('the public internet is not', () => {
  for (const text of [
    'storage.example',
    '11.0.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.167.0.1',
    '192.169.0.1',
    '223.255.255.255',
    '[2001:4860:4860::8888]',
    '[2620:fe::fe]',
    '[::ffff:8.8.8.8]',
    '[64:ff9b::8.8.8.8]',
    '[2002:808:808::]',
  ]) {
    assert.equal(isPrivateHost(host(text)), false, text);
  }
});
