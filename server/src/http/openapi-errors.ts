/** The error part of `/openapi.json`: the envelope and one response per status of the catalogue. */
import { type ErrorEntry, errorBody, errors } from '@storelens/contract';

/** A piece of the document: plain JSON. */
export type Json = Readonly<Record<string, unknown>>;

const texts = { type: 'array', items: { type: 'string' } };

/** Body of every error of the API. */
export const errorSchema: Json = {
  type: 'object',
  description: 'What went wrong; the facts of the case stand in innererror.data.',
  required: ['code', 'data', 'details', 'innererror', 'message', 'source'],
  properties: {
    code: { type: 'string' },
    data: texts,
    details: texts,
    innererror: {
      type: 'object',
      required: ['code', 'data', 'details', 'message', 'source'],
      properties: {
        code: { type: 'string' },
        data: texts,
        details: texts,
        message: { type: 'string' },
        source: { type: 'string', const: 'AnalyticsAPI' },
      },
    },
    message: { type: 'string' },
    source: { type: 'string', const: 'AnalyticsAPI' },
  },
};

const entries = Object.entries<ErrorEntry>(errors);

function errorResponse(status: number): Json {
  const kinds = entries.filter(([, entry]) => entry.status === status);
  const waits = status === 429 || status === 503;
  return {
    description: kinds.map(([, entry]) => entry.help).join(' '),
    ...(waits
      ? { headers: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } } } }
      : {}),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/Error' },
        examples: Object.fromEntries(kinds.map(([name, entry]) => [name, { value: errorBody(entry, []) }])),
      },
    },
  };
}

/** Responses by status, as components. */
export const errorResponses: Json = Object.fromEntries(
  [...new Set(entries.map(([, entry]) => entry.status))].map((status) => [status, errorResponse(status)]),
);

/** References to the error responses of an operation. */
export function errorReferences(statuses: readonly number[]): Json {
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/${status}` }]));
}
