/**
 * Exact decimals for the oracle: amounts with up to six places as whole millionths in a bigint. Written from the
 * contract alone; shares nothing with the server.
 */

/** Millionths of a JSON number text such as `-0.5`, `12`, `1.5e3`; throws when it needs more than six places. */
export function millionths(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) throw new Error(`not a number: ${text}`);
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const shift = 6 - fraction.length + Number(exponent);
  let value: bigint;
  if (shift >= 0) value = BigInt(digits + '0'.repeat(shift));
  else {
    const cut = digits.padStart(1 - shift, '0');
    if (!/^0+$/.test(cut.slice(shift))) throw new Error(`more than six places: ${text}`);
    value = BigInt(cut.slice(0, shift));
  }
  return sign === '-' ? -value : value;
}

/** Shortest form with at least one fraction digit: `10.0`, `0.000001`, `-700.6`. */
export function decimalText(value: bigint): string {
  const size = value < 0n ? -value : value;
  const fraction = String(size % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${size / 1_000_000n}.${fraction === '' ? '0' : fraction}`;
}
