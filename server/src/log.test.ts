import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createLog, withoutSecrets } from './log.js';

const clock = { now: () => Date.UTC(2026, 7, 1, 12) };

/** A stream that collects text, as a terminal or not. */
function collector(isTTY: boolean) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY });
  return { stream, text: () => String(stream.read() ?? '') };
}

test('records are JSON lines with level, time and message', () => {
  const { stream, text } = collector(false);
  const log = createLog({ 'log-level': 'info' }, stream, clock);
  log.child({ requestId: 'r1' }).warn({ status: 503 }, 'engine away');
  log.debug('not this one');
  assert.deepEqual(JSON.parse(text()), {
    level: 'warn',
    time: '2026-08-01T12:00:00.000Z',
    requestId: 'r1',
    status: 503,
    msg: 'engine away',
  });
});

test('fields that carry credentials are blanked at any of three levels', () => {
  const { stream, text } = collector(false);
  const log = createLog({ 'log-level': 'info' }, stream, clock);
  log.info({ authorization: 'Bearer s3cret', body: { client_secret: 's3cret' } }, 'a');
  log.info({ request: { headers: { authorization: 's3cret' } }, operatorKey: 's3cret' }, 'b');
  const written = text();
  assert.equal(written.split('\n').length, 3);
  assert.doesNotMatch(written, /s3cret/);
  assert.match(written, /\(hidden\)/);
});

test('addresses lose the values of secret parameters, also under an encoded name', () => {
  assert.equal(
    withoutSecrets('/t/oauth2/token?client_secret=abc&x=1'),
    '/t/oauth2/token?client_secret=(hidden)&x=1',
  );
  assert.equal(withoutSecrets('/a?client%5Fsecret=abc'), '/a?(hidden)');
  assert.equal(withoutSecrets('/a?access_token=%ZZ'), '/a?access_token=(hidden)');
  assert.equal(withoutSecrets("/a?filter=market eq 'US'&top=5"), "/a?filter=market eq 'US'&top=5");
});

test('a terminal gets readable lines that cannot drive it', () => {
  const { stream, text } = collector(true);
  const log = createLog({ 'log-level': 'info' }, stream, clock);
  log.info({ url: '/a\u001b[2J' }, 'answered');
  log.error({ err: new Error('broken pipe') }, 'failed');
  const written = text();
  assert.match(written, /^\d\d:\d\d:\d\d info {2}answered url=\/a\u{fffd}\[2J\n/u);
  assert.match(written, /error failed \n {2}Error: broken pipe\n/);
});

test('on a terminal, answered requests are sentences, with the id where a client may report it', () => {
  const { stream, text } = collector(true);
  const log = createLog({ 'log-level': 'info' }, stream, clock).child({ requestId: 'r1' });
  const request = { method: 'GET', url: '/a', milliseconds: 1.5, address: '127.0.0.1' };
  log.info({ ...request, status: 200 }, 'answered');
  log.info({ ...request, status: 404 }, 'answered');
  assert.match(text(), /info {2}200 GET \/a 1\.5 ms\n\S+ info {2}404 GET \/a 1\.5 ms requestId=r1\n$/);
});
