/**
 * Random invalid requests: a valid one of some report with exactly one mistake, and what the answer's data must name.
 */
import type { Field, ReportEntry } from '@storelens/contract';
import { today } from './generate-data.js';
import { type Ask, pairsOf, someAsk, sortable, writeDay, writeQuery } from './generate-query.js';
import type { Dice } from './random.js';
import type { Shape } from './request.js';
import type { OracleProduct } from './store.js';

/** An invalid request, what is wrong with it, and texts of which the error's data must contain one. */
export interface Mistake {
  readonly report: ReportEntry;
  readonly kind: string;
  readonly query: string;
  readonly status: 400 | 403;
  readonly names: readonly string[];
}

type Pairs = (readonly [string, string])[];
type Spoilt = { readonly pairs: Pairs; readonly names: readonly string[]; readonly raw?: string };
type Spoiler = (ask: Ask, pairs: Pairs, dice: Dice) => Spoilt | undefined;

/** The pairs with one parameter set to a value. */
function set(pairs: Pairs, name: string, value: string): Pairs {
  return [...pairs.filter(([other]) => other !== name), [name, value]];
}

const badDates = [
  'yesterday',
  '2026-13-01',
  '13/13/2026',
  '31/12/2025',
  '01.08.2015 00:00:00',
  '2026-00-10',
  '1/0/2026',
  '1/32/2026',
  '20260101',
  '2026',
  '1/1/26',
  '2026-01-01T',
  '2026/01-01',
  '11/1/2015 12:00:00 AMtop=1000',
  '8/1/2015 25:00:00',
  '2026-03-17 24:00:00',
  '2026-03-17 09:60:00',
  '8/1/2015 13:00:00 PM',
  '2026-01-01; DROP TABLE x',
  '-2026-01-01',
  '0000-01-01',
  'null',
  '1/1/20155',
  "'2026-01-01'",
];

const brokenFilters = [
  '%f',
  '%f eq',
  "%f eq 'US",
  "%f 'US'",
  "%f = 'US'",
  "%f == 'US'",
  "%f eq 'US' and",
  "or %f eq 'US'",
  "%f eq 'US' %f ne 'm'",
  "(%f eq 'US'",
  "%f eq 'US')",
  '()',
  "not %f eq 'US'",
  "%f eq 'US';",
  "%f in ('US')",
  "'US' eq %f",
  '%f eq %f',
  '%f eq US',
  '%f eq null',
  "%f eq ('US')",
  "%f eq 'US' xor %f eq 'DE'",
  "%f eq 'US' && %f eq 'DE'",
  "contains(%f 'US')",
  "contains(%f,'US'",
  "%f like 'US'",
  "%f eq 'US' and gender eq 'm' eq 'US'; and",
  "market eq 'US' and deviceType eq 'phone\u2019 eq 'US'; and gender eq 'm'",
  "%f eq 'US'--",
  '%f eq "US"',
  "%f eq\u0000 'US'",
];

/** Fields that a filter of the report may name. */
function filterable(report: ReportEntry): Field[] {
  return [...report.fields, ...(report.queryOnly ?? [])].filter(({ filter }) => filter !== undefined);
}

const filterField = (report: ReportEntry): string | undefined =>
  filterable(report).find(({ type }) => type === 'text')?.name;

/** One mistake of each kind; undefined where a report has no such parameter. */
const spoilers: Readonly<Record<string, Spoiler>> = {
  'unknown field in filter': ({ report }, pairs, dice) => {
    if (filterable(report).length === 0) return undefined;
    const name = dice.pick([
      'colour',
      'acquisitionQuantity',
      'accountId',
      'seq',
      'userId',
      'x.y',
      '__proto__',
      'toString',
    ]);
    return { pairs: set(pairs, 'filter', `${name} eq 'US'`), names: [name] };
  },
  'field that cannot be filtered': ({ report }, pairs, dice) => {
    const fields = report.fields.filter(({ filter }) => filter === undefined);
    if (fields.length === 0 || filterable(report).length === 0) return undefined;
    const { name } = dice.pick(fields);
    return { pairs: set(pairs, 'filter', `(${name} ne 'x')`), names: [name] };
  },
  'operator that a field does not take': ({ report }, pairs, dice) => {
    const fields = filterable(report).filter(({ filter }) => filter?.length === 2);
    if (fields.length === 0) return undefined;
    const { name, type } = dice.pick(fields);
    const literal = type === 'text' ? "'US'" : type === 'date' || type === 'time' ? "'2026/01/01'" : '1';
    const filter = dice.pick([
      `${name} ${dice.pick(['gt', 'lt', 'ge', 'le'])} ${literal}`,
      `contains(${name},'x')`,
    ]);
    return { pairs: set(pairs, 'filter', filter), names: [name] };
  },
  'literal of another type': ({ report }, pairs, dice) => {
    const fields = filterable(report).filter(({ type }) => type !== 'instant');
    if (fields.length === 0) return undefined;
    const field = dice.pick(fields);
    const wrong = {
      text: ['5', 'true', 'US'],
      boolean: ['1', "'yes'", 'falsch'],
      integer: ["'many'", 'five', '1e3', '--1'],
      decimal: ["'many'", 'five'],
      date: ["'soon'", '2026', "''"],
      instant: ['5'],
      time: ["'soon'", '2026', "''"],
    }[field.type];
    return {
      pairs: set(pairs, 'filter', `${field.name} eq ${dice.pick(wrong)}`),
      names: [field.name, 'filter'],
    };
  },
  'broken filter': ({ report }, pairs, dice) => {
    const field = filterField(report);
    if (field === undefined) return undefined;
    return {
      pairs: set(pairs, 'filter', dice.pick(brokenFilters).replaceAll('%f', field)),
      names: ['filter'],
    };
  },
  'filter with too many levels': ({ report }, pairs, dice) => {
    if (filterField(report) === undefined) return undefined;
    const depth = dice.chance(0.1) ? 3000 : dice.whole(51, 80);
    const filter = `${'('.repeat(depth)}${filterField(report)} eq 'x'${')'.repeat(depth)}`;
    return { pairs: set(pairs, 'filter', filter), names: ['filter'] };
  },
  'filter with too many terms': ({ report }, pairs, dice) => {
    if (filterField(report) === undefined) return undefined;
    const terms = Array.from(
      { length: dice.chance(0.1) ? 900 : dice.whole(501, 505) },
      () => `${filterField(report)} eq 'x'`,
    );
    return { pairs: set(pairs, 'filter', terms.join(' or ')), names: ['filter'] };
  },
  'unreadable date': ({ report }, pairs, dice) => {
    if (report.dates === undefined) return undefined;
    const name = dice.pick(['startDate', 'endDate']);
    return { pairs: set(pairs, name, dice.pick(badDates)), names: [name] };
  },
  'start after end': ({ report }, pairs, dice) => {
    if (report.dates === undefined) return undefined;
    const day = today - dice.whole(1, 400);
    const dated = set(
      set(pairs, 'startDate', writeDay(day + dice.whole(32, 90), dice)),
      'endDate',
      writeDay(day, dice),
    );
    return { pairs: dated, names: ['startDate'] };
  },
  'start hour after end hour': ({ report }, pairs, dice) => {
    if (!report.levels.includes('hour')) return undefined;
    const [day, hour] = [today - dice.whole(0, 40), dice.whole(0, 22)];
    const start = writeDay(day, dice, dice.whole(hour + 1, 23));
    const dated = set(set(pairs, 'startDate', start), 'endDate', writeDay(day, dice, hour));
    return { pairs: set(dated, 'aggregationLevel', dice.recased('hour')), names: ['startDate'] };
  },
  'missing lookup': ({ report }, pairs, dice) => {
    const [lookup] = report.lookups ?? [];
    if (lookup === undefined) return undefined;
    const { parameter } = lookup;
    const rest = pairs.filter(([name]) => name !== parameter);
    return { pairs: dice.chance(0.5) ? rest : [...rest, [parameter, '']], names: [parameter] };
  },
  'parameter given twice': (_ask, pairs, dice) => {
    const given = pairs.filter(([, value]) => value !== '');
    if (given.length === 0) return undefined;
    const [name, value] = dice.pick(given);
    const again = ['top', 'skip', 'filter', 'orderby'].includes(name) ? dice.pick([name, `$${name}`]) : name;
    return { pairs: [...pairs, [dice.recased(again), value]], names: [name] };
  },
  'misspelt parameter': (_ask, pairs, dice) => {
    const name = dice.pick([
      'endData',
      'applicatonId',
      'amp;startDate',
      'grouby',
      'filters',
      '$groupby2',
      'limit',
      'x',
      'order_by',
    ]);
    return { pairs: [...pairs, [name, '1']], names: [name] };
  },
  'bad page size': ({ report }, pairs, dice) => {
    if (report.paging === undefined) return undefined;
    const value = dice.pick([
      '0',
      '-1',
      'abc',
      '1.5',
      '1e3',
      '10001',
      '99999999999999999999',
      '0x10',
      '1,000',
      'NaN',
    ]);
    return { pairs: set(pairs, 'top', value), names: ['top'] };
  },
  'bad offset': ({ report }, pairs, dice) => {
    if (report.paging === undefined) return undefined;
    return {
      pairs: set(pairs, 'skip', dice.pick(['-1', 'abc', '2.5', '1e2', 'null', '--5'])),
      names: ['skip'],
    };
  },
  'bad snapshot': ({ report }, pairs, dice) => {
    if (report.paging === undefined) return undefined;
    return { pairs: set(pairs, 'snapshot', dice.pick(['now', '-1', '1.5'])), names: ['snapshot'] };
  },
  'unknown level': ({ report }, pairs, dice) => {
    if (report.levels.length === 0) return undefined;
    const wrong = ['minute', 'year', 'daily', 'dayorderBy=date', '1', 'month,week'];
    // Hours are offered by one report alone, and are what others are asked for by mistake.
    const level = report.levels.includes('hour') || dice.chance(0.4) ? dice.pick(wrong) : 'hour';
    return { pairs: set(pairs, 'aggregationLevel', level), names: ['aggregationLevel'] };
  },
  'unknown field in groupby': ({ report }, pairs, dice) => {
    if (!report.groupby) return undefined;
    const fields = report.fields.filter(({ groupby }) => groupby !== true).map(({ name }) => name);
    const name = dice.pick([...fields, 'colour', 'accountId', 'constructor']);
    const without = set(pairs, 'groupby', dice.pick([name, `market,${name}`, `${name},date`]));
    return { pairs: without.filter(([other]) => other !== 'orderby'), names: [name, 'groupby'] };
  },
  'groupby names a field twice': ({ report }, pairs, dice) => {
    if (!report.groupby) return undefined;
    const { name } = dice.pick(report.fields.filter(({ groupby }) => groupby === true));
    const without = pairs.filter(([other]) => other !== 'orderby');
    return { pairs: set(without, 'groupby', `${name},${dice.recased(name)}`), names: [name] };
  },
  'empty element in groupby': ({ report }, pairs, dice) => {
    if (!report.groupby) return undefined;
    const without = pairs.filter(([other]) => other !== 'orderby');
    return { pairs: set(without, 'groupby', dice.pick([',', 'date,', ',date'])), names: ['groupby'] };
  },
  'unknown field in orderby': ({ report }, pairs, dice) => {
    if (!report.orderby) return undefined;
    const fields = report.fields.filter(({ orderby }) => orderby !== true).map(({ name }) => name);
    const name = dice.pick([...fields, 'colour', 'hasOwnProperty']);
    return { pairs: set(pairs, 'orderby', `${name}${dice.pick(['', ' desc'])}`), names: [name, 'orderby'] };
  },
  'orderby by a field that is not in the row': ({ report }, pairs, dice) => {
    if (!report.groupby) return undefined;
    const { name } = dice.pick(report.fields.filter(({ groupby }) => groupby === true));
    const left = new Set(sortable(report, 'day', [name]));
    const gone = report.fields.filter((field) => field.orderby === true && !left.has(field));
    if (gone.length === 0) return undefined;
    const field = dice.pick(gone).name;
    return { pairs: set(set(pairs, 'groupby', name), 'orderby', field), names: [field] };
  },
  'bad direction': ({ report }, pairs, dice) => {
    if (!report.orderby) return undefined;
    const without = pairs.filter(([name]) => name !== 'groupby');
    const orderby = dice.pick([
      'date down',
      'date desc asc',
      'date,',
      ',date',
      'date;desc',
      'date descending',
    ]);
    return { pairs: set(without, 'orderby', orderby), names: ['orderby'] };
  },
  'no product': ({ report }, pairs) => {
    if (report.identity.needs !== 'one') return undefined;
    const names = report.identity.parameters.map(({ name }) => name);
    return { pairs: pairs.filter(([name]) => !names.some((other) => other === name)), names };
  },
  'malformed escape': (_ask, pairs, dice) => {
    const bad = dice.pick(['%', '%zz', '%2', '%ff', '%c3%28', '%ed%a0%80']);
    return {
      pairs: pairs.filter(([name]) => name !== 'filter'),
      raw: `filter=${bad}`,
      names: ['filter', bad],
    };
  },
};

/** A request for a product that is nobody's or somebody else's. */
function foreign(report: ReportEntry, ask: Ask, others: readonly string[], dice: Dice): Mistake | undefined {
  if (report.identity.parameters.length === 0) return undefined;
  const { name } = dice.pick(report.identity.parameters);
  const id = dice.pick(['9NOSUCHAPP00', "x'; --", '\u{1f600}', '0', ...others]);
  const names = report.identity.parameters.map((parameter) => parameter.name);
  const pairs = pairsOf(ask).filter(([other]) => !names.some((own) => own === other));
  const query = writeQuery(ask, [...pairs, [name, id]]);
  return { report, kind: 'foreign product', query, status: 403, names: [id] };
}

/** A random invalid request of a report; `others` are product ids that only other accounts have. */
export function someMistake(
  report: ReportEntry,
  products: readonly OracleProduct[],
  others: readonly string[],
  dice: Dice,
  shape: Shape = '2018',
): Mistake {
  const ask = someAsk(report, products, dice, undefined, shape);
  const kinds = Object.keys(spoilers);
  const at = dice.whole(0, kinds.length);
  const kind = kinds[at];
  const spoil = kind === undefined ? undefined : spoilers[kind];
  const again = (): Mistake => someMistake(report, products, others, dice, shape);
  if (kind === undefined || spoil === undefined) return foreign(report, ask, others, dice) ?? again();
  const pairs = pairsOf(ask);
  const spoilt = spoil(ask, pairs, dice);
  if (spoilt === undefined) return again();
  const query = writeQuery(ask, spoilt.pairs);
  const whole = spoilt.raw === undefined ? query : `${query}&${spoilt.raw}`;
  return { report, kind, query: whole, status: 400, names: spoilt.names };
}
