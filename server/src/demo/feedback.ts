/**
 * Ratings and reviews of the demo: given by customers of the last weeks, kind on plain days, harsh after a bad
 * release, and back to normal some two weeks after the fix. Some reviews are answered days later.
 */
import { dayMs, mood, release, rhythm } from './calendar.js';
import { Chance, type Table, table } from './chance.js';
import { iso, type Row } from './commerce.js';
import type { DemoApp } from './publisher.js';
import { answers, apologies, doubt, grumbles, models, outrage, phoneModels, praise } from './review-texts.js';
import { moment, type Visit, type Visits } from './visits.js';

/** Stars given when customers are content, and when they are not. */
const content = table([5, 62], [4, 23], [3, 8], [2, 3], [1, 4]) as Table<number>;
const cross = table([5, 12], [4, 9], [3, 12], [2, 21], [1, 46]) as Table<number>;

/** One opinion of a customer. */
interface Opinion {
  readonly at: number;
  readonly customer: Visit;
  readonly stars: number;
  readonly isRevised: boolean;
  /** Draws for the review; absent: stars only. */
  readonly review?: Chance;
}

function opinions(visits: Visits, app: DemoApp, day: number): readonly Opinion[] {
  const chance = new Chance(`${visits.seed}/${app.id}/opinions/${day}`);
  const happy = mood(app, day);
  // Cross customers write more than content ones.
  const expected = app.visits * rhythm(app, day) * 0.055 * (2.2 - 1.2 * happy);
  const list: Opinion[] = [];
  for (let left = chance.count(expected); left > 0; left -= 1) {
    const customer = visits.earlier(app, day, chance);
    const at = day * dayMs + moment(chance, app);
    const stars = chance.pick(chance.happens(happy) ? content : cross);
    const isRevised = chance.happens(0.07);
    const writes = chance.happens(stars <= 2 ? 0.38 : 0.2);
    const seed = chance.hex(12);
    if (customer === undefined) continue;
    list.push({ at, customer, stars, isRevised, ...(writes && { review: new Chance(seed) }) });
  }
  return list;
}

/** Rows of `ratings` of one app and day. */
export function* ratings(visits: Visits, app: DemoApp, day: number): Generator<Row> {
  for (const { at, customer, stars, isRevised } of opinions(visits, app, day)) {
    yield {
      timestamp: iso(at),
      applicationId: app.id,
      rating: stars,
      userId: customer.userId,
      market: customer.market,
      osVersion: customer.osVersion,
      deviceType: customer.deviceType,
      ...(isRevised && { isRevised }),
    };
  }
}

/** A review before it is answered, and the answer with its time. */
export interface Review {
  readonly row: Row;
  readonly answer?: { readonly at: number; readonly text: string };
}

/** Days after which an answer has come, if one comes at all. */
export const longestAnswer = 4;

/** Reviews of one app and day: the row of `reviews`, and what the publisher answers later. */
export function* reviews(visits: Visits, app: DemoApp, day: number): Generator<Review> {
  const { broken, version } = release(app, day);
  const fill = (text: string) => text.replaceAll('{app}', app.name).replaceAll('{version}', version);
  for (const { at, customer, stars, isRevised, review: chance } of opinions(visits, app, day)) {
    if (chance === undefined) continue;
    const angry = broken && stars <= 2;
    const texts =
      stars === 5 || stars === 4 ? praise[stars] : stars === 3 ? doubt : angry ? outrage : grumbles;
    const [title, text] = chance.one(texts) ?? ['', ''];
    const model = chance.one(customer.deviceType === 'Phone' ? phoneModels : models);
    const guid = chance.hex(32);
    const row: Row = {
      timestamp: iso(at),
      applicationId: app.id,
      rating: stars,
      id: `${guid.slice(0, 8)}-${guid.slice(8, 12)}-4${guid.slice(13, 16)}-a${guid.slice(17, 20)}-${guid.slice(20)}`,
      market: customer.market,
      osVersion: customer.osVersion,
      deviceType: customer.deviceType,
      ...(isRevised && { isRevised }),
      packageVersion: version,
      ...(model !== undefined &&
        !chance.happens(0.1) && {
          deviceModel: model[0],
          productFamily: model[1],
          deviceRAM: model[2],
          deviceStorageCapacity: model[3],
          deviceScreenResolution: model[4],
          isTouchEnabled: model[5],
        }),
      reviewerName: `Customer ${chance.whole(1, 999)}`,
      reviewTitle: title,
      reviewText: fill(text),
      helpfulCount: chance.whole(0, angry ? 14 : 4),
      notHelpfulCount: chance.whole(0, 2),
    };
    const answered = chance.happens(angry ? 0.55 : stars <= 3 ? 0.4 : 0.06);
    const after = chance.whole(6 * 3_600_000, longestAnswer * dayMs - 1);
    const reply = fill(chance.one(angry ? apologies : answers) ?? '');
    yield { row, ...(answered && { answer: { at: at + after, text: reply } }) };
  }
}
