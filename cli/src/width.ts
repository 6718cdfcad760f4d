/**
 * How many columns of a terminal a text takes: two for characters of East Asia and emoji, none for marks that join the
 * character before. Goes by what people see as one character; terminals differ in those that are made of several.
 */

const plain = /^[\x20-\x7e]*$/;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
const seen = /[^\p{Mn}\p{Me}\p{Cf}]/u;
const segmenter = new Intl.Segmenter('en');

const characters = (text: string) => Array.from(segmenter.segment(text), ({ segment }) => segment);
const columnsOf = (character: string) => (wide.test(character) ? 2 : seen.test(character) ? 1 : 0);

/** Columns that a text takes. */
export function widthOf(text: string): number {
  if (plain.test(text)) return text.length;
  return characters(text).reduce((sum, character) => sum + columnsOf(character), 0);
}

/** A text with blanks behind it, or before it, up to a width. */
export function padded(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)));
  return side === 'left' ? text + blanks : blanks + text;
}

/** A text that takes `most` columns at most, with an ellipsis in place of what does not fit. */
export function cut(text: string, most: number): string {
  if (widthOf(text) <= most) return text;
  let kept = '';
  let width = 0;
  for (const character of characters(text)) {
    width += columnsOf(character);
    if (width > most - 3) break;
    kept += character;
  }
  return most > 3 ? `${kept}...` : '.'.repeat(Math.max(1, most));
}
