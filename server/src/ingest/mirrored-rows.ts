/**
 * Rewrites the rows of a mirrored day, as the source answered them, into those of the mirror's table: missing values
 * filled in, unknown keys left out, and at the end the row that says that the day is known. Streams; holds a row at a
 * time.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { MirrorColumn, MirrorTable } from '@storelens/contract';
import { asciiLower } from '../body.js';
import { Failure } from '../failure.js';
import type { AccountProducts } from '../products/index.js';
import { onDisk } from './answers.js';
import { maxProblems } from './explain.js';
import { jsonRows } from './json-rows.js';
import type { Framing } from './json-scanner.js';
import { mirroredValue } from './mirrored-values.js';
import { Turns } from './turns.js';
import { type Entry, shown, type Value } from './values.js';

/** Characters that are written at once. */
const writtenAtOnce = 256 * 1024;

/** Names of keys that an answer lists at most. */
const mostIgnored = 100;

/** What rows of a day belong to. */
export interface MirroredDay {
  readonly table: MirrorTable;
  /** The product's id in the registry's spelling; '' for the whole account. */
  readonly scope: string;
  /** `yyyy-MM-dd`. */
  readonly day: string;
  /** Canonical names of the fields that the source grouped by, joined by commas; '' without. */
  readonly grouping: string;
  readonly level: 'day';
}

/** What was written. */
export interface WrittenRows {
  /** Rows of the day, without the one that speaks of it. */
  readonly rows: number;
  /** Keys that no version of the report known here has. */
  readonly ignored: readonly string[];
  /** SHA-256 of everything that is stored, hex. */
  readonly hash: string;
}

class DayRows {
  readonly #columns: ReadonlyMap<string, MirrorColumn>;
  readonly #passedOver: ReadonlySet<string>;
  readonly ignored = new Set<string>();

  constructor(
    readonly of: MirroredDay,
    readonly products: AccountProducts,
  ) {
    this.#columns = new Map(of.table.columns.map((column) => [column.field, column]));
    this.#passedOver = new Set(of.table.passedOver);
  }

  /** The row as JSON for the engine, or its problems. */
  line(entries: readonly Entry[]): string | readonly string[] {
    const problems: string[] = [];
    const values = new Map<string, Value>();
    for (const [key, value] of entries) {
      const known = this.#columns.has(key) || this.#passedOver.has(key);
      if (!known) {
        if (this.ignored.size < mostIgnored) this.ignored.add(key);
      } else if (values.has(key)) problems.push(`${key}: given twice`);
      else values.set(key, value);
    }
    const wrongDay = this.#dayProblem(values.get('date'));
    if (wrongDay !== undefined) problems.push(wrongDay);
    const members: string[] = ['"isDay":false'];
    const given = (field: string) => {
      const value = values.get(field);
      return value?.kind === 'null' ? undefined : value;
    };
    for (const column of this.#columns.values()) {
      const { field, atMost } = column;
      const value = given(field) ?? (atMost === undefined ? undefined : given(atMost));
      const found = this.#value(column, value);
      if ('problem' in found) problems.push(`${column.field}: ${found.problem}`);
      else members.push(`"${column.name}":${found.json}`);
    }
    return problems.length > 0 ? problems : `{${members.join(',')}}`;
  }

  #value(column: MirrorColumn, value: Value | undefined) {
    const { table, scope, day } = this.of;
    if (column.name === 'applicationId' && table.scope === 'product') {
      const own =
        value === undefined || (value.kind === 'text' && asciiLower(value.text) === asciiLower(scope));
      return own
        ? { json: JSON.stringify(scope) }
        : { problem: `${shown(value.text)} is not the day's ${scope}` };
    }
    if (value === undefined) {
      return column.required ? { problem: 'missing' } : { json: JSON.stringify(column.missing) };
    }
    if (value.kind === 'text' && (column.name === 'applicationId' || column.name === 'inAppProductId')) {
      const { id = value.text } = this.products.find(value.text) ?? {};
      return mirroredValue(column, { ...value, text: id }, day);
    }
    return mirroredValue(column, value, day);
  }

  /** Buckets of a day carry it, or nothing. */
  #dayProblem(value: Value | undefined): string | undefined {
    if (value === undefined || value.kind === 'null' || this.#columns.get('date') !== undefined)
      return undefined;
    const { day } = this.of;
    if (value.kind !== 'text') return `date: expected text, got ${value.kind}`;
    return value.text.slice(0, 10) === day ? undefined : `date: ${shown(value.text)} is not ${day}`;
  }
}

/**
 * Writes the rows of the body in `from` to `to` and flushes them to disk. Throws Failure `invalid-rows` with up to a
 * hundred problems, and `unavailable` for faults of the disk.
 */
export async function writeDay(
  from: string,
  to: string,
  framing: Framing,
  day: MirroredDay,
  products: AccountProducts,
): Promise<WrittenRows> {
  const rewritten = new DayRows(day, products);
  const problems: string[] = [];
  const hash = createHash('sha256').update(`${day.level}\n${day.grouping}\n`);
  const turns = new Turns();
  const body = createReadStream(from);
  const file = await onDisk(open(to, 'wx', 0o600));
  let rows = 0;
  let lines = '';
  const write = async () => {
    hash.update(lines);
    await onDisk(file.writeFile(lines));
    lines = '';
  };
  try {
    for await (const found of jsonRows(body, framing)) {
      rows += 1;
      const line = 'entries' in found ? rewritten.line(found.entries) : [found.problem];
      if (typeof line === 'string') lines += `${line}\n`;
      else problems.push(...line.map((problem) => `row ${rows}: ${problem}`));
      if (problems.length >= maxProblems || ('lost' in found && found.lost)) break;
      if (lines.length >= writtenAtOnce) await write();
      await turns.give();
    }
    if (problems.length > 0) throw new Failure('invalid-rows', problems.slice(0, maxProblems));
    lines += `{"isDay":true,"dayRows":${rows}}\n`;
    await write();
    await onDisk(file.datasync());
  } finally {
    body.destroy();
    await file.close();
  }
  return { rows, ignored: [...rewritten.ignored], hash: hash.digest('hex') };
}
