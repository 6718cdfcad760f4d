/** openid-client: discovery, then the v2 token endpoint; once with the secret in the body, once with HTTP Basic. */
import { ClientSecretBasic, ClientSecretPost, clientCredentialsGrant, discovery } from 'openid-client';
import { give, given, readReport, resource } from './environment.mjs';

const issuer = new URL(`${given.login}/${given.tenantId}/v2.0`);
const tokens = [];
for (const method of [ClientSecretPost, ClientSecretBasic]) {
  const client = await discovery(issuer, given.clientId, undefined, method(given.clientSecret));
  tokens.push(await clientCredentialsGrant(client, { scope: `${resource}/.default` }));
}
give({
  report: await readReport(tokens[0].access_token),
  basic: await readReport(tokens[1].access_token),
  secondsLeft: tokens[0].expiresIn(),
});
