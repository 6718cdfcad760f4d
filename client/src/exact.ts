/** JSON whose numbers keep their digits: those that JavaScript would round become texts. */

/** A text, or a number by JSON's grammar. */
const token = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** What a number that may be rounded looks like, somewhere in a text; most have none, and are left alone. */
const suspect = /-?\d(?:[\d.]{15}|[\d.]*[eE])/;

/** Puts the numbers that JavaScript would round into quotes; what is no JSON stays none. */
export function quoteRounded(json: string): string {
  if (!suspect.test(json)) return json;
  return json.replace(token, (found) => (found.startsWith('"') || isExact(found) ? found : `"${found}"`));
}

/** Fifteen digits always survive, unless the number is too large or too small to be told from infinity or 0. */
function isExact(number: string): boolean {
  const [mantissa = ''] = number.split(/e/i);
  const digits = mantissa.replace(/[-.]/g, '').replace(/^0+|0+$/g, '');
  const value = Number(number);
  return digits.length <= 15 && Number.isFinite(value) && (value !== 0 || digits === '');
}
