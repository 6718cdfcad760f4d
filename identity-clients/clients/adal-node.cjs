/** adal-node: the library of older clients; v1 token endpoint with a resource. CommonJS, as those clients are. */
const { AuthenticationContext } = require('adal-node');

(async () => {
  const { give, given, readReport, resource } = await import('./environment.mjs');
  const validate = given.unchanged ? [] : [false];
  const context = new AuthenticationContext(`${given.login}/${given.tenantId}`, ...validate);
  const token = await new Promise((resolve, reject) => {
    context.acquireTokenWithClientCredentials(
      resource,
      given.clientId,
      given.clientSecret,
      (error, answer) => (error ? reject(error) : resolve(answer)),
    );
  });
  give({
    report: await readReport(token.accessToken),
    tokenType: token.tokenType,
    secondsLeft: (new Date(token.expiresOn).getTime() - Date.now()) / 1000,
  });
})();
