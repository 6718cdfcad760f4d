import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { EngineError } from './index.js';
import { type Lent, Shares } from './shares.js';

const unavailable = (error: unknown) => error instanceof EngineError && error.kind === 'unavailable';

/** Asks for a slot; tells whether it was lent, and why it was not. */
function ask(shares: Shares<string>, account: string, signal?: AbortSignal) {
  const got: { lent?: Lent<string>; error?: unknown } = {};
  shares.take(account, signal).then(
    (lent) => Object.assign(got, { lent }),
    (error) => Object.assign(got, { error }),
  );
  return { lent: () => got.lent, error: () => got.error };
}

test('an account that holds a slot never gets the last one, and holds up nobody who waits behind it', async () => {
  const shares = new Shares(['a', 'b'], 10);
  const first = await shares.take('one');
  const second = ask(shares, 'one');
  const third = ask(shares, 'one');
  await setImmediate();
  assert.equal(second.lent(), undefined);
  const other = await shares.take('two');
  const late = ask(shares, 'three');
  other.giveBack();
  other.giveBack();
  await setImmediate();
  assert.ok(late.lent(), 'one that has none goes before one that has');
  assert.equal(second.lent(), undefined);
  first.giveBack();
  await setImmediate();
  assert.ok(second.lent(), 'in order of arrival');
  assert.equal(third.lent(), undefined);
  late.lent()?.giveBack();
  second.lent()?.giveBack();
  await setImmediate();
  assert.ok(third.lent());
  third.lent()?.giveBack();
});

test('with more slots an account may have all but the last, and a single slot is anybody’s', async () => {
  const three = new Shares(['a', 'b', 'c'], 10);
  await Promise.all([three.take('one'), three.take('one')]);
  const more = ask(three, 'one');
  await setImmediate();
  assert.equal(more.lent(), undefined);
  assert.equal((await three.take('two')).slot, 'a');
  const single = new Shares(['a'], 10);
  const lent = await single.take('one');
  const next = ask(single, 'one');
  lent.giveBack();
  await setImmediate();
  assert.equal(next.lent()?.slot, 'a');
});

test('nobody fills the line alone; who has gone leaves it', async () => {
  const shares = new Shares(['a'], 4);
  const lent = await shares.take('one');
  const stop = new AbortController();
  const own = [ask(shares, 'one', stop.signal), ask(shares, 'one')];
  await assert.rejects(shares.take('one'), unavailable);
  const other = ask(shares, 'two');
  await assert.rejects(shares.take('two'), unavailable);
  stop.abort();
  await setImmediate();
  assert.ok(unavailable(own[0]?.error()));
  const again = ask(shares, 'two');
  await setImmediate();
  assert.equal(again.error(), undefined);
  await assert.rejects(shares.take('one', AbortSignal.abort()), unavailable);
  await assert.rejects(
    new Shares(['a'], 0).take('one').then(() => new Shares([], 0).take('one')),
    unavailable,
  );

  let closed = false;
  const closing = shares.close().then(() => {
    closed = true;
  });
  await assert.rejects(shares.take('three'), unavailable);
  lent.giveBack();
  for (const waiting of [own[1], other, again]) {
    await setImmediate();
    const served = waiting?.lent();
    assert.ok(served, 'who was let in is served');
    assert.ok(!closed);
    served.giveBack();
  }
  await closing;
});
