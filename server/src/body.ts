/**
 * Reads the fields of a JSON object that a caller sent to the operator API. Every refusal is a Failure
 * `invalid-body` whose sentence names the field, its value and what would be right; unknown fields are refused by
 * name. It knows no particular object.
 */
import { Failure } from './failure.js';

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

/** A field's refusal: `<field> is <value>; expected <expected>.` */
export function badField(field: string, value: unknown, expected: string): Failure {
  const found = value === undefined ? 'missing' : shown(value);
  return new Failure('invalid-body', [`${field} is ${found}; expected ${expected}.`]);
}

/** The fields of one body; reading a field that was not announced is our own mistake. */
export class BodyFields {
  private constructor(private readonly fields: ReadonlyMap<string, unknown>) {}

  /** Takes a JSON value that must be an object with none but the named fields. A field that is null is absent. */
  static of(input: unknown, names: readonly string[]): BodyFields {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      throw new Failure('invalid-body', [`The body is ${shown(input)}; expected a JSON object.`]);
    }
    for (const name of Object.keys(input)) {
      if (!names.includes(name)) {
        throw new Failure('invalid-body', [`Unknown field '${name}'; expected ${names.join(', ')}.`]);
      }
    }
    return new BodyFields(new Map(Object.entries(input).filter(([, value]) => value !== null)));
  }

  /** The raw value, undefined when absent. */
  value(name: string): unknown {
    return this.fields.get(name);
  }

  /** A text that matches the pattern, undefined when absent. */
  optionalText(name: string, pattern: RegExp, expected: string): string | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || !pattern.test(value)) throw badField(name, value, expected);
    return value;
  }

  /** A text that matches the pattern and must be there. */
  text(name: string, pattern: RegExp, expected: string): string {
    const value = this.optionalText(name, pattern, expected);
    if (value === undefined) throw badField(name, undefined, expected);
    return value;
  }

  /** A name as people read it: 1 to 256 characters, none of them a control character, not blank. */
  optionalName(name: string): string | undefined {
    return this.optionalText(name, namePattern, nameExpected);
  }

  /** The same, but it must be there. */
  name(name: string): string {
    return this.text(name, namePattern, nameExpected);
  }

  /** A whole number within bounds, undefined when absent. */
  optionalInteger(name: string, least: number, greatest: number): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= greatest)
      return value;
    throw badField(name, value, `a whole number from ${least} to ${greatest}`);
  }

  /** A boolean, undefined when absent. */
  optionalFlag(name: string): boolean | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw badField(name, value, 'true or false');
  }
}

const namePattern = /^(?=.*\S)[^\u0000-\u001f\u007f]{1,256}$/u;
const nameExpected = 'a text of 1 to 256 characters';

/**
 * ASCII lower case, as the engine's `lower`: how ids, domains and listed values are compared. Texts of ASCII alone, which
 * are nearly all, take a tenth of the time.
 */
export function asciiLower(text: string): string {
  if (!/[^\u0000-\u007f]/.test(text)) return text.toLowerCase();
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
