/**
 * `/openapi.json`: an OpenAPI 3.1 description of the reports, ingestion, crashes, the token endpoints and the probes, made
 * from the contract's entries, so that it cannot drift from them. The operator API is not described here.
 *
 * Listed values are given as examples, never as closed enumerations: the API accepts and answers others.
 */
import { datasets, reports } from '@storelens/contract';
import type { FastifyInstance } from 'fastify';
import type { RowShape } from '../query/index.js';
import { sendCompressed } from './compress.js';
import { crashPaths } from './openapi-crashes.js';
import { errorResponses, errorSchema, type Json } from './openapi-errors.js';
import { ingestionPath } from './openapi-ingestion.js';
import { mirrorPaths } from './openapi-mirror.js';
import { reportPath } from './openapi-reports.js';
import { symbolPaths } from './openapi-symbols.js';
import { tokenPaths, tokenSchemas } from './openapi-tokens.js';
import type { Parts } from './parts.js';

/** Registers `GET /openapi.json`; it needs no token. */
export function registerOpenApiRoutes(
  server: FastifyInstance,
  parts: Pick<Parts, 'publicUrl' | 'settings'>,
): void {
  let made:
    | { readonly publicUrl: string; readonly body: Buffer; readonly coded: Map<string, Buffer> }
    | undefined;
  server.get('/openapi.json', async (request, reply) => {
    const publicUrl = parts.publicUrl();
    if (made?.publicUrl !== publicUrl) {
      const body = Buffer.from(JSON.stringify(openApiDocument(publicUrl, parts.settings['row-shape'])));
      made = { publicUrl, body, coded: new Map() };
    }
    reply.header('content-type', 'application/json; charset=utf-8');
    return sendCompressed(request, reply, made.body, made.coded);
  });
}

/** The description of the API as served at `publicUrl`, with rows of a form. */
export function openApiDocument(publicUrl: string, shape: RowShape): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Storelens',
      version: '1.0',
      description:
        'App-store analytics on the wire of the Microsoft Store analytics API. Get a token, post rows to the ' +
        'datasets, ask the reports.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: publicUrl }],
    tags: [
      { name: 'Reports', description: 'What happened, by day and dimension.' },
      { name: 'Ingestion', description: 'Rows that feed the reports.' },
      { name: 'Mirror', description: 'Days of reports that are copied from another server.' },
      { name: 'Tokens', description: 'OAuth 2.0 client credentials, and the documents that describe them.' },
      { name: 'Operation', description: 'Is the server well.' },
    ],
    security: [{ token: [] }],
    paths: {
      ...Object.fromEntries(Object.values(reports).map((entry) => reportPath(entry, shape))),
      ...Object.fromEntries(Object.values(datasets).map(ingestionPath)),
      ...crashPaths,
      ...symbolPaths,
      ...mirrorPaths,
      ...tokenPaths,
      ...probePaths,
    },
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Access token from a token endpoint.',
        },
        operatorKey: {
          type: 'http',
          scheme: 'bearer',
          description: "The operator key from the file that the server's ready line names.",
        },
      },
      schemas: { Error: errorSchema, ...tokenSchemas },
      responses: errorResponses,
    },
  };
}

function probe(operationId: string, summary: string, more: Json): Json {
  return { get: { operationId, tags: ['Operation'], summary, security: [], ...more } };
}

const status = { 'application/json': { schema: { type: 'object' } } };

const probePaths: Json = {
  '/healthz': probe('healthz', 'Whether the process is alive.', {
    responses: { '200': { description: 'It is.', content: status } },
  }),
  '/readyz': probe('readyz', 'Whether engine, registry and files answer.', {
    responses: {
      '200': { description: 'All of them do.', content: status },
      '503': { description: 'The body says which one does not.', content: status },
    },
  }),
  '/metrics': probe('metrics', 'Figures about the server for Prometheus.', {
    security: [{ operatorKey: [] }],
    responses: {
      '200': { description: 'Prometheus text.', content: { 'text/plain': { schema: { type: 'string' } } } },
      '401': { $ref: '#/components/responses/401' },
      '403': { $ref: '#/components/responses/403' },
    },
  }),
  '/openapi.json': probe('openapi', 'This document.', {
    responses: { '200': { description: 'The document.', content: status } },
  }),
};
