/** The ingestion part of `/openapi.json`: one path per dataset with the schema of its rows. */
import type { Column, ColumnType, DatasetEntry } from '@storelens/contract';
import { errorReferences, type Json } from './openapi-errors.js';

const types: Readonly<Record<ColumnType, Json>> = {
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
  object: { type: 'object' },
  list: { type: 'array', items: { type: 'object' } },
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
        'text/csv': { schema: { type: 'string', description: 'A line of keys, then one row per line.' } },
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

function rowSchema(entry: DatasetEntry): Json {
  return {
    type: 'object',
    required: entry.columns.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: false,
    properties: Object.fromEntries(entry.columns.map((column) => [column.name, columnSchema(column)])),
  };
}

/** A column that may be missing may also be null. */
function columnSchema(column: Column): Json {
  const base = types[column.type];
  const stands = typeof column.missing === 'object' ? undefined : column.missing;
  return {
    ...base,
    ...(column.required ? {} : { type: [base.type, 'null'] }),
    description: column.note,
    ...(column.range === undefined ? {} : { minimum: column.range[0], maximum: column.range[1] }),
    ...(column.values === undefined ? {} : { examples: column.values }),
    ...(stands === undefined ? {} : { default: stands }),
  };
}
