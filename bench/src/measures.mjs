/**
 * What is measured, by an id that parts of the benchmark answer with. `must` and `aim` are limits: at most, or with
 * `more` at least. Without them a figure is told, not judged. Units: `x` is a ratio, others as they read.
 */
const atMost = (must, aim, unit = 'x') => ({ must, aim, unit, more: false });
const atLeast = (must, aim, unit = 'x') => ({ must, aim, unit, more: true });
const told = (unit = 'x') => ({ must: undefined, aim: undefined, unit, more: false });

export const measures = {
  coldPage: {
    goal: '1',
    what: 'first page of 10,000 rows with TotalCount, hot app, cold / plain engine query with exact total',
    ...atMost(0.25, 0.1),
  },
  coldLate: {
    goal: '1',
    what: 'the same after a batch for the three newest days with one row that is a year late / plain',
    ...told(),
  },
  coldUncounted: {
    goal: '1',
    what: 'the same with no row counted in advance / plain',
    ...told(),
  },
  laterPage: { goal: '2', what: 'later page / first page, warm index', ...atMost(1.3, 1.1) },
  allPages: {
    goal: '3',
    what: 'all rows in pages over HTTP / one bulk read in the engine',
    ...atMost(2, 1.4),
  },
  httpPage: {
    goal: '4',
    what: 'HTTP page of 10,000 rows / the engine query under it',
    ...atMost(1.15, 1.05),
  },
  httpSmall: { goal: '4', what: 'small answer over HTTP / its engine query', ...atMost(1.4, 1.2) },
  again: {
    goal: '5',
    what: 'the same small request again / a static body of as many bytes',
    ...atMost(1.5, 1.2),
  },
  pageVsPostgres: {
    goal: '6',
    what: 'hot first page, cold: times faster than PostgreSQL, raw rows',
    ...atLeast(25, 60),
  },
  pageVsRollup: {
    goal: '6',
    what: 'hot first page, cold: times faster than PostgreSQL, daily rollup',
    ...atLeast(9, 20),
  },
  pageVsDuckdb: { goal: '6', what: 'hot first page, cold: times faster than DuckDB', ...atLeast(7, 15) },
  monthsVsPostgres: {
    goal: '7',
    what: 'hot months by market, two years, cold: times faster than PostgreSQL, raw rows',
    ...atLeast(15, 30),
  },
  monthsVsRollup: {
    goal: '7',
    what: 'hot months by market, two years, cold: times faster than PostgreSQL, daily rollup',
    ...told(),
  },
  monthsVsDuckdb: {
    goal: '7',
    what: 'hot months by market, two years, cold: times faster than DuckDB',
    ...atLeast(1.5, 3),
  },
  largePage: { goal: '8', what: 'page over ten times the events / page', ...atMost(1.7, 1.2) },
  clientsSmall: {
    goal: '9',
    what: '32 clients / 1, small uncached questions: answers a second',
    ...atLeast(2, 2.5),
  },
  clientsPages: {
    goal: '9',
    what: '32 clients / 1, pages of 10,000 rows: answers a second',
    ...atLeast(2, 2.5),
  },
  lagSmall: {
    goal: '9',
    what: 'event-loop lag p99, 32 clients, small uncached questions',
    ...atMost(20, 10, 'ms'),
  },
  lagPages: {
    goal: '9',
    what: 'event-loop lag p99, 32 clients, pages of 10,000 rows',
    ...atMost(20, 10, 'ms'),
  },
  crowd: {
    goal: '9',
    what: '400 clients, beyond capacity (refused with 503 and Retry-After) / 32 clients: answers a second',
    ...told(),
  },
  batch: {
    goal: '10',
    what: 'NDJSON batch of 100,000 rows over HTTP / plain bytes insert in the engine, time',
    ...atMost(0.75, 0.45),
  },
  parquet: { goal: '10', what: 'Parquet / NDJSON: rows a second', ...atLeast(5, 5) },
  writers: {
    goal: '11',
    what: '64 writers, 100 rows a request / a handler with one insert a request: rows a second',
    ...atLeast(10, 30),
  },
  groups: { goal: '11', what: 'the same / the same server with `ingest-group=1`: rows a second', ...told() },
  readers: { goal: '11', what: 'p99 of readers beside 64 writers / alone', ...atMost(3, 2) },
  idle: { goal: '12', what: 'resident memory, idle', ...atMost(400, 300, 'MB') },
  peak: { goal: '12', what: 'resident memory, peak over the whole run', ...atMost(1500, 1000, 'MB') },
  start: { goal: '13', what: 'start to ready / over an empty folder', ...atMost(2, 1.2) },
  devicesDense: {
    goal: '14',
    what: 'failurehits, distinct devices, week by failure / raw table, devices repeat',
    ...atMost(0.5, 0.3),
  },
  devicesSparse: {
    goal: '14',
    what: 'failurehits, distinct devices, week by failure / raw table, devices do not repeat',
    ...atMost(1.1, 1),
  },
  tinyVsPostgres: { goal: '', what: 'tiny uncached question / PostgreSQL, raw rows', ...told() },
  tinyVsRollup: { goal: '', what: 'tiny uncached question / PostgreSQL, daily rollup', ...told() },
  tinyVsDuckdb: { goal: '', what: 'tiny uncached question / DuckDB', ...told() },
  crashes: {
    goal: '',
    what: 'crashes with dumps of 50 KB, answered and queryable in a second',
    ...atLeast(300, 300, '/s'),
  },
};

/** `aim`, `must` or `missed`; empty for what is only told. */
export function verdict({ must, aim, more }, value) {
  if (must === undefined) return '';
  const reaches = (limit) => (more ? value >= limit : value <= limit);
  return reaches(aim) ? 'aim' : reaches(must) ? 'must' : 'missed';
}
