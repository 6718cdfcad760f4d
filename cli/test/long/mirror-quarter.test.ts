/**
 * A quarter of mirroring, once from either form of rows: A forgets failures after 30 days and gets late data, the mirror
 * and B are killed now and then, and in the end B answers what A did, and still what A has forgotten.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { unlisted } from '@storelens/client';
import { literalReports, type ReportEntry } from '@storelens/contract';
import { type Lab, startLab } from '../mirror-lab.js';

const app = '9NBLGGGZ5QDR';
const day = 86_400_000;
const start = Date.UTC(2016, 2, 1, 12);
const products = [{ kind: 'app', id: app, name: 'Contoso Demo' }] as const;
/** Runs, and days between them. Days that a run finds recent are read again by the next, before A forgets them. */
const visits = 6;
const between = 15;

const iso = (time: number) => new Date(time).toISOString();

/** What happened in some days, and some late data of the week before. */
function events(from: number, to: number) {
  const acquisitions: object[] = [];
  const failures: object[] = [];
  for (let time = from - 7 * day, index = 0; time <= to; time += day / 2, index += 1) {
    if (time < start || (time < from && index % 5 !== 0)) continue;
    const common = { applicationId: app, timestamp: iso(time), market: ['US', 'DE', "O'B"][index % 3] };
    if (index % 4 !== 3) acquisitions.push({ ...common, deviceType: 'PC', quantity: (index % 7) + 1 });
    const failureName = `BREAK_8000000${index % 2}_app.exe!f`;
    failures.push({ ...common, source: 'app', deviceId: `d-${index % 6}`, failureName, eventType: 'crash' });
  }
  return { acquisitions, failures };
}

function fieldsOf({ fields }: ReportEntry): readonly string[] {
  return fields.filter(({ groupby, role }) => groupby || role === 'date').map(({ name }) => name);
}

type Rows = readonly Readonly<Record<string, unknown>>[];

async function ask(
  client: Lab['source'],
  name: string,
  from: number,
  to: number,
  more: object,
): Promise<Rows> {
  const parameters = {
    applicationId: app,
    startDate: iso(from).slice(0, 10),
    endDate: iso(to).slice(0, 10),
    ...more,
  };
  return (await client.rows(unlisted(name), parameters).toArray()) as Rows;
}

function byDay(rows: Rows): Map<string, Rows> {
  const days = new Map<string, Rows>();
  for (const row of rows) {
    const key = String(row.date).slice(0, 10);
    days.set(key, [...(days.get(key) ?? []), row]);
  }
  return days;
}

for (const shape of ['2018', '2022'] as const) {
  test(`after a quarter the copy of a source with rows of ${shape} has all that it ever answered`, async (context) => {
    const args = ['--row-shape', shape, '--limit-failure-days', '30'];
    const lab = await startLab(context, { now: start, args, products });
    const run = [
      ...['--once', '--source', 'source', '--app', app, '--pace', '0', '--since', '2016-03-01'],
      ...['--report', 'appacquisitions', '--report', 'failurehits', '--report', 'failuredetails'],
    ];
    const grain = { groupby: fieldsOf(literalReports.failurehits), top: 10_000 };
    const answered = new Map<string, Rows>();
    const cab = await readFile(
      new URL('../../../../server/test/crash-samples/report-stored.cab', import.meta.url),
    );
    let cabId = '';
    for (let visit = 0; visit < visits; visit += 1) {
      const from = start + visit * between * day;
      const to = from + (between - 1) * day;
      lab.setTime(to);
      const { acquisitions, failures } = events(from, to);
      await post(lab, 'acquisitions', acquisitions);
      await post(lab, 'failures', failures);
      if (visit === 0) cabId = await upload(lab, cab, from + day);
      const recent = await ask(lab.source, 'failurehits', to - 29 * day, to, grain);
      for (const [date, rows] of byDay(recent)) answered.set(date, rows);
      if (visit === 2) await lab.killTarget();
      if (visit % 2 === 1) {
        const delay = 1500 + 700 * visit;
        await lab.mirror(run, { started: (process) => setTimeout(() => process.kill('SIGKILL'), delay) });
      }
      const { code, err } = await lab.mirror(run);
      assert.deepEqual([code, err], [0, '']);
    }
    const end = start + visits * between * day - day;
    const grouped = { groupby: fieldsOf(literalReports.appacquisitions) };
    for (const more of [grouped, { groupby: ['date', 'market'], aggregationLevel: 'week' }]) {
      const wanted = await ask(lab.source, 'appacquisitions', start, end, more);
      assert.ok(wanted.length > 10);
      assert.deepEqual(await ask(lab.target, 'appacquisitions', start, end, more), wanted);
    }
    const had = byDay(await ask(lab.target, 'failurehits', start, end, grain));
    assert.deepEqual([...had.keys()].sort(), [...answered.keys()].sort());
    assert.ok(answered.size > 80);
    for (const [date, rows] of answered) assert.deepEqual(had.get(date), rows, date);
    const forgotten = await ask(lab.source, 'failurehits', start, start + 20 * day, grain);
    assert.deepEqual(forgotten, [], 'A has forgotten them');

    const parameters = { applicationId: app, cabId };
    assert.ok((await lab.target.rows('stacktrace', parameters).toArray()).length > 0);
    const file = await lab.target.download('cabdownload', parameters);
    assert.deepEqual(Buffer.from(await new Response(file.body).arrayBuffer()), cab);
  });
}

/** Sends rows to A. */
async function post({ source }: Lab, dataset: string, rows: readonly object[]): Promise<void> {
  await source.request(`/ingest/v1/${dataset}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rows),
  });
}

/** Sends a crash file to A; returns its cabId. */
async function upload({ source }: Lab, cab: Buffer, time: number): Promise<string> {
  const form = new FormData();
  form.set(
    'event',
    JSON.stringify({ source: 'app', applicationId: app, timestamp: iso(time), deviceId: 'd-1' }),
  );
  form.set('file', new Blob([new Uint8Array(cab)]), 'crash.cab');
  const answer = await source.request('/ingest/v1/crashes', { method: 'POST', body: form });
  const { cabId } = (await answer.json()) as { cabId: string };
  assert.match(cabId, /^\d{13}$/);
  assert.ok((await source.rows('stacktrace', { applicationId: app, cabId }).toArray()).length > 0);
  return cabId;
}
