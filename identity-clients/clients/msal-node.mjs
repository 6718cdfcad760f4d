/** @azure/msal-node: v2 discovery, then the v2 token endpoint. */
import { ConfidentialClientApplication } from '@azure/msal-node';
import { give, given, readReport, resource } from './environment.mjs';

const application = new ConfidentialClientApplication({
  auth: {
    clientId: given.clientId,
    clientSecret: given.clientSecret,
    authority: `${given.login}/${given.tenantId}`,
    // Without options where the name is Microsoft's; any other host has to be declared.
    ...(given.unchanged ? {} : { knownAuthorities: [new URL(given.login).host] }),
  },
});
const first = await application.acquireTokenByClientCredential({ scopes: [`${resource}/.default`] });
const second = await application.acquireTokenByClientCredential({ scopes: [`${resource}/.default`] });
give({
  report: await readReport(first.accessToken),
  cached: second.fromCache && second.accessToken === first.accessToken,
  secondsLeft: (first.expiresOn.getTime() - Date.now()) / 1000,
});
