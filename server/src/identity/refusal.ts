/** The error type of token endpoint and discovery: a number of the catalogue and the facts for its text. */
import { type TokenErrorCode, type TokenErrorEntry, tokenErrors } from '@storelens/contract';

/** A refused request to token endpoint or discovery. Facts are echoed to the caller; they never hold secrets. */
export class TokenRefusal extends Error {
  override readonly name = 'TokenRefusal';
  readonly entry: TokenErrorEntry;

  /** `retryAfter` is in seconds, for 90055. */
  constructor(
    readonly code: TokenErrorCode,
    readonly facts: Readonly<Record<string, string>> = {},
    readonly retryAfter?: number,
  ) {
    const entry: TokenErrorEntry = tokenErrors[code];
    super(entry.text.replace(/\{(\w+)\}/g, (_, name: string) => shorten(facts[name] ?? '')));
    this.entry = entry;
  }
}

/** Long values would only swell answers and logs. */
function shorten(value: string): string {
  return value.length > 256 ? `${value.slice(0, 256)}...` : value;
}
