/** A single row: the same words as in a refusal, without the row's number. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetEntry } from '@storelens/contract';
import { rowProblems } from './one-row.js';

const entry: DatasetEntry = {
  name: 'things',
  summary: '',
  time: 'timestamp',
  columns: [
    { name: 'timestamp', type: 'timestamp', required: true, note: '' },
    { name: 'applicationId', type: 'product', kind: 'desktop', note: '' },
    { name: 'steps', type: 'list', columns: [{ name: 'at', type: 'code', note: '' }], note: '' },
  ],
};
const now = Date.UTC(2024, 1, 29, 12);
const products = {
  find: () => undefined,
  ofKind: (kind: string) =>
    kind === 'desktop' ? [{ id: '123', kind: 'desktop' as const, parentId: null, name: 'Desk' }] : [],
};
const problems = (json: string) => rowProblems(entry, json, now, products);

test('a good row, on one line or more', () => {
  const row = { timestamp: '2024-02-29T12:00:00Z', applicationId: '123', steps: [{ at: '0x5' }, { at: 5 }] };
  assert.deepEqual(problems(JSON.stringify(row)), []);
  assert.deepEqual(problems(`\r\n${JSON.stringify(row, null, '\t')}\n`), []);
});

test('what is wrong with values, all of it', () => {
  assert.deepEqual(
    problems('{"timestamp":"2024-03-02T00:00:00Z","applicationId":"5","steps":[{"at":true}],"x":1}'),
    [
      'x: unknown key',
      "timestamp: '2024-03-02T00:00:00Z' is more than a day in the future",
      "applicationId: '5' is not a desktop of the account",
      'steps[0].at: expected text or a whole number, got boolean',
    ],
  );
});

test('what is no row at all', () => {
  for (const [json, expected] of [
    ['', 'not a JSON object'],
    ['[]', 'not a JSON object'],
    ['null', 'not a JSON object'],
    ['{"timestamp":"2024-02-29T12:00:00Z"} {}', 'not JSON: something follows the object'],
    ['{"timestamp":"2024-02-29T12:00:00Z"}]', 'not JSON: something follows the object'],
    ['{"timestamp":"2024-02-29T12:00:00Z",}', 'not JSON: a key in quotes and a colon were expected'],
    ['{"timestamp":"\\ud800"}', 'timestamp: holds half a surrogate pair'],
    [
      `{"timestamp":"2024-02-29T12:00:00Z","steps":${'['.repeat(5000)}`,
      'not JSON: the value of "steps" cannot be read',
    ],
  ] as const) {
    assert.deepEqual(problems(json), [expected], json.slice(0, 80));
  }
});
