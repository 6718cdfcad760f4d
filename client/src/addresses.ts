/**
 * Which hosts are private: loopback, local networks, link-local, and whatever else is not the public internet. Goes by
 * the host as a URL has it, which has all notations of numbers in one form, and by what it resolves to where the caller
 * can look that up: no interface common to all platforms can.
 */

/** The addresses of a host. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

/** Whether a host is private itself or, as far as can be looked up, at a private address. */
export async function leadsToPrivateHost(hostname: string, lookup: Lookup | undefined): Promise<boolean> {
  if (isPrivateHost(hostname)) return true;
  if (lookup === undefined || hostname.startsWith('[') || isV4(hostname)) return false;
  const addresses = await lookup(hostname);
  return addresses.some((address) => {
    const host = address.includes(':') ? `[${address}]` : address;
    // What cannot be read is trusted as little as what is private.
    return !URL.canParse(`http://${host}`) || isPrivateHost(new URL(`http://${host}`).hostname);
  });
}

/** Ranges of IPv4: first address and length of the prefix. */
const privateV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  // Multicast, reserved, broadcast.
  ['224.0.0.0', 3],
];

/** Whether a host (`hostname` of a URL) is private. A name without a dot is one of the local network. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '');
  if (host.startsWith('[')) return isPrivateV6(groupsOf(host.slice(1, -1)));
  if (isV4(host)) return isPrivateV4(numberOf(host));
  return !host.includes('.') || /\.(localhost|local|internal|lan|home\.arpa)$/.test(host);
}

function isPrivateV4(address: number): boolean {
  return privateV4.some(([first, length]) => {
    const size = 2 ** (32 - length);
    return Math.floor(address / size) === Math.floor(numberOf(first) / size);
  });
}

function isPrivateV6(groups: readonly number[]): boolean {
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, sixth = 0, high = 0, low = 0] = groups;
  const v4 = high * 65_536 + low;
  const leading = [first, second, third, fourth, fifth].every((group) => group === 0);
  // ::/96 holds :: and ::1, ::ffff:0:0/96 IPv4 in disguise; so do the prefixes of translators and 6to4.
  if (leading && sixth === 0) return true;
  if (leading && sixth === 0xffff) return isPrivateV4(v4);
  if (first === 0x64 && second === 0xff9b) return third !== 0 || isPrivateV4(v4);
  if (first === 0x2002) return isPrivateV4(second * 65_536 + third);
  // Only 2000::/3 is the public internet.
  return first < 0x2000 || first > 0x3fff;
}

const isV4 = (host: string) => /^\d+(\.\d+){3}$/.test(host);

const numberOf = (address: string) =>
  address.split('.').reduce((number, part) => number * 256 + Number(part), 0);

/** The eight groups of an address as a URL prints it. */
function groupsOf(address: string): readonly number[] {
  const [head = '', tail] = address.split('::');
  const parse = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [parse(head), parse(tail ?? '')];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}
