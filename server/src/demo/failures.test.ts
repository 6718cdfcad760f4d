import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameFailure } from '../crashes/failure-name.js';
import { readMinidump } from '../crashes/minidump.js';
import { walkStack } from '../crashes/stack/walk.js';
import { SymbolIndex } from '../crashes/symbol-index.js';
import { SymbolReader } from '../crashes/symbols.js';
import { dayMs, hourMs } from './calendar.js';
import { symbolText } from './dump-writer.js';
import { type FailureEvent, failureEvents } from './failures.js';
import { createGenerators, ndjson } from './generate.js';
import { callsOf, driver, programs } from './programs.js';
import { demoApps, demoSeed } from './publisher.js';
import { Visits } from './visits.js';

const at = (text: string) => Date.parse(`${text}Z`);
const year = { from: at('2025-11-22T00:00:00'), to: at('2026-11-22T15:00:00') };
const visits = new Visits(demoSeed);
const all = [...failureEvents(visits, year)];

const indexes = new Map(
  programs.map((program) => {
    const reader = new SymbolReader();
    reader.push(Buffer.from(symbolText(program)));
    return [program.debugId, new SymbolIndex(reader.end())];
  }),
);

/** The file of a failure. */
function fileOf(event: FailureEvent): Buffer {
  assert.ok(event.upload);
  return event.upload().file;
}

test('the stack of a dump is that of the row, and so is the name made from it', () => {
  const seen = new Set<string>();
  for (const { event, filed } of all) {
    const program = programs.find(({ productId }) => productId === event.row.applicationId);
    if (!filed || program === undefined) continue;
    const bytes = fileOf(event);
    assert.ok(bytes.length < 8192, `${bytes.length} bytes`);
    const dump = readMinidump(bytes);
    assert.equal(dump.time, Math.floor(event.at / 1000) * 1000);
    assert.equal(dump.system.architecture, 'x64');
    const frames = walkStack(dump, ({ debugId }) => indexes.get(debugId ?? ''));
    const rows = event.row.frames as readonly { image: string; function?: string; offset: string }[];
    assert.deepEqual(
      frames.map(({ image, function: name }) => [image, name]),
      rows.map(({ image, function: name }) => [image, name]),
    );
    assert.ok(frames.slice(0, -2).every(({ file, line, found }) => file && line && found !== 'scan'));
    const { code, class: said } = event.row.exception as { code: string; class: string };
    const fromRow = nameFailure({
      mode: 'um',
      exception: { code: Number(code), class: said },
      frames: rows.map(({ offset, ...frame }) => ({ ...frame, offset: Number(offset) })),
    });
    const fromDump = nameFailure({ mode: 'um', exception: dump.exceptionFacts, frames });
    assert.equal(fromDump.failureName, fromRow.failureName);
    seen.add(fromDump.failureName);
  }
  assert.ok(seen.size >= 4, [...seen].join());
});

test('every call of every known failure is a function of the program or a place in Windows', () => {
  for (const program of programs) {
    const names = new Set(program.functions.map(({ name }) => name));
    for (const failure of program.known) {
      for (const call of callsOf(program, failure)) assert.ok(call.includes('+') || names.has(call), call);
    }
  }
});

test('spans cut at any hours give every failure once, with a file or without', () => {
  const whole = { from: at('2026-11-09T00:00:00'), to: at('2026-11-16T00:00:00') };
  const cuts = [whole.from, whole.from + 5 * hourMs, whole.from + 2 * dayMs + 13 * hourMs, whole.to];
  const told = ({ rows, filed }: ReturnType<typeof createGenerators>, of: typeof whole, first: boolean) => {
    const span = { ...of, first };
    return [...rows('failures', span), ...[...filed(span)].map(({ row }) => row)].map((row) =>
      JSON.stringify(row),
    );
  };
  const generators = createGenerators();
  const parts = cuts
    .slice(1)
    .flatMap((to, index) => told(generators, { from: cuts[index] ?? 0, to }, index === 0));
  const once = told(createGenerators(), whole, true);
  assert.deepEqual(parts.sort(), once.sort());
  assert.ok(once.length > 60, String(once.length));
  const files = (seed?: string) => [...createGenerators(seed).filed({ ...whole, first: true })].map(fileOf);
  assert.deepEqual(files(), files());
});

test('files are of the last thirty days, some dozens, and of every product', () => {
  const filed = all.filter((one) => one.filed).map(({ event }) => event);
  assert.ok(filed.length > 30 && filed.length < 100, String(filed.length));
  assert.ok(filed.every((event) => event.at >= year.to - 30 * dayMs));
  const products = new Set(filed.map(({ row }) => row.applicationId));
  assert.deepEqual(products, new Set([...programs, driver].map(({ productId }) => productId)));
  assert.equal(new Set(all.map(({ event }) => event.id)).size, all.length);
  const kernel = filed.find(({ row }) => row.source === 'driver');
  assert.ok(kernel);
  assert.equal(fileOf(kernel).toString('latin1', 0, 8), 'PAGEDU64');
});

test('at any time of the year, the most frequent failure of a month of the first app has a file', () => {
  const id = demoApps[0]?.id;
  for (let to = year.from + 30 * dayMs; to <= year.to; to += 7 * dayMs) {
    const counts = new Map<string, number>();
    const filed = new Set<string>();
    for (const { event, filed: withFile } of failureEvents(visits, { from: to - 30 * dayMs, to })) {
      if (event.row.applicationId !== id) continue;
      // What README.md asks for: months, the first and the last of them cut.
      const failure = JSON.stringify(event.row.frames);
      const key = `${new Date(event.at).toISOString().slice(0, 7)} ${failure}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      if (withFile) filed.add(failure);
    }
    const [top] = [...counts].sort(([, a], [, b]) => b - a);
    assert.ok(top && filed.has(top[0].slice(8)), new Date(to).toISOString());
  }
});

test('few failures make most of the events, devices fail again, and bad releases show', () => {
  const events = all.map(({ event }) => event).filter(({ row }) => row.applicationId === '9PKSTRLKRT02');
  const count = (key: (event: FailureEvent) => string) => {
    const counts = new Map<string, number>();
    for (const event of events) counts.set(key(event), (counts.get(key(event)) ?? 0) + 1);
    return [...counts.values()].sort((a, b) => b - a);
  };
  const byFailure = count(({ row }) => JSON.stringify(row.frames));
  assert.ok((byFailure[0] ?? 0) > 0.2 * events.length && byFailure.length >= 10, byFailure.join());
  const devices = count(({ row }) => String(row.deviceId));
  assert.ok(devices.length < 0.8 * events.length && (devices[0] ?? 0) >= 4, `${devices.length}`);
  const weeks = count((event) => String(Math.floor(event.at / (7 * dayMs))));
  assert.ok((weeks[0] ?? 0) > 2.5 * (weeks[Math.floor(weeks.length / 2)] ?? 0), weeks.join());
  assert.ok(new Set(events.map((event) => new Date(event.at).getUTCHours())).size === 24);
});

test('a batch of failures of a year stays small', () => {
  let bytes = 0;
  for (const piece of ndjson(createGenerators().rows('failures', { ...year, first: true })))
    bytes += piece.length;
  assert.ok(bytes < 16 * 1024 * 1024, String(bytes));
});
