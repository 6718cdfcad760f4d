/**
 * The visitors of an app's listing on one day and how far each of them goes: look, acquire, install, use. The other
 * generators draw their customers from here, so that the same person has the same market, device and campaign
 * everywhere. A later step needs the earlier one on the same day: the funnel falls in every range and under
 * every filter.
 */
import {
  cycleWeek,
  dayMs,
  drift,
  featured,
  hourMs,
  mood,
  release,
  releaseEcho,
  rhythm,
  weekday,
} from './calendar.js';
import { Chance, type Table, table } from './chance.js';
import { type DemoApp, markets } from './publisher.js';

/** One visit of a listing; times are milliseconds in UTC. Steps that are undefined did not happen. */
export interface Visit {
  readonly at: number;
  /** Undefined for signed-out visitors, who go no further. */
  readonly userId: string | undefined;
  /** Undefined for those who did not acquire. */
  readonly deviceId: string | undefined;
  readonly market: string;
  readonly deviceType: string;
  readonly osVersion: string;
  readonly gender: string;
  readonly ageGroup: string;
  readonly customCampaignId: string | undefined;
  readonly referrerUriDomain: string | undefined;
  readonly licence: Licence | undefined;
  /** A first attempt to install that failed, before `installed` or instead of it. */
  readonly failed: number | undefined;
  readonly installed: number | undefined;
  readonly used: number | undefined;
  readonly packageVersion: string;
}

/** An acquisition. */
export interface Licence {
  readonly at: number;
  readonly acquisitionType: string;
  readonly storeClient: string;
  readonly orderName: string | undefined;
  readonly quantity: number;
}

/** Weights by hour of the day, for apps that people work with and for those they play with. */
const byHour = (...weights: number[]) => table(...weights.map((weight, hour) => [hour, weight] as const));
const hours = {
  work: byHour(4, 3, 2, 2, 3, 5, 9, 16, 26, 34, 36, 33, 28, 32, 36, 36, 33, 29, 25, 23, 22, 19, 13, 7),
  play: byHour(14, 9, 6, 4, 3, 3, 5, 8, 11, 14, 17, 19, 22, 23, 24, 26, 29, 33, 38, 42, 44, 41, 33, 22),
};

/** Whether people work with an app rather than play with it. */
const isForWork = (app: DemoApp) => (app.week[1] ?? 1) > (app.week[6] ?? 1);

/** Milliseconds of the day at which something happens to a customer of the app. */
export function moment(chance: Chance, app: DemoApp): number {
  return chance.pick(isForWork(app) ? hours.work : hours.play) * hourMs + chance.whole(0, hourMs - 1);
}

const ages = table(
  ['0-17', 12],
  ['18-24', 24],
  ['25-34', 26],
  ['35-49', 20],
  ['50orover', 12],
  ['Unknown', 6],
);
const genders = table(['m', 50], ['f', 42], ['Unknown', 8]);
const searches = table<string | undefined>(
  ['search.example', 6],
  ['reviews.example', 3],
  [undefined, 5],
  ['news.example', 2],
  ['video.example', 2],
);
const volume = 'Volume purchase by organizations';
const clients = table(['Microsoft Store (client)', 84], ['Microsoft Store (web)', 14], ['Other', 2]);
const workClients = table(
  ['Microsoft Store (client)', 78],
  ['Microsoft Store (web)', 17],
  ['Other', 2],
  [volume, 3],
);

/** Operating systems by device type; new ones gain on old ones as the drift rises. */
function systems(day: number): (deviceType: string) => Table<string> {
  const gain = (drift(day) + 1) / 2;
  const others = table(['Windows 10', 100]);
  const tables: Readonly<Record<string, Table<string>>> = {
    PC: table(
      ['Windows 11', 26 + 44 * gain],
      ['Windows 10', 62 - 36 * gain],
      ['Windows 8.1', 10 - 7 * gain],
      ['Windows 8', 2 - gain],
    ),
    Phone: table(['Windows Phone 10', 70 + 18 * gain], ['Windows Phone 8.1', 30 - 18 * gain]),
    Unknown: table(['Windows 10', 50], ['Unknown', 50]),
  };
  return (deviceType) => tables[deviceType] ?? others;
}

/** The app's markets, its favourite ones raised. */
function marketsOf(app: DemoApp): Table<string> {
  return table(...markets.map(([market, weight]) => [market, weight * (app.markets[market] ?? 1)] as const));
}

/** The app's devices; phones come and go with the drift. */
function devicesOf(app: DemoApp, day: number): Table<string> {
  const { values, sums } = app.devices;
  return table(
    ...values.map((value, index) => {
      const weight = (sums[index] ?? 0) - (sums[index - 1] ?? 0);
      return [value, value === 'Phone' ? weight * (1 - 0.45 * drift(day)) : weight] as const;
    }),
  );
}

/** Where the visits of a day come from: expected counts by campaign and referrer. */
function channels(app: DemoApp, day: number) {
  const echo = releaseEcho(app, day);
  const plain = app.visits * rhythm(app, day);
  const week = cycleWeek(day);
  const list: { visits: number; campaignId?: string; referrer?: string }[] = [
    {
      visits: plain * (0.66 + (echo - 1) * 0.35 + (featured(app, day) ? 0.8 : 0)),
      referrer: 'Universal Client Store',
    },
    { visits: plain * (0.34 + (echo - 1) * 0.65) },
  ];
  for (const link of app.links) {
    const [first, last] = link.weeks;
    if (week < first || week > last) continue;
    // A run starts high and fades, and people click less at the weekend.
    const height = (1 - (week - first) / (last - first + 2)) * (weekday(day) >= 5 ? 0.6 : 1);
    list.push({ visits: link.visits * height, campaignId: link.campaignId, referrer: link.referrer });
  }
  return list;
}

/** An acquisition some time after the visit, at `latest` at the end of the day. */
function acquire(app: DemoApp, visitAt: number, latest: number, deviceType: string, chance: Chance): Licence {
  const ownClients = isForWork(app) ? workClients : clients;
  const storeClient = deviceType === 'Phone' ? 'Windows Phone Store (client)' : chance.pick(ownClients);
  const promoted = chance.happens(0.02);
  const plain = app.price === 0 ? 'Free' : chance.happens(0.62) ? 'Trial' : 'Paid';
  return {
    at: Math.min(latest, visitAt + chance.whole(15_000, 900_000)),
    acquisitionType: promoted ? 'Promotional code' : plain,
    storeClient,
    orderName: promoted ? 'Launch friends' : undefined,
    quantity: storeClient === volume ? chance.whole(2, 12) * 5 : 1,
  };
}

/** What becomes of a licence: attempts to install, and a first use. `trouble` is 0 to 1. */
function install(licence: Licence, latest: number, trouble: number, chance: Chance) {
  const tried = Math.min(latest, licence.at + chance.whole(20_000, 1_200_000));
  const fails = chance.happens(0.03 + 0.09 * trouble);
  const givesUp = chance.happens(0.11) || (fails && chance.happens(0.5));
  const failed = fails ? tried : undefined;
  if (givesUp) return { failed, installed: undefined, used: undefined };
  const installed = Math.min(latest, tried + (fails ? chance.whole(60_000, 600_000) : 0));
  const uses = chance.happens(0.88);
  const used = uses ? Math.min(latest, installed + chance.whole(10_000, 7_200_000)) : undefined;
  return { failed, installed, used };
}

const goneAgain = { failed: undefined, installed: undefined, used: undefined };

function visitsOfDay(seed: string, app: DemoApp, day: number): readonly Visit[] {
  const chance = new Chance(`${seed}/${app.id}/visits/${day}`);
  const [countries, devices, systemsOf] = [marketsOf(app), devicesOf(app, day), systems(day)];
  const { version, before, age } = release(app, day);
  const happy = mood(app, day);
  const start = day * dayMs;
  const latest = start + dayMs - 1;
  const visits: Visit[] = [];
  for (const channel of channels(app, day)) {
    const conversion = app.conversion * (0.62 + 0.38 * happy) * (channel.campaignId === undefined ? 1 : 0.8);
    for (let left = chance.count(channel.visits); left > 0; left -= 1) {
      const at = start + moment(chance, app);
      const deviceType = chance.pick(devices);
      const userId = chance.happens(0.76) ? `u-${chance.hex(12)}` : undefined;
      const converts = userId !== undefined && chance.happens(conversion);
      const licence = converts ? acquire(app, at, latest, deviceType, chance) : undefined;
      const outcome = licence === undefined ? goneAgain : install(licence, latest, 1 - happy, chance);
      visits.push({
        at,
        userId,
        deviceId: converts ? `d-${chance.hex(12)}` : undefined,
        market: chance.pick(countries),
        deviceType,
        osVersion: chance.pick(systemsOf(deviceType)),
        gender: chance.pick(genders),
        ageGroup: chance.pick(ages),
        customCampaignId: channel.campaignId,
        referrerUriDomain: channel.referrer ?? chance.pick(searches),
        licence,
        failed: outcome.failed,
        installed: outcome.installed,
        used: outcome.used,
        // A release reaches new customers within two days.
        packageVersion: age < 2 && chance.happens(0.5) ? before : version,
      });
    }
  }
  return visits;
}

/** Days since the first use of customers who come back. */
const lags = table(...Array.from({ length: 60 }, (_, index) => [index + 1, 1 / (index + 4)] as const));

/** Remembers the visits of the days it was asked for; the other generators share one. */
export class Visits {
  readonly #days = new Map<string, readonly Visit[]>();
  readonly #users = new Map<string, readonly Visit[]>();

  constructor(readonly seed: string) {}

  /** All visits of an app's listing on a day. The same seed, app and day give the same visits. */
  on(app: DemoApp, day: number): readonly Visit[] {
    const key = `${app.id} ${day}`;
    let visits = this.#days.get(key);
    if (visits === undefined) {
      visits = visitsOfDay(this.seed, app, day);
      this.#days.set(key, visits);
    }
    return visits;
  }

  /** Those visits that ended with a first use of the app. */
  users(app: DemoApp, day: number): readonly Visit[] {
    const key = `${app.id} ${day}`;
    let users = this.#users.get(key);
    if (users === undefined) {
      users = this.on(app, day).filter((visit) => visit.used !== undefined);
      this.#users.set(key, users);
    }
    return users;
  }

  /** A customer who used the app for the first time up to 60 days before a day, more often a recent one. */
  earlier(app: DemoApp, day: number, chance: Chance): Visit | undefined {
    return chance.one(this.users(app, day - chance.pick(lags)));
  }
}
