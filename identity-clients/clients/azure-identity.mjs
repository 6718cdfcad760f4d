/** @azure/identity: a credential object as Azure SDKs take it. */
import { ClientSecretCredential } from '@azure/identity';
import { give, given, readReport, resource } from './environment.mjs';

const options = given.unchanged ? {} : { authorityHost: given.login, disableInstanceDiscovery: true };
const credential = new ClientSecretCredential(given.tenantId, given.clientId, given.clientSecret, options);
const token = await credential.getToken(`${resource}/.default`);
give({
  report: await readReport(token.token),
  secondsLeft: (token.expiresOnTimestamp - Date.now()) / 1000,
});
