import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enclose, enclosedCopy, templateFor } from './envelope.js';

const rest = '],"@nextLink":"filter=market eq \'Ö€\'","TotalCount":2}';
const room = Buffer.byteLength(rest) + 14;
const rows = '{"market":"AT"},{"market":"Ü"}';

test('what follows the rows takes the place of the blanks, byte for byte', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the engine's placeholder, not ours
  const rendered = Buffer.from(templateFor(room).replace('${data}', rows));
  const body = enclose(rendered, room, rest);
  assert.equal(body.toString(), `{"Value":[${rows}${rest}`);
  assert.equal(body.buffer, rendered.buffer, 'not a copy');
  assert.deepEqual(enclosedCopy(Buffer.from(rows), rest), body);
});

test('a rest longer than its room is noticed', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the engine's placeholder, not ours
  const rendered = Buffer.from(templateFor(10).replace('${data}', rows));
  assert.throws(() => enclose(rendered, 10, rest), TypeError);
});

test('an engine that drops the blanks is noticed', () => {
  assert.throws(() => enclose(Buffer.from('{"Value":['), room, rest), TypeError);
});
