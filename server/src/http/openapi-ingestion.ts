/** The ingestion part of `/openapi.json`: one path per dataset with the schema of its rows. */
import type { Column, ColumnType, DatasetEntry } from '@storelens/contract';
import { errorReferences, type Json } from './openapi-errors.js';

const types: Readonly<Record<Exclude<ColumnType, 'object' | 'list'>, Json>> = {
  timestamp: { type: 'string', format: 'date-time' },
  day: { type: 'string', format: 'date' },
  instant: { type: 'string', format: 'date-time' },
  text: { type: 'string' },
  guid: { type: 'string', format: 'uuid' },
  product: { type: 'string' },
  integer: { type: 'integer' },
  amount: { type: 'number' },
  boolean: { type: 'boolean' },
  code: { type: ['string', 'integer'] },
};

/** Path and path item of a dataset. */
export function ingestionPath(entry: DatasetEntry): [string, Json] {
  const header = (name: string, description: string): Json => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  });
  const replaces =
    entry.replaces === undefined
      ? 'Rows add up.'
      : `A row replaces an earlier one with the same ${entry.replaces.join(', ')}.`;
  const json = entry.columns.filter(({ type }) => type === 'object' || type === 'list');
  const nested = json.length === 0 ? '' : ` It cannot give ${json.map(({ name }) => name).join(' and ')}.`;
  const operation = {
    operationId: `ingest-${entry.name}`,
    tags: ['Ingestion'],
    summary: `Store rows of ${entry.name}`,
    description: `${entry.summary} ${replaces} A batch is stored whole or not at all.`,
    security: [{ token: [] }, { operatorKey: [] }],
    parameters: [
      header('Idempotency-Key', 'Name of the batch: sent again, it is counted once.'),
      header('Content-Encoding', 'gzip, if the body is compressed.'),
      header('Storelens-Tenant', 'Tenant id; with an operator key only.'),
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: { type: 'array', items: rowSchema(entry) } },
        'application/x-ndjson': { schema: { type: 'string', description: 'One row as JSON per line.' } },
        'text/csv': {
          schema: { type: 'string', description: `A line of keys, then one row per line.${nested}` },
        },
        ...(entry.completed === undefined ? parquetContent : {}),
      },
    },
    responses: {
      '200': {
        description: 'The batch is stored and counts.',
        content: { 'application/json': { schema: receiptSchema } },
      },
      ...errorReferences([400, 401, 403, 409, 413, 415, 429, 500, 503]),
    },
  };
  return [`/ingest/v1/${entry.name}`, { post: operation }];
}

const parquetContent: Json = {
  'application/vnd.apache.parquet': {
    schema: { type: 'string', format: 'binary', description: 'A file whose columns are named as the keys.' },
  },
};

const receiptSchema: Json = {
  type: 'object',
  required: ['dataset', 'accepted', 'batch', 'duplicate'],
  properties: {
    dataset: { type: 'string' },
    accepted: { type: 'integer', description: 'Rows of the batch.' },
    batch: { type: 'string', description: 'The Idempotency-Key, or the id made for the batch.' },
    duplicate: { type: 'boolean', description: 'Whether the batch was stored before, under the same key.' },
  },
};

/** A row of a dataset, as its JSON. */
export function rowSchema(entry: DatasetEntry): Json {
  return membersSchema(entry.columns);
}

function membersSchema(columns: readonly Column[]): Json {
  const required = columns.filter((column) => column.required).map(({ name }) => name);
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
    properties: Object.fromEntries(columns.map((column) => [column.name, columnSchema(column)])),
  };
}

/** A column that may be missing may also be null. */
function columnSchema(column: Column): Json {
  const base = baseSchema(column);
  const stands = typeof column.missing === 'object' ? undefined : column.missing;
  const { depends, range, values, only } = column;
  const needed =
    depends === undefined ? '' : ` Required with ${depends.column} ${orList(depends.requiredFor)}.`;
  return {
    ...base,
    ...(column.required ? {} : { type: [base.type, 'null'].flat() }),
    description: column.note + needed,
    ...(range === undefined ? {} : { minimum: range[0], maximum: range[1] }),
    ...(values === undefined ? {} : { examples: values }),
    ...(only === undefined ? {} : { enum: only }),
    ...(stands === undefined ? {} : { default: stands }),
  };
}

function baseSchema({ type, columns = [], most }: Column): Json {
  if (type === 'object') return membersSchema(columns);
  if (type !== 'list') return types[type];
  return { type: 'array', items: membersSchema(columns), ...(most === undefined ? {} : { maxItems: most }) };
}

function orList(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
