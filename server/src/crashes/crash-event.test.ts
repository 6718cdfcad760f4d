import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from '../failure.js';
import { bodyHash, checkQuery, givesFrames, mergedRow, readEvent } from './crash-event.js';
import type { DumpFacts } from './reading.js';

const receipt = Date.UTC(2026, 10, 23, 9);
const at = '2026-11-23T09:00:00.000Z';
const dump: DumpFacts = {
  time: Date.UTC(2026, 10, 22, 12),
  osName: 'Windows 10',
  osRelease: 'Version 1607',
  osBuild: '10.0.14393',
  architecture: 'x64',
  exception: { code: 0xc0000005, parameters: [0n, 0n] },
  program: { name: 'Game.exe', version: '1.2.3.4' },
  crashed: { name: 'physics.dll', version: '9.0.0.1' },
  frames: [],
};

function event(row: object | string) {
  const text = typeof row === 'string' ? row : JSON.stringify(row);
  return readEvent({ event: text, source: undefined, applicationId: undefined }, receipt);
}

function sentenceOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Failure);
    return `${error.code}: ${error.data.join(' ')}`;
  }
  return 'accepted';
}

describe('what a sender says of a crash', () => {
  it('gains a timestamp for the check, and keeps its own text', () => {
    assert.equal(
      event('{ "source":"app", "source":"app"}').json,
      `{"timestamp":"${at}", "source":"app", "source":"app"}`,
    );
    assert.equal(event('{}').json, `{"timestamp":"${at}"}`);
    assert.equal(event('{"timestamp":null,"source":"app"}').json, `{"timestamp":"${at}","source":"app"}`);
    const own = '{"timestamp":"2026-11-01T00:00:00Z"}';
    assert.equal(event(own).json, own);
  });

  it('may stand in the query instead', () => {
    const { row, json } = readEvent({ event: undefined, source: 'app', applicationId: '9N' }, receipt);
    assert.deepEqual(row, { source: 'app', applicationId: '9N' });
    assert.equal(json, `{"timestamp":"${at}","source":"app","applicationId":"9N"}`);
    assert.equal(
      sentenceOf(() => checkQuery({ source: 'App', applicationId: undefined })),
      'accepted',
    );
  });

  it('is refused when it is no row', () => {
    for (const text of ['[1]', '"x"', 'null', '7']) {
      assert.equal(
        sentenceOf(() => event(text)),
        "invalid-rows: The part 'event' is no JSON object; expected one row of failures.",
      );
    }
  });
});

describe('a row', () => {
  it('takes from the dump what the event does not say', () => {
    assert.deepEqual(
      mergedRow(event({ source: 'desktop', osRelease: 'RTM', eventType: '' }), dump, receipt),
      {
        source: 'desktop',
        osRelease: 'RTM',
        timestamp: '2026-11-22T12:00:00.000Z',
        eventType: 'crash',
        cabType: 'Mini',
        osVersion: 'Windows 10',
        osName: 'Windows 10',
        osBuild: '10.0.14393',
        architecture: 'x64',
        moduleName: 'physics.dll',
        moduleVersion: '9.0.0.1',
        fileName: 'Game.exe',
        applicationVersion: '1.2.3.4',
      },
    );
  });

  it('gets no version of another module than it names', () => {
    const row = mergedRow(event({ source: 'desktop', moduleName: 'other.dll' }), dump, receipt);
    assert.equal(row.moduleName, 'other.dll');
    assert.equal('moduleVersion' in row, false);
  });

  it('of a driver has a build as its osVersion and the failing module as its driver', () => {
    const row = mergedRow(event({ source: 'Driver' }), dump, receipt);
    assert.deepEqual(
      [row.osVersion, row.osName, row.driverName, row.driverVersion, row.eventType, row.cabType],
      ['10.0.14393', 'Windows 10', 'physics.dll', '9.0.0.1', 'System crash', 'MINI'],
    );
    const system = { ...dump, crashed: { name: 'ntdll.dll', version: '10.0.0.0' } };
    assert.equal('driverName' in mergedRow(event({ source: 'driver' }), system, receipt), false);
  });

  it('is of its receipt when nothing better is known', () => {
    for (const time of [undefined, 0, receipt + 86_400_001]) {
      assert.equal(mergedRow(event({ source: 'app' }), { ...dump, time }, receipt).timestamp, at);
    }
    assert.equal(mergedRow(event({ source: 'app' }), undefined, receipt).timestamp, at);
  });

  it('holds no control characters of a dump', () => {
    const odd = { ...dump, crashed: { name: `a\u0000b\n${'c'.repeat(400)}`, version: undefined } };
    assert.equal(mergedRow(event({ source: 'app' }), odd, receipt).moduleName, `ab${'c'.repeat(253)}`);
  });
});

describe('the frames of a crash', () => {
  it('are the event’s own if there are any', () => {
    assert.equal(givesFrames(event({ frames: [] })), false);
    assert.equal(givesFrames(event({ frames: [{ image: 'a' }] })), true);
  });
});

describe('the hash of a body', () => {
  it('differs with query, event and file', () => {
    const hashes = [
      bodyHash({ source: undefined, applicationId: undefined }, { event: '{}', hash: 'a' }),
      bodyHash({ source: undefined, applicationId: undefined }, { event: '{} ', hash: 'a' }),
      bodyHash({ source: undefined, applicationId: undefined }, { event: '{}', hash: 'b' }),
      bodyHash({ source: 'app', applicationId: '{}' }, { event: undefined, hash: 'a' }),
      bodyHash({ source: 'app', applicationId: undefined }, { event: '{}', hash: 'a' }),
    ];
    assert.equal(new Set(hashes).size, hashes.length);
  });
});
