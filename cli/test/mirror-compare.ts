/** Whether a copy answers what its source does. */
import assert from 'node:assert/strict';
import type { Client } from '@storelens/client';
import type { ReportEntry } from '@storelens/contract';
import { queryOf, someAsk } from '@storelens/server/test-oracle/generate-query';
import type { Dice } from '@storelens/server/test-oracle/random';
import { analyticsBase } from '@storelens/server/test-oracle/wire';

/** What questions are about. */
export interface Asking {
  readonly products: Parameters<typeof someAsk>[1];
  readonly start: string;
  readonly end: string;
  readonly shape: '2018' | '2022';
}

/** An answer of one of the servers. */
export interface Answered {
  readonly body: string;
  readonly notice: string;
}

/** Asks a server; throws what the client throws. */
export async function answerOf(client: Client, target: string): Promise<Answered> {
  const answer = await client.request(target);
  return {
    body: await answer.text(),
    notice: decodeURIComponent(answer.headers.get('storelens-notice') ?? ''),
  };
}

type Page = { readonly Value: readonly Record<string, unknown>[] };

/** The rows of an answer, numbers as they are printed, without what every account prints as its own. */
export function rowsIn(body: string, without: readonly string[] = []): Page['Value'] {
  const left = new Set(['sellerId', ...without]);
  const quoted = body.replace(/"(?:\\.|[^"\\])*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') ? token : `"#${token}"`,
  );
  const rows = (JSON.parse(quoted) as Page).Value;
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([key]) => !left.has(key))));
}

/**
 * The rows are equal, but for what is said not to be known, and for counts that are said to be bounds: these are not
 * less.
 */
export function same(
  want: string,
  got: string,
  notice: string,
  target: string,
): 'equal' | 'bound' | 'unknown' {
  const unknown = [...notice.matchAll(/(\w+) is not known/g)].map(([, name = '']) => name);
  const asked = decodeURIComponent(target).toLowerCase();
  // What a filter asks of it cannot be answered.
  if (unknown.some((name) => asked.includes(name.toLowerCase()))) return 'unknown';
  if (!notice.includes('deviceCount is an upper bound')) {
    assert.deepEqual(rowsIn(got, unknown), rowsIn(want, unknown), `${target}\n${notice}`);
    return unknown.length === 0 ? 'equal' : 'unknown';
  }
  // Bounds are in another order than what they bound.
  if (/orderby=[^&]*devicecount/.test(asked)) return 'bound';
  const split = (body: string) =>
    rowsIn(body, unknown)
      .map(
        ({ deviceCount, ...rest }) => [JSON.stringify(rest), Number(String(deviceCount).slice(1))] as const,
      )
      .sort(([left], [right]) => (left < right ? -1 : 1));
  const [wanted, had] = [split(want), split(got)];
  assert.deepEqual(
    had.map(([row]) => row),
    wanted.map(([row]) => row),
    target,
  );
  for (const [index, [, count]] of had.entries()) assert.ok(count >= (wanted[index]?.[1] ?? 0), target);
  return 'bound';
}

/** A random question about a report in a range of days (`yyyy-MM-dd`), as a path and query; no hours. */
export function someQuestion(
  entry: ReportEntry,
  { products, start, end, shape }: Asking,
  dice: Dice,
): string {
  let ask = someAsk(entry, products, dice, undefined, shape);
  while (ask.level?.toLowerCase() === 'hour') ask = someAsk(entry, products, dice, undefined, shape);
  const page = {
    top: dice.chance(0.5) ? String(dice.whole(1, 12)) : '10000',
    skip: dice.chance(0.3) ? String(dice.whole(0, 6)) : undefined,
  };
  return `${analyticsBase}${entry.name}?${queryOf({ ...ask, ...page, start, end })}`;
}
