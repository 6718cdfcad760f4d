/**
 * Values of mirrored rows: from the JSON of the source to that of the engine. Numbers go from text to text, never
 * through a float. What a mirror's columns are, the contract says.
 */
import type { MirrorColumn } from '@storelens/contract';
import { shown, type Value } from './values.js';

/** Decimals that an amount keeps; sources that count in binary fractions print more. */
const places = 18;
const wholeDigits = 18;

/** A value as JSON for the engine, or what is wrong with it. */
export type Mirrored = { readonly json: string } | { readonly problem: string };

const expectedOf: Readonly<Record<MirrorColumn['type'], string>> = {
  text: 'text',
  integer: 'a whole number',
  amount: 'a number',
  boolean: 'true or false',
  time: 'a time such as 2024-02-29 13:45:00',
};

function wrongType(column: MirrorColumn, value: Value): Mirrored {
  return { problem: `expected ${expectedOf[column.type]}, got ${value.kind}` };
}

/** A JSON number as plain digits with at most 18 decimals, half away from zero; undefined if it is too large. */
export function plainAmount(literal: string): string | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const scale = places + Number(exponent) - fraction.length;
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return '0';
  const kept = digits.length + scale;
  if (kept > wholeDigits + places) return undefined;
  if (kept < 0) return '0';
  // Cut as text: a row may bring a million digits, and as a number they would take most of a second.
  const scaled =
    scale >= 0
      ? BigInt(digits) * 10n ** BigInt(scale)
      : BigInt(digits.slice(0, kept)) + (digits.charAt(kept) >= '5' ? 1n : 0n);
  if (scaled === 0n) return '0';
  const text = scaled.toString().padStart(places + 1, '0');
  const decimals = text.slice(-places).replace(/0+$/, '');
  return `${sign}${text.slice(0, -places)}${decimals === '' ? '' : `.${decimals}`}`;
}

function amount(column: MirrorColumn, value: Value): Mirrored {
  if (value.kind !== 'number') return wrongType(column, value);
  const json = plainAmount(value.text);
  return json === undefined
    ? { problem: `${shown(value.text)} has more than ${wholeDigits} digits before the point` }
    : { json };
}

function integer(column: MirrorColumn, value: Value): Mirrored {
  if (value.kind !== 'number') return wrongType(column, value);
  // Counts of some reports print as `10.0`.
  const digits = /^(-?(?:0|[1-9]\d{0,17}))(?:\.0+)?$/.exec(value.text)?.[1];
  return digits === undefined ? { problem: `${shown(value.text)} is no whole number` } : { json: digits };
}

function text(column: MirrorColumn, value: Value): Mirrored {
  if (value.kind !== 'text') return wrongType(column, value);
  const { only } = column;
  const known = only?.find((one) => one.toLowerCase() === value.text.toLowerCase());
  if (only !== undefined) {
    return known === undefined
      ? { problem: `${shown(value.text)} is none of ${only.join(', ')}` }
      : { json: JSON.stringify(known) };
  }
  return Buffer.byteLength(value.text) > column.maxBytes
    ? { problem: `longer than ${column.maxBytes} bytes` }
    : { json: JSON.stringify(value.text) };
}

function time(column: MirrorColumn, value: Value, day: string): Mirrored {
  if (value.kind !== 'text') return wrongType(column, value);
  const [, date, clock, fraction = ''] =
    /^(\d{4}-\d{2}-\d{2})[ T]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?Z?$/.exec(value.text) ?? [];
  if (date === undefined) return { problem: `${shown(value.text)} is not ${expectedOf.time}` };
  if (date !== day) return { problem: `${shown(value.text)} is not on ${day}` };
  return { json: `"${date} ${clock}.${fraction.slice(0, 3).padEnd(3, '0')}"` };
}

/** The stored form of a value that is there; `day` is the one that all rows belong to. */
export function mirroredValue(column: MirrorColumn, value: Value, day: string): Mirrored {
  switch (column.type) {
    case 'text':
      return text(column, value);
    case 'integer':
      return integer(column, value);
    case 'amount':
      return amount(column, value);
    case 'boolean':
      return value.kind === 'boolean' ? { json: value.text } : wrongType(column, value);
    case 'time':
      return time(column, value, day);
  }
}
