/**
 * Declarations that the failure reports of the programmes share. A report that differs in a flag or a list spreads
 * the shared field and says what differs.
 */
import { market as anyMarket, deviceTypes, equality, osVersions } from './fields.js';
import type { Aggregate, Condition, Field, Identity, IdentityParameter, Lookup, Source } from './report.js';

/** The desktop program, as a parameter. */
export const byDesktopProgram = {
  name: 'applicationId',
  kind: 'desktop',
} as const satisfies IdentityParameter;

/** The driver, as a parameter. */
export const byDriver = { name: 'applicationId', kind: 'driver' } as const satisfies IdentityParameter;

/** Reports without product parameter. */
export const wholeAccount = { parameters: [], needs: 'none', combine: 'first' } as const satisfies Identity;

/** What readers of these reports should know. */
export const accountRemark = 'No parameter names a product: the report covers the whole account.';

/** Whose failures a report shows; one programme never shows another's. */
export type FailureSource = 'app' | 'desktop' | 'driver' | 'ihvdriver' | 'hardware';

/** All programmes, as the dataset takes them. */
export const failureSources: readonly FailureSource[] = ['app', 'desktop', 'driver', 'ihvdriver', 'hardware'];

/** Range of the reports of details: the current day and the thirty before it. */
export const thirtyDaysToToday = { start: { daysAgo: 30 }, end: { daysAgo: 0 } } as const;

/** Kinds of devices that desktop programs meet. */
export const desktopDeviceTypes = ['PC', 'Server', 'Tablet', 'Unknown'] as const;

/** Families of operating systems that desktop programs meet. */
export const desktopOsVersions = [
  'Windows 7',
  'Windows 8.1',
  'Windows 10',
  'Windows Server 2016',
  'Windows Server 1709',
  'Unknown',
] as const;

/** Releases within a family. */
export const osReleases = [
  'Version 1507',
  'Version 1511',
  'Version 1607',
  'Version 1703',
  'Version 1709',
  'Release Preview',
  'Insider Fast',
  'Insider Slow',
  'RTM',
  'Update 1',
  'Service Pack 1',
  'Unknown',
] as const;

/** Kinds of failures of programs. */
export const eventTypes = ['crash', 'hang', 'memory', 'jse'] as const;

/** Flags of a key of a report with groups that can be filtered and sorted, but not grouped by. */
export const ungroupable = { type: 'text', role: 'dimension', filter: equality, orderby: true } as const;

/** Flags of a text key of a details report: in every row, filtered by equality, sorted. */
export const detail = {
  type: 'text',
  role: 'dimension',
  filter: equality,
  orderby: true,
  alwaysReturned: true,
} as const;

/** Flags of a key of a details report that is printed and no more. */
export const printed = { type: 'text', role: 'attribute', alwaysReturned: true } as const;

/** A text column of the table under its own name. */
function column<const Name extends string>(name: Name, note: string) {
  return { name, origin: { from: 'column', column: name }, note } as const;
}

/** Names, notes and lists of the text keys, to be spread behind the flags of a kind of report. */
export const keys = {
  failureName: column('failureName', 'Class of the problem, code, image and function, in one name.'),
  failureHash: {
    ...column('failureHash', 'Identifier of the failure, made from its name; a GUID unless it was given.'),
    formerValues: 'formerHashes',
  },
  symbol: column('symbol', 'Module and function to which the failure is put down.'),
  osVersion: { ...column('osVersion', 'Operating system.'), values: osVersions },
  osBuild: column('osBuild', 'Build of the operating system.'),
  osRelease: {
    ...column('osRelease', 'Release or flight ring within the operating system.'),
    values: osReleases,
  },
  osName: column('osName', 'Family of the operating system.'),
  eventType: { ...column('eventType', 'Kind of failure.'), values: eventTypes },
  systemEventType: column('eventType', 'Kind of failure, such as `System crash`.'),
  market: column('market', anyMarket.note),
  deviceType: { ...column('deviceType', 'Kind of device.'), values: deviceTypes },
  anyDeviceType: column('deviceType', 'Kind of device.'),
  deviceModel: column('deviceModel', 'Maker and model of the device.'),
  packageName: column('packageName', 'Full name of the failing package; may be empty.'),
  packageVersion: column('packageVersion', 'Version of the failing package; `0.0.0.0` when unknown.'),
  applicationVersion: column('applicationVersion', 'Version of the program.'),
  fileName: column('fileName', 'File name of the program.'),
  submissionId: column('submissionId', 'Submission of the driver: three numbers joined by underscores.'),
  driverName: column('driverName', 'File name of the driver.'),
  driverVersion: column('driverVersion', 'Version of the driver.'),
  systemBuild: column('osVersion', 'Operating system as a build of four parts.'),
  flightRing: column('flightRing', 'Flight of the operating system that the device was on.'),
  oemName: column('oemName', 'Maker of the device.'),
  oemModel: column('oemModel', 'Model of the device.'),
  architecture: column('architecture', 'Processor architecture.'),
  mode: { ...column('mode', 'Mode in which the processor was.'), values: ['Kernel'] },
  moduleName: column('moduleName', 'Failing module.'),
  moduleVersion: column('moduleVersion', 'Version of the failing module; may be `Unknown`.'),
  model: column('model', 'Model of the device; may be `Unknown`.'),
  baseboard: column('baseboard', 'Main board of the device; may be `Unknown`.'),
  modelFamily: column('modelFamily', 'Family of the model of the device.'),
  cabId: column('cabId', 'Identifier of the crash file: 13 digits.'),
  cabIdHash: column('cabIdHash', 'Identifier of the crash file: a GUID.'),
  cabType: column('cabType', 'Kind of crash file.'),
} as const satisfies Readonly<Record<string, Omit<Field, 'type' | 'role'>>>;

/**
 * First day or hour of the bucket. The documentation does not list it for groupby; it is accepted, because the form of
 * 2022 has dates where it is named alone.
 */
export const bucket = {
  name: 'date',
  type: 'date',
  role: 'date',
  origin: { from: 'bucket' },
  filter: equality,
  orderby: true,
  groupby: true,
  alwaysReturned: true,
  note: 'First day that the row covers.',
} as const satisfies Field;

/** The same where filter does not take it. */
export const sortedBucket = {
  name: 'date',
  type: 'date',
  role: 'date',
  origin: { from: 'bucket' },
  orderby: true,
  groupby: true,
  alwaysReturned: true,
  note: bucket.note,
} as const satisfies Field;

/** When a single failure happened. */
export const happened = {
  name: 'date',
  type: 'time',
  role: 'date',
  origin: { from: 'column', column: 'timestamp' },
  filter: equality,
  orderby: true,
  alwaysReturned: true,
  note: 'When it happened; filter takes the day.',
} as const satisfies Field;

/** The same where filter does not take it. */
export const sortedHappened = {
  name: 'date',
  type: 'time',
  role: 'date',
  origin: { from: 'column', column: 'timestamp' },
  orderby: true,
  alwaysReturned: true,
  note: 'When it happened.',
} as const satisfies Field;

/** The same where orderby does not take it. */
export const filteredHappened = {
  name: 'date',
  type: 'time',
  role: 'date',
  origin: { from: 'column', column: 'timestamp' },
  filter: equality,
  alwaysReturned: true,
  note: happened.note,
} as const satisfies Field;

/** Id of the app, in every row. */
export const productId = {
  name: 'applicationId',
  type: 'text',
  role: 'id',
  origin: { from: 'column', column: 'applicationId' },
  alwaysReturned: true,
  note: 'Id of the app.',
} as const satisfies Field;

/** Id of the desktop program, in every row. */
export const desktopProductId = { ...productId, note: 'Id of the desktop program.' } as const satisfies Field;

/** Id of the driver, in every row. */
export const driverProductId = { ...productId, note: 'Id of the driver.' } as const satisfies Field;

/** Seller id of the account that asks; no list names it, so grouped rows have none. */
export const sellerId = {
  name: 'sellerId',
  type: 'text',
  role: 'id',
  origin: { from: 'sellerId' },
  note: 'Seller id of the account that asks.',
} as const satisfies Field;

/** When the crash file goes. */
export const cabExpirationTime = {
  name: 'cabExpirationTime',
  type: 'time',
  role: 'attribute',
  origin: { from: 'fileExpiry' },
  filter: equality,
  orderby: true,
  alwaysReturned: true,
  note: 'Moment after which the crash file cannot be fetched; `9999-12-31 23:59:59` when files are kept for ever.',
} as const satisfies Field;

/** Whether the crash file can be fetched. */
export const cabDownloadable = {
  name: 'cabDownloadable',
  type: 'boolean',
  role: 'attribute',
  origin: { from: 'fileAvailable' },
  alwaysReturned: true,
  note: 'Whether there is a crash file and the caller may fetch it.',
} as const satisfies Field;

/** The device as the sender names it. */
export const clientDeviceId = {
  name: 'clientDeviceId',
  ...printed,
  origin: { from: 'column', column: 'clientDeviceId' },
  nullWhenEmpty: true,
  note: 'Identifier of the device; null when unknown.',
} as const satisfies Field;

/** Devices of the bucket; a failure whose device is unknown counts none. */
export const deviceCount = {
  name: 'deviceCount',
  type: 'decimal',
  role: 'measure',
  alwaysReturned: true,
  note: 'Distinct devices that failed in the bucket.',
} as const satisfies Field;

/** The same where grouped rows leave it out. */
export const ungroupedDeviceCount = {
  name: 'deviceCount',
  type: 'decimal',
  role: 'measure',
  ungroupedOnly: true,
  note: 'Distinct devices that failed in the bucket; only in rows that are not grouped.',
} as const satisfies Field;

/** Failures of the bucket. */
export const eventCount = {
  name: 'eventCount',
  type: 'decimal',
  role: 'measure',
  alwaysReturned: true,
  note: 'Failures in the bucket.',
} as const satisfies Field;

const devices: Aggregate = {
  aggregate: 'distinct',
  column: 'deviceId',
  where: [{ column: 'deviceId', is: 'present' }],
};

function of(source: FailureSource): readonly Condition[] {
  return [{ column: 'source', equals: source }];
}

/** Rows of one programme for a report that counts failures, and devices if asked. */
export function counted(source: FailureSource, measured: 'events' | 'devices and events'): readonly Source[] {
  const events: Aggregate = { aggregate: 'count' };
  return [
    {
      table: 'failures',
      where: of(source),
      measures: {
        ...(measured === 'events' ? {} : { deviceCount: devices }),
        eventCount: events,
      },
    },
  ];
}

/** Rows of one programme for a report of single failures. */
export function single(source: FailureSource): readonly Source[] {
  return [{ table: 'failures', where: of(source), measures: {} }];
}

/** The failure whose occurrences are asked for. */
export function byFailure(hits: string) {
  return {
    parameter: 'failureHash',
    column: 'failureHash',
    formerValues: 'formerHashes',
    note: `The failure, as \`${hits}\` prints it; a hash that it had before symbols changed its name works too.`,
  } as const satisfies Lookup;
}

/** The crash file by its number. */
export function byCabId(details: string) {
  return {
    parameter: 'cabId',
    column: 'cabId',
    note: `The crash file, as \`${details}\` prints it.`,
  } as const satisfies Lookup;
}

/** The crash file by its GUID. */
export function byCabIdHash(details: string) {
  return {
    parameter: 'cabIdHash',
    column: 'cabIdHash',
    note: `The crash file, as \`${details}\` prints it.`,
  } as const satisfies Lookup;
}

/** Row keys of the reports of stacks. */
export const frames = [
  {
    name: 'level',
    ...printed,
    origin: { from: 'frame', member: 'level' },
    note: 'Number of the frame as text, `0` for the one that failed.',
  },
  {
    name: 'image',
    ...printed,
    origin: { from: 'frame', member: 'image' },
    note: 'Program or library of the frame.',
  },
  {
    name: 'function',
    ...printed,
    origin: { from: 'frame', member: 'function' },
    note: 'Function of the frame; empty without symbols.',
  },
  {
    name: 'offset',
    ...printed,
    origin: { from: 'frame', member: 'offset' },
    note: 'Bytes from the start of the function, or of the image without function, such as `0x25C`.',
  },
] as const satisfies readonly Field[];

/** What readers of all reports of details should know. */
export const detailRemarks = [
  'A row is one failure; there are neither buckets nor groups.',
  'date prints seconds; startDate, endDate and a filter on date take days.',
  'Every row has an identifier of its crash file, with or without a file.',
] as const;

/** What readers of all reports of stacks should know. */
export const frameRemarks = [
  'All frames come in one answer: there is no paging, and the next link is always null.',
  'An unknown identifier and a failure without stack answer without rows.',
  'level is text, offset hexadecimal text; function is empty until symbols name it.',
] as const;

/** What clients of all downloads should know. */
export const fileRemarks = [
  'The answer is 302; Location is a signed address that serves the file for ten minutes and needs no token.',
  'An unknown identifier, a failure without file and a file past its time answer 404.',
] as const;
