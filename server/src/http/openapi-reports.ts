/** The report part of `/openapi.json`: one path per entry, its parameters and the schema of its rows. */
import type { DefaultDay, Field, IdentityParameter, ReportEntry, ValueType } from '@storelens/contract';
import type { RowShape } from '../query/index.js';
import { errorReferences, type Json } from './openapi-errors.js';

const types: Readonly<Record<ValueType, Json>> = {
  text: { type: 'string' },
  integer: { type: 'integer' },
  decimal: { type: 'number' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
  time: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}:\\d{2}$' },
  instant: { type: 'string', description: 'ISO 8601 with seven fraction digits, or empty.' },
};

/** Path and path item of a report. */
export function reportPath(entry: ReportEntry, shape: RowShape): [string, Json] {
  const operation = {
    operationId: entry.name.replaceAll('/', '-'),
    tags: ['Reports'],
    summary: entry.title,
    description: [entry.summary, ...entry.remarks].join('\n\n'),
    parameters: parametersOf(entry),
    responses: { ...successOf(entry, shape), ...errorReferences(errorsOf(entry)) },
  };
  return [`/v1.0/my/analytics/${entry.name}`, { get: operation }];
}

const notice: Json = {
  'Storelens-Notice': {
    description: 'What a reader of the answer should know, such as ignored parameters.',
    schema: { type: 'string' },
  },
};

function successOf(entry: ReportEntry, shape: RowShape): Json {
  if (entry.kind === 'file') {
    const location = {
      description: 'Signed address of the file; it serves ten minutes and needs no token.',
      schema: { type: 'string', format: 'uri' },
    };
    return { '302': { description: 'Where the file is.', headers: { Location: location, ...notice } } };
  }
  return {
    '200': {
      description: 'A page of rows, or all of them in another form. No rows is an empty list.',
      headers: notice,
      content: { 'application/json': { schema: pageSchema(entry, shape) }, ...wholeContent },
    },
  };
}

/** Whole results, which schemas cannot say much about. */
const wholeContent: Json = {
  'text/csv': {
    schema: {
      type: 'string',
      description:
        "All rows, after a line of field names. Text that a spreadsheet would run has a leading ', with raw=true none.",
    },
  },
  'application/x-ndjson': { schema: { type: 'string', description: 'All rows, each as a line of JSON.' } },
  'application/vnd.apache.parquet': {
    schema: { type: 'string', contentMediaType: 'application/vnd.apache.parquet', description: 'All rows.' },
  },
};

function errorsOf(entry: ReportEntry): readonly number[] {
  return entry.kind === 'file' ? [400, 401, 403, 404, 429, 500, 503] : [400, 401, 403, 429, 500, 503];
}

const productKinds: Readonly<Record<IdentityParameter['kind'], string>> = {
  app: 'app',
  addon: 'add-on',
  desktop: 'desktop program',
  driver: 'driver',
};

function dayText(day: DefaultDay): string {
  if ('day' in day) return day.day;
  return day.daysAgo === 0 ? 'the current day' : `${day.daysAgo} days before the current day`;
}

function names(fields: readonly Field[]): string {
  return fields.map(({ name }) => name).join(', ');
}

function parametersOf(entry: ReportEntry): readonly Json[] {
  const { identity, dates, levels, paging } = entry;
  const parameter = (name: string, description: string, schema: Json, more: Json = {}): Json => ({
    name,
    in: 'query',
    description,
    schema,
    ...more,
  });
  const text = { type: 'string' };
  const date = { type: 'string', examples: ['2018-05-01', '5/1/2018', '2018/05/01'] };
  const raw = { allowReserved: true };
  const hours = levels.includes('hour') ? ' At hour level the hour, as in 2018-05-01 09:00:00.' : '';
  const either = identity.needs === 'one' && identity.parameters.length > 1;
  const list = identity.parameters.map(({ name, kind }) =>
    parameter(
      name,
      `Id of the ${productKinds[kind]}.${either ? ' One of the product parameters is needed.' : ''}`,
      text,
      { required: identity.needs === 'one' && !either },
    ),
  );
  for (const { parameter: name, note } of entry.lookups ?? []) {
    list.push(parameter(name, note, text, { required: true }));
  }
  if (dates !== undefined) {
    list.push(
      parameter('startDate', `First day, in UTC.${hours} Default: ${dayText(dates.start)}.`, date, raw),
      parameter('endDate', `Last day, in UTC.${hours} Default: ${dayText(dates.end)}.`, date, raw),
    );
  }
  if (levels.length > 0) {
    list.push(
      parameter('aggregationLevel', 'Width of a bucket. Weeks begin on Monday.', {
        type: 'string',
        enum: levels,
        default: levels[0],
      }),
    );
  }
  const nameable = [...entry.fields, ...(entry.queryOnly ?? [])];
  const filtered = nameable.filter(({ filter }) => filter !== undefined);
  if (filtered.length > 0) list.push(parameter('filter', `Condition on ${names(filtered)}.`, text, raw));
  if (entry.groupby) {
    const fields = entry.fields.filter(({ groupby }) => groupby);
    list.push(parameter('groupby', `Fields to sum up by, separated by commas: ${names(fields)}.`, text, raw));
  }
  if (entry.orderby) {
    const fields = nameable.filter(({ orderby }) => orderby);
    const description = `Fields to sort by, each with asc or desc, separated by commas: ${names(fields)}.`;
    list.push(parameter('orderby', description, text, raw));
  }
  if (paging !== undefined) {
    const { defaultTop, maxTop } = paging;
    list.push(
      parameter('top', 'Rows of a page.', {
        type: 'integer',
        minimum: 1,
        maximum: maxTop,
        default: defaultTop,
      }),
      parameter('skip', 'Rows to pass over.', { type: 'integer', minimum: 0, default: 0 }),
      parameter('snapshot', 'The state to read, from a next link; leave it out otherwise.', {
        type: 'integer',
        minimum: 0,
      }),
    );
  }
  return list;
}

function pageSchema(entry: ReportEntry, shape: RowShape): Json {
  const link = {
    type: ['string', 'null'],
    description: 'The next page, relative to /v1.0/my/analytics/; null on the last page.',
  };
  const links: Json =
    entry.paging !== undefined
      ? { '@nextLink': link }
      : entry.kind === 'frames'
        ? { '@nextLink': { type: 'null', description: 'All rows come in one answer.' } }
        : {};
  const freshness: Json =
    shape === '2022' && entry.freshness
      ? {
          DataFreshnessTimestamp: {
            type: ['string', 'null'],
            description: 'When rows were last added, in UTC.',
            examples: ['2022-07-29T08:42:00'],
          },
        }
      : {};
  return {
    type: 'object',
    required: ['Value', ...Object.keys(links), 'TotalCount', ...Object.keys(freshness)],
    additionalProperties: false,
    properties: {
      Value: { type: 'array', items: rowSchema(entry, shape) },
      ...links,
      TotalCount: { type: 'integer', minimum: 0, description: 'Rows of all pages.' },
      ...freshness,
    },
  };
}

function valueSchema(entry: ReportEntry, shape: RowShape, field: Field): Json {
  const hourly = field.type === 'date' && entry.levels.includes('hour');
  const schema = hourly ? { type: 'string' } : types[field.type];
  const dateless = shape === '2022' && entry.kind === 'grouped' && field.role === 'date';
  return field.nullWhenEmpty || dateless ? { ...schema, type: [schema.type, 'null'] } : schema;
}

function rowSchema(entry: ReportEntry, shape: RowShape): Json {
  const properties = entry.fields.map((field): [string, Json] => {
    const examples = [...(field.values ?? []), ...(field.olderValues ?? [])];
    return [
      field.name,
      {
        ...valueSchema(entry, shape, field),
        description: field.note,
        ...(examples.length > 0 ? { examples } : {}),
      },
    ];
  });
  const always = entry.fields.filter(
    (field) =>
      (field.alwaysReturned && (shape === '2018' || field.role !== 'attribute')) ||
      (field.role === 'measure' && !field.ungroupedOnly),
  );
  return {
    type: 'object',
    required: always.map(({ name }) => name),
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  };
}
