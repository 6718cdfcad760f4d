/** oauth4webapi: the strict client below openid-client; also shows the body of a refusal to its caller. */
import {
  ClientSecretBasic,
  clientCredentialsGrantRequest,
  discoveryRequest,
  processClientCredentialsResponse,
  processDiscoveryResponse,
} from 'oauth4webapi';
import { give, given, readReport, resource } from './environment.mjs';

const issuer = new URL(`${given.login}/${given.tenantId}/v2.0`);
const server = await processDiscoveryResponse(issuer, await discoveryRequest(issuer));
const client = { client_id: given.clientId };

async function tokenWith(secret) {
  const parameters = new URLSearchParams({ scope: `${resource}/.default` });
  const answer = await clientCredentialsGrantRequest(server, client, ClientSecretBasic(secret), parameters);
  return processClientCredentialsResponse(server, client, answer);
}

const token = await tokenWith(given.clientSecret);
const refusal = await tokenWith(`${given.clientSecret}x`).catch((error) => ({
  error: error.error,
  description: error.error_description,
  status: error.status,
}));
give({ report: await readReport(token.access_token), refusal });
