import { fromHex, toHex } from '@keepwatch/base';
import { encodeRlp } from '@keepwatch/evm';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { EvmBlockRef, Hash32 } from './facts.ts';
import { lied } from './fault.ts';
import { hash, hex, object, quantity, small, type Json } from './words.ts';

export interface EvmHeader {
  readonly block: EvmBlockRef;
  readonly parentHash: Hash32;
  /** Whether the hash is that of the fields; otherwise the header has fields that are not known here, and links alone count. */
  readonly verified: boolean;
  /** 256 bytes in hex. */
  readonly logsBloom: string;
}

/**
 * The members of a header in the order in which they are hashed (Yellow Paper §4.4; EIP-1559, EIP-4895, EIP-4844, EIP-4788,
 * EIP-7685, EIP-7928), and how each is written: bytes as they are, or a number without leading zeros.
 */
const FIELDS = [
  ['parentHash', 'bytes'],
  ['sha3Uncles', 'bytes'],
  ['miner', 'bytes'],
  ['stateRoot', 'bytes'],
  ['transactionsRoot', 'bytes'],
  ['receiptsRoot', 'bytes'],
  ['logsBloom', 'bytes'],
  ['difficulty', 'number'],
  ['number', 'number'],
  ['gasLimit', 'number'],
  ['gasUsed', 'number'],
  ['timestamp', 'number'],
  ['extraData', 'bytes'],
  ['mixHash', 'bytes'],
  ['nonce', 'bytes'],
  ['baseFeePerGas', 'number'],
  ['withdrawalsRoot', 'bytes'],
  ['blobGasUsed', 'number'],
  ['excessBlobGas', 'number'],
  ['parentBeaconBlockRoot', 'bytes'],
  ['requestsHash', 'bytes'],
  ['blockAccessListHash', 'bytes'],
] as const;
/** Members of the answer that are none of the header. */
const BESIDES = new Set(['hash', 'size', 'transactions', 'uncles', 'withdrawals', 'totalDifficulty']);
const KNOWN = new Set<string>(FIELDS.map(([name]) => name));

/**
 * The header of a block as an upstream gives it. Throws `upstream_lied` where its hash is not that of its fields, unless it
 * has members that are not known: a chain with a header of its own, or a fork of later times.
 */
export function readHeader(value: unknown): EvmHeader {
  const given = object(value);
  const number = small(given['number']);
  const header = {
    block: { number, hash: hash(given['hash']), timeMs: small(given['timestamp']) * 1_000 },
    parentHash: hash(given['parentHash']),
    logsBloom: hex(given['logsBloom']),
  };
  const verified = hashOfFields(given) === header.block.hash;
  const hasMore = Object.keys(given).some((name) => !KNOWN.has(name) && !BESIDES.has(name));
  if (!verified && !hasMore) lied(`The hash of block ${number} is not that of its header.`);
  if (!Number.isSafeInteger(header.block.timeMs)) lied(`The time of block ${number} is none.`);
  return { ...header, verified };
}

function hashOfFields(given: Json): Hash32 | undefined {
  const present = FIELDS.filter(([name]) => given[name] !== undefined && given[name] !== null);
  const items = present.map(([name, kind]) => {
    if (kind === 'bytes') return fromHex(hex(given[name]))!;
    const digits = quantity(given[name]).toString(16);
    return digits === '0' ? new Uint8Array() : fromHex(digits.length % 2 === 0 ? digits : `0${digits}`)!;
  });
  return `0x${toHex(keccak_256(encodeRlp(items)))}`;
}

/** Whether a bloom filter may hold a value (Yellow Paper §4.4.3): three bits, each of 11 bits of the hash. */
export function mayHold(bloom: string, value: Uint8Array): boolean {
  if (bloom.length !== 512) return true;
  const digest = keccak_256(value);
  return [0, 2, 4].every((at) => {
    const bit = ((digest[at]! << 8) | digest[at + 1]!) & 2_047;
    const byte = 255 - (bit >> 3);
    return (Number.parseInt(bloom.slice(2 * byte, 2 * byte + 2), 16) >> (bit & 7)) & 1;
  });
}
