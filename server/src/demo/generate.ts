/**
 * The demo's rows as request bodies: for a dataset and a span of whole hours, newline-delimited JSON that depends
 * on the seed and the span alone. Spans that follow each other never give an event twice; the datasets that
 * replace give a day again when more of it has passed, and a review again when it has been answered.
 */
import { adperformance, campaigns } from './advertising.js';
import { dayMs, dayOf } from './calendar.js';
import { acquisitions, installs, pageviews, type Row, usage } from './commerce.js';
import { type FailureEvent, failureEvents, filedSince } from './failures.js';
import { longestAnswer, ratings, reviews } from './feedback.js';
import { type DemoApp, demoApps, demoSeed } from './publisher.js';
import { Visits } from './visits.js';

/** A span of time, `from` included and `to` not, both whole hours in milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** Nothing was generated before `from`; later spans also restate what the earlier ones left open. */
  readonly first: boolean;
}

type Events = (visits: Visits, app: DemoApp, day: number) => Iterable<Row>;
type Restated = (seed: string, app: DemoApp, day: number, passed: number) => Iterable<Row>;

const events: Readonly<Record<string, Events>> = { pageviews, acquisitions, installs, usage, ratings };
const restated: Readonly<Record<string, Restated>> = { adperformance, campaigns };

/** Datasets that the demo fills, in the order it does; failures take the engine longest. */
export const demoDatasets = ['failures', ...Object.keys(events), 'reviews', ...Object.keys(restated)];

const within = (row: Row, { from, to }: Span) => {
  const at = Date.parse(String(row.timestamp));
  return at >= from && at < to;
};

function* eventRows(generate: Events, visits: Visits, span: Span): Generator<Row> {
  for (let day = dayOf(span.from); day * dayMs < span.to; day += 1) {
    const whole = day * dayMs >= span.from && (day + 1) * dayMs <= span.to;
    for (const app of demoApps) {
      for (const row of generate(visits, app, day)) if (whole || within(row, span)) yield row;
    }
  }
}

function* reviewRows(visits: Visits, span: Span): Generator<Row> {
  const start = dayOf(span.from) - (span.first ? 0 : longestAnswer);
  for (let day = start; day * dayMs < span.to; day += 1) {
    for (const app of demoApps) {
      for (const { row, answer } of reviews(visits, app, day)) {
        const at = Date.parse(String(row.timestamp));
        const fresh = at >= span.from && at < span.to;
        const answered = answer !== undefined && answer.at < span.to;
        // Given in an earlier span, and answered in this one.
        const restated = !span.first && at < span.from && answered && answer.at >= span.from;
        if (!fresh && !restated) continue;
        yield answered
          ? { ...row, responseDate: new Date(answer.at).toISOString(), responseText: answer.text }
          : row;
      }
    }
  }
}

function* restatedRows(generate: Restated, seed: string, span: Span): Generator<Row> {
  for (let day = dayOf(span.from); day * dayMs < span.to; day += 1) {
    const passed = Math.min(1, (span.to - day * dayMs) / dayMs);
    for (const app of demoApps) yield* generate(seed, app, day, passed);
  }
}

function* failureRows(visits: Visits, span: Span): Generator<Row> {
  for (const { event, filed } of failureEvents(visits, span)) if (!filed) yield event.row;
}

function* filedFailures(visits: Visits, span: Span): Generator<FailureEvent> {
  const from = Math.max(span.from, filedSince(span.to));
  for (const { event, filed } of failureEvents(visits, { from, to: span.to })) if (filed) yield event;
}

/** Generators that share their visitors. */
export interface Generators {
  /** Rows of a dataset in a span. */
  rows(dataset: string, span: Span): Iterable<Row>;
  /** The failures of a span that come with a crash file; `rows` of failures are all others. */
  filed(span: Span): Iterable<FailureEvent>;
}

/** Generators for a seed, the demo's own by default. They remember the days they have made. */
export function createGenerators(seed: string = demoSeed): Generators {
  const visits = new Visits(seed);
  return {
    rows(dataset, span) {
      const event = events[dataset];
      if (event !== undefined) return eventRows(event, visits, span);
      const restate = restated[dataset];
      if (restate !== undefined) return restatedRows(restate, seed, span);
      if (dataset === 'reviews') return reviewRows(visits, span);
      if (dataset === 'failures') return failureRows(visits, span);
      throw new TypeError(`the demo has no rows for '${dataset}'`);
    },
    filed: (span) => filedFailures(visits, span),
  };
}

/** Rows as newline-delimited JSON, in pieces of about 64 KiB. */
export function* ndjson(rows: Iterable<Row>): Generator<Buffer> {
  let piece = '';
  for (const row of rows) {
    piece += `${JSON.stringify(row)}\n`;
    if (piece.length >= 65_536) {
      yield Buffer.from(piece);
      piece = '';
    }
  }
  if (piece !== '') yield Buffer.from(piece);
}
