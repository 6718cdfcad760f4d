import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBasic, readForm } from './form.js';

const formType = 'application/x-www-form-urlencoded';

test('a form is read by its type; empty values are absent', () => {
  const form = readForm({ contentType: formType, body: 'a=1+2%203&b=&c=%zz&d' });
  assert.equal(form.encoded, true);
  assert.equal(form.get('a'), '1 2 3');
  assert.equal(form.get('c'), '%zz');
  for (const name of ['b', 'd', 'e']) assert.equal(form.get(name), undefined);
  assert.equal(form.repeated, false);
  assert.equal(readForm({ contentType: formType, body: 'a=1&b=2&a=1' }).repeated, true);
  for (const contentType of [undefined, '', 'application/json', `${formType}x`, `x${formType}`]) {
    const other = readForm({ contentType, body: 'a=1' });
    assert.deepEqual([other.encoded, other.get('a')], [false, undefined]);
  }
});

test('Basic is split at the first colon, each half decoded and raw', () => {
  const read = (text: string) => readBasic(`Basic ${Buffer.from(text).toString('base64')}`);
  assert.deepEqual(read('id:secret'), { clientIds: ['id'], secrets: ['secret'] });
  assert.deepEqual(read('a%2Db:c:d+e'), { clientIds: ['a-b', 'a%2Db'], secrets: ['c:d e', 'c:d+e'] });
  assert.deepEqual(read('id:100%'), { clientIds: ['id'], secrets: ['100%'] });
  assert.deepEqual(read('id:%E0%A4%A'), { clientIds: ['id'], secrets: ['%E0%A4%A'] });
  assert.deepEqual(read('id'), { clientIds: ['id'], secrets: [] });
  assert.deepEqual(read('id:'), { clientIds: ['id'], secrets: [] });
  assert.deepEqual(read(':secret'), { clientIds: [], secrets: ['secret'] });
  assert.deepEqual(readBasic('basic  aWQ6cw=='), { clientIds: ['id'], secrets: ['s'] });
  for (const header of [undefined, '', 'Bearer x', 'Basic', 'Basic a b'])
    assert.equal(readBasic(header), undefined);
});
