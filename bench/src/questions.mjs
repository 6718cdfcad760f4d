/** The questions of the benchmark, each as a request to the server and as SQL for whoever answers without one. */
import { hotApp } from './data.mjs';

const dimensions = [
  'deviceType',
  'orderName',
  'storeClient',
  'osVersion',
  'market',
  'gender',
  'ageGroup',
  'acquisitionType',
];

/** One year of one app in full grain: some 460,000 rows of the hot app at 10M events. */
export const year = { startDate: '2025-01-01', endDate: '2025-12-31' };
export const twoYears = { startDate: '2024-01-01', endDate: '2025-12-31' };

/** Qualified, because in ClickHouse an alias hides the column of its name. */
export const scope = (account, app, { startDate, endDate }) =>
  `t."accountId" = '${account}' AND t."applicationId" = '${app}' AND t."inAppProductId" = '' AND t.seq <= 1000000 AND t.date BETWEEN '${startDate}' AND '${endDate}'`;

const nameOf = (app) => `App ${Number(app.slice(6))}`;

/** Full grain, newest day first: what the report answers without groupby. SQL that all contenders understand. */
export function fullGrain(account, app = hotApp, range = year) {
  const list = dimensions.map((name) => `"${name}"`).join(', ');
  return {
    report: 'appacquisitions',
    parameters: { applicationId: app, ...range },
    /** Without LIMIT. */
    sql: `SELECT date AS date, '${app}' AS "applicationId", '${nameOf(app)}' AS "applicationName", ${list}, sum(quantity) AS "acquisitionQuantity" FROM acquisitions AS t WHERE ${scope(account, app, range)} GROUP BY date, ${list} ORDER BY date DESC, ${list}`,
  };
}

/** Months by market. */
export function monthByMarket(account, app = hotApp, range = twoYears) {
  return {
    report: 'appacquisitions',
    parameters: { applicationId: app, ...range, aggregationLevel: 'month', groupby: 'market' },
    sql: {
      clickhouse: monthSql(account, app, range, 'toStartOfMonth(date)'),
      postgres: monthSql(account, app, range, `date_trunc('month', date)::date`),
      duckdb: monthSql(account, app, range, `date_trunc('month', date)::date`),
    },
  };
}

const monthSql = (account, app, range, month) =>
  `SELECT m AS date, '${app}' AS "applicationId", market, q AS "acquisitionQuantity" FROM (SELECT ${month} AS m, market, sum(quantity) AS q FROM acquisitions AS t WHERE ${scope(account, app, range)} GROUP BY m, market) AS s ORDER BY date DESC, market`;

/** A month of an app by kind of device, or the part of it from a day on: a small answer. */
export function small(account, app, day = 1) {
  const range = { startDate: `2025-03-${String(day).padStart(2, '0')}`, endDate: '2025-03-31' };
  return {
    report: 'appacquisitions',
    parameters: { applicationId: app, ...range, groupby: 'deviceType' },
    sql: `SELECT date AS date, '${app}' AS "applicationId", "deviceType", sum(quantity) AS "acquisitionQuantity" FROM acquisitions AS t WHERE ${scope(account, app, range)} GROUP BY date, "deviceType" ORDER BY date DESC, "deviceType"`,
  };
}

/** Weeks by failure of the hot app over two years, less than a page; `shift` moves the first day. */
export function weekByFailure(account, shift = 0) {
  const startDate = new Date(Date.UTC(2024, 0, 1 + shift)).toISOString().slice(0, 10);
  const { endDate } = twoYears;
  return {
    report: 'failurehits',
    parameters: {
      applicationId: hotApp,
      startDate,
      endDate,
      aggregationLevel: 'week',
      groupby: 'failureName',
      top: 10_000,
    },
    sql: `SELECT greatest(toMonday(t.date), toDate('${startDate}')) AS week, failureName, uniqExactIf(deviceId, deviceId != '') AS deviceCount, count() AS eventCount FROM failures AS t WHERE accountId = '${account}' AND source = 'app' AND applicationId = '${hotApp}' AND seq <= 1000000 AND t.date BETWEEN '${startDate}' AND '${endDate}' GROUP BY week, failureName ORDER BY week DESC, failureName`,
  };
}

/** Rows of an answer as text, to compare contenders with. */
export const rowsOf = (body) => JSON.stringify(JSON.parse(body.toString()).Value);
