/** simple-oauth2: the v1 token endpoint with HTTP Basic, which is this library's default. */
import { ClientCredentials } from 'simple-oauth2';
import { give, given, readReport, resource } from './environment.mjs';

const client = new ClientCredentials({
  client: { id: given.clientId, secret: given.clientSecret },
  auth: { tokenHost: given.login, tokenPath: `/${given.tenantId}/oauth2/token` },
});
const token = await client.getToken({ resource });
give({ report: await readReport(token.token.access_token), expired: token.expired() });
