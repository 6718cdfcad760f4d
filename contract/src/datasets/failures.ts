/** Failures of apps, desktop programs, drivers and hardware. */
import type { Column, DatasetEntry } from '../dataset.js';
import {
  desktopDeviceTypes,
  desktopOsVersions,
  eventTypes,
  failureSources,
  osReleases,
} from '../failure-fields.js';
import { deviceTypes, osVersions } from '../fields.js';
import * as columns from './columns.js';

/** Spellings of several programmes in one list, `Unknown` once. */
function union(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())];
}

/** A text that is empty when missing. */
function text(name: string, note: string): Column {
  return { name, type: 'text', maxBytes: 1024, note };
}

/** A text that is `Unknown` when missing. */
function known(name: string, note: string): Column {
  return { ...text(name, note), missing: 'Unknown' };
}

/** A code or offset as text has few bytes: `0x` and 16 digits, with room for other notations. */
const codeBytes = 64;

/** `POST /ingest/v1/failures`; a row without name gets one from the exception and the stack. */
export const failures: DatasetEntry = {
  name: 'failures',
  summary: 'Failures of apps, desktop programs, drivers and hardware.',
  time: 'timestamp',
  completed: 'failure',
  supersedable: true,
  summed: {
    table: 'failureDays',
    columns: [
      'source',
      'applicationId',
      'date',
      'deviceKey',
      'eventType',
      'failureName',
      'failureHash',
      'symbol',
      'market',
      'deviceType',
      'osVersion',
      'osRelease',
      'osBuild',
      'osName',
      'architecture',
      'flightRing',
      'packageName',
      'packageVersion',
      'applicationVersion',
      'fileName',
      'driverName',
      'driverVersion',
      'submissionId',
      'oemName',
      'oemModel',
      'moduleName',
      'moduleVersion',
      'mode',
      'model',
      'modelFamily',
      'baseboard',
    ],
  },
  columns: [
    columns.timestamp,
    {
      name: 'source',
      type: 'text',
      required: true,
      only: failureSources,
      note: 'Whose failure it is: what failed decides which reports show it.',
    },
    {
      name: 'applicationId',
      type: 'product',
      depends: {
        column: 'source',
        requiredFor: ['app', 'desktop', 'driver'],
        kinds: { app: 'app', desktop: 'desktop', driver: 'driver', ihvdriver: 'driver', hardware: 'driver' },
      },
      note: 'Id of the app, desktop program or driver.',
    },
    { ...columns.deviceId, note: 'Your own id of the device; deviceCount counts distinct ones.' },
    {
      ...text('eventType', 'Kind of failure, such as `crash`; `System crash` for drivers and hardware.'),
      values: [...eventTypes, 'System crash'],
    },
    text('failureName', 'Name of the failure; made from the exception and the stack when missing.'),
    {
      name: 'failureHash',
      type: 'text',
      maxBytes: 128,
      note: 'Identifier of the failure; made from its name when missing.',
    },
    text('symbol', 'Module and function to which the failure is put down; made when missing.'),
    { ...columns.market, maxBytes: 64 },
    {
      ...known('deviceType', columns.deviceType.note),
      values: union(deviceTypes, desktopDeviceTypes),
    },
    text('deviceModel', 'Maker and model of the device.'),
    {
      ...known('osVersion', 'Operating system: a family for apps and desktop programs, else a build.'),
      values: union(osVersions, desktopOsVersions),
    },
    { ...known('osRelease', 'Release or flight ring within the family.'), values: osReleases },
    text('osBuild', 'Build of the operating system.'),
    text('osName', 'Family of the operating system, where osVersion is a build.'),
    text('architecture', 'Processor architecture, such as `x64`.'),
    known('flightRing', 'Flight of the operating system.'),
    text('packageName', 'Full name of the failing package.'),
    {
      ...text('packageVersion', 'Version of the failing package.'),
      missing: '0.0.0.0',
    },
    text('applicationVersion', 'Version of the desktop program.'),
    text('fileName', 'File name of the desktop program.'),
    text('driverName', 'File name of the driver.'),
    text('driverVersion', 'Version of the driver.'),
    text('submissionId', 'Submission of the driver.'),
    text('oemName', 'Maker of the device.'),
    text('oemModel', 'Model of the device, where a driver failed.'),
    known('moduleName', 'Failing module.'),
    known('moduleVersion', 'Version of the failing module.'),
    {
      ...text('mode', 'Mode in which the processor was.'),
      missing: 'Kernel',
      values: ['Kernel'],
    },
    known('model', 'Model of the device, where hardware failed.'),
    known('modelFamily', 'Family of the model of the device.'),
    known('baseboard', 'Main board of the device.'),
    text('clientDeviceId', 'Identifier of the device that driver reports print; null there when missing.'),
    text('cabType', 'Kind of crash file, such as `MINI`.'),
    {
      name: 'exception',
      type: 'object',
      note: 'What was thrown; part of the name when failureName is missing.',
      columns: [
        {
          name: 'code',
          type: 'code',
          maxBytes: codeBytes,
          note: 'Exception, signal or bug check: `"0xc0000005"`, `3221225477`, `"SIGSEGV"`.',
        },
        text('class', 'Class of the problem or type of the exception.'),
      ],
    },
    {
      name: 'frames',
      type: 'list',
      most: 128,
      note: 'Stack of the failing thread, the failing function first.',
      columns: [
        text('image', 'Program or library, with its extension.'),
        { ...text('function', 'Function, if known.'), maxBytes: 4096 },
        {
          name: 'offset',
          type: 'code',
          maxBytes: codeBytes,
          note: 'Bytes from the start of the function, or of the image without function.',
        },
      ],
    },
  ],
};
