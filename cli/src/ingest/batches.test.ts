import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchesOf, type Form } from './batches.js';
import { RowCutter, type RowForm } from './rows.js';

/** Rows of a text that arrives in pieces of so many bytes. */
function rowsOf(form: RowForm, text: string, size: number): readonly string[] {
  const cutter = new RowCutter(form);
  const bytes = Buffer.from(text);
  const rows: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size)
    rows.push(...cutter.push(Buffer.from(bytes.subarray(at, at + size))));
  rows.push(...cutter.end());
  return rows.map(String);
}

async function* pieces(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

async function batches(form: Form, text: string, scope: readonly string[] = ['usage']) {
  const made = [];
  for await (const batch of batchesOf(pieces(text), form, scope)) made.push(batch);
  return made;
}

test('rows are found wherever the pieces end', () => {
  const cases: readonly (readonly [RowForm, string, readonly string[]])[] = [
    ['ndjson', '{"a":1}\n\n \r\n{"a":"ä\\n"}\r\n{"a":3}', ['{"a":1}', '{"a":"ä\\n"}\r', '{"a":3}']],
    ['csv', 'a,b\n1,"x\ny"\n\n2,"say ""no"""\n', ['a,b', '1,"x\ny"', '2,"say ""no"""']],
    [
      'json',
      '\u{feff} [\n {"a": [1, 2],\n "b": "],\\"}"} , {"ö":{}}\n, 7\n]\n',
      ['{"a": [1, 2],  "b": "],\\"}"} ', '{"ö":{}} ', '7 '],
    ],
    ['json', '[]', []],
  ];
  for (const [form, text, expected] of cases) {
    for (let size = 1; size <= text.length + 2; size++)
      assert.deepEqual(rowsOf(form, text, size), expected, `${form} in pieces of ${size}`);
  }
});

test('what is no list, or breaks off, is refused', () => {
  const cases: readonly (readonly [RowForm, string, RegExp])[] = [
    ['json', '{"a":1}', /no list of rows/],
    ['json', '[{"a":1}', /not closed/],
    ['json', '[{"a":1},]', /no row stands behind row 1/],
    ['json', '[1,,2]', /no row stands behind row 1/],
    ['json', '[1] 2', /follows the JSON list/],
    ['json', '[', /not closed/],
    ['csv', 'a\n"x\n', /quote of the CSV is not closed/],
    ['ndjson', 'x'.repeat(17 * 1024 * 1024), /row 1 has more than 16 MiB/],
  ];
  for (const [form, text, reason] of cases)
    assert.throws(() => rowsOf(form, text, 1024 * 1024), reason, text.slice(0, 20));
});

test('batches are cut by rows, each batch of CSV has the head, and every row is in one', async () => {
  const rows = Array.from({ length: 250_001 }, (_, index) => String(index));
  const made = await batches('csv', `n\n${rows.join('\n')}\n`);
  assert.deepEqual(
    made.map(({ before, rows: count }) => [before, count]),
    [
      [0, 100_000],
      [100_000, 100_000],
      [200_000, 50_001],
    ],
  );
  const bodies = made.map(({ body }) => String(body));
  assert.ok(bodies.every((body) => body.startsWith('n\n')));
  assert.equal(bodies.map((body) => body.slice(2)).join(''), `${rows.join('\n')}\n`);
});

test('batches are cut by bytes', async () => {
  const made = await batches('ndjson', `${'x'.repeat(4 * 1024 * 1024)}\n`.repeat(6));
  assert.deepEqual(
    made.map(({ rows }) => rows),
    [3, 3],
  );
});

test('keys come from content and place, and stay what they are from release to release', async () => {
  const keys = async (...given: Parameters<typeof batches>) =>
    (await batches(...given)).map(({ key }) => key);
  const text = '1\n'.repeat(200_000);
  const [first, second] = await keys('ndjson', text);
  assert.notEqual(first, second, 'equal rows at two places count twice');
  assert.deepEqual(await keys('ndjson', `${text}2\n`).then((all) => all.slice(0, 2)), [first, second]);
  assert.notEqual((await keys('ndjson', text, ['installs']))[0], first);
  assert.notEqual((await keys('ndjson', text, ['usage', 'again']))[0], first);
  assert.deepEqual(await keys('ndjson', '1\n2'), await keys('ndjson', '1\n\n2\n'));
  // Rows that were sent by an earlier release must be recognised: this text must not change.
  assert.deepEqual(await keys('ndjson', '{"a":1}\n'), [
    'storelens-e4c9f3ac13148fbbe9c876ecd3223667118c668931dd07cdfa7cda1ef804d956',
  ]);
});

test('a file without rows has no batches', async () => {
  for (const [form, text] of [
    ['csv', 'a,b\n'],
    ['ndjson', '\n'],
    ['json', '[]'],
    ['json', ' \n'],
  ] as const)
    assert.deepEqual(await batches(form, text), [], form);
});
