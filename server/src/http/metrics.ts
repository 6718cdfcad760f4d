/**
 * What the server counts and times, in the Prometheus format. Labels are routes, status classes, datasets and
 * outcomes, never tenants, products or anything else that a caller makes up. It measures; it decides nothing.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Crashes } from '../crashes/index.js';
import { type Engine, EngineError } from '../engine/index.js';
import { Failure } from '../failure.js';
import type { Ingest } from '../ingest/index.js';
import type { Timings } from '../query/index.js';

const stageSeconds = [
  0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60,
];
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The meters of one server. */
export interface Metrics {
  /** Counts and times an answered request; `milliseconds` until the last byte went out. */
  request(method: string, route: string, status: number, milliseconds: number): void;
  /** Adds where the time of a report went. */
  report(timings: Timings): void;
  /** The same engine, with its calls timed. */
  engine(engine: Engine): Engine;
  /** The same ingestion, with its batches and rows counted. */
  ingest(ingest: Ingest): Ingest;
  /** The same crash side, with its uploads counted. */
  crashes(crashes: Crashes): Crashes;
  /** Everything so far, and its content type. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Creates the meters; `sessions` is how many report queries run at the same time. */
export function createMetrics(sessions: number): Metrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });

  const requests = new Histogram({
    name: 'storelens_http_request_duration_seconds',
    help: 'Time to answer requests, by route and status class.',
    labelNames: ['method', 'route', 'status'],
    buckets: seconds,
    registers,
  });
  const stages = new Histogram({
    name: 'storelens_report_stage_duration_seconds',
    help: 'Where the time of answered reports goes: parse, plan, queue, engine, render.',
    labelNames: ['stage'],
    buckets: stageSeconds,
    registers,
  });
  const calls = new Histogram({
    name: 'storelens_engine_call_duration_seconds',
    help: 'Time of engine calls, waiting included, by verb and outcome.',
    labelNames: ['verb', 'outcome'],
    buckets: seconds,
    registers,
  });
  const underWay = { query: 0, insert: 0, command: 0, ping: 0 };
  type Verb = keyof typeof underWay;
  new Gauge({
    name: 'storelens_engine_calls',
    help: 'Engine calls that run or wait, by verb.',
    labelNames: ['verb'],
    registers,
    collect() {
      for (const [verb, count] of Object.entries(underWay)) this.set({ verb }, count);
    },
  });
  new Gauge({
    name: 'storelens_engine_queries_waiting',
    help: 'Report queries that wait for one of the engine sessions.',
    registers,
    collect() {
      this.set(Math.max(0, underWay.query + underWay.ping - sessions));
    },
  });
  const batches = new Counter({
    name: 'storelens_ingest_batches_total',
    help: 'Batches by dataset and outcome: stored, duplicate, or the code of the refusal.',
    labelNames: ['dataset', 'outcome'],
    registers,
  });
  const rows = new Counter({
    name: 'storelens_ingest_rows_total',
    help: 'Rows stored, by dataset.',
    labelNames: ['dataset'],
    registers,
  });
  const batchTimes = new Histogram({
    name: 'storelens_ingest_batch_duration_seconds',
    help: 'Time from the start of a batch to its answer, by dataset.',
    labelNames: ['dataset'],
    buckets: seconds,
    registers,
  });

  const crashFiles = new Counter({
    name: 'storelens_crashes_total',
    help: 'Uploaded crashes by outcome: read, unread (kept without being read), duplicate, or the code of the refusal.',
    labelNames: ['outcome'],
    registers,
  });

  /** Counts and times a batch of a dataset. */
  async function counted<Stored extends { readonly duplicate: boolean }>(
    dataset: string,
    work: () => Promise<Stored>,
    rowsOf: (stored: Stored) => number,
  ): Promise<Stored> {
    const begun = performance.now();
    try {
      const stored = await work();
      batches.inc({ dataset, outcome: stored.duplicate ? 'duplicate' : 'stored' });
      if (!stored.duplicate) rows.inc({ dataset }, rowsOf(stored));
      return stored;
    } catch (error) {
      batches.inc({ dataset, outcome: error instanceof Failure ? error.code : 'internal' });
      throw error;
    } finally {
      batchTimes.observe({ dataset }, (performance.now() - begun) / 1000);
    }
  }

  async function timed<Result>(verb: Verb, work: () => Promise<Result>): Promise<Result> {
    const begun = performance.now();
    let outcome = 'fault';
    underWay[verb] += 1;
    try {
      const result = await work();
      outcome = 'ok';
      return result;
    } catch (error) {
      if (error instanceof EngineError) outcome = error.kind;
      throw error;
    } finally {
      underWay[verb] -= 1;
      calls.observe({ verb, outcome }, (performance.now() - begun) / 1000);
    }
  }

  return {
    request(method, route, status, milliseconds) {
      requests.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, milliseconds / 1000);
    },
    report(timings) {
      for (const [stage, milliseconds] of Object.entries(timings)) {
        stages.observe({ stage }, milliseconds / 1000);
      }
    },
    engine: (engine) => ({
      kind: engine.kind,
      query: (query) => timed('query', () => engine.query(query)),
      stream: (query) => engine.stream(query),
      queryFile: (query) => timed('query', () => engine.queryFile(query)),
      insert: (batch) => timed('insert', () => engine.insert(batch)),
      command: (statement) => timed('command', () => engine.command(statement)),
      ping: () => timed('ping', () => engine.ping()),
      close: () => engine.close(),
    }),
    ingest: (ingest) => ({
      ...ingest,
      accept: (batch) =>
        counted(
          batch.dataset.name,
          () => ingest.accept(batch),
          ({ accepted }) => accepted,
        ),
      store: (batch) =>
        counted(
          batch.dataset.name,
          () => ingest.store(batch),
          () => batch.rows.length,
        ),
    }),
    crashes: (crashes) => ({
      ...crashes,
      async accept(crash) {
        try {
          const stored = await crashes.accept(crash);
          const outcome = stored.processed === 'read' ? 'read' : 'unread';
          crashFiles.inc({ outcome: stored.duplicate ? 'duplicate' : outcome });
          return stored;
        } catch (error) {
          crashFiles.inc({ outcome: error instanceof Failure ? error.code : 'internal' });
          throw error;
        }
      },
    }),
    text: () => register.metrics(),
    contentType: register.contentType,
  };
}
