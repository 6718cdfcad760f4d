/** Kept texts are what naming each row by itself gives, whatever rows came before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../ingest/index.js';
import { systemRandom } from '../system.js';
import { completeFailures } from './complete-failures.js';
import { failureRow } from './failure-row.js';

const values: Readonly<Record<string, readonly unknown[]>> = {
  source: ['app', 'desktop', 'Driver', 'hardware'],
  eventType: [undefined, 'crash', 'hang', null],
  failureName: [undefined, undefined, ' Given!Name ', ''],
  failureHash: [undefined, undefined, 'given hash'],
  symbol: [undefined, undefined, 'given!symbol'],
  moduleName: [undefined, 'Game.dll'],
  driverName: [undefined, 'disk.sys'],
  market: [undefined, 'US', '"\\\n\u2028'],
  deviceId: ['d1', 'd2', undefined],
  exception: [undefined, null, { code: 'c0000005' }, { code: 0x139, class: 'X' }, { class: 'Y' }],
  frames: [undefined, [], [{ image: 'a.dll', function: 'f', offset: 604 }], [{ offset: '0x1' }, {}]],
};

test('rows are completed as each would be by itself', () => {
  const complete = completeFailures(systemRandom);
  let state = 1;
  const pick = <Value>(list: readonly Value[]): Value | undefined => {
    state = (state * 48271) % 2147483647;
    return list[state % list.length];
  };
  for (let count = 0; count < 3000; count += 1) {
    const given: Row = Object.fromEntries(
      Object.entries(values).flatMap(([name, list]) => {
        const value = pick(list);
        return value === undefined ? [] : [[name, value]];
      }),
    );
    const completed = JSON.parse(complete({ ...given })) as Row;
    const { cabId, cabIdHash } = completed;
    assert.ok(typeof cabId === 'string' && typeof cabIdHash === 'string');
    assert.deepEqual(completed, JSON.parse(JSON.stringify(failureRow(given, { cabId, cabIdHash }))));
  }
});

test('ids are random', () => {
  const complete = completeFailures(systemRandom);
  const made = Array.from({ length: 100 }, () => JSON.parse(complete({ source: 'app' })) as Row);
  assert.equal(new Set(made.map(({ cabId }) => cabId)).size, 100);
  assert.equal(new Set(made.map(({ cabIdHash }) => cabIdHash)).size, 100);
  for (const { cabId } of made) assert.match(String(cabId), /^[1-9]\d{12}$/);
});
