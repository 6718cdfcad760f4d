/** The same by `require`. */
import storelens = require('@storelens/client');

async function main(): Promise<void> {
  const {
    URL: url = '',
    TENANT: tenantId = '',
    CLIENT: clientId = '',
    SECRET: clientSecret = '',
  } = process.env;
  const client = storelens.connect({ url, tenantId, clientId, clientSecret });
  const parameters = {
    applicationId: '9NBLGGGZ5QDR',
    startDate: '2018-05-01',
    endDate: '2018-05-31',
  } as const;
  const rows: storelens.Row<'installs', ['market']>[] = await client
    .rows('installs', {
      ...parameters,
      groupby: ['market'],
      orderby: 'market',
      top: 1,
      filter: storelens.field('market').ne('US'),
    })
    .toArray();
  const seen = rows.map((row) => `${row.market} ${row.successfulInstallCount}`);
  // @ts-expect-error the rows were not grouped by that
  void rows[0]?.deviceType;
  const refused = await client
    .page('installs', { applicationId: '9WZDNCRFJ3TJ' })
    .catch((error: unknown) => error);
  console.log(
    JSON.stringify({
      seen,
      refused: refused instanceof storelens.ForbiddenError && refused instanceof storelens.StorelensError,
    }),
  );
}

void main();
