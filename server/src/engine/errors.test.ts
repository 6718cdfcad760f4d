import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOfCode, toEngineError } from './errors.js';
import { EngineError } from './index.js';

test('codes mean what the commit rules say', () => {
  for (const code of [6, 27, 41, 72, 117, 395]) {
    assert.equal(kindOfCode(code, 'insert'), 'refused', String(code));
    assert.equal(kindOfCode(code, 'query'), 'fault', String(code));
    assert.equal(kindOfCode(code, 'command'), 'fault', String(code));
  }
  for (const code of [32, 202, 209, 210, 225, 242, 243, 252, 279, 285, 286, 319, 999]) {
    assert.equal(kindOfCode(code, 'insert'), 'unavailable', String(code));
  }
  for (const code of [159, 241]) assert.equal(kindOfCode(code, 'query'), 'too-large', String(code));
  for (const code of [288, 507, 60, 516, undefined])
    assert.equal(kindOfCode(code, 'insert'), 'fault', String(code));
});

test('the code is found in the error of either library, else in its text', () => {
  const embedded = Object.assign(new Error('Code: 159. DB::Exception'), { clickhouseCode: 159 });
  const remote = Object.assign(new Error('Timeout exceeded'), { code: '159' });
  const text = new Error('Code: 159. DB::Exception: Timeout exceeded');
  for (const error of [embedded, remote, text]) {
    const mapped = toEngineError(error, 'query');
    assert.ok(mapped instanceof EngineError);
    assert.equal(mapped.kind, 'too-large');
    assert.equal(mapped.engineCode, 159);
    assert.equal(mapped.cause, error);
  }
});

test('a full disk is unavailable under any code that says nothing else', () => {
  const text = (code: number) =>
    new Error(
      `Code: ${code}. DB::ErrnoException: Cannot write: errno: 28, strerror: No space left on device`,
    );
  const kind = (code: number) => (toEngineError(text(code), 'insert') as EngineError).kind;
  assert.equal(kind(75), 'unavailable');
  assert.equal(kind(1001), 'unavailable');
  assert.equal(kind(27), 'refused', 'a row may say so, too');
});

test('network failures are unavailable, also as a cause; our own errors stay what they are', () => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  for (const error of [
    reset,
    new Error('outer', { cause: reset }),
    new Error('The user aborted a request.'),
  ]) {
    const mapped = toEngineError(error, 'insert');
    assert.ok(mapped instanceof EngineError && mapped.kind === 'unavailable', String(error));
  }
  const misuse = new TypeError('placeholder {a} has no value');
  assert.equal(toEngineError(misuse, 'query'), misuse);
  const refused = new EngineError('refused', 'bad row', 395);
  assert.equal(toEngineError(refused, 'insert'), refused);
});
