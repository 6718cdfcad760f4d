/**
 * Mutations of files for readers that must survive anything. The same seed gives the same inputs on every machine.
 */

/** Chance from a seed (mulberry32): whole numbers from 0 to below a bound. */
export function createDice(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

/** Values at which fields of 8, 16 and 32 bits tend to be misread. */
const telling = [
  0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xfffd, 0xffff, 0x7fffffff, 0xffffffff,
];

/**
 * A changed copy: one to six changes, two thirds of them within the first `head` bytes, where headers lie. Now and then
 * the copy is cut or prolonged.
 */
export function mutate(original: Uint8Array, dice: (bound: number) => number, head: number): Uint8Array {
  let bytes = Buffer.from(original);
  for (let left = 1 + dice(6); left > 0 && bytes.length > 0; left -= 1) {
    const reach = dice(3) < 2 ? Math.min(head, bytes.length) : bytes.length;
    const at = dice(reach);
    const value = telling[dice(telling.length)] ?? 0;
    switch (dice(9)) {
      case 0:
        bytes[at] = dice(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << dice(8));
        break;
      case 2:
        bytes[at] = value & 0xff;
        break;
      case 3:
        if (at + 2 <= bytes.length) bytes.writeUInt16LE(value & 0xffff, at);
        break;
      case 4:
        if (at + 4 <= bytes.length) bytes.writeUInt32LE(value, at);
        break;
      case 5:
        // A small step: sizes and offsets that are wrong by little.
        if (at + 4 <= bytes.length) bytes.writeInt32LE((bytes.readInt32LE(at) + dice(17) - 8) | 0, at);
        break;
      case 6: {
        const from = dice(bytes.length);
        bytes.copyWithin(at, from, from + 1 + dice(64));
        break;
      }
      case 7:
        if (dice(4) === 0) bytes = Buffer.from(bytes.subarray(0, dice(bytes.length)));
        break;
      default:
        if (dice(4) === 0) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(dice(bytes.length))]);
    }
  }
  return bytes;
}
