import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createThrottle } from './throttle.js';

function openThrottle() {
  const clock = { time: 1_000_000, now: () => clock.time };
  return { clock, throttle: createThrottle(clock) };
}

test('the tenth failure of a minute makes the key wait until the first is a minute old', () => {
  const { clock, throttle } = openThrottle();
  for (let count = 0; count < 10; count += 1) {
    assert.equal(throttle.wait('a'), 0);
    throttle.fail('a');
    clock.time += 1000;
  }
  assert.equal(throttle.wait('a'), 50);
  assert.equal(throttle.wait('b'), 0);
  clock.time += 49_999;
  assert.equal(throttle.wait('a'), 1);
  clock.time += 1;
  assert.equal(throttle.wait('a'), 0);
  throttle.fail('a');
  assert.equal(throttle.wait('a'), 1);
});

test('failures that are spread out never make anybody wait', () => {
  const { clock, throttle } = openThrottle();
  for (let count = 0; count < 100; count += 1) {
    throttle.fail('a');
    clock.time += 6001;
    assert.equal(throttle.wait('a'), 0);
  }
});

test('memory is bounded: the key that was tried longest ago is forgotten', () => {
  const { throttle } = openThrottle();
  for (let count = 0; count < 10; count += 1) throttle.fail('first');
  for (let count = 0; count < 10; count += 1) throttle.fail('second');
  for (let count = 0; count < 19_998; count += 1) throttle.fail(`other ${count}`);
  assert.equal(throttle.wait('first'), 60);
  throttle.fail('one more');
  assert.equal(throttle.wait('first'), 60);
  assert.equal(throttle.wait('second'), 0);
});

test('long keys are told apart by their end', () => {
  const { throttle } = openThrottle();
  const long = 'x'.repeat(60_000);
  for (let count = 0; count < 10; count += 1) throttle.fail(`${long}a`);
  assert.ok(throttle.wait(`${long}a`) > 0);
  assert.equal(throttle.wait(`${long}b`), 0);
});
