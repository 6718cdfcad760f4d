/**
 * Every report of every programme through the command as a user runs it: A has random rows of all datasets and crash
 * files, B the copies, and questions to both give the same rows. Once in either form of rows.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Client, FileReportName } from '@storelens/client';
import { datasets, mirrorTables, type ReportEntry, reports } from '@storelens/contract';
import { rowDay } from '@storelens/server/test-oracle/dates';
import { now, someProducts, someRows, today } from '@storelens/server/test-oracle/generate-data';
import { queryOf, someAsk } from '@storelens/server/test-oracle/generate-query';
import { bodyOf, type PostedRow } from '@storelens/server/test-oracle/posted';
import { Dice } from '@storelens/server/test-oracle/random';
import { analyticsBase, Wire } from '@storelens/server/test-oracle/wire';
import { rowsIn, same } from '../mirror-compare.js';
import { type Lab, startLab } from '../mirror-lab.js';

const seed = Number(process.env.STORELENS_TEST_SEED ?? randomInt(1_000_000_000));
const days = 5;
const requests = 150;
const products = someProducts('M')
  .filter(({ id }) => !/Driver|Desktop|9Maddon|9MMixed/i.test(id))
  .map(({ parentId, ...product }) => (parentId === null ? product : { ...product, parentId }));
const oracleProducts = products.map((product) => ({ parentId: null, ...product }));
const programmes = ['app', 'desktop', 'driver', 'ihvdriver', 'hardware'] as const;

/** Rows of a dataset within the days; reviews never take each other's place. */
function rowsOf(name: string, dice: Dice): readonly PostedRow[] {
  const entry = datasets[name];
  assert.ok(entry);
  return someRows(entry, name === 'failures' ? 90 : 60, oracleProducts, dice).map((row, index) => {
    const day = rowDay(today - dice.whole(0, days - 1));
    const hour = String(dice.whole(0, day === rowDay(today) ? 11 : 23)).padStart(2, '0');
    const time = entry.time === 'date' ? day : `${day}T${hour}:00:00Z`;
    const id = name === 'reviews' ? { id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}` } : {};
    return { ...row, ...id, [entry.time]: time };
  });
}

/** A crash file of every programme. */
async function sendFiles({ source }: Lab): Promise<void> {
  const cab = await readFile(
    new URL('../../../../server/test/crash-samples/report-stored.cab', import.meta.url),
  );
  for (const [index, programme] of programmes.entries()) {
    const kind = programme === 'app' || programme === 'desktop' ? programme : 'driver';
    const applicationId = products.find((product) => product.kind === kind)?.id;
    const timestamp = new Date(now - (index + 1) * 3_600_000).toISOString();
    const event = { source: programme, applicationId, timestamp, deviceId: 'd-1', market: 'US' };
    const form = new FormData();
    form.set('event', JSON.stringify(event));
    form.set('file', new Blob([new Uint8Array(cab)]), 'crash.cab');
    const answer = await source.request('/ingest/v1/crashes', { method: 'POST', body: form });
    await answer.body?.cancel();
  }
}

interface Detail {
  readonly entry: ReportEntry;
  readonly scope: string;
  readonly row: Readonly<Record<string, unknown>>;
}

async function tokenOf(client: Client): Promise<string> {
  return (await client.token()).value;
}

for (const shape of ['2018', '2022'] as const) {
  test(`a copy of a source with rows of ${shape} answers all reports as it does (seed ${seed})`, async (context) => {
    const lab = await startLab(context, {
      ...{ now, products, together: true },
      args: ['--row-shape', shape],
      targetArgs: ['--row-shape', shape],
    });
    const source = new Wire(lab.server.url, await tokenOf(lab.source));
    const target = new Wire(lab.copies.url, await tokenOf(lab.target));
    context.after(() => {
      source.close();
      target.close();
    });
    for (const name of Object.keys(datasets)) {
      const rows = bodyOf(rowsOf(name, new Dice('reports', seed, name)), 'ndjson');
      const answer = await source.post(`/ingest/v1/${name}`, rows, 'application/x-ndjson');
      assert.equal(answer.status, 200, answer.body);
    }
    await sendFiles(lab);

    const entries = Object.values(mirrorTables).map(({ report }) => report);
    const ofKind = (kind: string) => products.filter((one) => one.kind === kind).map(({ id }) => id);
    const config = join(lab.place.folder, 'all.json');
    await writeFile(
      config,
      JSON.stringify({
        ...{ source: 'source', since: '12d', pace: 0, reports: entries.map(({ name }) => name) },
        products: { app: ofKind('app'), desktop: ofKind('desktop'), driver: ofKind('driver') },
      }),
    );
    const ran = await lab.mirror(['--once', '--config', config]);
    assert.deepEqual([ran.err, ran.code], ['', 0], ran.out);

    const details: Detail[] = [];
    const asked = new Map<string, number>();
    const told = { equal: 0, bound: 0, unknown: 0 };
    const compare = async (entry: ReportEntry, query: string) => {
      const path = `${analyticsBase}${entry.name}?${query}`;
      const [want, got] = [await source.get(path), await target.get(path)];
      assert.deepEqual([got.status, want.status], [want.status, 200], `${path}\n${want.body}\n${got.body}`);
      told[same(want.body, got.body, got.notice ?? '', path)] += 1;
      const rows = rowsIn(want.body);
      asked.set(entry.name, (asked.get(entry.name) ?? 0) + rows.length);
      return rows;
    };
    const range = `startDate=${rowDay(today - 11)}&endDate=${rowDay(today)}`;
    for (const entry of entries) {
      for (const scope of scopesOf(entry)) {
        if (entry.steps !== undefined) {
          for (let back = 11; back >= 0; back -= 1) {
            await compare(entry, `${scope}startDate=${rowDay(today - back)}&endDate=${rowDay(today - back)}`);
          }
          continue;
        }
        for (const lookup of await lookupsOf(source, entry, scope, range)) {
          const plain = `${scope}${lookup}${range}&top=${entry.paging?.maxTop ?? 10}`;
          const rows = await compare(entry, plain);
          if (entry.lookups !== undefined) details.push(...rows.map((row) => ({ entry, scope, row })));
          if (!entry.groupby) continue;
          const all = entry.fields.filter(({ groupby }) => groupby).map(({ name }) => name);
          for (const level of entry.levels.filter((one) => one !== 'hour')) {
            await compare(entry, `${plain}&aggregationLevel=${level}&groupby=${all.join(',')}`);
          }
        }
      }
    }
    for (let number = 0; number < requests; number += 1) {
      const dice = new Dice('ask', seed, number);
      const entry = entries[number % entries.length];
      assert.ok(entry);
      if (entry.lookups !== undefined || entry.steps !== undefined) continue;
      const ask = someAsk(entry, oracleProducts, dice, undefined, shape);
      if (ask.level?.toLowerCase() === 'hour') continue;
      await compare(entry, queryOf({ ...ask, start: rowDay(today - 11), end: rowDay(today) }));
    }
    assert.deepEqual(
      entries.filter(({ name }) => (asked.get(name) ?? 0) === 0).map(({ name }) => name),
      [],
      'every report had rows to compare',
    );
    context.diagnostic(JSON.stringify(told));
    assert.ok(told.equal > 100 && told.bound > 0 && (shape === '2022' || told.unknown === 0));
    assert.equal(await sameFiles(lab, source, target, details), programmes.length);
  });
}

/** The products that a report is asked about, as the beginning of a query. */
function scopesOf({ identity }: ReportEntry): readonly string[] {
  if (identity.needs === 'none') return [''];
  const kind = identity.parameters.find(({ name }) => name === 'applicationId')?.kind;
  return products.filter((one) => one.kind === kind).map(({ id }) => `applicationId=${id}&`);
}

/** The failures that a report of details is asked about; nothing for others. */
async function lookupsOf(
  source: Wire,
  entry: ReportEntry,
  scope: string,
  range: string,
): Promise<readonly string[]> {
  if (entry.lookups === undefined) return [''];
  const hits = entry.name.replace('failuredetails', 'failurehits');
  const answer = await source.get(`${analyticsBase}${hits}?${scope}${range}&groupby=failureHash&top=10000`);
  const hashes = new Set(rowsIn(answer.body).map(({ failureHash }) => String(failureHash)));
  return [...hashes].filter(Boolean).map((hash) => `failureHash=${encodeURIComponent(hash)}&`);
}

/** Stacks and files answer to the identifiers that rows of details have. Returns how many files were compared. */
async function sameFiles(lab: Lab, source: Wire, target: Wire, details: readonly Detail[]): Promise<number> {
  let files = 0;
  for (const { entry, scope, row } of details) {
    for (const kind of ['stacktrace', 'cabdownload'] as const) {
      const report = reports[entry.name.replace('failuredetails', kind)];
      const parameter = report?.lookups?.[0]?.parameter;
      const id = parameter === undefined ? '' : String(row[parameter] ?? '');
      if (report === undefined || parameter === undefined || id === '') continue;
      const path = `${analyticsBase}${report.name}?${scope}${parameter}=${encodeURIComponent(id)}`;
      const [want, got] = [await source.get(path), await target.get(path)];
      if (kind === 'stacktrace') assert.equal(got.body, want.body, path);
      else if (want.status !== 302) assert.notEqual(got.status, 302, path);
      else {
        const parameters = Object.fromEntries(new URLSearchParams(path.slice(path.indexOf('?'))));
        const [wanted, had] = await Promise.all(
          [lab.source, lab.target].map(async (client) => {
            const { body } = await client.download(report.name as FileReportName, parameters as never);
            return Buffer.from(await new Response(body).arrayBuffer());
          }),
        );
        assert.deepEqual(had, wanted, path);
        files += 1;
      }
    }
  }
  return files;
}
