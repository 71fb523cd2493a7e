import { assertNever, concat, err, fromUtf8, ok, utf8, type Result } from '@keepwatch/base';
import { compactSize } from '../compact-size.ts';
import type { InternalHash } from '../hash.ts';
import { HEADER_BYTES } from '../layout.ts';
import { decodeAddr, decodeAddrV2, encodeAddr, encodeAddrV2, encodeIp, type NetAddress } from './address.ts';
import { createReader, type Reader } from './reader.ts';
import { listOf, u32, u64, u8, withLength } from './writer.ts';

/** What nodes say to each other, as far as a light client speaks or hears it. Hashes are in internal order. */
export type PeerMessage =
  | ({ readonly kind: 'version' } & VersionMessage)
  | { readonly kind: 'verack' | 'sendheaders' | 'sendaddrv2' | 'wtxidrelay' | 'getaddr' | 'mempool' }
  | { readonly kind: 'ping' | 'pong'; readonly nonce: bigint }
  | { readonly kind: 'addr' | 'addrv2'; readonly addresses: readonly NetAddress[] }
  | { readonly kind: 'inv' | 'getdata' | 'notfound'; readonly items: readonly InvItem[] }
  | { readonly kind: 'getheaders'; readonly locator: readonly InternalHash[]; readonly stop: InternalHash }
  /** `headers`: 80 bytes each, one behind the other. */
  | { readonly kind: 'headers'; readonly headers: Uint8Array }
  /** BIP133: the sender relays nothing below this feerate, in sat per 1,000 vB. */
  | { readonly kind: 'feefilter'; readonly satPerKvb: bigint }
  /** `raw`: not looked into here. */
  | { readonly kind: 'tx' | 'block'; readonly raw: Uint8Array }
  /** BIP157. */
  | { readonly kind: 'getcfilters' | 'getcfheaders'; readonly startHeight: number; readonly stop: InternalHash }
  | { readonly kind: 'getcfcheckpt'; readonly stop: InternalHash }
  | { readonly kind: 'cfilter'; readonly block: InternalHash; readonly filter: Uint8Array }
  | {
      readonly kind: 'cfheaders';
      readonly stop: InternalHash;
      readonly previous: InternalHash;
      readonly filterHashes: readonly InternalHash[];
    }
  | { readonly kind: 'cfcheckpt'; readonly stop: InternalHash; readonly headers: readonly InternalHash[] };

export interface VersionMessage {
  readonly protocol: number;
  readonly services: bigint;
  readonly timeSeconds: bigint;
  /** Random: a node that meets its own has connected to itself. */
  readonly nonce: bigint;
  readonly userAgent: string;
  readonly height: number;
  /** BIP37: whether transactions are to be announced to the sender. */
  readonly relay: boolean;
}

export type InvType = 'tx' | 'block' | 'wtx' | 'witness-tx' | 'witness-block';
export interface InvItem {
  readonly type: InvType;
  readonly hash: InternalHash;
}

export type MessageErrorCode = 'message_malformed' | 'message_unknown';

/** Service bits (protocol documentation; BIP157, BIP159, BIP324). */
export const SERVICES = {
  network: 1n,
  witness: 1n << 3n,
  compactFilters: 1n << 6n,
  networkLimited: 1n << 10n,
  v2: 1n << 11n,
} as const;

/** The highest version that we speak: the one of BIP339. */
export const PROTOCOL_VERSION = 70_016;

/** Limits of a message's lists (net_processing.cpp; BIP157). */
export const MAX_INV = 50_000;
export const MAX_HEADERS = 2_000;
export const MAX_LOCATOR = 101;
export const MAX_CFHEADERS = 2_000;
export const MAX_CFILTERS = 1_000;
export const CFCHECKPT_INTERVAL = 1_000;
/** Nothing larger is a message (MAX_PROTOCOL_MESSAGE_LENGTH): a block has at most 4 million bytes. */
export const MAX_MESSAGE_BYTES = 4_000_000;
const MAX_USER_AGENT = 256;
const BASIC_FILTER = 0;

/** Where a list of our own is longer than the limit, the sender has a fault; where theirs is, the message is malformed. */
const INV_TYPES: readonly (readonly [InvType, number])[] = [
  ['tx', 1],
  ['block', 2],
  ['wtx', 5],
  ['witness-tx', 0x4000_0001],
  ['witness-block', 0x4000_0002],
];
const INV_TYPE = new Map(INV_TYPES.map(([type, code]) => [code, type]));
const INV_CODE = new Map(INV_TYPES);

/** Reads the payload of a message strictly: all of it, nothing beyond, every list within its limit. */
export function decodeMessage(command: string, payload: Uint8Array): Result<PeerMessage, MessageErrorCode> {
  const reader = createReader(payload);
  switch (command) {
    case 'version':
      return decodeVersion(reader);
    case 'verack':
    case 'sendheaders':
    case 'sendaddrv2':
    case 'wtxidrelay':
    case 'getaddr':
    case 'mempool':
      return whole(reader, { kind: command });
    case 'ping':
    case 'pong':
      return whole(reader, { kind: command, nonce: reader.u64() });
    case 'addr':
    case 'addrv2': {
      const addresses = command === 'addr' ? decodeAddr(payload) : decodeAddrV2(payload);
      return addresses ? ok({ kind: command, addresses }) : err('message_malformed');
    }
    case 'inv':
    case 'getdata':
    case 'notfound':
      return whole(reader, { kind: command, items: inventory(reader) });
    case 'getheaders': {
      reader.u32();
      const locator = hashes(reader, reader.size(MAX_LOCATOR));
      return whole(reader, { kind: 'getheaders', locator, stop: hash(reader) });
    }
    case 'headers':
      return whole(reader, { kind: 'headers', headers: headers(reader) });
    case 'feefilter':
      return whole(reader, { kind: 'feefilter', satPerKvb: reader.u64() });
    case 'tx':
    case 'block':
      return ok({ kind: command, raw: payload });
    case 'getcfilters':
    case 'getcfheaders': {
      if (reader.u8() !== BASIC_FILTER) return err('message_unknown');
      const startHeight = reader.u32();
      return whole(reader, { kind: command, startHeight, stop: hash(reader) });
    }
    case 'getcfcheckpt':
      if (reader.u8() !== BASIC_FILTER) return err('message_unknown');
      return whole(reader, { kind: 'getcfcheckpt', stop: hash(reader) });
    case 'cfilter': {
      if (reader.u8() !== BASIC_FILTER) return err('message_unknown');
      const block = hash(reader);
      return whole(reader, { kind: 'cfilter', block, filter: reader.view(reader.size(MAX_MESSAGE_BYTES)) });
    }
    case 'cfheaders': {
      if (reader.u8() !== BASIC_FILTER) return err('message_unknown');
      const stop = hash(reader);
      const previous = hash(reader);
      return whole(reader, {
        kind: 'cfheaders',
        stop,
        previous,
        filterHashes: hashes(reader, reader.size(MAX_CFHEADERS)),
      });
    }
    case 'cfcheckpt': {
      if (reader.u8() !== BASIC_FILTER) return err('message_unknown');
      const stop = hash(reader);
      return whole(reader, { kind: 'cfcheckpt', stop, headers: hashes(reader, reader.size(MAX_MESSAGE_BYTES / 32)) });
    }
    default:
      return err('message_unknown');
  }
}

/** The payload of a message; its command is `message.kind`. */
export function encodePayload(message: PeerMessage): Uint8Array {
  switch (message.kind) {
    case 'version':
      return encodeVersion(message);
    case 'verack':
    case 'sendheaders':
    case 'sendaddrv2':
    case 'wtxidrelay':
    case 'getaddr':
    case 'mempool':
      return new Uint8Array(0);
    case 'ping':
    case 'pong':
      return u64(message.nonce);
    case 'addr':
      return encodeAddr(message.addresses);
    case 'addrv2':
      return encodeAddrV2(message.addresses);
    case 'inv':
    case 'getdata':
    case 'notfound':
      return listOf(message.items, ({ type, hash }) => concat(u32(INV_CODE.get(type)!), hash));
    case 'getheaders':
      return concat(
        u32(PROTOCOL_VERSION),
        listOf(message.locator, (each) => each),
        message.stop,
      );
    case 'headers':
      return encodeHeaders(message.headers);
    case 'feefilter':
      return u64(message.satPerKvb);
    case 'tx':
    case 'block':
      return message.raw;
    case 'getcfilters':
    case 'getcfheaders':
      return concat(u8(BASIC_FILTER), u32(message.startHeight), message.stop);
    case 'getcfcheckpt':
      return concat(u8(BASIC_FILTER), message.stop);
    case 'cfilter':
      return concat(u8(BASIC_FILTER), message.block, withLength(message.filter));
    case 'cfheaders':
      return concat(
        u8(BASIC_FILTER),
        message.stop,
        message.previous,
        listOf(message.filterHashes, (each) => each),
      );
    case 'cfcheckpt':
      return concat(
        u8(BASIC_FILTER),
        message.stop,
        listOf(message.headers, (each) => each),
      );
    default:
      return assertNever(message);
  }
}

function whole(reader: Reader, message: PeerMessage): Result<PeerMessage, MessageErrorCode> {
  return reader.whole() ? ok(message) : err('message_malformed');
}

const hash = (reader: Reader) => reader.bytes(32) as InternalHash;

function hashes(reader: Reader, count: number): readonly InternalHash[] {
  const found: InternalHash[] = [];
  for (let i = 0; i < count && reader.good(); i++) found.push(hash(reader));
  return found;
}

/** Items of types that we do not know are left out: they ask or offer what is none of our business. */
function inventory(reader: Reader): readonly InvItem[] {
  const count = reader.size(MAX_INV);
  const items: InvItem[] = [];
  for (let i = 0; i < count && reader.good(); i++) {
    const type = INV_TYPE.get(reader.u32());
    const hashed = hash(reader);
    if (type) items.push({ type, hash: hashed });
  }
  return items;
}

/** Each header is followed by a count of transactions that is always zero (protocol documentation). */
function headers(reader: Reader): Uint8Array {
  const count = reader.size(MAX_HEADERS);
  if (reader.left() !== count * (HEADER_BYTES + 1)) {
    // Makes the whole message malformed without an allocation by its count.
    reader.bytes(reader.left() + 1);
    return new Uint8Array(0);
  }
  const out = new Uint8Array(count * HEADER_BYTES);
  for (let i = 0; i < count; i++) {
    out.set(reader.bytes(HEADER_BYTES), i * HEADER_BYTES);
    reader.size(0);
  }
  return out;
}

function encodeHeaders(bytes: Uint8Array): Uint8Array {
  const count = bytes.length / HEADER_BYTES;
  const head = compactSize(count);
  const out = new Uint8Array(head.length + count * (HEADER_BYTES + 1));
  out.set(head);
  for (let i = 0, at = head.length; i < count; i++, at += HEADER_BYTES + 1) {
    out.set(bytes.subarray(i * HEADER_BYTES, (i + 1) * HEADER_BYTES), at);
  }
  return out;
}

const NO_ADDRESS = { network: 'ipv6', bytes: new Uint8Array(16), port: 0 } as const;

function encodeVersion(message: VersionMessage): Uint8Array {
  return concat(
    u32(message.protocol),
    u64(message.services),
    u64(message.timeSeconds),
    // The receiver's and our own address: nobody needs them, and ours is nobody's business.
    ...[u64(0n), encodeIp(NO_ADDRESS), u64(message.services), encodeIp(NO_ADDRESS)],
    u64(message.nonce),
    withLength(utf8(message.userAgent)),
    u32(message.height),
    u8(message.relay ? 1 : 0),
  );
}

/** More may follow than we know; `relay` may be missing (BIP37). */
function decodeVersion(reader: Reader): Result<PeerMessage, MessageErrorCode> {
  const protocol = reader.i32();
  const services = reader.u64();
  const timeSeconds = reader.u64();
  reader.bytes(26);
  reader.bytes(26);
  const nonce = reader.u64();
  const userAgent = fromUtf8(reader.bytes(reader.size(MAX_USER_AGENT)));
  const height = reader.i32();
  const relay = reader.left() === 0 || reader.u8() !== 0;
  if (!reader.good()) return err('message_malformed');
  const shown = (userAgent ?? '').replace(/[^\x20-\x7e]/g, '?');
  return ok({ kind: 'version', protocol, services, timeSeconds, nonce, userAgent: shown, height, relay });
}

/** The longest payload that a message of this kind can have. What we do not know may be a megabyte, and is dropped. */
export function maxPayload(command: string): number {
  switch (command) {
    case 'tx':
    case 'block':
    case 'cfilter':
      return MAX_MESSAGE_BYTES;
    case 'inv':
    case 'getdata':
    case 'notfound':
      return 3 + MAX_INV * 36;
    case 'headers':
      return 3 + MAX_HEADERS * (HEADER_BYTES + 1);
    case 'cfheaders':
      return 68 + MAX_CFHEADERS * 32;
    case 'version':
    case 'ping':
    case 'pong':
    case 'feefilter':
    case 'verack':
    case 'sendheaders':
    case 'sendaddrv2':
    case 'wtxidrelay':
    case 'getaddr':
    case 'mempool':
    case 'getcfilters':
    case 'getcfheaders':
    case 'getcfcheckpt':
      return 1_024;
    case 'getheaders':
      return 4 + 1 + (MAX_LOCATOR + 1) * 32;
    default:
      return 1_000_000;
  }
}
