/**
 * MD5 as RFC 1321 describes it, for keys of short texts. Our own because a Node built for FIPS refuses the hash, and
 * names of failures must give the same key everywhere. It protects nothing and must not be used for that.
 */

/** Shifts of the four rounds, four each. */
const shifts = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;

/** The 64 constants: the whole part of 2^32 |sin(i + 1)|. */
const sines = Array.from({ length: 64 }, (_, step) =>
  Math.floor(Math.abs(Math.sin(step + 1)) * 0x1_0000_0000),
);

/** The message with its padding: 0x80, zeros, and the length in bits as 64-bit little endian. */
function padded(message: Uint8Array): DataView {
  const size = Math.ceil((message.length + 9) / 64) * 64;
  const view = new DataView(new ArrayBuffer(size));
  new Uint8Array(view.buffer).set(message);
  view.setUint8(message.length, 0x80);
  view.setBigUint64(size - 8, BigInt(message.length) * 8n, true);
  return view;
}

/** What a step mixes, and the number of the word it takes. */
function mix(round: number, step: number, b: number, c: number, d: number): readonly [number, number] {
  if (round === 0) return [(b & c) | (~b & d), step];
  if (round === 1) return [(d & b) | (~d & c), (5 * step + 1) % 16];
  if (round === 2) return [b ^ c ^ d, (3 * step + 5) % 16];
  return [c ^ (b | ~d), (7 * step) % 16];
}

/** The 16 bytes of the MD5 of a message. */
export function md5(message: Uint8Array): Uint8Array {
  const view = padded(message);
  const state: [number, number, number, number] = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let block = 0; block < view.byteLength; block += 64) {
    let [a, b, c, d] = state;
    for (let step = 0; step < 64; step += 1) {
      const round = step >> 4;
      const [mixed, word] = mix(round, step, b, c, d);
      const sum = (a + mixed + (sines[step] ?? 0) + view.getUint32(block + word * 4, true)) | 0;
      const shift = shifts[round]?.[step % 4] ?? 0;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    }
    state[0] = (state[0] + a) | 0;
    state[1] = (state[1] + b) | 0;
    state[2] = (state[2] + c) | 0;
    state[3] = (state[3] + d) | 0;
  }
  const answer = new DataView(new ArrayBuffer(16));
  for (const [index, word] of state.entries()) answer.setUint32(index * 4, word >>> 0, true);
  return new Uint8Array(answer.buffer);
}
