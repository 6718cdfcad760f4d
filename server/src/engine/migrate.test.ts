import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSchema, renderSchema, splitStatements } from './migrate.js';

test('placeholders become the rendering of a single server, unknown ones are refused', () => {
  assert.equal(
    renderSchema('ENGINE = {merge_tree:usage} SETTINGS {dedup}'),
    'ENGINE = MergeTree() SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, ' +
      'fsync_part_directory = 1',
  );
  for (const text of ['{shard}', '{merge_tree}', '{merge_tree:a b}', '{}', '{a:String}']) {
    assert.throws(() => renderSchema(`SELECT ${text}`), /unknown placeholder \{/);
  }
});

test('statements end with a semicolon that is neither quoted nor in a comment', () => {
  assert.deepEqual(
    splitStatements(`-- first; not a statement
SELECT ';', "a;b", \`c;d\`, 'it''s; \\'; -- no comment' /* nor; this */ - 1;
-- ;
;
SELECT 2 -- two;
;
`),
    [`SELECT ';', "a;b", \`c;d\`, 'it''s; \\'; -- no comment'   - 1`, 'SELECT 2'],
  );
  assert.throws(() => splitStatements('SELECT 1;\nSELECT 2\n-- ;'), /does not end with ';': SELECT 2$/);
});

test('every step is numbered without gaps, repeatable, and free of what a cluster cannot do', async () => {
  const steps = await readSchema();
  for (const [index, { name, sql }] of steps.entries()) {
    assert.match(name, new RegExp(`^${String(index + 1).padStart(4, '0')}-[a-z][a-z0-9-]*$`));
    for (const statement of splitStatements(renderSchema(sql))) {
      assert.match(
        statement,
        /^(CREATE TABLE IF NOT EXISTS|ALTER TABLE \w+ (ADD (COLUMN|INDEX) IF NOT EXISTS|MATERIALIZE (COLUMN|INDEX)|MODIFY))/,
        name,
      );
    }
    assert.doesNotMatch(sql, /\bDistributed\b|\bON CLUSTER\b|\bMergeTree\b/, name);
  }
});
