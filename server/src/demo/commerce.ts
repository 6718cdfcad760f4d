/**
 * Rows of the listing and the store: page views, acquisitions, installs, use. Each generator gives the rows of one
 * app and one whole UTC day, in no particular order; keys are those of the datasets, missing values are left out.
 */
import { dayMs, dayOf, dayText, hourMs, mood, release, rhythm, season } from './calendar.js';
import { Chance, type Table, table } from './chance.js';
import { amounts } from './money.js';
import type { DemoAddon, DemoApp } from './publisher.js';
import { moment, type Visit, type Visits } from './visits.js';

/** A row of a dataset. */
export type Row = Readonly<Record<string, string | number | boolean>>;

const two = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

/** A time as ISO 8601; a Date's own method takes four times as long, and a year has many events. */
export function iso(milliseconds: number): string {
  const day = dayOf(milliseconds);
  const rest = milliseconds - day * dayMs;
  const [hour, minute, second] = [
    two[Math.floor(rest / hourMs)],
    two[Math.floor(rest / 60_000) % 60],
    two[Math.floor(rest / 1000) % 60],
  ];
  return `${dayText(day)}T${hour}:${minute}:${second}.${String(rest % 1000).padStart(3, '0')}Z`;
}

/** The keys that every row about a customer shares. */
function person(visit: Visit) {
  const { market, deviceType, osVersion, gender, ageGroup } = visit;
  return { deviceType, osVersion, market, gender, ageGroup };
}

/** Who showed the customer the way; the channel type follows from it at ingestion. */
function channel(visit: Visit) {
  return {
    ...(visit.customCampaignId !== undefined && { customCampaignId: visit.customCampaignId }),
    ...(visit.referrerUriDomain !== undefined && { referrerUriDomain: visit.referrerUriDomain }),
  };
}

/** What one add-on sale is made of. */
interface Sale {
  readonly addon: DemoAddon;
  readonly owner: Visit;
  readonly viewed: number;
  /** Absent: the customer only looked. */
  readonly bought?: number;
}

/** The add-ons on sale on a day; a new season pass starts with a rush. */
function shelf(app: DemoApp, day: number): Table<DemoAddon> {
  const { half, age } = season(day);
  return table(
    ...app.addons
      .filter((addon) => addon.season === undefined || addon.season === half)
      .map((addon) => {
        const rush = addon.season === undefined ? 1 : age < 14 ? 3.5 - age / 6 : 0.8;
        return [addon, addon.weight * rush] as const;
      }),
  );
}

/** Looks at add-ons and sales of them, by customers of earlier days. */
function sales(visits: Visits, app: DemoApp, day: number): readonly Sale[] {
  const chance = new Chance(`${visits.seed}/${app.id}/addons/${day}`);
  const shelves = shelf(app, day);
  const fresh = app.addons.some((addon) => addon.season !== undefined) && season(day).age < 14 ? 1.8 : 1;
  const expected = app.addonSales * rhythm(app, day) * fresh * (0.7 + 0.3 * mood(app, day));
  const list: Sale[] = [];
  for (let left = chance.count(expected * 2.1); left > 0; left -= 1) {
    const owner = visits.earlier(app, day, chance);
    const addon = chance.pick(shelves);
    const viewed = day * dayMs + moment(chance, app);
    const buys = chance.happens(addon.price > 1000 ? 0.34 : 0.5);
    const bought = Math.min(day * dayMs + dayMs - 1, viewed + chance.whole(5_000, 300_000));
    if (owner !== undefined) list.push({ addon, owner, viewed, ...(buys && { bought }) });
  }
  return list;
}

/** Rows of `pageviews`: the app's listing (some people look twice), then those of its add-ons. */
export function* pageviews(visits: Visits, app: DemoApp, day: number): Generator<Row> {
  const chance = new Chance(`${visits.seed}/${app.id}/pageviews/${day}`);
  for (const visit of visits.on(app, day)) {
    const { osVersion: _, ...viewer } = person(visit);
    const shared = {
      applicationId: app.id,
      ...(visit.userId !== undefined && { userId: visit.userId }),
      ...channel(visit),
      ...viewer,
    };
    yield { timestamp: iso(visit.at), ...shared };
    if (chance.happens(0.16)) {
      const again = Math.min(day * dayMs + dayMs - 1, visit.at + chance.whole(30_000, 3_600_000));
      yield { timestamp: iso(again), ...shared };
    }
  }
  for (const { addon, owner, viewed } of sales(visits, app, day)) {
    const { osVersion: _, ...viewer } = person(owner);
    yield {
      timestamp: iso(viewed),
      applicationId: app.id,
      inAppProductId: addon.id,
      ...(owner.userId !== undefined && { userId: owner.userId }),
      ...channel(owner),
      ...viewer,
    };
  }
}

/** Rows of `acquisitions`: licences of the app, then sales of its add-ons. */
export function* acquisitions(visits: Visits, app: DemoApp, day: number): Generator<Row> {
  for (const visit of visits.on(app, day)) {
    if (visit.acquired === undefined || visit.userId === undefined) continue;
    const quantity = visit.quantity ?? 1;
    yield {
      timestamp: iso(visit.acquired),
      applicationId: app.id,
      userId: visit.userId,
      acquisitionType: visit.acquisitionType ?? 'Free',
      ...(quantity !== 1 && { quantity }),
      ...person(visit),
      storeClient: visit.storeClient ?? 'Other',
      ...(visit.orderName !== undefined && { orderName: visit.orderName }),
      ...channel(visit),
      ...(visit.acquisitionType === 'Paid' && amounts(app.price, quantity, visit.market)),
    };
  }
  for (const { addon, owner, bought } of sales(visits, app, day)) {
    if (bought === undefined || owner.userId === undefined) continue;
    yield {
      timestamp: iso(bought),
      applicationId: app.id,
      inAppProductId: addon.id,
      userId: owner.userId,
      acquisitionType: addon.price === 0 ? 'free' : 'iap',
      ...person(owner),
      storeClient: owner.deviceType === 'Phone' ? 'Windows Phone Store (client)' : 'Microsoft Store (client)',
      ...channel(owner),
      ...amounts(addon.price, 1, owner.market),
    };
  }
}

/** Rows of `installs`: failed attempts and successful ones. */
export function* installs(visits: Visits, app: DemoApp, day: number): Generator<Row> {
  for (const visit of visits.on(app, day)) {
    const attempts = [
      ...(visit.failed === undefined ? [] : [{ at: visit.failed, successful: false }]),
      ...(visit.installed === undefined ? [] : [{ at: visit.installed, successful: true }]),
    ];
    for (const { at, successful } of attempts) {
      yield {
        timestamp: iso(at),
        applicationId: app.id,
        deviceId: visit.deviceId,
        ...(visit.userId !== undefined && { userId: visit.userId }),
        ...(!successful && { successful }),
        packageVersion: visit.packageVersion,
        ...person(visit),
        ...(visit.customCampaignId !== undefined && { customCampaignId: visit.customCampaignId }),
      };
    }
  }
}

/**
 * Rows of `usage`: the first use of new customers, and sessions of those who come back. The made-up apps send the
 * customer's id with the first use alone; whoever comes back is known by the device.
 */
export function* usage(visits: Visits, app: DemoApp, day: number): Generator<Row> {
  const chance = new Chance(`${visits.seed}/${app.id}/usage/${day}`);
  const { version, before, age } = release(app, day);
  for (const visit of visits.on(app, day)) {
    if (visit.used === undefined || visit.userId === undefined) continue;
    yield {
      timestamp: iso(visit.used),
      applicationId: app.id,
      userId: visit.userId,
      deviceId: visit.deviceId,
      durationSeconds: chance.whole(40, 1500),
      packageVersion: visit.packageVersion,
      ...person(visit),
      ...(visit.customCampaignId !== undefined && { customCampaignId: visit.customCampaignId }),
    };
  }
  const seen = new Set<string>();
  const returning = app.visits * rhythm(app, day) * 0.62 * (0.75 + 0.25 * mood(app, day));
  for (let left = chance.count(returning); left > 0; left -= 1) {
    const visit = visits.earlier(app, day, chance);
    const at = day * dayMs + moment(chance, app);
    const sessions = chance.whole(1, 4);
    const durationSeconds = sessions * chance.whole(60, 1400);
    // The newest version reaches nearly everybody within two weeks.
    const packageVersion = chance.happens(Math.min(0.96, 0.18 + 0.07 * age)) ? version : before;
    if (visit === undefined || seen.has(visit.deviceId)) continue;
    seen.add(visit.deviceId);
    yield {
      timestamp: iso(at),
      applicationId: app.id,
      deviceId: visit.deviceId,
      sessions,
      durationSeconds,
      packageVersion,
      ...person(visit),
      ...(visit.customCampaignId !== undefined && { customCampaignId: visit.customCampaignId }),
    };
  }
}
