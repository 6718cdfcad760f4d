/** The token part of `/openapi.json`: both token endpoints, discovery and key sets. */
import type { Json } from './openapi-errors.js';

const tenant = {
  name: 'tenant',
  in: 'path',
  required: true,
  description: 'Tenant id, or a verified domain of the tenant.',
  schema: { type: 'string' },
};
const audience = 'https://manage.devcenter.microsoft.com';
const text = { type: 'string' };

function tokenPath(version: 'V1' | 'V2'): Json {
  const [target, value] = version === 'V1' ? ['resource', audience] : ['scope', `${audience}/.default`];
  const answer = (description: string, schema: string): Json => ({
    description,
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
  });
  return {
    post: {
      operationId: `token${version}`,
      tags: ['Tokens'],
      summary: `Get an access token (${version.toLowerCase()})`,
      description: 'The client id and secret may also come as HTTP Basic credentials.',
      security: [],
      parameters: [tenant],
      requestBody: {
        required: true,
        content: {
          'application/x-www-form-urlencoded': {
            schema: {
              type: 'object',
              required: ['grant_type', target],
              properties: {
                grant_type: { type: 'string', const: 'client_credentials' },
                client_id: { type: 'string', format: 'uuid' },
                client_secret: text,
                [target]: { type: 'string', examples: [value] },
              },
            },
          },
        },
      },
      responses: {
        '200': answer('A token for 60 minutes.', `Token${version}`),
        '400': answer('The request is malformed, or tenant or application are unknown.', 'TokenError'),
        '401': answer('The secret is missing, wrong or expired.', 'TokenError'),
        '429': answer('Too many failures; wait for the seconds in Retry-After.', 'TokenError'),
      },
    },
  };
}

function documentPath(operationId: string, summary: string): Json {
  return {
    get: {
      operationId,
      tags: ['Tokens'],
      summary,
      security: [],
      parameters: [tenant],
      responses: {
        '200': {
          description: 'The document.',
          content: { 'application/json': { schema: { type: 'object' } } },
        },
      },
    },
  };
}

/** Paths of the token service. */
export const tokenPaths: Json = {
  '/{tenant}/oauth2/token': tokenPath('V1'),
  '/{tenant}/oauth2/v2.0/token': tokenPath('V2'),
  '/{tenant}/.well-known/openid-configuration': documentPath('discoveryV1', 'What the v1 service offers.'),
  '/{tenant}/v2.0/.well-known/openid-configuration': documentPath(
    'discoveryV2',
    'What the v2 service offers.',
  ),
  '/{tenant}/discovery/keys': documentPath('keysV1', 'Keys that sign v1 tokens.'),
  '/{tenant}/discovery/v2.0/keys': documentPath('keysV2', 'Keys that sign v2 tokens.'),
};

/** Bodies of the token endpoints; v1 prints its numbers as text, as the original does. */
export const tokenSchemas: Json = {
  TokenV1: {
    type: 'object',
    required: [
      'token_type',
      'expires_in',
      'ext_expires_in',
      'expires_on',
      'not_before',
      'resource',
      'access_token',
    ],
    properties: {
      token_type: { type: 'string', const: 'Bearer' },
      expires_in: { type: 'string', description: 'Seconds, as text.' },
      ext_expires_in: text,
      expires_on: { type: 'string', description: 'Unix seconds, as text.' },
      not_before: text,
      resource: text,
      access_token: text,
    },
  },
  TokenV2: {
    type: 'object',
    required: ['token_type', 'expires_in', 'ext_expires_in', 'access_token'],
    properties: {
      token_type: { type: 'string', const: 'Bearer' },
      expires_in: { type: 'integer', description: 'Seconds.' },
      ext_expires_in: { type: 'integer' },
      access_token: text,
    },
  },
  TokenError: {
    type: 'object',
    required: ['error', 'error_description', 'error_codes', 'timestamp', 'trace_id', 'correlation_id'],
    properties: {
      error: text,
      error_description: text,
      error_codes: { type: 'array', items: { type: 'integer' } },
      timestamp: text,
      trace_id: { type: 'string', format: 'uuid' },
      correlation_id: { type: 'string', format: 'uuid' },
      error_uri: { type: 'string', format: 'uri' },
    },
  },
};
