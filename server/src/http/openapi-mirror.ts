/** The part of `/openapi.json` on mirrored days: a path per report that can be mirrored, and the state. */
import { type Field, type MirrorTable, mirrorTables, type ReportEntry, reports } from '@storelens/contract';
import { dayStates } from '../mirror/index.js';
import { errorReferences, type Json } from './openapi-errors.js';

const security = [{ token: [] }, { operatorKey: [] }];

const tenant: Json = {
  name: 'Storelens-Tenant',
  in: 'header',
  description: 'Tenant id; with an operator key only.',
  schema: { type: 'string' },
};

function parameter(name: string, description: string, more: Json = {}): Json {
  return { name, in: 'query', description, schema: { type: 'string' }, ...more };
}

const day: Json = {
  name: 'day',
  in: 'path',
  required: true,
  description: 'UTC day.',
  schema: { type: 'string', format: 'date' },
};

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

const nullable = (type: string): Json => ({ type: [type, 'null'] });
const state: Json = { type: 'string', enum: [...dayStates] };

const stored: Json = {
  type: 'object',
  required: ['report', 'applicationId', 'day', 'state', 'rows', 'batch', 'duplicate', 'ignoredFields'],
  properties: {
    report: { type: 'string' },
    applicationId: nullable('string'),
    day: { type: 'string', format: 'date' },
    state,
    rows: { type: 'integer' },
    batch: { type: 'string' },
    duplicate: { type: 'boolean', description: 'Whether the day had this content already.' },
    ignoredFields: { type: 'array', items: { type: 'string' }, description: 'Fields that were left out.' },
  },
};

const wireTypes: Readonly<Record<Field['type'], string>> = {
  text: 'string',
  date: 'string',
  time: 'string',
  instant: 'string',
  integer: 'integer',
  decimal: 'number',
  boolean: 'boolean',
};

function rowSchema({ report, columns }: MirrorTable): Json {
  const required = columns.filter((column) => column.required).map(({ field }) => field);
  return {
    type: 'object',
    required,
    properties: Object.fromEntries(
      report.fields.map(({ name, type, note }) => [
        name,
        {
          type: required.includes(name) ? wireTypes[type] : [wireTypes[type], 'null'],
          description: note,
        },
      ]),
    ),
  };
}

function mirrorPath(table: MirrorTable): [string, Json] {
  const { report, scope } = table;
  const parameters: readonly Json[] = [
    day,
    ...(scope === 'product' ? [parameter('applicationId', 'The product.', { required: true })] : []),
    ...(report.groupby ? [parameter('groupby', 'Fields that the source grouped by.')] : []),
    parameter('aggregationLevel', 'Level of the rows.', { schema: { type: 'string', enum: ['day'] } }),
    parameter('settled', 'Whether the day will not be read again.', { schema: { type: 'boolean' } }),
    tenant,
  ];
  const operation: Json = {
    operationId: `mirror-${report.name.replaceAll('/', '-')}`,
    tags: ['Mirror'],
    summary: `Store the rows of a day of ${report.name}`,
    description: 'The rows of another server of the API take the place of those that were mirrored before.',
    security,
    parameters,
    requestBody: {
      required: true,
      content: {
        'application/x-ndjson': { schema: { type: 'string', description: 'One row as JSON per line.' } },
        ...(json({ type: 'array', items: rowSchema(table) }) as object),
      },
    },
    responses: {
      '200': { description: 'The day is stored and counts.', content: json(stored) },
      ...errorReferences([400, 401, 403, 413, 415, 429, 500, 503]),
    },
  };
  return [`/ingest/v1/mirror/${report.name}/{day}`, { put: operation }];
}

const frame: Json = {
  type: 'object',
  properties: Object.fromEntries(
    ['level', 'image', 'function', 'offset'].map((name) => [name, { type: 'string' }]),
  ),
};

const storedRecord: Json = {
  type: 'object',
  required: ['report', 'applicationId', 'id', 'batch', 'duplicate'],
  properties: {
    report: { type: 'string' },
    applicationId: nullable('string'),
    id: { type: 'string' },
    batch: { type: 'string' },
    duplicate: { type: 'boolean', description: 'Whether it had this content already.' },
  },
};

function recordPath({ name, kind, identity }: ReportEntry): [string, Json] {
  const required = { required: true };
  const operation: Json = {
    operationId: `mirror-${name.replaceAll('/', '-')}`,
    tags: ['Mirror'],
    summary: kind === 'file' ? `Store a crash file for ${name}` : `Store a stack for ${name}`,
    security,
    parameters: [
      {
        name: 'id',
        in: 'path',
        required: true,
        description: 'As the source gives it.',
        schema: { type: 'string' },
      },
      ...(identity.needs === 'one' ? [parameter('applicationId', 'The product.', required)] : []),
      parameter('date', 'UTC day of the failure.', {
        ...required,
        schema: { type: 'string', format: 'date' },
      }),
      tenant,
    ],
    requestBody: {
      required: true,
      content:
        kind === 'file'
          ? { 'application/vnd.ms-cab-compressed': { schema: { type: 'string', format: 'binary' } } }
          : json({ type: 'array', items: frame, maxItems: 1000 }),
    },
    responses: {
      '200': { description: 'It is stored and answered.', content: json(storedRecord) },
      ...errorReferences([400, 401, 403, 413, 415, 500, 503]),
    },
  };
  return [`/ingest/v1/mirror/${name}/{id}`, { put: operation }];
}

const known: Json = {
  type: 'object',
  required: ['reports'],
  properties: {
    reports: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          report: { type: 'string' },
          applicationId: nullable('string'),
          first: nullable('string'),
          last: nullable('string'),
          days: { type: 'object', additionalProperties: { type: 'integer' }, description: 'By state.' },
          cursor: { description: 'What was remembered.' },
          cursorAt: nullable('string'),
        },
      },
    },
    days: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          applicationId: nullable('string'),
          day: { type: 'string', format: 'date' },
          state,
          settled: { type: 'boolean' },
          rows: nullable('integer'),
          readAt: nullable('string'),
          error: nullable('string'),
          failedAt: nullable('string'),
          goneAt: nullable('string'),
        },
      },
    },
  },
};

const report: Json = {
  name: 'report',
  in: 'path',
  required: true,
  description: 'Name of a report; its slash is written as it is.',
  schema: { type: 'string' },
};

function note(operationId: string, summary: string, parameters: Json[], schema: Json): Json {
  return {
    put: {
      operationId,
      tags: ['Mirror'],
      summary,
      security,
      parameters: [...parameters, parameter('applicationId', 'The product.'), tenant],
      requestBody: { required: true, content: json(schema) },
      responses: {
        '204': { description: 'It is noted.' },
        ...errorReferences([400, 401, 403, 413, 415, 500]),
      },
    },
  };
}

/** Paths of mirrored days. */
export const mirrorPaths: Readonly<Record<string, Json>> = {
  ...Object.fromEntries(Object.values(mirrorTables).map(mirrorPath)),
  ...Object.fromEntries(
    Object.values(reports)
      .filter(({ kind }) => kind === 'frames' || kind === 'file')
      .map(recordPath),
  ),
  '/ingest/v1/mirror/state': {
    get: {
      operationId: 'mirror-state',
      tags: ['Mirror'],
      summary: 'What is known of mirrored days',
      security,
      parameters: [
        parameter('report', 'Only this report, with its single days.'),
        parameter('applicationId', 'Only this product.'),
        parameter('from', 'First day.', { schema: { type: 'string', format: 'date' } }),
        parameter('to', 'Last day.', { schema: { type: 'string', format: 'date' } }),
        tenant,
      ],
      responses: {
        '200': { description: 'The state.', content: json(known) },
        ...errorReferences([400, 401, 403, 500]),
      },
    },
  },
  '/ingest/v1/mirror/state/{report}/{day}': note(
    'mirror-failed',
    'Note that a day could not be read, or that the source has it no longer',
    [report, day],
    {
      type: 'object',
      required: ['state', 'error'],
      properties: {
        state: { type: 'string', enum: ['failed', 'gone'] },
        error: { type: 'string', maxLength: 2000 },
      },
    },
  ),
  '/ingest/v1/mirror/state/{report}': note('mirror-remember', 'Remember an object for a report', [report], {
    type: 'object',
  }),
};
