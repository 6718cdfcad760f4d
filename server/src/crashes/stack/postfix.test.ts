import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDice } from '../../../test/crashes/mutate.js';
import { evaluatePostfix, postfixLimits, runPostfix, type Surroundings } from './postfix.js';

const words = (text: string) => text.split(' ').filter((word) => word !== '');

/** A random expression as text, with its value by plain recursion; undefined if it has none. */
function expression(
  dice: (bound: number) => number,
  depth: number,
  bits: 32 | 64,
): [string, bigint | undefined] {
  const wrap = (value: bigint) => BigInt.asUintN(bits, value);
  if (depth === 0 || dice(4) === 0) {
    if (dice(3) === 0) return ['$a', 0x1234n];
    const value = dice(2000) - 1000;
    return [String(value), wrap(BigInt(value))];
  }
  if (dice(8) === 0) {
    const [text, value] = expression(dice, depth - 1, bits);
    // Memory of the test: every even address holds its half.
    return [`${text} ^`, value === undefined || value % 2n !== 0n ? undefined : value / 2n];
  }
  const [left, a] = expression(dice, depth - 1, bits);
  const [right, b] = expression(dice, depth - 1, bits);
  const operator = '+-*/%@'.charAt(dice(6));
  const text = `${left} ${right} ${operator}`;
  if (a === undefined || b === undefined) return [text, undefined];
  if (operator === '+') return [text, wrap(a + b)];
  if (operator === '-') return [text, wrap(a - b)];
  if (operator === '*') return [text, wrap(a * b)];
  if (b === 0n) return [text, undefined];
  if (operator === '/') return [text, a / b];
  if (operator === '%') return [text, a % b];
  return [text, b.toString(2).replaceAll('0', '') === '1' ? (a / b) * b : undefined];
}

test('two thousand random expressions have the value that plain recursion gives them', () => {
  const dice = createDice(3);
  let valued = 0;
  for (let run = 0; run < 2_000; run += 1) {
    const bits = run % 2 === 0 ? 64 : 32;
    const [text, value] = expression(dice, 4, bits);
    const around: Surroundings = {
      width: bits === 64 ? 8 : 4,
      variable: (name) => (name === '$a' ? 0x1234n : undefined),
      memory: (address) => (address % 2n === 0n ? address / 2n : undefined),
    };
    assert.equal(evaluatePostfix(words(text), around), value, text);
    if (value !== undefined) valued += 1;
  }
  assert.ok(valued > 500, `${valued} have a value`);
});

test('programs give names values, in order', () => {
  const values = new Map<string, bigint>([['$esp', 0x100n]]);
  const around: Surroundings = {
    width: 4,
    variable: (name) => values.get(name),
    memory: (address) => address + 1n,
  };
  const assign = (name: string, value: bigint) => values.set(name, value);
  const program = '$T0 $esp 8 + = $eip $T0 4 + ^ = $esp $T0 8 + =';
  assert.deepEqual(runPostfix(words(program), around, assign), []);
  assert.deepEqual(Object.fromEntries(values), { $esp: 0x110n, $T0: 0x108n, $eip: 0x10dn });
  assert.equal(runPostfix(words('5 6 ='), around, assign), undefined, 'a number is no name');
  assert.equal(runPostfix(words('$x $unknown ='), around, assign), undefined);
  assert.equal(runPostfix(words('='), around, assign), undefined);
  assert.equal(runPostfix(words('$x ='), around, assign), undefined);
});

test('length and depth are bounded', () => {
  const around: Surroundings = { width: 8, variable: () => undefined, memory: () => undefined };
  const ones = (count: number) => Array.from({ length: count }, () => '1');
  const sum = (count: number) => [...ones(count), ...Array.from({ length: count - 1 }, () => '+')];
  assert.equal(evaluatePostfix(sum(postfixLimits.depth), around), BigInt(postfixLimits.depth));
  assert.equal(evaluatePostfix(sum(postfixLimits.depth + 1), around), undefined);
  const long = ['1', ...Array.from({ length: 127 }, () => ['1', '+']).flat()];
  assert.equal(evaluatePostfix(long, around), 128n);
  assert.equal(evaluatePostfix([...long, '1', '+'], around), undefined);
});
