/**
 * What the types of the package promise, checked by the compiler alone: parameters that a report does not have, fields
 * that it does not compare, and how `groupby` shapes its rows. Every `@ts-expect-error` has to be one.
 */
import {
  type Client,
  connect,
  field,
  type Row,
  type Rows,
  type StorelensError,
  unlisted,
} from '@storelens/client';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type RowIn<Result> = Result extends Rows<infer One> ? { [Key in keyof One]: One[Key] } : never;
/** Fails to compile unless its argument is true. */
const holds = <_ extends true>() => {};

export function check(client: Client, of2018: Client<'2018'>, of2022: Client<'2022'>): void {
  const app = { applicationId: '9NBLGGGZ5QDR' } as const;

  // Rows that groupby shapes are the same everywhere, but for a date that it does not name.
  const byMarket = client.rows('appacquisitions', { ...app, groupby: ['date', 'market'] });
  holds<
    Same<
      RowIn<typeof byMarket>,
      {
        readonly date: string;
        readonly applicationId: string;
        readonly market: string;
        readonly acquisitionQuantity: number;
      }
    >
  >();
  const undated = client.rows('installs', { ...app, groupby: ['packageVersion'] });
  holds<Same<RowIn<typeof undated>['date'], string | null>>();
  const dated = of2018.rows('installs', { ...app, groupby: ['packageVersion'] });
  holds<Same<RowIn<typeof dated>['date'], string>>();
  holds<
    Same<keyof RowIn<typeof dated>, 'date' | 'applicationId' | 'packageVersion' | 'successfulInstallCount'>
  >();
  // Reports without a list of fields that they always return have no date unless it is named.
  const spend = client.rows('promotion', { groupby: ['campaignId'] });
  holds<Same<'date' extends keyof RowIn<typeof spend> ? true : false, false>>();

  // Rows without groupby: every field in one form, identifiers and measures in the other, optional where unknown.
  const full = of2018.rows('ratings', app);
  holds<Same<RowIn<typeof full>['isRevised'], boolean>>();
  holds<Same<RowIn<typeof full>['date'], string>>();
  const sums = of2022.rows('ratings', app);
  holds<Same<RowIn<typeof sums>['isRevised'], boolean | undefined>>();
  holds<Same<RowIn<typeof sums>['oneStar'], number>>();
  const either = client.rows('ratings', app);
  holds<Same<RowIn<typeof either>['date'], string | null | undefined>>();

  // Measures that groups leave out, and names that only some levels show.
  const hits = of2018.rows('ihvdriver/failurehits', { groupby: ['failureHash'] });
  holds<Same<'eventCount' extends keyof RowIn<typeof hits> ? true : false, true>>();
  const addOns = of2018.rows('inappacquisitions', app);
  holds<Same<'inAppProductName' extends keyof RowIn<typeof addOns> ? true : false, true>>();
  const weeks = of2018.rows('inappacquisitions', { ...app, aggregationLevel: 'week' });
  holds<Same<'inAppProductName' extends keyof RowIn<typeof weeks> ? true : false, false>>();

  // A list that is not known when compiling: what is always there is there, the rest may be.
  const names: ('market' | 'deviceType')[] = [];
  const some = of2018.rows('installs', { ...app, groupby: names });
  holds<Same<RowIn<typeof some>['successfulInstallCount'], number>>();
  holds<Same<RowIn<typeof some>['packageVersion'], string | undefined>>();

  // One list or another, one level or another: what only one of them gives may be missing.
  const oneOrOther = of2018.rows('installs', {
    ...app,
    groupby: names.length > 0 ? (['date', 'market'] as const) : (['deviceType'] as const),
  });
  holds<Same<RowIn<typeof oneOrOther>['market'], string | undefined>>();
  holds<Same<RowIn<typeof oneOrOther>['successfulInstallCount'], number>>();
  holds<Same<'packageVersion' extends keyof RowIn<typeof oneOrOther> ? true : false, false>>();
  const now = client.rows('installs', {
    ...app,
    groupby: names.length > 0 ? (['date', 'market'] as const) : (['deviceType'] as const),
  });
  holds<Same<RowIn<typeof now>['date'], string | null>>();
  const coarse = of2018.rows('inappacquisitions', {
    ...app,
    aggregationLevel: names.length > 0 ? ('day' as const) : ('week' as const),
  });
  holds<Same<RowIn<typeof coarse>['inAppProductName'], string | undefined>>();
  // A list, or a level, that may be undefined is the default where it is.
  const perhaps = names.length > 0 ? (['date', 'market'] as const) : undefined;
  const maybe = of2018.rows('installs', { ...app, groupby: perhaps });
  holds<Same<RowIn<typeof maybe>['market'], string>>();
  holds<Same<RowIn<typeof maybe>['packageVersion'], string | undefined>>();
  const maybeNow = client.rows('installs', { ...app, groupby: perhaps });
  holds<Same<RowIn<typeof maybeNow>['market'], string | undefined>>();
  holds<Same<RowIn<typeof maybeNow>['date'], string | null | undefined>>();
  const given: 'week' | undefined = names.length > 0 ? 'week' : undefined;
  const leveled = of2018.rows('inappacquisitions', { ...app, aggregationLevel: given });
  holds<Same<RowIn<typeof leveled>['inAppProductName'], string | undefined>>();
  const never = of2018.rows('installs', { ...app, groupby: undefined, aggregationLevel: undefined });
  holds<Same<RowIn<typeof never>['packageVersion'], string>>();
  const empty = of2018.rows('installs', { ...app, groupby: [] });
  holds<Same<RowIn<typeof empty>['market'], string>>();
  // @ts-expect-error a list of any text could name a field that cannot be grouped by
  client.rows('installs', { ...app, groupby: names as string[] });

  // Records, steps, frames.
  type Detail = Row<'failuredetails'>;
  holds<Same<Detail['cabDownloadable'], boolean>>();
  type Driver = Row<'hardware/failuredetails'>;
  holds<Same<Driver['failureHash'], string>>();
  type Frame = Row<'stacktrace'>;
  holds<Same<keyof Frame, 'level' | 'image' | 'function' | 'offset'>>();
  type Step = Row<'funnel'>;
  holds<Same<keyof Step, 'MetricType' | 'UserCount'>>();

  // Enumerations are suggestions: listed values are known, others are taken.
  const kind: Row<'reviews'>['deviceType'] = 'PC';
  const other: Row<'reviews'>['deviceType'] = 'Toaster';
  // @ts-expect-error a number is no text
  const none: Row<'reviews'>['deviceType'] = 7;

  // Names and parameters.
  // @ts-expect-error no such report
  client.rows('usagedaily', app);
  client.rows(unlisted('usagedaily'), { ...app, anything: 1, groupby: ['market'] });
  // @ts-expect-error files are downloaded
  client.rows('cabdownload', { ...app, cabId: '1' });
  // @ts-expect-error rows are not
  client.download('ratings', app);
  client.download('desktop/cabdownload', { ...app, cabIdHash: '1' });
  // @ts-expect-error the desktop's files go by their hash
  client.download('desktop/cabdownload', { ...app, cabId: '1' });
  // @ts-expect-error which product?
  client.rows('ratings', {});
  client.rows('adsperformance', {});
  client.rows('inappacquisitions', { inAppProductId: '9NBLGGGZ5QDR' });
  // @ts-expect-error app or add-on?
  client.rows('inappacquisitions', {});
  // @ts-expect-error which failure?
  client.rows('failuredetails', app);
  // @ts-expect-error a misspelt parameter
  client.rows('ratings', { ...app, endData: '2018-05-31' });
  // @ts-expect-error a failure has no groups
  client.rows('failuredetails', { ...app, failureHash: 'x', groupby: ['market'] });
  // @ts-expect-error the report does not group by that
  client.rows('failurehits', { ...app, groupby: ['osRelease'] });
  client.rows('failurehits', { ...app, aggregationLevel: 'hour' });
  // @ts-expect-error only failures of apps come by the hour
  client.rows('ratings', { ...app, aggregationLevel: 'hour' });
  // @ts-expect-error a stack has no pages
  client.rows('stacktrace', { ...app, cabId: '1', top: 5 });
  client.rows('installs', { ...app, orderby: ['successfulInstallCount desc', 'date'] });
  // @ts-expect-error acquisitions are not sorted by their number
  client.rows('appacquisitions', { ...app, orderby: ['acquisitionQuantity desc'] });
  client.rows('appacquisitions', { ...app, startDate: new Date(0), endDate: '5/31/2018' });

  // Filters.
  client.rows('reviews', { ...app, filter: field('rating').lt(3).and(field('reviewText').contains('ads')) });
  client.rows('reviews', {
    ...app,
    filter: (field) => field('rating').lt(3).or(field('isRevised').eq(true)),
  });
  client.rows('reviews', { ...app, filter: "rating lt 3 and contains(reviewText,'ads')" });
  client.rows('funnel', { ...app, filter: (field) => field('campaignId').eq('7') });
  // @ts-expect-error reviews are not filtered by their date
  client.rows('reviews', { ...app, filter: field('date').eq('2018-05-31') });
  // @ts-expect-error ratings are not compared by size
  client.rows('ratings', { ...app, filter: field('market').gt('US') });
  // @ts-expect-error one of the two has no place here
  client.rows('ratings', { ...app, filter: field('market').eq('US').and(field('rating').lt(3)) });
  // @ts-expect-error a market is a text
  client.rows('ratings', { ...app, filter: (field) => field('market').eq(7) });
  // @ts-expect-error a text is not compared by size
  client.rows('reviews', { ...app, filter: (field) => field('market').lt('US') });

  // @ts-expect-error what would this server answer?
  connect({ tenantId: '', clientId: '', clientSecret: '', rowShape: '2020' });
  // @ts-expect-error without a secret
  connect({ tenantId: '', clientId: '' });
  const facts = ({ code, status, requestId, data, retryAfter }: StorelensError): unknown => [
    code.length,
    status?.toFixed(),
    requestId?.length,
    data.length,
    retryAfter?.toFixed(),
  ];
  void [kind, other, none, facts];
}
