/** Completion on real files: what passes, what does not, and that others have their turn meanwhile. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { DatasetEntry } from '@storelens/contract';
import { completeRows } from './complete.js';
import type { RowFormat } from './media.js';

const entry: DatasetEntry = {
  name: 'things',
  summary: '',
  time: 'day',
  completed: 'failure',
  columns: [
    { name: 'day', type: 'day', required: true, note: '' },
    { name: 'name', type: 'text', maxBytes: 4, note: '' },
    {
      name: 'part',
      type: 'object',
      columns: [
        { name: 'id', type: 'code', note: '' },
        { name: 'name', type: 'text', maxBytes: 4, note: '' },
      ],
      note: '',
    },
    {
      name: 'steps',
      type: 'list',
      most: 2,
      columns: [{ name: 'name', type: 'text', maxBytes: 4, note: '' }],
      note: '',
    },
  ],
};

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storelens-complete-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** The completed rows of a body; undefined if one is bad. */
async function complete(body: string, format: RowFormat = 'lines'): Promise<unknown[] | undefined> {
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  await writeFile(from, body);
  await rm(to, { force: true });
  const good = await completeRows(from, to, entry, format, (row) => JSON.stringify({ ...row, done: true }));
  if (!good) return undefined;
  const lines = (await readFile(to, 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as unknown);
}

test('rows of all formats, in their order', async () => {
  const rows = [{ day: 'x' }, { day: '"\\', part: { id: 5 } }, { day: ':', steps: [{ name: '"' }, {}] }];
  const done = rows.map((row) => ({ ...row, done: true }));
  assert.deepEqual(await complete(rows.map((row) => JSON.stringify(row)).join('\n\n')), done);
  assert.deepEqual(await complete(JSON.stringify(rows, null, 1), 'array'), done);
  assert.deepEqual(await complete('day,name\nx,\n"a,b",c\n', 'csv'), [
    { day: 'x', done: true },
    { day: 'a,b', name: 'c', done: true },
  ]);
});

test('a row that breaks a limit is bad', async () => {
  for (const good of [
    '{"name":"\u00e9\u00e9"}',
    '{"part":{"id":9007199254740991}}',
    '{"steps":[{},{}]}',
    '{"name":null}',
  ]) {
    assert.notEqual(await complete(good), undefined, good);
  }
  for (const bad of [
    '{"name":"\u00e9\u00e9e"}',
    '{"part":{"name":"12345"}}',
    '{"part":{"id":9007199254740992}}',
    '{"steps":[{},{},{}]}',
    '{"steps":[{},{"name":"12345"}]}',
  ]) {
    assert.equal(await complete(`{"day":"x"}\n${bad}`), undefined, bad);
  }
  assert.equal(await complete('name\n12345\n', 'csv'), undefined);
});

test('a key that is given twice is bad, at any depth, however the texts look', async () => {
  for (const good of [
    '{"day":"\\"name\\":","name":"a:"}',
    '{"day":"\\\\","name":"b"}',
    '{"day":"x\\\\\\"","part":{"name":":"}}',
    '{"name" :"a","part" : {"name" \t: "b"},"steps":[{"name":"c"},{"name":"d"}]}',
  ]) {
    assert.notEqual(await complete(good), undefined, good);
  }
  for (const bad of [
    '{"name":"a","name":"a"}',
    '{"name" : "a", "name"\t:"b"}',
    '{"day":"\\\\","day":"b"}',
    '{"part":{"id":1},"part":{"id":1}}',
    '{"part":{"id":1,"id":"1"}}',
    '{"steps":[{"name":"a","name":"a"}]}',
  ]) {
    assert.equal(await complete(bad), undefined, bad);
  }
});

test('others have their turn while a large body is completed', async () => {
  const row = JSON.stringify({ day: 'x', steps: [{ name: 'abcd' }, { name: 'efgh' }] });
  const from = join(folder, 'large');
  const count = 60_000;
  await writeFile(from, `${row}\n`.repeat(count));
  let turns = 0;
  let over = false;
  const watch = () => {
    turns += 1;
    if (!over) setImmediate(watch);
  };
  setImmediate(watch);
  const begun = performance.now();
  // Each row costs some work, as naming does.
  const work = (given: object) => {
    let sum = 0;
    for (let step = 0; step < 2000; step += 1) sum += step;
    return JSON.stringify({ ...given, sum });
  };
  assert.equal(await completeRows(from, join(folder, 'to'), entry, 'lines', work), true);
  over = true;
  const milliseconds = performance.now() - begun;
  assert.ok(turns > milliseconds / 50, `${turns} turns in ${milliseconds} ms`);
});
