/**
 * The key of a failure, as the vendor's own service makes it from the name: equal names give equal hashes, here and
 * there. It is a key for joining reports, not a protection.
 */
import { md5 } from './md5.js';

/** `um` for programs (user mode), `km` for drivers and hardware (kernel mode). */
export type FailureMode = 'um' | 'km';

/** The mode of a failure by the `source` of its row; everything but drivers and hardware is user mode. */
export function failureMode(source: string): FailureMode {
  return source === 'driver' || source === 'ihvdriver' || source === 'hardware' ? 'km' : 'um';
}

/**
 * UTF-16LE bytes of a text in lower case. Unit by unit, so that no letter depends on its neighbours or becomes two
 * (the whole-text rule of Unicode would do both, and the vendor's does neither).
 */
function lowerCaseBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let index = 0; index < text.length; index += 1) {
    const lower = text.charAt(index).toLowerCase();
    const unit = lower.length === 1 ? lower.charCodeAt(0) : text.charCodeAt(index);
    bytes[index * 2] = unit & 0xff;
    bytes[index * 2 + 1] = unit >> 8;
  }
  return bytes;
}

/** Where each byte of the digest stands in a GUID as Windows prints it: the first three groups are little endian. */
const guidOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** The failureHash of a failureName: a GUID, lower case, 36 characters. The case of the name does not matter. */
export function failureHash(failureName: string, mode: FailureMode): string {
  const digest = md5(lowerCaseBytes(`${mode}:${failureName}`));
  const hex = guidOrder.map((place) => (digest[place] ?? 0).toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
