/** A program that imports the installed package; told by its environment whom to ask, it prints what it got. */
import { connect, ForbiddenError, field, StorelensError } from '@storelens/client';

const {
  URL: url = '',
  TENANT: tenantId = '',
  CLIENT: clientId = '',
  SECRET: clientSecret = '',
} = process.env;
const client = connect({ url, tenantId, clientId, clientSecret });
const parameters = { applicationId: '9NBLGGGZ5QDR', startDate: '2018-05-01', endDate: '2018-05-31' } as const;

const seen: string[] = [];
for await (const row of client.rows('installs', {
  ...parameters,
  groupby: ['market'],
  orderby: 'market',
  top: 1,
  filter: field('market').ne('US'),
})) {
  seen.push(`${row.market} ${row.successfulInstallCount}`);
}
const refused = await client
  .page('installs', { applicationId: '9WZDNCRFJ3TJ' })
  .catch((error: unknown) => error);
console.log(
  JSON.stringify({ seen, refused: refused instanceof ForbiddenError && refused instanceof StorelensError }),
);
