/**
 * Rows of advertising: what the apps' ad units earned and what the publisher's own campaigns cost, by day. Both
 * datasets replace, so a day that is not over yet is given with the part that has passed and given again later.
 */
import { cycleWeek, dayText, mood, rhythm, weekday } from './calendar.js';
import { Chance } from './chance.js';
import type { Row } from './commerce.js';
import type { DemoApp } from './publisher.js';

/** Markets with a row of their own in ad reports, and their share of requests. */
const places = [
  ['US', 0.4],
  ['DE', 0.17],
  ['GB', 0.16],
  ['BR', 0.14],
  ['JP', 0.13],
] as const;

/** Rows of `adperformance` of one app and day; `passed` is the part of the day that counts, 0 to 1. */
export function* adperformance(seed: string, app: DemoApp, day: number, passed: number): Generator<Row> {
  const chance = new Chance(`${seed}/${app.id}/adperformance/${day}`);
  // Players stay away from a broken release, and so do impressions.
  const size = rhythm(app, day) * (0.55 + 0.45 * mood(app, day));
  for (const unit of app.adUnits) {
    for (const [market, share] of places) {
      for (const [deviceType, part] of [
        ['PC/Tablet', 0.72],
        ['Phone', 0.28],
      ] as const) {
        const whole = chance.count(unit.requests * share * part * size);
        const fill = 0.8 + 0.14 * chance.unit();
        const rate = 0.004 + 0.012 * chance.unit();
        // The last quarter of a year pays better.
        const price = unit.thousand * (cycleWeek(day) >= 9 ? 1.25 : 1) * (0.9 + 0.2 * chance.unit());
        const requests = Math.floor(whole * passed);
        if (requests === 0) continue;
        const impressions = Math.floor(requests * fill);
        yield {
          date: dayText(day),
          applicationId: app.id,
          adUnitId: unit.id,
          adUnitName: unit.name,
          adProvider: unit.provider,
          deviceType,
          market,
          accountCurrencyCode: 'USD',
          pubCenterAppName: app.name,
          adProviderRequests: Math.floor(requests * 0.97),
          impressions,
          clicks: Math.floor(impressions * rate),
          revenueInAccountCurrency: Math.round((impressions * price) / 10) / 10_000,
          requests,
        };
      }
    }
  }
}

/** Rows of `campaigns` of one app and day; `passed` as above. */
export function* campaigns(seed: string, app: DemoApp, day: number, passed: number): Generator<Row> {
  const chance = new Chance(`${seed}/${app.id}/campaigns/${day}`);
  const week = cycleWeek(day);
  for (const campaign of app.campaigns) {
    const [first, last] = campaign.weeks ?? [0, 12];
    for (const lineId of campaign.lines) {
      const busy = (weekday(day) >= 5 ? 1.15 : 0.95) * (0.85 + 0.3 * chance.unit());
      const thousand = 210 + 90 * chance.unit();
      const rate = 0.011 + 0.006 * chance.unit();
      const converts = (0.09 + 0.04 * chance.unit()) * (0.6 + 0.4 * mood(app, day));
      const [adds, returns] = [chance.unit(), chance.unit()];
      if (week < first || week > last) continue;
      const spend = Math.floor(campaign.budget * busy * passed);
      if (spend === 0) continue;
      const impressions = Math.floor((spend / thousand) * 1000);
      const clicks = Math.floor(impressions * rate);
      const installs = Math.floor(clicks * converts);
      yield {
        date: dayText(day),
        applicationId: app.id,
        campaignId: campaign.id,
        lineId,
        currencyCode: campaign.currency,
        spend: spend / 100,
        impressions,
        installs,
        clicks,
        iapInstalls: Math.floor(installs * 0.3 * adds),
        activeUsers: Math.floor(installs * (0.4 + 0.3 * returns)),
      };
    }
  }
}
