/**
 * Random rows for every dataset: skewed dimensions, few profiles that repeat, days around bucket borders, and values
 * that are easy to get wrong (quotes, backslashes, control characters, code points beyond the BMP, case variants,
 * empty texts, missing keys, zones that move an event to another UTC day, amounts of the full width).
 */
import type { Column, DatasetEntry } from '@storelens/contract';
import { rowDay } from './dates.js';
import { someFailures } from './generate-failures.js';
import { Num, type PostedRow } from './posted.js';
import type { Dice } from './random.js';
import { dayOfTime, type OracleProduct } from './store.js';

/** The time that the compared server and the oracle take for the present. */
export const now = Date.parse('2026-03-18T12:34:56Z');

/** Day number of `now`. */
export const today = dayOfTime(new Date(now).toISOString());

/** Texts that break naive quoting, escaping, folding or sorting. */
export const nastyTexts: readonly string[] = [
  '',
  ' ',
  "O'Brien",
  "''",
  "'",
  'it\u2019s \u2018quoted\u2019',
  'a"b\\c/d',
  '\\',
  '\\n',
  "\\' or 1=1 --",
  '{p0:String}',
  '%_%25+&#=?;',
  'tab\there',
  'line\nfeed\r\n',
  '\b\f\u0001\u001f',
  '\u000b\u007f\u0085',
  'sep\u2028para\u2029end',
  '\u{1f600}\u{1f468}\u200d\u{1f469}',
  '\ufffd\uffff',
  '\ufb01 ligature',
  '\u00c9t\u00e9',
  '\u00e9T\u00c9',
  'e\u0301',
  '\u212a\u017f',
  'Stra\u00dfe STRASSE',
  '\u0130stanbul',
  '\u65e5\u672c\u8a9e',
  '\u202ertl',
  'null',
  'NaN',
  '-1',
  '0',
  'true',
  '>55',
  ' leading and trailing ',
  'x'.repeat(300),
  "it''s",
];

const markets = [
  'US',
  'DE',
  'us',
  'GB',
  'IT',
  'Us',
  'FR',
  'CN',
  'JP',
  'NO',
  'BR',
  'IN',
  'gb',
  'ZA',
  'Unknown',
];

/** Names that clients give: those of the vendor, and some that are hard to keep, to fold or to quote. */
const failureNames: readonly string[] = [
  'APPLICATION_FAULT_8013150a_StoreWrapper.ni.DLL!70475e55',
  'application_fault_8013150A_storewrapper.ni.dll!70475e55',
  'STOWED_EXCEPTION_System.UriFormatException_exe!ContosoGame.GroupedItems+_ItemView_ItemClick_d__9.MoveNext',
  'AV_fastboot!unknown_function',
  'NULL_CLASS_PTR_WRITE_c0000005_contoso.exe!unknown_error_in_process',
  '0x109_18_2_LoadImageNotify',
  ' padded!name ',
  "it's!a `name''s` trap",
  '\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3!\u0130x',
  'tab\there!x\u0085y',
];

/** Values of free-text columns, frequent ones first; columns that are not listed take the nasty ones alone. */
const pools: Readonly<Record<string, readonly string[]>> = {
  market: markets,
  osVersion: ['8.0.10517.0', '10.0.10240.16410'],
  orderName: ['', 'Spring', 'spring', '\u00c9t\u00e9', '\u00e9t\u00e9', 'Promo 1'],
  ageGroup: ['0-17', '50orover', '18-24', '18 - 24', '>55'],
  customCampaignId: ['', 'c1', 'C1', '\u00c9t\u00e9', '\u00e9t\u00e9', 'winter', 'c2'],
  referrerUriDomain: ['Universal Client Store', 'example.com', 'Example.com', ''],
  localCurrencyCode: ['EUR', 'USD'],
  packageVersion: ['1.0.0.0', '\u00c5', '\u00e5', '1.0.0.10', '1.0.0.2', ''],
  campaignId: ['4568', '31007388', '\u00c9t\u00e9', '\u00e9t\u00e9', '10', '9'],
  lineId: ['0001', '0002', ''],
  currencyCode: ['USD', 'EUR', 'usd'],
  accountCurrencyCode: ['USD'],
  adUnitId: ['10765920', '10765921', 'unit'],
  adUnitName: ['TestAdUnit', 'testadunit', ''],
  adProvider: ['Provider A', 'provider a', '\u00c9t\u00e9', '\u00e9t\u00e9', 'B'],
  pubCenterAppName: ['', 'Pub App'],
  deviceModel: ['Microsoft Corporation-Virtual Machine', 'Surface'],
  deviceScreenResolution: ['1024 x 768', '1024x768'],
  reviewerName: ['ALeksandra', 'aleksandra', '\u00c9t\u00e9', '\u00e9t\u00e9', 'Bo'],
  reviewTitle: ['Love it', 'love it', '\u00c9t\u00e9', '\u00e9t\u00e9', 'Meh'],
  reviewText: ['Great app with ads', 'no ads, GREAT', 'Bad', '5 stars'],
  responseText: ['', '1', 'Thank you'],
  osBuild: ['10.0.15063.850', '10.0.10240', '10.0.9', ''],
  osName: ['Windows 10', 'Windows 8.1', 'windows 10'],
  architecture: ['x64', 'x86', 'X64', 'arm64'],
  flightRing: ['Windows 10 Retail', 'Unknown', ''],
  packageName: ['', 'Contoso.Demo_1.0.0.0_x64__8wekyb3d8bbwe'],
  applicationVersion: ['2.2.2.0', '2.2.10.0'],
  fileName: ['contosodemo.exe', 'ContosoDemo.exe', ''],
  driverName: ['fastboot.sys', 'Fastboot.sys'],
  driverVersion: ['2.1.1.0', '2.1.10.0'],
  submissionId: ['29989500_13736592797500435_1152921504626321174', ''],
  oemName: ['Contoso', 'contoso', 'Fabrikam'],
  oemModel: ['C-122', ''],
  moduleName: ['wfplwfs.sys', 'Unknown_Image', 'filecrypt.sys', 'Unknown'],
  moduleVersion: ['10.0.14393.0', ''],
  model: ['101', 'Unknown', 'm 2', 'M 2'],
  modelFamily: ['ContosoPad', 'Contoso\u00c9'],
  baseboard: ['750-ABX', 'Unknown'],
  mode: ['Kernel', 'User', 'kernel'],
  clientDeviceId: ['', 'd-1', 'D-1', 'd-2'],
  cabType: ['MINI', 'Mini', ''],
  symbol: ['storewrapper_ni!70475e55', 'Fastboot', 'hardware_disk!Unknown'],
  failureHash: ['012345-5dbc9-b12f-c124-9d9810f05d8b', 'F060C0B6-fbe6-463f-a9f1-b7ebc1cc722f', " it's me "],
  failureName: failureNames,
};

/** Values of a text column: listed ones, its own pool, the nasty ones. */
export function textsOf(column: string, listed: readonly string[] | undefined): readonly string[] {
  // NUL cannot be stored, but it can be asked for.
  return [...(listed ?? []), ...(pools[column] ?? []), ...nastyTexts, '\u0000nul'];
}

/** Products of a made-up account; `shared` ids exist in every account made with the same ones. */
export function someProducts(own: string): OracleProduct[] {
  const app = (id: string, name: string): OracleProduct => ({ id, kind: 'app', parentId: null, name });
  const addon = (id: string, parentId: string, name: string): OracleProduct => ({
    id,
    kind: 'addon',
    parentId,
    name,
  });
  return [
    app('9NBLGGGZ5QDR', `Contoso Demo ${own}`),
    app('9WZDNCRFJ31Q', `Contoso Demo ${own}`),
    app(`9${own}MixedCase`, 'contoso \u2019quoted\u2019 "name" \\ \u{1f600}'),
    addon('9NBLGGH3LHKL', '9NBLGGGZ5QDR', 'Contoso add-on 7'),
    addon('9NBLGGH3LHKM', '9NBLGGGZ5QDR', 'Contoso add-on 8'),
    addon(`9${own}addOn`, '9WZDNCRFJ31Q', 'Contoso add-on 7'),
    { id: '12345678901234567', kind: 'driver', parentId: null, name: 'Driver' },
    { id: `Driver${own}x`, kind: 'driver', parentId: null, name: `Driver's "second"` },
    { id: '12345678901234567890', kind: 'desktop', parentId: null, name: 'Desktop' },
    { id: `Desktop${own}y`, kind: 'desktop', parentId: null, name: 'desktop \u2018quoted\u2019' },
  ];
}

/** The only product of an account with more rows than fit on the largest page. */
export const bigApp: OracleProduct = { id: '9BigApp', kind: 'app', parentId: null, name: 'Big' };

/** A day on which something may have happened: mostly the last ten weeks, sometimes years ago, at most tomorrow. */
export function someDay(dice: Dice): number {
  const kind = dice.next();
  if (kind < 0.75) return today - dice.whole(0, 70);
  if (kind < 0.85) return today - dice.whole(0, 800);
  if (kind < 0.9) return today;
  const edges = [
    '2016-01-01',
    '2016-02-29',
    '2015-12-31',
    '2017-04-30',
    '2025-12-29',
    '2026-01-01',
    '2000-02-29',
  ];
  return dayOfTime(`${dice.pick(edges)}T00:00:00Z`);
}

const two = (value: number): string => String(value).padStart(2, '0');

/** A time on a UTC day, written in UTC or in a zone where it may be the day before or after. */
export function timeOn(day: number, dice: Dice): string {
  const latest = day > today ? 0 : 86_399;
  const edge = (): number => Math.min(latest, dice.whole(0, 23) * 3600 + dice.pick([0, 3599]));
  const second = dice.chance(0.3) ? dice.pick([0, latest, edge()]) : dice.whole(0, latest);
  const fraction = dice.pick(['', '', '.5', '.123', '.9999999']);
  const offset = dice.pick([0, 0, 0, 120, -150, 840, -720]);
  const local = new Date(day * 86_400_000 + second * 1000 + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${local}${fraction}${dice.pick(['Z', '+00:00'])}`;
  const size = Math.abs(offset);
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return `${local}${fraction}${zone}`;
}

const amounts = [
  '0',
  '10',
  '10.0',
  '0.99',
  '700.6',
  '0.000001',
  '-5.25',
  '1234567.891011',
  '999999999999.999999',
];

/** Times of answers to reviews; some are the same instant in another zone. */
export const instants: readonly string[] = [
  '2015-08-07T01:50:22.9874488Z',
  '2026-03-01T00:00:00Z',
  '2026-03-01T02:00:00+02:00',
  '2026-02-28T23:59:59.5-00:30',
  '2026-02-28T10:00:00.120Z',
];

const guids = Array.from(
  { length: 60 },
  (_, index) => `6be543ff-1c9c-4534-aced-${two(index)}8b4fbe03${two(index)}`,
);

/** A value of a column for an event of a day. */
export function someValue(
  column: Column,
  day: number,
  apps: readonly OracleProduct[],
  dice: Dice,
): PostedRow[string] {
  switch (column.type) {
    case 'timestamp':
      return timeOn(day, dice);
    case 'day':
      return rowDay(day);
    case 'instant':
      return dice.pick(instants);
    case 'guid':
      return dice.chance(0.3) ? dice.pick(guids).toUpperCase() : dice.tail(guids);
    case 'code':
    case 'object':
    case 'list':
      throw new TypeError(`${column.name} is made with the whole row`);
    case 'product':
      return dice.chance(0.1) ? dice.recased(dice.pick(apps).id) : dice.tail(apps).id;
    case 'boolean':
      return dice.chance(0.6);
    case 'amount':
      return new Num(dice.chance(0.5) ? String(dice.whole(0, 500) / 4) : dice.pick(amounts));
    case 'integer': {
      const [least, most] = column.range ?? [0, 1000];
      const usual = dice.whole(least, Math.min(most, least + 5));
      return new Num(String(dice.chance(0.02) ? dice.pick([least, most]) : usual));
    }
    case 'text': {
      if (['userId', 'deviceId'].includes(column.name)) {
        return dice.chance(0.05) ? dice.pick(nastyTexts) : dice.recased(`u${dice.whole(1, 40)}`);
      }
      const listed = [...(column.values ?? []), ...(column.valuesWhenPresent?.values ?? [])];
      if (listed.length > 0 && dice.chance(0.8)) {
        const value = dice.tail(listed);
        return dice.chance(0.2) ? dice.recased(value) : value;
      }
      const fits = (text: string): boolean => Buffer.byteLength(text) <= (column.maxBytes ?? 4096);
      const pool = (pools[column.name] ?? nastyTexts).filter(fits);
      return dice.chance(0.9) ? dice.tail(pool) : dice.pick(nastyTexts.filter(fits));
    }
  }
}

/** Keys that a row must have for the oracle to know what is stored. */
const always = new Set(['id']);

/** One valid row of a dataset. Optional keys are sometimes left out or null. */
function someRow(
  entry: DatasetEntry,
  products: readonly OracleProduct[],
  dice: Dice,
): Record<string, PostedRow[string]> {
  const day = someDay(dice);
  const row: Record<string, PostedRow[string]> = {};
  const addons = products.filter(({ kind }) => kind === 'addon');
  const addon = addons.length > 0 && dice.chance(0.45) ? dice.tail(addons) : undefined;
  const apps = products.filter(({ kind }) => kind === 'app');
  for (const column of entry.columns) {
    if (column.name === 'inAppProductId') {
      if (addon !== undefined) row[column.name] = dice.chance(0.1) ? dice.recased(addon.id) : addon.id;
      else if (dice.chance(0.1)) row[column.name] = dice.pick(['', null]);
      continue;
    }
    if (column.name === 'applicationId' && addon?.parentId && entry.columns.some((c) => c.kind === 'addon')) {
      row[column.name] = addon.parentId;
      continue;
    }
    if (column.required !== true && !always.has(column.name)) {
      if (dice.chance(0.12)) continue;
      if (dice.chance(0.03)) {
        row[column.name] = null;
        continue;
      }
    }
    row[column.name] = someValue(column, day, apps, dice);
    // What must be there must not be empty.
    if (column.required === true && row[column.name] === '') row[column.name] = 'x';
  }
  return row;
}

/** Rows of a dataset. Most repeat one of a few profiles on another day, so that groups have several rows. */
export function someRows(
  entry: DatasetEntry,
  count: number,
  products: readonly OracleProduct[],
  dice: Dice,
): PostedRow[] {
  if (entry.completed === 'failure') return someFailures(entry, count, products, dice);
  const profiles = Array.from({ length: Math.max(1, Math.ceil(count / 4)) }, () =>
    someRow(entry, products, dice),
  );
  const time = entry.columns.find(({ name }) => name === entry.time);
  if (time === undefined) throw new Error(`${entry.name} has no ${entry.time}`);
  return Array.from({ length: count }, () => {
    const row = { ...dice.tail(profiles), [time.name]: someValue(time, someDay(dice), [], dice) };
    for (const column of entry.columns) {
      const varied = ['integer', 'amount'].includes(column.type) || ['userId', 'id'].includes(column.name);
      if (varied && row[column.name] !== undefined) row[column.name] = someValue(column, today, [], dice);
    }
    return row;
  });
}

/** More different acquisitions of one app than fit on the largest page. */
export function manyAcquisitions(applicationId: string, count: number, dice: Dice): PostedRow[] {
  return Array.from({ length: count }, (_, index) => ({
    timestamp: timeOn(today - (index % 60), dice),
    applicationId,
    market: dice.tail(markets),
    orderName: `order ${index}`,
    deviceType: dice.pick(['PC', 'Phone', 'Console']),
    gender: dice.pick(['m', 'f']),
    quantity: new Num(String(dice.whole(1, 3))),
  }));
}
