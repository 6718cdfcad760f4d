import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineBatch } from './index.js';
import { commandText, insertText, queryText } from './statement.js';

const query = { account: 'a', sql: 'SELECT {a:String}', params: { a: 'x' }, format: 'TSV' };
const batch: EngineBatch = {
  account: 'a',
  table: 't',
  columns: ['a', 'seq'],
  expressions: ['i.a', '{seq:UInt64}'],
  bad: "i.a = ''",
  params: { seq: 1 },
  file: '/f',
  format: 'JSONEachRow',
  structure: 'a String',
  token: "it's \\ a token",
};

test('a read ends with its format and quoted settings', () => {
  assert.equal(
    queryText({ ...query, settings: { max_threads: 2, format_template_row_format: "it's \\n" } }),
    "SELECT {a:String}\nFORMAT TSV\nSETTINGS max_threads=2, format_template_row_format='it\\'s \\\\n'",
  );
  assert.equal(commandText({ account: 'a', sql: 'OPTIMIZE TABLE t' }), 'OPTIMIZE TABLE t');
});

test('a batch is one block, checked row by row', () => {
  assert.equal(
    insertText({ ...batch, settings: { max_threads: 1 } }, "file('/f')"),
    `INSERT INTO \`t\` (\`a\`, \`seq\`)
SETTINGS max_insert_block_size=1000000, min_insert_block_size_rows=1000000, min_insert_block_size_bytes=4000000000, \
max_insert_threads=1, insert_deduplicate=1, optimize_on_insert=0, async_insert=0, \
input_format_skip_unknown_fields=0, max_threads=1, insert_deduplication_token='it\\'s \\\\ a token'
SELECT i.a, {seq:UInt64}
FROM file('/f') AS i
WHERE NOT throwIf(ifNull(i.a = '', true) OR ignore(i.*), 'bad row')`,
  );
});

test('our own mistakes are TypeErrors', () => {
  const mistakes = [
    () => queryText({ ...query, params: {} }),
    () => queryText({ ...query, params: { a: 'x', b: 'y' } }),
    () => queryText({ ...query, format: 'TSV SETTINGS x=1' }),
    () => queryText({ ...query, settings: { 'a=1, b': 2 } }),
    () => queryText({ ...query, settings: { a: Number.NaN } }),
    () => insertText({ ...batch, table: 't`' }, 'x'),
    () => insertText({ ...batch, columns: ['a'] }, 'x'),
    () => insertText({ ...batch, params: {} }, 'x'),
  ];
  for (const mistake of mistakes) assert.throws(mistake, TypeError);
});
