/** Makes product ids of the shapes that design and real accounts use. Uniqueness is the caller's business. */
import type { Random } from '../system.js';
import type { ProductKind } from './index.js';

const digits = '0123456789';
const digitsAndLetters = `${digits}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;

/** `count` characters of the alphabet, each equally likely: bytes beyond a multiple of its length are drawn again. */
function draw(random: Random, alphabet: string, count: number): string {
  const limit = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < count) {
    for (const byte of random.bytes(count)) {
      if (byte < limit && text.length < count) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}

/** App and add-on: `9` and eleven of `A-Z0-9`; driver: 17 digits; desktop: 20 digits, the first not zero. */
export function newProductId(kind: ProductKind, random: Random): string {
  switch (kind) {
    case 'app':
    case 'addon':
      return `9${draw(random, digitsAndLetters, 11)}`;
    case 'driver':
      return draw(random, digits.slice(1), 1) + draw(random, digits, 16);
    case 'desktop':
      return draw(random, digits.slice(1), 1) + draw(random, digits, 19);
  }
}
