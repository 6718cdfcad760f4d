/** The part of `/openapi.json` on symbols: files in, listed, removed, and crashes read again with them. */
import type { Reprocessed, ReprocessRequest, SymbolsInfo } from '../crashes/index.js';
import { answer, header, ingestSecurity, path, tenantHeader, whole } from './openapi-crashes.js';
import { errorReferences, type Json } from './openapi-errors.js';

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const debugId = { ...text, pattern: '^[0-9A-Fa-f]{33,40}$', description: 'Build and age in hexadecimal.' };
const day = { type: ['string', 'null'], format: 'date' };

const symbols = whole<SymbolsInfo>({
  module: { ...text, description: 'Name of the module, as the file says it.' },
  debugId,
  codeId: { type: ['string', 'null'] },
  os: text,
  architecture: text,
  bytes: { ...count, description: 'Unpacked size.' },
  functions: count,
  storedAt: { ...text, format: 'date-time' },
});

const narrowing: Readonly<Record<Exclude<keyof ReprocessRequest, 'accountId' | 'products'>, Json>> = {
  source: { type: ['string', 'null'], description: 'Whose failures.' },
  applicationId: { type: ['string', 'null'] },
  failureHash: { type: ['string', 'null'], description: 'Of one failure alone.' },
  startDate: { ...day, description: 'First UTC day of the failures.' },
  endDate: { ...day, description: 'Last UTC day of the failures.' },
  after: { type: ['string', 'null'], description: 'The `next` of the last call.' },
};

const reprocessed = whole<Reprocessed>({
  examined: { ...count, description: 'Crashes with a file that were looked at.' },
  changed: { ...count, description: 'Of these, those that have another stack or name now.' },
  renamed: {
    ...count,
    description: 'Of these, those that have another failureHash now; the old one still answers.',
  },
  next: { type: ['string', 'null'], description: 'To be sent as `after` to go on; null when all are done.' },
});

/** Paths of symbols and of reading crashes again. */
export const symbolPaths: Json = {
  '/ingest/v1/symbols': {
    post: {
      operationId: 'ingest-symbols',
      tags: ['Ingestion'],
      summary: 'Store the symbols of a module',
      description:
        'A Breakpad symbol file. It takes the place of one with the same debug id, and changes no stored failure until ' +
        'crashes are read again. Needs the role Manager or Ingestor.',
      security: ingestSecurity,
      parameters: [header('Content-Encoding', 'gzip, if the body is compressed.'), tenantHeader],
      requestBody: {
        required: true,
        content: {
          'text/plain': { schema: { ...text, description: 'Plain or gzip, as the body itself says.' } },
        },
      },
      responses: {
        '200': answer('What was stored.', symbols),
        ...errorReferences([400, 401, 403, 413, 415, 429, 500, 503]),
      },
    },
    get: {
      operationId: 'symbols',
      tags: ['Ingestion'],
      summary: "The account's symbol files, newest first",
      security: ingestSecurity,
      parameters: [tenantHeader],
      responses: {
        '200': answer('All of them.', {
          type: 'object',
          required: ['value'],
          additionalProperties: false,
          properties: { value: { type: 'array', items: symbols } },
        }),
        ...errorReferences([401, 403, 429, 500, 503]),
      },
    },
  },
  '/ingest/v1/symbols/{debugId}': {
    delete: {
      operationId: 'remove-symbols',
      tags: ['Ingestion'],
      summary: 'Remove the symbols of a module',
      description: 'Stored failures keep their names. Needs the role Manager or Ingestor.',
      security: ingestSecurity,
      parameters: [path('debugId', 'As the list says.', debugId), tenantHeader],
      responses: {
        '204': { description: 'They are gone.' },
        ...errorReferences([401, 403, 404, 429, 500, 503]),
      },
    },
  },
  '/ingest/v1/crashes/reprocess': {
    post: {
      operationId: 'reprocess',
      tags: ['Ingestion'],
      summary: 'Read stored crashes again with the symbols of now',
      description:
        'A call looks at some crashes; repeat it with `next` until that is null. Given names and hashes stay. Needs the ' +
        'role Manager or Ingestor.',
      security: ingestSecurity,
      parameters: [tenantHeader],
      requestBody: {
        required: false,
        content: {
          'application/json': {
            schema: { type: 'object', additionalProperties: false, properties: narrowing },
          },
        },
      },
      responses: {
        '200': answer('What the call did.', reprocessed),
        ...errorReferences([400, 401, 403, 413, 415, 429, 500, 503]),
      },
    },
  },
};
