import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { datasets } from '@storelens/contract';
import { dayMs, dayOf, hourMs } from './calendar.js';
import type { Row } from './commerce.js';
import { createGenerators, demoDatasets, ndjson, type Span } from './generate.js';
import { demoApps } from './publisher.js';

const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
const span = (from: number, to: number, first = true): Span => ({ from, to, first });
const week = span(day('2026-11-09'), day('2026-11-16'));
const all = (dataset: string, of: Span, seed?: string) => [...createGenerators(seed).rows(dataset, of)];

function hashes(of: Span, seed?: string): Record<string, string> {
  const generators = createGenerators(seed);
  return Object.fromEntries(
    demoDatasets.map((dataset) => {
      const hash = createHash('sha256');
      for (const piece of ndjson(generators.rows(dataset, of))) hash.update(piece);
      return [dataset, hash.digest('hex')];
    }),
  );
}

test('the same seed and span give the same bytes, another seed gives others', () => {
  const first = hashes(week);
  assert.deepEqual(hashes(week), first);
  const others = hashes(week, 'another seed');
  for (const dataset of demoDatasets) assert.notEqual(others[dataset], first[dataset], dataset);
});

test('the order in which datasets are asked for does not change them', () => {
  const generators = createGenerators();
  const [late, early] = [[...generators.rows('usage', week)], [...generators.rows('pageviews', week)]];
  assert.deepEqual(late, all('usage', week));
  assert.deepEqual(early, all('pageviews', week));
});

test('spans cut at any hours give every event once', () => {
  const cuts = [week.from, week.from + 5 * hourMs, week.from + 2 * dayMs + 13 * hourMs, week.to];
  for (const dataset of ['pageviews', 'acquisitions', 'installs', 'usage', 'ratings']) {
    const parts = cuts.slice(1).flatMap((to, index) => all(dataset, span(cuts[index] ?? 0, to, index === 0)));
    const sorted = (rows: Row[]) => rows.map((row) => JSON.stringify(row)).sort();
    assert.deepEqual(sorted(parts), sorted(all(dataset, week)), dataset);
  }
});

test('datasets that replace end in the same state however the time is cut', () => {
  const keys: Readonly<Record<string, (row: Row) => string>> = {
    adperformance: (row) => [row.date, row.adUnitId, row.deviceType, row.market].join(),
    campaigns: (row) => [row.date, row.campaignId, row.lineId].join(),
    reviews: (row) => String(row.id),
  };
  const cuts = [week.from, week.from + 5 * hourMs, week.from + 3 * dayMs + 13 * hourMs, week.to];
  for (const [dataset, key] of Object.entries(keys)) {
    const state = (rows: Row[]) => new Map(rows.map((row) => [key(row), row]));
    const parts = cuts.slice(1).flatMap((to, index) => all(dataset, span(cuts[index] ?? 0, to, index === 0)));
    const [piecewise, whole] = [state(parts), state(all(dataset, week))];
    assert.ok(whole.size > 0, dataset);
    assert.deepEqual(new Map([...piecewise].sort()), new Map([...whole].sort()), dataset);
  }
});

test('rows have the keys of their dataset, its required ones, and stay within their span', () => {
  const cut = span(week.from + 7 * hourMs, week.from + 31 * hourMs);
  for (const dataset of demoDatasets) {
    const entry = datasets[dataset];
    assert.ok(entry, dataset);
    const known = new Set(entry.columns.map((column) => column.name));
    for (const row of all(dataset, cut)) {
      for (const key of Object.keys(row)) assert.ok(known.has(key), `${dataset}: ${key}`);
      for (const { name, required } of entry.columns) {
        if (required) assert.ok(row[name] !== undefined, `${dataset}: ${name} is missing`);
      }
      const at = Date.parse(String(row.timestamp ?? row.date));
      const from = row.date === undefined ? cut.from : dayOf(cut.from) * dayMs;
      assert.ok(at >= from && at < cut.to, `${dataset}: ${row.timestamp ?? row.date}`);
    }
  }
});

test('the funnel falls on every day and in every market, strictly over a week', () => {
  const steps = ['pageviews', 'acquisitions', 'installs', 'usage'].map((dataset) => {
    const users = new Map<string, Set<unknown>>();
    for (const row of all(dataset, week)) {
      if (row.inAppProductId !== undefined || row.userId === undefined || row.successful === false) continue;
      const at = String(row.timestamp).slice(0, 10);
      for (const key of [`${row.applicationId}`, `${row.applicationId} ${at} ${row.market}`]) {
        users.set(key, (users.get(key) ?? new Set()).add(row.userId));
      }
    }
    return users;
  });
  for (const step of [1, 2, 3]) {
    for (const [key, users] of steps[step] ?? []) {
      for (const user of users) assert.ok(steps[step - 1]?.get(key)?.has(user), `${key} ${user}`);
    }
  }
  for (const { id } of demoApps) {
    const sizes = steps.map((users) => users.get(id)?.size ?? 0);
    for (const step of [1, 2, 3]) assert.ok((sizes[step] ?? 0) < (sizes[step - 1] ?? 0), `${id}: ${sizes}`);
    assert.ok((sizes[3] ?? 0) > 0, `${id}: ${sizes}`);
  }
});

const year = span(day('2025-11-22'), day('2026-11-22') + 14 * hourMs);
const generators = createGenerators();

/** Rows of a year by app and a second key. */
function count(dataset: string, key: (row: Row, at: Date) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of generators.rows(dataset, year)) {
    const name = `${row.applicationId} ${key(row, new Date(String(row.timestamp)))}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

test('a year has a weekly rhythm: notes are taken on workdays, karts race at weekends', () => {
  const visits = count('pageviews', (_, at) => (at.getUTCDay() % 6 === 0 ? 'weekend' : 'workday'));
  const ratio = (id: string) =>
    (visits.get(`${id} weekend`) ?? 0) / 2 / ((visits.get(`${id} workday`) ?? 0) / 5);
  assert.ok(ratio('9PHBRNOTES01') < 0.65, String(ratio('9PHBRNOTES01')));
  assert.ok(ratio('9PKSTRLKRT02') > 1.25, String(ratio('9PKSTRLKRT02')));
});

test('ratings dip after a bad release and come back', () => {
  const [sums, counts] = [new Map<string, number>(), new Map<string, number>()];
  for (const row of generators.rows('ratings', year)) {
    const month = `${row.applicationId} ${Math.floor((Date.parse(String(row.timestamp)) - year.from) / (14 * dayMs))}`;
    sums.set(month, (sums.get(month) ?? 0) + Number(row.rating));
    counts.set(month, (counts.get(month) ?? 0) + 1);
  }
  for (const app of demoApps) {
    const means = [...counts]
      .filter(([key, n]) => key.startsWith(app.id) && n >= 8)
      .map(([key, n]) => (sums.get(key) ?? 0) / n);
    assert.ok(
      Math.max(...means) > 4.2 && Math.min(...means) < 3.3,
      `${app.id}: ${means.map((mean) => mean.toFixed(1))}`,
    );
    assert.ok((means.at(0) ?? 0) > 0);
  }
});

test('markets have a long tail, campaigns come and go, and every app sells', () => {
  const visits = count('pageviews', (row) => String(row.market));
  const byMarket = [...visits]
    .filter(([key]) => key.startsWith('9PHBRNOTES01'))
    .map(([, n]) => n)
    .sort((a, b) => b - a);
  assert.ok(byMarket.length > 45 && (byMarket[0] ?? 0) > 20 * (byMarket[30] ?? 0), byMarket.join());
  const links = count('pageviews', (row) => `${row.customCampaignId ?? ''}`);
  for (const app of demoApps)
    for (const { campaignId } of app.links) assert.ok((links.get(`${app.id} ${campaignId}`) ?? 0) > 50);
  const sold = count('acquisitions', (row) => String(row.inAppProductId ?? 'app'));
  for (const app of demoApps) {
    for (const { id } of [{ id: 'app' }, ...app.addons])
      assert.ok((sold.get(`${app.id} ${id}`) ?? 0) > 50, id);
  }
});

test('money is exact to six places and always comes with its currency', () => {
  let paid = 0;
  for (const row of generators.rows('acquisitions', year)) {
    if (row.purchasePriceUSDAmount === undefined) continue;
    paid += 1;
    assert.match(String(row.localCurrencyCode), /^[A-Z]{3}$/);
    for (const key of [
      'purchasePriceUSDAmount',
      'purchasePriceLocalAmount',
      'purchaseTaxUSDAmount',
      'purchaseTaxLocalAmount',
    ]) {
      assert.match(String(row[key]), /^\d+(\.\d{1,6})?$/);
    }
    assert.ok(Number(row.purchaseTaxLocalAmount) < Number(row.purchasePriceLocalAmount));
  }
  assert.ok(paid > 3000, String(paid));
});

test('some reviews are answered, and only after they were written', () => {
  const rows = [...generators.rows('reviews', year)];
  const answered = rows.filter((row) => row.responseDate !== undefined);
  assert.ok(
    answered.length > 60 && answered.length < rows.length / 2,
    `${answered.length} of ${rows.length}`,
  );
  for (const row of answered) assert.ok(String(row.responseDate) > String(row.timestamp));
  assert.equal(new Set(rows.map((row) => row.id)).size, rows.length);
});
