/** Empty pages: followed while their links may lead to rows, and not for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from './errors.js';
import { type Page, walk } from './pages.js';

type Given = Pick<Page<number>, 'rows' | 'next'> & { readonly total?: number | undefined };

/** Rows of the pages that `pageOf` gives by number, and how many were asked for. */
async function walked(pageOf: (number: number) => Given) {
  let asked = 0;
  const ask = async (): Promise<Page<number>> => ({
    ...{ total: undefined, freshness: undefined, notices: [] },
    ...pageOf(asked++),
  });
  const rows: number[] = [];
  let error: unknown;
  try {
    for await (const page of walk(ask, ask, 'ignore')) rows.push(...page.rows);
  } catch (reason) {
    error = reason;
  }
  return { rows, asked: () => asked, error };
}

const link = (skip: number) => `ratings?applicationId=A&top=10&skip=${skip}&groupby=date`;

test('empty pages are followed while skip grows towards the total', async () => {
  const { rows, error } = await walked((n) => ({
    rows: n === 0 || n === 40 ? [n] : [],
    total: 410,
    next: n < 41 ? link(10 * (n + 1)) : undefined,
  }));
  assert.deepEqual([rows, error], [[0, 40], undefined]);
});

test('empty pages whose links lead nowhere end the run, which names the link', async () => {
  for (const [how, next, total] of [
    ['a link that is ever new', (n: number) => `ratings?applicationId=A&at=${n}`, undefined],
    ['skip behind the total', (n: number) => link(100 + n), 100],
    ['skip that goes back', (n: number) => `ratings?$skip=${1000 - n}`, 5000],
  ] as const) {
    const { rows, asked, error } = await walked((n) => ({ rows: n === 0 ? [1] : [], total, next: next(n) }));
    assert.deepEqual(rows, [1], how);
    assert.ok(error instanceof ProtocolError && error.code === 'endless-links', how);
    assert.ok(error.message.includes(`'${next(asked() - 1)}'`), error.message);
    assert.equal(asked(), 11, how);
  }
});

test('rows between empty pages are no end', async () => {
  const { rows, error } = await walked((n) => ({
    rows: n % 8 === 7 ? [n] : [],
    next: n < 80 ? `ratings?applicationId=A&at=${n}` : undefined,
  }));
  assert.deepEqual([rows.length, error], [10, undefined]);
});

test('a service that tells no total is not followed for ever either', async () => {
  const { asked, error } = await walked((n) => ({ rows: [], next: link(10 * (n + 1)) }));
  assert.ok(error instanceof ProtocolError && error.code === 'endless-links');
  assert.equal(asked(), 1000);
});
