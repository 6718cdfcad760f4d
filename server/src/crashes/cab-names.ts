/**
 * Names of files in cabinets: bytes to text and back, and which names are refused. Nobody here writes files by these
 * names, but whoever downloads a cabinet will.
 */
import { CabError } from './cab-error.js';

/** The attribute bit that says that a name is UTF-8 (MS-CAB 2.3, _A_NAME_IS_UTF). */
const nameIsUtf8 = 0x80;

/** A name as it may stand in a message: escaped and cut. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}

/**
 * The name that bytes of a file entry (without the final zero) stand for, with `/` between folders. Without the UTF-8
 * bit the code page is unknown; as cabextract does, bytes are taken as ISO 8859-1.
 */
export function decodeName(bytes: Uint8Array, attributes: number): string {
  let text: string;
  if ((attributes & nameIsUtf8) === 0) {
    text = Buffer.from(bytes).toString('latin1');
  } else {
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (error) {
      throw new CabError('name-invalid', 'A file name is marked as UTF-8 and is not.', error);
    }
  }
  const name = text.replaceAll('\\', '/');
  checkName(name);
  return name;
}

/** The bytes of a name in a cabinet, with `\` between folders, and the attribute bits that they need. */
export function encodeName(name: string): { bytes: Uint8Array; attributes: number } {
  const normal = name.replaceAll('\\', '/');
  checkName(normal);
  const bytes = Buffer.from(normal.replaceAll('/', '\\'), 'utf8');
  if (bytes.length > 255) {
    throw new CabError('name-too-long', `The file name ${quoteName(name)} is longer than 255 bytes.`);
  }
  return { bytes, attributes: bytes.length === normal.length ? 0 : nameIsUtf8 };
}

/** What makes two names the same file somewhere: case, and how accents are spelt. */
export function sameName(name: string): string {
  return name.replaceAll('\\', '/').normalize('NFC').toLowerCase();
}

/** Refuses every name that is not a plain relative path on all systems. */
function checkName(name: string): void {
  const quoted = quoteName(name);
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) {
    throw new CabError('name-absolute', `The file name ${quoted} is absolute; names must be relative.`);
  }
  const parts = name.split('/');
  // Windows drops dots and blanks at the end of a part, so that '.. ' climbs as well as '..'.
  if (parts.some((part) => /^\.\.[. ]*$/.test(part))) {
    throw new CabError('name-traversal', `The file name ${quoted} leads out of its folder.`);
  }
  if (/[\x00-\x1f\x7f:\p{Surrogate}]/u.test(name)) {
    throw new CabError('name-invalid', `The file name ${quoted} holds a colon or a control character.`);
  }
  if (parts.some((part) => part === '' || /[. ]$/.test(part))) {
    throw new CabError(
      'name-invalid',
      `The file name ${quoted} has a part that is empty or ends with a dot or a blank.`,
    );
  }
}
