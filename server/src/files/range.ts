/** The header Range of RFC 9110 (section 14) for files that are served in one piece: one range or the whole. */

/** Which bytes are wanted, both ends inclusive; `none` when the range lies beyond the file. */
export type WantedBytes = { readonly start: number; readonly end: number } | 'all' | 'none';

/**
 * Reads `Range` for a file of `size` bytes with a strong `etag`. What is no single range of bytes is answered with
 * the whole file, as is a range of another state of the file (`If-Range`); a date there is never the file's state.
 */
export function wantedBytes(
  range: string | undefined,
  ifRange: string | undefined,
  size: number,
  etag: string,
): WantedBytes {
  const match = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(range ?? '');
  if (match === null || (ifRange !== undefined && ifRange.trim() !== etag)) return 'all';
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return 'all';
    const length = Math.min(Number(last), size);
    return length === 0 ? 'none' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'all';
  if (start >= size) return 'none';
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}
