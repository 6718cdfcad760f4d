/** A small seeded generator of pseudo-random numbers, so that a run can be repeated from its printed seed. */

/** Seeded choices. Equal seeds give equal sequences. */
export class Dice {
  private state: number;

  /** `parts` are mixed into one 32-bit state. */
  constructor(...parts: readonly (number | string)[]) {
    let hash = 0x811c9dc5;
    for (const character of parts.join('/')) {
      hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
    }
    this.state = hash >>> 0;
    for (let turn = 0; turn < 4; turn += 1) this.next();
  }

  /** A number from 0 up to but not including 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** A whole number from 0 up to but not including a limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the items, all equally likely. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** One of the items, early ones far more often: a long tail. */
  tail<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(items.length * this.next() ** 3)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** The items in another order. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const keyed = items.map((item) => ({ item, key: this.next() }));
    return keyed.sort((left, right) => left.key - right.key).map(({ item }) => item);
  }

  /** Up to `most` of the items, without repetition, in random order. */
  some<Item>(items: readonly Item[], most: number): Item[] {
    return this.shuffled(items).slice(0, this.whole(0, Math.min(most, items.length)));
  }

  /** ASCII letters of a text in random case. */
  recased(text: string): string {
    return text.replace(/[a-z]/gi, (letter) =>
      this.chance(0.5) ? letter.toUpperCase() : letter.toLowerCase(),
    );
  }
}
