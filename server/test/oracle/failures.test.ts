/** The oracle's failures: hashes against published ones, names, hours, details, stacks and lookups by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { datasets, reports } from '@storelens/contract';
import { answer, type OracleAnswer } from './answer.js';
import { hashOf, keptName } from './failures.js';
import { Num, type PostedRow } from './posted.js';
import { dayOfTime, type OracleProduct, Store } from './store.js';

const products: readonly OracleProduct[] = [
  { id: '9NBLGGGZ5QDR', kind: 'app', parentId: null, name: 'Contoso Demo' },
  { id: '10238467886765136388', kind: 'desktop', parentId: null, name: 'Contoso Desktop' },
  { id: '18430592857500421', kind: 'driver', parentId: null, name: 'Fastboot' },
];
const app = { source: 'app', applicationId: '9NBLGGGZ5QDR' } as const;
const time = { timestamp: '2018-05-01T09:30:00Z' } as const;

function stored(...rows: readonly PostedRow[]): Store {
  const store = new Store(products, datasets, '14313740');
  store.ingest('failures', rows);
  return store;
}

function ask(store: Store, report: string, query: string): OracleAnswer {
  const entry = reports[report];
  assert.ok(entry, report);
  const raw = query.replaceAll(' ', '%20').replaceAll('!', '%21');
  return answer(entry, raw, { store, today: dayOfTime('2018-05-02T12:00:00Z'), snapshot: store.commits });
}

function body(store: Store, report: string, query: string): string {
  const got = ask(store, report, query);
  return got.status === 200 ? got.body : `${got.status} ${got.problem}`;
}

test('hashes are those that the vendor published', () => {
  for (const [mode, name, hash] of [
    ['um', 'INVALID_POINTER_READ_c0000005_Gw.exe!Unknown', 'edaade2d-e7c7-68e3-7919-8ecabe3f321a'],
    ['km', '0x5a_c0000428_IMAGE_filecrypt.sys', '35f25777-b01e-70a1-c502-f690dab6cb3a'],
    ['um', 'APPLICATION_FAULT_8013150a_StoreWrapper.ni.DLL!70475e55', '5a6b2170-1661-ed47-24d7-230fed0077af'],
    ['km', 'AV_fastboot!unknown_function', '0d901479-bf1f-b842-76f2-3db7e4feaedd'],
  ] as const) {
    assert.equal(hashOf(name, mode), hash);
    assert.equal(hashOf(name.toUpperCase(), mode), hash);
  }
  assert.equal(keptName(' a\tb\u0085!c '), 'ab!c');
});

test('failures are named after their first own frame, or their module', () => {
  const named = (row: PostedRow): unknown[] => {
    const cells = stored({ ...time, ...row }).rows('failures', 1)[0]?.cells;
    return [cells?.get('failureName'), cells?.get('symbol')];
  };
  const system = { image: 'ntdll.dll', function: 'RtlFreeHeap' };
  const own = { image: 'C:\\Games\\StoreWrapper.ni.DLL', offset: '0x70475e55' };
  assert.deepEqual(named({ ...app, exception: { code: new Num('2148734218') }, frames: [system, own] }), [
    'APPLICATION_FAULT_8013150a_StoreWrapper.ni.DLL!70475e55',
    'storewrapper_ni!70475e55',
  ]);
  assert.deepEqual(named({ ...app, eventType: 'Hang', frames: [system] }), [
    'APPLICATION_HANG_cfffffff_ntdll.dll!RtlFreeHeap',
    'ntdll!RtlFreeHeap',
  ]);
  assert.deepEqual(
    named({ ...app, exception: { code: '0xE0434352', class: 'System.IOException' }, frames: [system] })[0],
    'CLR_EXCEPTION_System.IOException_e0434352_ntdll.dll!RtlFreeHeap',
  );
  assert.deepEqual(named({ source: 'hardware', exception: { code: '0xD1' }, moduleName: 'fastboot.sys' }), [
    'AV_IMAGE_fastboot.sys',
    'fastboot!unknown_function',
  ]);
  assert.deepEqual(named({ ...app, failureName: ' given!\u0007 ', symbol: 's' }), ['given!', 's']);
  assert.deepEqual(named({ ...app, exception: { code: 'sigabrt' } }), ['ABORT_SIGABRT', '']);
});

test('hits count devices and events as decimals, by hour where asked', () => {
  const row = { ...app, failureName: 'a!b', deviceId: 'd', deviceType: 'pc' };
  const store = stored(
    { ...row, timestamp: '2018-05-01T09:00:00Z' },
    { ...row, timestamp: '2018-05-01T09:59:59.999Z', deviceId: 'D' },
    { ...row, timestamp: '2018-05-01T09:10:00Z', deviceId: '' },
    { ...row, timestamp: '2018-05-01T12:59:00+02:00' },
    { ...row, timestamp: '2018-05-01T23:00:00Z', market: 'US' },
  );
  const query = 'applicationId=9NBLGGGZ5QDR&groupby=deviceType';
  const name = '"applicationId":"9NBLGGGZ5QDR","applicationName":"Contoso Demo","deviceType":"PC"';
  const rows = (...values: readonly string[]): string =>
    `{"Value":[${values.join(',')}],"@nextLink":null,"TotalCount":${values.length}}`;
  const hits = (date: string, devices: string, events: string): string =>
    `{"date":"${date}",${name},"deviceCount":${devices},"eventCount":${events}}`;
  assert.equal(
    body(store, 'failurehits', `${query}&startDate=5/1/2018&endDate=5/1/2018`),
    rows(hits('2018-05-01', '2.0', '5.0')),
  );
  assert.equal(
    body(
      store,
      'failurehits',
      `${query}&startDate=5/1/2018 9:15:00 AM&endDate=2018-05-01 10:00:00&aggregationLevel=hour`,
    ),
    rows(hits('2018-05-01 10:00:00', '1.0', '1.0'), hits('2018-05-01 09:00:00', '2.0', '3.0')),
  );
  // A bare last day means its last hour; the link carries hours.
  assert.equal(
    body(
      store,
      'failurehits',
      `${query}&startDate=2018-05-01 11:00:00&endDate=5/1/2018&aggregationLevel=Hour`,
    ),
    rows(hits('2018-05-01 23:00:00', '1.0', '1.0')),
  );
  assert.match(
    body(store, 'failurehits', `${query}&startDate=5/1/2018&endDate=5/1/2018&aggregationLevel=hour&top=1`),
    /&startDate=2018-05-01 00:00:00&endDate=2018-05-01 23:00:00&top=1&skip=1&groupby=deviceType&snapshot=1"/,
  );
  const turned = `${query}&startDate=2018-05-01 11:00:00&endDate=2018-05-01 10:00:00`;
  assert.equal(ask(store, 'failurehits', turned).status, 200);
  assert.equal(ask(store, 'failurehits', `${turned}&aggregationLevel=hour`).status, 400);
});

test('details print seconds and nulls, sort by what they do not print, and need their lookup', () => {
  const failureName = "it's!x";
  const row = { ...time, source: 'hardware', failureName };
  const store = stored(
    { ...row, osBuild: '9', model: 'a' },
    { ...row, osBuild: '10', model: 'b', symbol: 'S!x' },
  );
  const hash = hashOf(failureName, 'km').toUpperCase();
  const models = (query: string): unknown[] =>
    [
      ...body(store, 'hardware/failuredetails', `failureHash=${hash}${query}`).matchAll(/"model":"(\w)"/g),
    ].map((match) => match[1]);
  assert.deepEqual(models('&orderby=osBuild'), ['b', 'a']);
  assert.deepEqual(models('&orderby=osBuild desc'), ['a', 'b']);
  assert.deepEqual(models("&filter=symbol eq 's!x'"), ['b']);
  assert.deepEqual(models("&filter=failureName eq 'it''s!X' and cabExpirationTime eq '9999-12-31'"), [
    'a',
    'b',
  ]);
  assert.equal(ask(store, 'hardware/failuredetails', '').status, 400);
  assert.equal(
    body(store, 'driver/failuredetails', `applicationId=18430592857500421&failureHash=${hash}`),
    '{"Value":[],"@nextLink":null,"TotalCount":0}',
  );
  assert.match(
    body(store, 'hardware/failuredetails', `failureHash=${hash}`),
    /^\{"Value":\[\{"date":"2018-05-01 09:30:00","sellerId":"14313740","mode":"Kernel",.*"cabExpirationTime":"9999-12-31 23:59:59"/,
  );
  const driver = { ...time, source: 'driver', applicationId: '18430592857500421', failureName };
  const printed = body(
    stored(driver, { ...driver, clientDeviceId: 'null' }),
    'driver/failuredetails',
    `applicationId=18430592857500421&failureHash=${hash}&orderby=market`,
  );
  assert.match(printed, /"clientDeviceId":null.*"clientDeviceId":"null"/);
});

test('stacks print their frames; a file is not there', () => {
  const store = stored({
    ...time,
    source: 'desktop',
    applicationId: '10238467886765136388',
    frames: [{ image: 'a.exe', function: 'f', offset: new Num('604') }, { offset: '0x1a' }],
  });
  store.rows('failures', 1)[0]?.cells.set('cabIdHash', '54ffb83a-e159-41d2-8158-f36f306cc01e');
  const query = 'applicationId=10238467886765136388&cabIdHash=54FFB83A-e159-41d2-8158-f36f306cc01e';
  assert.equal(
    body(store, 'desktop/stacktrace', query),
    '{"Value":[{"level":"0","image":"a.exe","function":"f","offset":"0x25C"},' +
      '{"level":"1","image":"","function":"","offset":"0x1a"}],"@nextLink":null,"TotalCount":2}',
  );
  const unknown = query.replace('54FF', '0000');
  assert.equal(body(store, 'desktop/stacktrace', unknown), '{"Value":[],"@nextLink":null,"TotalCount":0}');
  assert.equal(ask(store, 'desktop/cabdownload', query).status, 404);
  assert.equal(ask(store, 'desktop/cabdownload', 'applicationId=9X&cabIdHash=x').status, 403);
});
