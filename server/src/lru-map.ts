/**
 * A bounded map: what was used longest ago goes first. What the server remembers of requests is kept in such maps, so
 * that none of it grows with what is asked.
 */

interface Entry<Value> {
  readonly value: Value;
  readonly weight: number;
}

/** Values by key, as many as weigh `most` together; without `weigh` each weighs 1. */
export class LruMap<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  #weight = 0;

  constructor(
    readonly most: number,
    readonly weigh: (value: Value, key: string) => number = () => 1,
  ) {}

  /** The value, which is now the one used last. */
  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value as the one used last, and weighs it; it goes at once if it weighs too much by itself. */
  set(key: string, value: Value): void {
    this.delete(key);
    const weight = this.weigh(value, key);
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.most) break;
      this.delete(oldest);
    }
  }

  /** The keys, the one used longest ago first. */
  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }
}
