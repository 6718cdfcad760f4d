/**
 * Random failures of every programme: few profiles that recur on other days and devices, many of them in the last
 * days and on the edges of hours; names, hashes and symbols given or left to be made; exceptions and stacks. What a
 * row of details does not print follows from what it prints, so that rows that look alike are alike.
 */
import type { DatasetEntry } from '@storelens/contract';
import { functions, ownImages, passingFunctions, systemImages } from './failures.js';
import { someDay, someValue, textsOf, timeOn, today } from './generate-data.js';
import { Num, type PostedRow, type PostedValue } from './posted.js';
import { Dice } from './random.js';
import type { OracleProduct } from './store.js';

const kinds: Readonly<Record<string, OracleProduct['kind']>> = {
  app: 'app',
  desktop: 'desktop',
  driver: 'driver',
  ihvdriver: 'driver',
  hardware: 'driver',
};

type Row = Record<string, PostedValue>;

function someFrame(dice: Dice): PostedRow {
  const frame: Row = {};
  if (dice.chance(0.9)) frame.image = dice.chance(0.3) ? dice.pick(systemImages) : dice.tail(ownImages);
  const name = dice.chance(0.25) ? dice.pick(passingFunctions) : dice.pick(functions)[0];
  if (dice.chance(0.7)) frame.function = name;
  else if (dice.chance(0.3)) frame.function = dice.pick([null, '']);
  if (dice.chance(0.8)) {
    frame.offset = dice.pick([
      '0x25C',
      '0x1a',
      '604',
      'start',
      new Num('0'),
      new Num('604'),
      new Num('4294967296'),
    ]);
  }
  return frame;
}

function someException(kernel: boolean, dice: Dice): PostedRow {
  const exception: Row = {};
  const codes = kernel
    ? ['0x139', '0xD1', '0x50', new Num('90'), new Num('-1')]
    : [
        '0xc0000005',
        'C0000094',
        'c000027b',
        '0xE0434352',
        'SIGABRT',
        'sigsegv',
        '0xdeadbeef',
        '80000003',
        new Num('3221225725'),
        new Num('-1073741819'),
        new Num('5'),
      ];
  if (dice.chance(0.8)) exception.code = dice.pick(codes);
  if (dice.chance(0.4)) {
    exception.class = dice.pick([
      'NULL_POINTER_READ',
      'System.InvalidOperationException',
      'INVALID_BALANCED_TREE',
      '',
    ]);
  }
  return exception;
}

/** A day of a failure: mostly one of the last three, so that hours hold several. */
function failureDay(dice: Dice): number {
  return dice.chance(0.5) ? today - dice.whole(0, 2) : someDay(dice);
}

function someProfile(entry: DatasetEntry, products: readonly OracleProduct[], dice: Dice): Row {
  const possible = Object.keys(kinds).filter((name) => products.some(({ kind }) => kind === kinds[name]));
  const source = dice.pick(possible);
  const row: Row = { source: dice.chance(0.2) ? dice.recased(source) : source };
  const ofKind = products.filter(({ kind }) => kind === kinds[source]);
  const accountWide = source === 'ihvdriver' || source === 'hardware';
  if (!accountWide || dice.chance(0.4)) {
    const { id } = dice.tail(ofKind);
    row.applicationId = dice.chance(0.15) ? dice.recased(id) : id;
  }
  for (const column of entry.columns) {
    if (column.type !== 'text' || column.required === true || column.name in row) continue;
    // Names and hashes are made as often as given.
    const given = ['failureName', 'failureHash', 'symbol'].includes(column.name) ? 0.5 : 0.85;
    if (!dice.chance(given)) {
      if (dice.chance(0.2)) row[column.name] = dice.pick([null, '']);
      continue;
    }
    row[column.name] = someValue(column, today, products, dice);
  }
  if (typeof row.failureHash === 'string' && dice.chance(0.4)) delete row.failureHash;
  if (dice.chance(0.6)) row.exception = someException(kinds[source] === 'driver', dice);
  const printed = String(row[source === 'hardware' ? 'model' : 'deviceModel'] ?? '');
  const hidden = new Dice('hidden', printed === 'Unknown' ? '' : printed);
  const frames = Array.from({ length: hidden.whole(0, 5) }, () => someFrame(hidden));
  if (frames.length > 0 || hidden.chance(0.5)) row.frames = frames;
  if (source === 'hardware') {
    for (const name of ['symbol', 'packageVersion', 'osBuild'])
      row[name] = hidden.tail(textsOf(name, []).slice(0, 4));
  }
  return row;
}

/** Failures of all programmes. */
export function someFailures(
  entry: DatasetEntry,
  count: number,
  products: readonly OracleProduct[],
  dice: Dice,
): PostedRow[] {
  const profiles = Array.from({ length: Math.max(1, Math.ceil(count / 5)) }, () =>
    someProfile(entry, products, dice),
  );
  const device = entry.columns.find(({ name }) => name === 'deviceId');
  return Array.from({ length: count }, () => {
    const row: Row = {
      timestamp: timeOn(failureDay(dice), dice),
      ...(dice.chance(0.5) ? dice.tail(profiles) : dice.pick(profiles)),
    };
    if (device !== undefined && row.deviceId !== undefined) row.deviceId = someValue(device, today, [], dice);
    return row;
  });
}
