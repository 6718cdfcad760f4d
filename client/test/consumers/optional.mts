/**
 * A `groupby` that may be left out, checked by the compiler without `exactOptionalPropertyTypes`: with it, the compiler
 * infers nothing from what is left out.
 */
import type { Client, Rows } from '@storelens/client';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type RowIn<Result> = Result extends Rows<infer One> ? { [Key in keyof One]: One[Key] } : never;
/** Fails to compile unless its argument is true. */
const holds = <_ extends true>() => {};

export function check(client: Client<'2018'>, chosen: { groupby?: ['market'] }): void {
  const app = { applicationId: '9NBLGGGZ5QDR' } as const;
  const optional = client.rows('installs', { ...app, ...chosen });
  holds<Same<RowIn<typeof optional>['market'], string>>();
  holds<Same<RowIn<typeof optional>['packageVersion'], string | undefined>>();
  const grouped = chosen.groupby !== undefined;
  const spread = client.rows('installs', { ...app, ...(grouped ? { groupby: ['market'] } : {}) });
  holds<Same<RowIn<typeof spread>['packageVersion'], string | undefined>>();
}
