import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { assertNever, toHex } from '@keepwatch/base';
import type { AddressNetwork, NetAddress } from '@keepwatch/bitcoin/p2p';

/** Where a node can be reached, in the form in which it is dialled and written down. */
export interface PeerAddress {
  /** An IP address, an onion name, or (given by the owner, or a seed) any name. */
  readonly host: string;
  readonly port: number;
  readonly network: AddressNetwork | 'name';
}

export const keyOf = ({ host, port }: PeerAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** `host:port`, `[ipv6]:port`, or a host alone; `undefined` where it is none of these. */
export function parsePeerAddress(text: string, defaultPort: number): PeerAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const bare = isIPv6(text) ? text : undefined;
  const host = (bare ?? match?.[1] ?? match?.[2])?.toLowerCase();
  const port = bare === undefined && match?.[3] !== undefined ? Number(match[3]) : defaultPort;
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port, network: networkOf(host) };
}

function networkOf(host: string): PeerAddress['network'] {
  if (isIPv4(host)) return 'ipv4';
  if (isIPv6(host)) return 'ipv6';
  return /^[a-z2-7]{56}\.onion$/.test(host) ? 'torv3' : 'name';
}

/** What other nodes tell us of; `undefined` for what we cannot dial or what nobody should be told to dial. */
export function fromNetAddress(address: NetAddress): PeerAddress | undefined {
  const { network, bytes, port } = address;
  if (port === 0) return undefined;
  switch (network) {
    case 'ipv4':
      return isPublicIpv4(bytes) ? { host: bytes.join('.'), port, network } : undefined;
    case 'ipv6':
      return isPublicIpv6(bytes) ? { host: ipv6Text(bytes), port, network } : undefined;
    case 'torv3':
      return { host: onionName(bytes), port, network };
    case 'i2p':
    case 'cjdns':
      return undefined;
    default:
      return assertNever(network);
  }
}

/** Whether it is an IP address of the whole network, none of a machine's or a house's own. */
export function isPublic({ host, network }: PeerAddress): boolean {
  if (network === 'ipv4') return isPublicIpv4(Uint8Array.from(host.split('.'), Number));
  return network === 'ipv6' && (parseInt(expandIpv6(host)[0]!, 16) & 0xe000) === 0x2000;
}

/** Addresses that one party can have many of share a group (netgroup.cpp: /16 of IPv4, /32 of IPv6, 4 bits of an onion). */
export function netgroup({ host, network }: PeerAddress): string {
  switch (network) {
    case 'ipv4':
      return host.split('.').slice(0, 2).join('.');
    case 'ipv6':
      return expandIpv6(host).slice(0, 2).join(':');
    case 'torv3':
      return `onion-${host[0]}`;
    case 'i2p':
    case 'cjdns':
    case 'name':
      return host;
    default:
      return assertNever(network);
  }
}

/** rend-spec-v3, "Encoding onion addresses": base32(key ‖ checksum ‖ version). */
function onionName(key: Uint8Array): string {
  const version = Uint8Array.of(3);
  const checksum = createHash('sha3-256').update('.onion checksum').update(key).update(version).digest().subarray(0, 2);
  return `${base32(Buffer.concat([key, checksum, version]))}.onion`;
}

function base32(bytes: Uint8Array): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  let out = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) out += letters[(held >> (bits - 5)) & 31];
    held &= 0xff;
  }
  return out;
}

function isPublicIpv4([a = 0, b = 0]: Uint8Array): boolean {
  if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
  return !(
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  );
}

/** Global unicast is 2000::/3. */
function isPublicIpv6(bytes: Uint8Array): boolean {
  return (bytes[0]! & 0xe0) === 0x20;
}

function ipv6Text(bytes: Uint8Array): string {
  return Array.from({ length: 8 }, (_, i) => ((bytes[2 * i]! << 8) | bytes[2 * i + 1]!).toString(16)).join(':');
}

function expandIpv6(host: string): readonly string[] {
  const [head = '', tail] = host.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length)).fill('0');
  return [...first, ...zeros, ...last];
}

/** A name of nothing, for isolation: never shown. */
export const randomName = (entropy: (length: number) => Uint8Array): string => toHex(entropy(8));
