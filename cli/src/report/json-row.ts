/** Rows as JSON that keep what the service wrote: numbers with all of their digits, amounts with a fraction. */
import type { Field } from '@storelens/contract';
import type { Row } from './delimited.js';

/** A number as text, which JavaScript would have rounded (`exactNumbers` of the client). */
export const numberText = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** A row as one line of JSON without its end; `fields` are those of its report. */
export function jsonRow(row: Row, fields: readonly Pick<Field, 'name' | 'type'>[]): string {
  const members = Object.entries(row).map(([name, value]) => {
    const type = fields.find((field) => field.name === name)?.type;
    return `${JSON.stringify(name)}:${valueText(value, type)}`;
  });
  return `{${members.join(',')}}`;
}

function valueText(value: Row[string], type: Field['type'] | undefined): string {
  const isNumber = type === 'integer' || type === 'decimal';
  if (isNumber && typeof value === 'string' && numberText.test(value)) return value;
  if (type === 'decimal' && Number.isInteger(value)) return `${String(value)}.0`;
  return JSON.stringify(value);
}
