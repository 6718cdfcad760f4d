/**
 * Keeps what page indexes are made of, bounded in bytes. Requests share what is being made; when the request that it is
 * made for has gone, the others begin anew. Keys hold the account and the snapshot, so nothing is ever out of date and
 * no account sees another's.
 */

interface Entry<Value> {
  readonly value: Promise<Value>;
  /** Of the request that it is made for. */
  readonly signal: AbortSignal | undefined;
  bytes: number;
}

/** Values by key, the least recently used of which go first. */
export class IndexCache<Value extends { readonly bytes: number }> {
  private readonly entries = new Map<string, Entry<Value>>();
  private bytes = 0;

  constructor(private readonly mostBytes: number) {}

  /** The value under the key, made by `make` if need be. */
  async of(key: string, make: () => Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
    for (let known = this.entries.get(key); known !== undefined; known = this.entries.get(key)) {
      this.entries.delete(key);
      this.entries.set(key, known);
      try {
        return await known.value;
      } catch (error) {
        if (this.entries.get(key) === known) this.entries.delete(key);
        if (known.signal?.aborted !== true) throw error;
      }
    }
    const entry = { value: make(), signal, bytes: 0 };
    this.entries.set(key, entry);
    try {
      const value = await entry.value;
      this.account(key, entry, 2 * key.length + value.bytes);
      return value;
    } catch (error) {
      if (this.entries.get(key) === entry) this.entries.delete(key);
      throw error;
    }
  }

  private account(key: string, entry: Entry<Value>, bytes: number): void {
    if (this.entries.get(key) !== entry) return;
    entry.bytes = bytes;
    this.bytes += bytes;
    for (const [oldKey, old] of this.entries) {
      if (this.bytes <= this.mostBytes) break;
      this.entries.delete(oldKey);
      this.bytes -= old.bytes;
    }
  }
}
