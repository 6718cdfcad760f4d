/**
 * Discovery: OpenID documents and key sets of tenants, instance discovery, and the authorization endpoint that the
 * documents must name although there is no sign-in. Addresses are built from the public URL, never from `Host`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TokenRefusal } from '../identity/index.js';
import {
  identify,
  onlyMethod,
  queryParameter,
  sendJson,
  type TokenParts,
  tokenScope,
} from './token-answers.js';

/** Hosts of Microsoft's token service that may be resolved to this server. */
const loginHosts: readonly string[] = [
  'login.microsoftonline.com',
  'login.microsoft.com',
  'login.windows.net',
  'sts.windows.net',
];

/** The OpenID document of a tenant for one version of the token endpoint. */
function openIdDocument(version: 'v1' | 'v2', tenantId: string, issuer: string, publicUrl: string): object {
  const tenantUrl = `${publicUrl}/${tenantId}`;
  const oauth = version === 'v1' ? `${tenantUrl}/oauth2` : `${tenantUrl}/oauth2/v2.0`;
  return {
    token_endpoint: `${oauth}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    jwks_uri: version === 'v1' ? `${publicUrl}/common/discovery/keys` : `${tenantUrl}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code'],
    scopes_supported: version === 'v1' ? ['openid'] : ['openid', 'profile', 'email', 'offline_access'],
    issuer,
    authorization_endpoint: `${oauth}/authorize`,
    tenant_region_scope: 'WW',
    cloud_instance_name: new URL(publicUrl).host,
  };
}

function urlOf(text: string | undefined): URL | undefined {
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
}

/** Registers discovery documents, key sets, instance discovery and the authorization endpoint. */
export function registerDiscoveryRoutes(server: FastifyInstance, parts: TokenParts): void {
  const { identity, publicUrl, random } = parts;

  const tenantOf = (request: FastifyRequest) =>
    identity.findTenant((request.params as { readonly tenant?: string }).tenant ?? '');

  function send(request: FastifyRequest, reply: FastifyReply, body: object): FastifyReply {
    identify(request, reply, random);
    reply.header('cache-control', 'max-age=86400, private').header('access-control-allow-origin', '*');
    return sendJson(reply, body);
  }

  async function document(version: 'v1' | 'v2', request: FastifyRequest, reply: FastifyReply) {
    const { tenantId } = await tenantOf(request);
    const issuer = identity.issuers(tenantId)[version];
    return send(request, reply, openIdDocument(version, tenantId, issuer, publicUrl()));
  }

  async function keySet(request: FastifyRequest, reply: FastifyReply) {
    return send(request, reply, { keys: await identity.publishedKeys() });
  }

  async function keySetOfTenant(request: FastifyRequest, reply: FastifyReply) {
    await tenantOf(request);
    return keySet(request, reply);
  }

  async function instance(request: FastifyRequest, reply: FastifyReply) {
    const endpoint = urlOf(queryParameter(request, 'authorization_endpoint'));
    const host = endpoint?.host;
    if (host === undefined || (host !== new URL(publicUrl()).host && !loginHosts.includes(host))) {
      throw new TokenRefusal(50049);
    }
    const tenant = endpoint?.pathname.split('/')[1] || 'common';
    return send(request, reply, {
      tenant_discovery_endpoint: `${publicUrl()}/${tenant}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    });
  }

  async function authorize(request: FastifyRequest): Promise<never> {
    await tenantOf(request);
    throw new TokenRefusal(70005);
  }

  tokenScope(server, parts, (scope) => {
    const configuration = '.well-known/openid-configuration';
    onlyMethod(scope, 'GET', `/:tenant/${configuration}`, (request, reply) => document('v1', request, reply));
    onlyMethod(scope, 'GET', `/:tenant/v2.0/${configuration}`, (request, reply) =>
      document('v2', request, reply),
    );
    for (const version of ['', 'v2.0/']) {
      onlyMethod(scope, 'GET', `/common/discovery/${version}keys`, keySet);
      onlyMethod(scope, 'GET', `/:tenant/discovery/${version}keys`, keySetOfTenant);
      onlyMethod(scope, 'GET', `/:tenant/oauth2/${version}authorize`, authorize);
    }
    onlyMethod(scope, 'GET', '/common/discovery/instance', instance);
  });
}
