/** Limits of a body, counted while it arrives: on the wire, decoded, the ratio of both, rows. */

import type { Settings } from '../config.js';
import { Failure } from '../failure.js';

const mib = 1024 * 1024;

/** Bodies below this size may have any ratio: a few equal rows compress well. */
const ratioFrom = mib;

/** Counts one body. Every method throws Failure `too-large`, naming the limit, when it is passed. */
export class BodyLimits {
  #wire = 0;
  #decoded = 0;

  constructor(
    readonly settings: Pick<Settings, 'max-body-mib' | 'max-decoded-mib' | 'max-ratio' | 'max-rows'>,
  ) {}

  /** Refuses a body that is announced to be too long. */
  announced(bytes: number | undefined): void {
    const most = this.settings['max-body-mib'];
    if (bytes !== undefined && bytes > most * mib)
      throw this.#failure(`A body may have ${most} MiB on the wire.`);
  }

  /** Counts bytes as they came over the wire. */
  wire(bytes: number): void {
    this.#wire += bytes;
    this.announced(this.#wire);
  }

  /** Counts bytes after decompression. */
  decoded(bytes: number): void {
    this.#decoded += bytes;
    const { 'max-decoded-mib': most, 'max-ratio': ratio } = this.settings;
    if (this.#decoded > most * mib) throw this.#failure(`A body may have ${most} MiB after decompression.`);
    if (this.#decoded > ratioFrom && this.#decoded > this.#wire * ratio) {
      throw this.#failure(`A body may be ${ratio} times as large after decompression as on the wire.`);
    }
  }

  /** Refuses too many rows. */
  rows(count: number): void {
    const most = this.settings['max-rows'];
    if (count > most) throw this.#failure(`A batch may have ${most} rows.`);
  }

  #failure(limit: string): Failure {
    return new Failure('too-large', [limit]);
  }
}
