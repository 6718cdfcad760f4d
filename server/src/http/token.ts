/**
 * The token endpoint, v1 and v2: hands the request to the grant and prints its token in the form of the version.
 * The grant reads and checks everything; here is only what HTTP adds.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GrantedToken, GrantRequest } from '../identity/index.js';
import {
  bodyText,
  errorPage,
  identify,
  neverCached,
  onlyMethod,
  queryParameter,
  sendJson,
  type TokenParts,
  tokenScope,
} from './token-answers.js';

/** Seconds a token lasts as the service prints them: one less than it does. */
const printedLifetime = 3599;

/** Body of a success: v1 prints numbers as text and echoes the resource, v2 does neither. */
function successBody(version: GrantRequest['version'], token: GrantedToken): object {
  if (version === 'v2') {
    return {
      token_type: 'Bearer',
      expires_in: printedLifetime,
      ext_expires_in: printedLifetime,
      access_token: token.accessToken,
    };
  }
  return {
    token_type: 'Bearer',
    expires_in: String(printedLifetime),
    ext_expires_in: String(printedLifetime),
    expires_on: String(token.expiresOn),
    not_before: String(token.notBefore),
    resource: token.resource,
    access_token: token.accessToken,
  };
}

/** Registers `POST /{tenant}/oauth2/token`, `POST /{tenant}/oauth2/v2.0/token` and the page of error codes. */
export function registerTokenRoutes(server: FastifyInstance, parts: TokenParts): void {
  async function answer(version: GrantRequest['version'], request: FastifyRequest, reply: FastifyReply) {
    const { tenant = '' } = request.params as { readonly tenant?: string };
    const token = await parts.identity.grant({
      version,
      tenant,
      contentType: request.headers['content-type'],
      authorization: request.headers.authorization,
      body: bodyText(request),
      address: request.ip,
    });
    identify(request, reply, parts.random);
    return sendJson(neverCached(reply), successBody(version, token));
  }

  tokenScope(server, parts, (scope) => {
    onlyMethod(scope, 'POST', '/:tenant/oauth2/token', (request, reply) => answer('v1', request, reply));
    onlyMethod(scope, 'POST', '/:tenant/oauth2/v2.0/token', (request, reply) => answer('v2', request, reply));
    scope.get('/error', async (request, reply) => {
      const code = queryParameter(request, 'code');
      const page = code === undefined ? undefined : errorPage(code);
      reply.header('content-type', 'text/plain; charset=utf-8').header('x-content-type-options', 'nosniff');
      return page === undefined
        ? reply.status(404).send('This server answers no error with that code.\n')
        : reply.send(page);
    });
  });
}
