/** Parameters to the query string. What they mean is the service's business; only their notation is decided here. */
import { Filter, field } from './filter.js';

/** Values that a query string can carry. Lists are joined by commas. */
export type ParameterValue =
  | string
  | number
  | boolean
  | Date
  | Filter<string>
  | ((field: never) => Filter<string>)
  | readonly string[]
  | undefined;

/** `name=value&...` in the order given, percent-encoded; absent values are left out. Throws TypeError for an invalid date. */
export function queryString(parameters: Readonly<Record<string, ParameterValue>>): string {
  const hours = parameters.aggregationLevel === 'hour';
  return Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(print(name, value, hours))}`)
    .join('&');
}

function print(name: string, value: ParameterValue, hours: boolean): string {
  if (value instanceof Date) return printDate(value, hours, name);
  if (value instanceof Filter) return value.text;
  if (typeof value === 'function') return (value as (given: typeof field) => Filter<string>)(field).text;
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** A moment as its UTC day, `yyyy-MM-dd`, or with the time behind it, `yyyy-MM-dd HH:mm:ss`. */
export function printDate(date: Date, withTime: boolean, what: string): string {
  if (Number.isNaN(date.getTime())) throw new TypeError(`${what} is an invalid date`);
  const text = date.toISOString();
  return withTime ? text.slice(0, 19).replace('T', ' ') : text.slice(0, 10);
}
