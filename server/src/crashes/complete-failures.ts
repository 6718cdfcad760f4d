/**
 * Completes rows of failures that came without a file, as text. Programs fail in the same way again and again: what was
 * made from the same facts is kept, as the JSON that is written. 100,000 rows with three frames each and 300 different
 * failures take a sixth of the processor time of naming each by itself (docs/decisions/0006).
 */
import type { CompleteRow, Row } from '../ingest/index.js';
import { LruMap } from '../lru-map.js';
import { newGuid, type Random } from '../system.js';
import { cabIdOf, failureRow } from './failure-row.js';

/** Keys that names are made from and that are stored as they came. */
const facts = ['source', 'eventType', 'moduleName', 'fileName', 'driverName'] as const;

/** Keys that are stored as they are made. */
const replaced = ['failureName', 'failureHash', 'symbol', 'exception', 'frames'] as const;

/** Characters of texts and their keys that are kept. */
const mostCharacters = 8 * 1024 * 1024;

/** JSON members of the columns that are made, behind a comma and without ids. */
function madeMembers(row: Row): string {
  const given = Object.fromEntries([...facts, ...replaced].map((name) => [name, row[name]]));
  const made = Object.entries(failureRow(given, { cabId: '', cabIdHash: '' })).filter(
    ([name]) => !(facts as readonly string[]).includes(name) && name !== 'cabId' && name !== 'cabIdHash',
  );
  return `,${JSON.stringify(Object.fromEntries(made)).slice(1)}`;
}

/** Random bytes that are drawn many at a time: drawing costs more than all else of a short row. */
function drawnAhead(random: Random): Random {
  let pool = Buffer.alloc(0);
  return {
    bytes(count) {
      if (pool.length < count) pool = Buffer.from(random.bytes(8192));
      const taken = pool.subarray(0, count);
      pool = pool.subarray(count);
      return taken;
    },
  };
}

/** Completes rows under random ids. */
export function completeFailures(source: Random): CompleteRow {
  const random = drawnAhead(source);
  /** Members by what they were made from. */
  const known = new LruMap<string>(mostCharacters, (text, key) => text.length + key.length);
  return (row) => {
    const key = JSON.stringify([...facts, ...replaced].map((name) => row[name]));
    let made = known.get(key);
    if (made === undefined) {
      made = madeMembers(row);
      known.set(key, made);
    }
    // What is undefined is no member; a new object without these keys would cost more than all else.
    for (const name of replaced) if (row[name] !== undefined) row[name] = undefined;
    row.cabId = cabIdOf(random.bytes(8));
    row.cabIdHash = newGuid(random);
    return JSON.stringify(row).slice(0, -1) + made;
  };
}
