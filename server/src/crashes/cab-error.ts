/**
 * The one error of the cabinet reader and writer: why a cabinet is refused. It knows no HTTP and no catalogue; who
 * takes cabinets from strangers turns it into a refusal of its own and may pass the sentence on.
 */

/** Why a cabinet is refused; a closed list. */
export type CabReason =
  /** No cabinet at all, or a version nobody writes. */
  | 'not-a-cabinet'
  | 'version'
  /** Part of a set of cabinets, or holds nothing. */
  | 'multi-cabinet'
  | 'empty'
  /** Fewer or more bytes than the header says, or an offset that leads out of the file. */
  | 'truncated'
  | 'trailing-bytes'
  | 'out-of-range'
  /** Two structures share bytes, or two readers could see different files. */
  | 'overlap'
  | 'ambiguous'
  /** Over a limit. */
  | 'too-many-files'
  | 'too-many-folders'
  | 'too-large'
  | 'ratio'
  /** A name that is no plain relative path, or is there twice. */
  | 'name-too-long'
  | 'name-invalid'
  | 'name-traversal'
  | 'name-absolute'
  | 'name-duplicate'
  /** A compression nobody knows; one that is known but not opened here. */
  | 'compression-unknown'
  | 'compression-not-opened'
  /** A data block with impossible sizes, a wrong checksum, or content that does not unpack. */
  | 'block-size'
  | 'checksum'
  | 'data'
  /** The caller asked for a file that the cabinet does not hold. */
  | 'no-such-file';

/** A cabinet that is refused: a reason to branch on and a complete sentence that holds no file content. */
export class CabError extends Error {
  constructor(
    readonly reason: CabReason,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CabError';
  }
}
