/** The crash part of `/openapi.json`: crash files in, one failure in full, downloads. */
import { datasets } from '@storelens/contract';
import type { AcceptedCrash, CrashDetail, CrashFrame } from '../crashes/index.js';
import { errorReferences, type Json } from './openapi-errors.js';
import { rowSchema } from './openapi-ingestion.js';

const text = { type: 'string' };
const guid = { type: 'string', format: 'uuid' };
const count = { type: 'integer', minimum: 0 };
/** Who may call what stands below `/ingest/v1`. */
export const ingestSecurity = [{ token: [] }, { operatorKey: [] }];

/** An object all of whose keys are there; the keys are those of the answer's own type. */
export function whole<Answer extends object>(properties: Readonly<Record<keyof Answer, Json>>): Json {
  return { type: 'object', required: Object.keys(properties), additionalProperties: false, properties };
}

/** A JSON answer. */
export function answer(description: string, schema: Json): Json {
  return { description, content: { 'application/json': { schema } } };
}

/** A header of a request. */
export function header(name: string, description: string): Json {
  return { name, in: 'header', description, schema: text };
}

function query(name: string, description: string): Json {
  return { name, in: 'query', description, schema: text };
}

/** A part of a path. */
export function path(name: string, description: string, schema: Json): Json {
  return { name, in: 'path', required: true, description, schema };
}

/** Who is meant by a call with the operator key. */
export const tenantHeader = header('Storelens-Tenant', 'Tenant id; with an operator key only.');
const processed = {
  ...text,
  description: 'Whether the file was `read`, or why it is kept unread; empty for failures without file.',
};
const digits = { ...text, pattern: '^[1-9]\\d{12}$' };

const receipt = whole<AcceptedCrash>({
  dataset: { ...text, const: 'failures' },
  accepted: { type: 'integer', const: 1 },
  batch: { ...text, description: 'The Idempotency-Key, or the id made for the crash.' },
  duplicate: { type: 'boolean', description: 'Whether the crash was stored before, under the same key.' },
  cabId: digits,
  cabIdHash: guid,
  failureName: text,
  failureHash: text,
  processed,
});

const frame = whole<CrashFrame>({
  level: { ...count, description: '0 for the failing function.' },
  image: text,
  function: { ...text, description: 'Empty if unknown.' },
  offset: { ...text, description: 'In the function, or without function in the image; such as `0x25C`.' },
  found: {
    ...text,
    enum: ['context', 'cfi', 'frame-pointer', 'scan', 'given'],
    description: 'How the frame was found.',
  },
  file: { type: ['string', 'null'], description: 'Source file.' },
  line: { type: ['integer', 'null'] },
});

const detail = whole<CrashDetail>({
  cabId: digits,
  cabIdHash: guid,
  source: text,
  applicationId: { ...text, description: 'Empty for failures without product.' },
  timestamp: { ...text, format: 'date-time' },
  failureName: text,
  failureHash: text,
  formerHashes: {
    type: 'array',
    items: text,
    description: 'Hashes that it had before it was renamed; they still answer.',
  },
  symbol: text,
  exceptionCode: text,
  exceptionClass: text,
  namingVersion: { ...count, description: 'Version of the rules that named it.' },
  cabBytes: { ...count, description: 'Bytes of the crash file; 0 without one.' },
  processed,
  frames: { type: 'array', items: frame, description: 'The failed thread, the failing function first.' },
});

function eventSchema(): Json {
  const { failures } = datasets;
  if (failures === undefined) throw new TypeError('there is no dataset failures');
  const row = rowSchema(failures);
  const required = Array.isArray(row.required) ? row.required.filter((name) => name !== failures.time) : [];
  return { ...row, required };
}

/** Paths of the crash side that are no reports. */
export const crashPaths: Json = {
  '/ingest/v1/crashes': {
    post: {
      operationId: 'ingest-crash',
      tags: ['Ingestion'],
      summary: 'Store a crash with its file',
      description:
        'What the event says wins; what it leaves out is read from the dump. Instead of the part event the query ' +
        'may say source and applicationId. Needs the role Manager or Ingestor.',
      security: ingestSecurity,
      parameters: [
        query('source', 'Whose failure it is; only without the part event.'),
        query('applicationId', 'Id of the product; only with source.'),
        header('Idempotency-Key', 'Name of the crash: sent again, it is counted once and has the same ids.'),
        tenantHeader,
      ],
      requestBody: {
        required: true,
        content: {
          'multipart/form-data': {
            schema: {
              type: 'object',
              required: ['file'],
              properties: {
                event: eventSchema(),
                file: { ...text, format: 'binary', description: 'A minidump, or a cabinet with one in it.' },
              },
            },
            encoding: { event: { contentType: 'application/json' } },
          },
        },
      },
      responses: {
        '200': answer('The crash counts, and its file is kept.', receipt),
        ...errorReferences([400, 401, 403, 409, 413, 415, 429, 500, 503]),
      },
    },
  },
  '/ingest/v1/crashes/{cabIdHash}': {
    get: {
      operationId: 'crash',
      tags: ['Ingestion'],
      summary: 'One failure in full',
      description: 'With what the reports have no room for: source files, lines and how frames were found.',
      security: ingestSecurity,
      parameters: [
        path('cabIdHash', 'The crash file, as the answer to its upload says.', guid),
        tenantHeader,
      ],
      responses: {
        '200': answer('The failure as it stands now.', detail),
        ...errorReferences([401, 403, 404, 429, 500, 503]),
      },
    },
  },
  '/files/v1/{tenant}/{file}': {
    get: {
      operationId: 'crash-file',
      tags: ['Reports'],
      summary: 'A crash file',
      description: 'Addresses come from the cabdownload reports and open one file for ten minutes.',
      security: [],
      parameters: [
        path('tenant', 'Tenant id.', guid),
        path('file', 'The cabIdHash and `.cab`.', text),
        ...['key', 'expires', 'signature'].map((name) => ({
          ...query(name, 'Part of the address.'),
          required: true,
        })),
        header('Range', 'One range of bytes.'),
      ],
      responses: {
        '200': fileAnswer('The file.'),
        '206': fileAnswer('The bytes that Range asks for.'),
        ...errorReferences([404, 416, 500, 503]),
      },
    },
  },
};

function fileAnswer(description: string): Json {
  return { description, content: { 'application/vnd.ms-cab-compressed': {} } };
}
