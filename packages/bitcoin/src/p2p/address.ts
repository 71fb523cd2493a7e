import { assertNever, concat } from '@keepwatch/base';
import { createReader, type Reader } from './reader.ts';
import { bigSize, listOf, u16be, u32, u64, u8, withLength } from './writer.ts';

/** Networks through which a node can be reached (BIP155). Tor's second version is no longer in use. */
export type AddressNetwork = 'ipv4' | 'ipv6' | 'torv3' | 'i2p' | 'cjdns';

/** Where a node can be reached. */
export interface NetAddress {
  readonly network: AddressNetwork;
  /** 4 bytes for ipv4, 16 for ipv6 and cjdns, 32 for torv3 (its public key) and i2p. */
  readonly bytes: Uint8Array;
  readonly port: number;
  /** What it is said to offer. */
  readonly services: bigint;
  /** When it was last heard of (seconds since 1970), as the sender claims. */
  readonly timeSeconds: number;
}

/** A message holds at most so many (protocol documentation; BIP155). */
export const MAX_ADDRESSES = 1_000;
/** BIP155: an address of an unknown network may be at most so long. */
const MAX_ADDRESS_BYTES = 512;

const NETWORK_IDS: Readonly<Record<number, { readonly network: AddressNetwork; readonly length: number }>> = {
  1: { network: 'ipv4', length: 4 },
  2: { network: 'ipv6', length: 16 },
  4: { network: 'torv3', length: 32 },
  5: { network: 'i2p', length: 32 },
  6: { network: 'cjdns', length: 16 },
};

/** The list of an `addr` message. Nothing but IPv4 and IPv6 has a form there. `undefined`: malformed. */
export function decodeAddr(payload: Uint8Array): readonly NetAddress[] | undefined {
  const reader = createReader(payload);
  const count = reader.size(MAX_ADDRESSES);
  const found: NetAddress[] = [];
  for (let i = 0; i < count && reader.good(); i++) {
    const timeSeconds = reader.u32();
    const services = reader.u64();
    found.push({ ...decodeIp(reader), services, timeSeconds });
  }
  return reader.whole() ? found : undefined;
}

/** The list of an `addrv2` message; networks that we do not know are left out (BIP155). `undefined`: malformed. */
export function decodeAddrV2(payload: Uint8Array): readonly NetAddress[] | undefined {
  const reader = createReader(payload);
  const count = reader.size(MAX_ADDRESSES);
  const found: NetAddress[] = [];
  for (let i = 0; i < count && reader.good(); i++) {
    const timeSeconds = reader.u32();
    const services = reader.big();
    const known = NETWORK_IDS[reader.u8()];
    const bytes = reader.bytes(reader.size(MAX_ADDRESS_BYTES));
    const port = reader.u16be();
    // BIP155: an IPv4 address or an onion wrapped into IPv6 is ignored.
    if (!known || known.length !== bytes.length) continue;
    if (known.network === 'ipv6' && (isMappedIpv4(bytes) || isOnionCat(bytes))) continue;
    found.push({ network: known.network, bytes, port, services, timeSeconds });
  }
  return reader.whole() ? found : undefined;
}

export function encodeAddr(addresses: readonly NetAddress[]): Uint8Array {
  const ips = addresses.filter(({ network }) => network === 'ipv4' || network === 'ipv6');
  return listOf(ips, (each) => concat(u32(each.timeSeconds), u64(each.services), encodeIp(each)));
}

export function encodeAddrV2(addresses: readonly NetAddress[]): Uint8Array {
  return listOf(addresses, ({ timeSeconds, services, network, bytes, port }) =>
    concat(u32(timeSeconds), bigSize(services), u8(networkId(network)), withLength(bytes), u16be(port)),
  );
}

/** 16 bytes and a port, as in `addr` and `version`. */
export function decodeIp(reader: Reader): Pick<NetAddress, 'network' | 'bytes' | 'port'> {
  const bytes = reader.bytes(16);
  const port = reader.u16be();
  return isMappedIpv4(bytes) ? { network: 'ipv4', bytes: bytes.slice(12), port } : { network: 'ipv6', bytes, port };
}

export function encodeIp({ network, bytes, port }: Pick<NetAddress, 'network' | 'bytes' | 'port'>): Uint8Array {
  const sixteen = new Uint8Array(16);
  if (network === 'ipv4') sixteen.set([0xff, 0xff, ...bytes], 10);
  else if (network === 'ipv6') sixteen.set(bytes);
  return concat(sixteen, u16be(port));
}

function networkId(network: AddressNetwork): number {
  switch (network) {
    case 'ipv4':
      return 1;
    case 'ipv6':
      return 2;
    case 'torv3':
      return 4;
    case 'i2p':
      return 5;
    case 'cjdns':
      return 6;
    default:
      return assertNever(network);
  }
}

function isMappedIpv4(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((b) => b === 0);
}

function isOnionCat(bytes: Uint8Array): boolean {
  return [0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43].every((byte, i) => bytes[i] === byte);
}
