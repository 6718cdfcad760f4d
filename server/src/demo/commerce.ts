/**
 * Rows of the listing and the store: page views, acquisitions, installs, use. Each generator gives the rows of one
 * app and one whole UTC day, in no particular order; keys are those of the datasets, missing values are left out.
 */
import { dayMs, dayOf, dayText, hourMs, mood, release, rhythm, season } from './calendar.js';
import { Chance, type Table, table } from './chance.js';
import { amounts } from './money.js';
import type { DemoAddon, DemoApp } from './publisher.js';
import { moment, type Visit, type Visits } from './visits.js';

/** A row of a dataset; keys whose value is undefined are not sent. */
export type Row = Readonly<Record<string, string | number | boolean | object | undefined>>;

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

/** What one add-on sale is made of. */
interface Sale {
  readonly addon: DemoAddon;
  readonly owner: Visit;
  readonly viewed: number;
  /** Undefined: the customer only looked. */
  readonly bought: number | undefined;
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
    if (owner !== undefined) list.push({ addon, owner, viewed, bought: buys ? bought : undefined });
  }
  return list;
}

/** A view of a listing, the app's own or that of an add-on. The channel type follows from it at ingestion. */
function view(app: DemoApp, visit: Visit, at: number, addon: DemoAddon | undefined): Row {
  return {
    timestamp: iso(at),
    applicationId: app.id,
    inAppProductId: addon?.id,
    userId: visit.userId,
    customCampaignId: visit.customCampaignId,
    referrerUriDomain: visit.referrerUriDomain,
    deviceType: visit.deviceType,
    market: visit.market,
    gender: visit.gender,
    ageGroup: visit.ageGroup,
  };
}

/** Rows of `pageviews`: the app's listing (some people look twice), then those of its add-ons. */
export function* pageviews(visits: Visits, app: DemoApp, day: number): Generator<Row> {
  const chance = new Chance(`${visits.seed}/${app.id}/pageviews/${day}`);
  for (const visit of visits.on(app, day)) {
    yield view(app, visit, visit.at, undefined);
    if (!chance.happens(0.16)) continue;
    const again = visit.at + chance.whole(30_000, 3_600_000);
    yield view(app, visit, Math.min(day * dayMs + dayMs - 1, again), undefined);
  }
  for (const { addon, owner, viewed } of sales(visits, app, day)) yield view(app, owner, viewed, addon);
}

/** Rows of `acquisitions`: licences of the app, then sales of its add-ons. */
export function* acquisitions(visits: Visits, app: DemoApp, day: number): Generator<Row> {
  for (const visit of visits.on(app, day)) {
    if (visit.licence === undefined) continue;
    const { at, acquisitionType, storeClient, orderName, quantity } = visit.licence;
    yield {
      timestamp: iso(at),
      applicationId: app.id,
      userId: visit.userId,
      acquisitionType,
      quantity: quantity === 1 ? undefined : quantity,
      deviceType: visit.deviceType,
      osVersion: visit.osVersion,
      storeClient,
      orderName,
      market: visit.market,
      gender: visit.gender,
      ageGroup: visit.ageGroup,
      customCampaignId: visit.customCampaignId,
      referrerUriDomain: visit.referrerUriDomain,
      ...(acquisitionType === 'Paid' && amounts(app.price, quantity, visit.market)),
    };
  }
  for (const { addon, owner, bought } of sales(visits, app, day)) {
    if (bought === undefined) continue;
    yield {
      timestamp: iso(bought),
      applicationId: app.id,
      inAppProductId: addon.id,
      userId: owner.userId,
      acquisitionType: addon.price === 0 ? 'free' : 'iap',
      deviceType: owner.deviceType,
      osVersion: owner.osVersion,
      storeClient: owner.deviceType === 'Phone' ? 'Windows Phone Store (client)' : 'Microsoft Store (client)',
      market: owner.market,
      gender: owner.gender,
      ageGroup: owner.ageGroup,
      customCampaignId: owner.customCampaignId,
      referrerUriDomain: owner.referrerUriDomain,
      ...amounts(addon.price, 1, owner.market),
    };
  }
}

/** An attempt to install. */
function attempt(app: DemoApp, visit: Visit, at: number, successful: false | undefined): Row {
  return {
    timestamp: iso(at),
    applicationId: app.id,
    deviceId: visit.deviceId,
    userId: visit.userId,
    successful,
    packageVersion: visit.packageVersion,
    deviceType: visit.deviceType,
    osVersion: visit.osVersion,
    market: visit.market,
    gender: visit.gender,
    ageGroup: visit.ageGroup,
    customCampaignId: visit.customCampaignId,
  };
}

/** Rows of `installs`: failed attempts and successful ones. */
export function* installs(visits: Visits, app: DemoApp, day: number): Generator<Row> {
  for (const visit of visits.on(app, day)) {
    if (visit.failed !== undefined) yield attempt(app, visit, visit.failed, false);
    if (visit.installed !== undefined) yield attempt(app, visit, visit.installed, undefined);
  }
}

/** What is told of a customer's use of the app. */
interface Session {
  readonly at: number;
  /** Whether the customer is named, or the device alone. */
  readonly named: boolean;
  readonly sessions: number;
  readonly seconds: number;
  readonly version: string;
}

function session(app: DemoApp, visit: Visit, { at, named, sessions, seconds, version }: Session): Row {
  return {
    timestamp: iso(at),
    applicationId: app.id,
    userId: named ? visit.userId : undefined,
    deviceId: visit.deviceId,
    sessions: sessions === 1 ? undefined : sessions,
    durationSeconds: seconds,
    packageVersion: version,
    deviceType: visit.deviceType,
    osVersion: visit.osVersion,
    market: visit.market,
    gender: visit.gender,
    ageGroup: visit.ageGroup,
    customCampaignId: visit.customCampaignId,
  };
}

/**
 * Rows of `usage`: the first use of new customers, and sessions of those who come back. The made-up apps send the
 * customer's id with the first use alone; whoever comes back is known by the device.
 */
export function* usage(visits: Visits, app: DemoApp, day: number): Generator<Row> {
  const chance = new Chance(`${visits.seed}/${app.id}/usage/${day}`);
  const { version, before, age } = release(app, day);
  for (const visit of visits.users(app, day)) {
    if (visit.used === undefined) continue;
    const seconds = chance.whole(40, 1500);
    yield session(app, visit, {
      ...{ at: visit.used, named: true, sessions: 1, seconds },
      version: visit.packageVersion,
    });
  }
  const seen = new Set<string | undefined>();
  const returning = app.visits * rhythm(app, day) * 0.62 * (0.75 + 0.25 * mood(app, day));
  for (let left = chance.count(returning); left > 0; left -= 1) {
    const visit = visits.earlier(app, day, chance);
    const at = day * dayMs + moment(chance, app);
    const sessions = chance.whole(1, 4);
    const seconds = sessions * chance.whole(60, 1400);
    // The newest version reaches nearly everybody within two weeks.
    const updated = chance.happens(Math.min(0.96, 0.18 + 0.07 * age));
    if (visit === undefined || seen.has(visit.deviceId)) continue;
    seen.add(visit.deviceId);
    yield session(app, visit, {
      ...{ at, named: false, sessions, seconds },
      version: updated ? version : before,
    });
  }
}
