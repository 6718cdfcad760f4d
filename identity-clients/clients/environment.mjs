/**
 * What every client script receives and gives back: the ids and secret come in one variable, the answer goes out
 * as one line of JSON. Scripts run in processes of their own because Node reads NODE_EXTRA_CA_CERTS at start.
 */

/** Ids, secret and origins: {tenantId, clientId, clientSecret, applicationId, login, api}. */
export const given = JSON.parse(process.env.STORELENS_CLIENT ?? '{}');

export const resource = 'https://manage.devcenter.microsoft.com';

/** Reads a page of the acquisitions report with an access token, as the documentation shows it. */
export async function readReport(accessToken) {
  const query = `applicationId=${given.applicationId}&startDate=2016-01-01&endDate=2016-02-01&top=10`;
  const answer = await fetch(`${given.api}/v1.0/my/analytics/appacquisitions?${query}`, {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  return { status: answer.status, body: await answer.json() };
}

/** Hands the result to the test. */
export function give(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
