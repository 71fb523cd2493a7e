/** What the bits of a node's services say (protocol documentation; BIP111, BIP144, BIP157, BIP159, BIP324). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'network'],
  [2, 'bloom'],
  [3, 'witness'],
  [6, 'compact-filters'],
  [10, 'network-limited'],
  [11, 'v2'],
]);
const BITS = 64;

export function serviceNames(services: bigint): readonly string[] {
  const bits = Array.from({ length: BITS }, (_, bit) => bit).filter((bit) => (services >> BigInt(bit)) & 1n);
  return bits.map((bit) => NAMES.get(bit) ?? `bit ${bit}`);
}
